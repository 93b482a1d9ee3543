"""How figures on pages look: the colours of the house, thin frames, hatching where nothing is sure."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb

from tieline.figures.style import INK, PAPER, PENCIL, phase_colours

FONT = {"family": "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", "size": 13, "color": INK}
GRID = "#E3E6EA"
HATCH = {"shape": "/", "size": 7, "solidity": 0.25, "fgcolor": PENCIL, "bgcolor": "rgba(0,0,0,0)"}
STAR = {"symbol": "star", "size": 17, "color": PAPER, "line": {"color": INK, "width": 1.4}}
DIGITS = 5  # of numbers that a page draws


def layout(**more: Any) -> dict[str, Any]:
    """The frame of a figure."""
    return {
        "font": FONT,
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": PENCIL, "font": FONT},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": -0.14, "x": 0},
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with ticks and a thin line."""
    return {
        "title": {"text": title},
        "ticks": "outside",
        "linecolor": PENCIL,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": True,
        "automargin": True,
        **more,
    }


def with_opacity(colour: Sequence[float] | str, opacity: float) -> str:
    """A colour that lets through what lies below."""
    red, green, blue = (round(255 * part) for part in to_rgb(colour))  # type: ignore[arg-type]
    return f"rgba({red},{green},{blue},{opacity:g})"


def colours_of(phases: Iterable[object]) -> dict[str, str]:
    """The colour of each phase, as in figures on paper."""
    return {phase: to_hex(colour) for phase, colour in phase_colours(phases).items()}


def scale(name: str) -> list[list[Any]]:
    """A scale of colours by its name in matplotlib."""
    steps = np.linspace(0, 1, 17)
    return [[float(s), to_hex(colormaps[name](s))] for s in steps]


def numbers(values: Any) -> list[Any]:
    """Numbers as a page needs them: few digits, null for none."""
    flat = np.asarray(values, dtype=float)
    if flat.ndim > 1:
        return [numbers(row) for row in flat]
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in flat]


def specimen_names(table: xr.Dataset) -> list[str]:
    """What specimens are called."""
    return [str(name) for name in table["specimen"].values]
