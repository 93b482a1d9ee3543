"""The frame of a map: axes of a rectangle, or a triangle with its ticks, drawn on plain axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tieline.figures.style import INK, PENCIL
from tieline.figures.triangle import CORNERS, HEIGHT, Triangle, shares_among
from tieline.figures.views import View
from tieline.models.posterior import Posterior
from tieline.planning.wording import label, spoken_unit
from tieline.service.charts.looks import axis, layout

MAP, TOP = 430, 20  # pixels from the lower to the upper end of a map, and above it
BAR_ROOM, ROW, NAMED_IN_ROW = 64, 22, 2  # pixels of a bar of colours; of a row of the legend, and names in it


def furnish(view: View, posterior: Posterior, traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The layout around a map: maps beside each other are of one size, whatever stands below them."""
    begin = _axis_room(view) + BAR_ROOM * any("colorbar" in trace for trace in traces)
    n_rows = -(-sum(bool(trace.get("name")) for trace in traces) // NAMED_IN_ROW)
    below = begin + ROW * n_rows
    around = {
        "height": TOP + MAP + below,
        "legend": {"orientation": "h", "x": 0, "y": -begin / MAP, "yanchor": "top"},
    }
    margin = {"t": TOP, "b": below, "autoexpand": False}
    if isinstance(view, Triangle):
        return layout(**around, **_triangle(view), margin={"l": 10, "r": 10, **margin})
    left, right, bottom, top = view.extent
    x, y = (label(posterior.table[name], name) for name in view.names)
    return layout(
        **around,
        margin={"l": 80, "r": 20, **margin},
        xaxis=axis(x, range=[left, right], showgrid=False),
        yaxis=axis(y, range=[bottom, top], showgrid=False),
    )


def bar_below(view: View, words: str) -> dict[str, Any]:
    """The bar of colours below a map, where it takes nothing of its width."""
    return {
        "title": {"text": words, "side": "top"},
        "orientation": "h",
        "thickness": 12,
        "len": 0.8,
        "y": -_axis_room(view) / MAP,
        "yanchor": "top",
        "ypad": 0,
        "outlinewidth": 0,
        "exponentformat": "power",
    }


def _axis_room(view: View) -> int:
    """Pixels below a map for ticks and the title of an axis; a triangle has them within."""
    return 4 if isinstance(view, Triangle) else 82


def cell_names(view: View) -> tuple[list[str], list[np.ndarray]]:
    """How a pointer says where it is: lines of a hover text, and the columns that they read."""
    if isinstance(view, Triangle):
        shares = shares_among(view.pixels()[view.name], view.elements)
        columns = [100 * shares[:, k] for k in range(3)]
        parts = [f"{element} %{{customdata[{k}]:.1f}}" for k, element in enumerate(view.elements)]
        return [f"<b>{' '.join(parts)} at.%</b>"], columns
    lines = []
    for name, letter in zip(view.names, "xy", strict=True):
        unit = spoken_unit(view.table[name])
        lines.append(f"<b>{name.replace('_', ' ')}: %{{{letter}:.4g}} {unit}</b>".replace(" </b>", "</b>"))
    return lines, []


def mask(view: View) -> dict[str, Any] | None:
    """Paper over what a raster has beyond the edges of a triangle; None for a rectangle."""
    if not isinstance(view, Triangle):
        return None
    (ax, ay), (bx, by), (cx, cy) = CORNERS
    return {
        "type": "scatter",
        "mode": "none",
        "fill": "toself",
        "fillcolor": "#FFFFFF",
        "hoverinfo": "skip",
        "showlegend": False,
        # Around the outside, then around the triangle the other way, which leaves a hole.
        "x": [-0.3, 1.3, 1.3, -0.3, -0.3, None, ax, cx, bx, ax],
        "y": [-0.3, -0.3, 1.3, 1.3, -0.3, None, ay, cy, by, ay],
    }


def _triangle(view: Triangle) -> dict[str, Any]:
    """Sides, a light grid, and ticks in at.% along each side, each running to the corner of its element."""
    shapes: list[dict[str, Any]] = [_line(CORNERS[i], CORNERS[(i + 1) % 3], INK, 1.4) for i in range(3)]
    notes = []
    for start, end, dx, dy in ((0, 1, 0.0, -0.03), (1, 2, 0.035, 0.012), (2, 0, -0.035, 0.012)):
        third = 3 - start - end
        for percent in view.ticks(end):
            share = (percent / 100 - view.floor[end]) / view.side
            here = CORNERS[start] + share * (CORNERS[end] - CORNERS[start])
            far = CORNERS[third] + share * (CORNERS[end] - CORNERS[third])
            shapes.append(_line(here, far, PENCIL, 0.5) | {"opacity": 0.45})
            notes.append(_note(here + np.array([dx, dy]), f"{percent:g}", 11))
    beyond = ((-0.05, -0.03), (0.05, -0.03), (0, 0.045))
    for corner, element, away in zip(CORNERS, view.elements, beyond, strict=True):
        notes.append(_note(corner + away, f"<b>{element}</b>", 15))
    notes.append(_note((0.5, -0.085), "at.%", 12))
    hidden = {"visible": False, "fixedrange": False}
    return {
        "xaxis": {**hidden, "range": [-0.12, 1.12]},
        "yaxis": {**hidden, "range": [-0.12, HEIGHT + 0.09], "scaleanchor": "x"},
        "shapes": shapes,
        "annotations": notes,
    }


def _line(a: Any, b: Any, colour: str, width: float) -> dict[str, Any]:
    ends = {"x0": float(a[0]), "y0": float(a[1]), "x1": float(b[0]), "y1": float(b[1])}
    return {"type": "line", **ends, "line": {"color": colour, "width": width}, "layer": "above"}


def _note(place: Any, text: str, size: int) -> dict[str, Any]:
    return {
        "x": float(place[0]),
        "y": float(place[1]),
        "text": text,
        "showarrow": False,
        "font": {"size": size, "color": INK},
    }
