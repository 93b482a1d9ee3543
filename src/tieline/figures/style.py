"""What all figures share: colours that everybody can tell apart, thin frames, labels of specimens."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tieline.errors import TielineError, did_you_mean
from tieline.models.posterior import Posterior, label_sets

# Okabe and Ito's palette for the colour-blind, without black, the pale yellow last.
PHASE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#999999")
INK, PENCIL, PAPER = "#222222", "#777777", "#FFFFFF"
ACCENT = "#0072B2"
DPI = 150
UNSURE = 0.8  # a most likely phase that is less probable than this is drawn pale and hatched
SETTINGS = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.edgecolor": PENCIL,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.5,
    "axes.formatter.useoffset": False,  # scales.py says in the label what matplotlib would put above the axis
    "axes.formatter.limits": (-9, 9),
}


def sheet(width: float, height: float) -> Figure:
    """Open an empty figure of that many inches; its axes are to be made under `SETTINGS`."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def settings():
    """Apply the common style inside a `with` block, leaving matplotlib's own settings alone."""
    return matplotlib.rc_context(SETTINGS)  # type: ignore[arg-type]


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG (or PDF or SVG, by the name's ending) at 150 dots per inch.

    Raises:
        TielineError: the name has no ending, or that of a format in which figures cannot be written.
    """
    formats, ending = figure.canvas.get_supported_filetypes(), Path(path).suffix.lower().lstrip(".")
    if ending not in formats:
        raise TielineError(
            f"A figure cannot be written as '{Path(path).name}'.",
            found=f"the ending '.{ending}'.  {did_you_mean(ending, formats)}".rstrip()
            if ending
            else "no ending",
            hint=f"tl.figures.save(figure, '{Path(path).stem}.png'), or .pdf or .svg",
        )
    with settings():
        figure.savefig(path, dpi=DPI, facecolor=PAPER)
    return Path(path)


def phase_colours(phases: Iterable[object]) -> dict[str, tuple[float, float, float]]:
    """Give each phase its colour, in the order of the posterior; lighter copies after eight."""
    colours = {}
    for i, phase in enumerate(phases):
        strong = np.array(to_rgb(PHASE_COLOURS[i % len(PHASE_COLOURS)]))
        turns = i // len(PHASE_COLOURS)
        red, green, blue = 1 - (1 - strong) * 0.6**turns
        colours[str(phase)] = (red, green, blue)
    return colours


def phases_of(predicted: xr.Dataset) -> list[str]:
    """Names of the phases of a prediction; none where the model knows no phases."""
    return [str(phase) for phase in predicted["phase"].values] if "phase" in predicted.coords else []


def given_labels(posterior: Posterior) -> np.ndarray:
    """Read the phase label of every specimen of the table as text, "" where there is none.

    Soft labels count as the phase that is most probable; of several label sets the first that has a label.
    """
    table = posterior.table
    given = np.full(table.sizes["specimen"], "", dtype=object)
    for name in label_sets(posterior.model):
        if name in table:
            given = np.where(given == "", _labels_of(table[name]), given)
    return given


def _labels_of(column: xr.DataArray) -> np.ndarray:
    if column.ndim == 2:
        probability = column.transpose("specimen", ...).values
        seen = np.isfinite(probability).all(1)
        best = np.where(seen, np.nan_to_num(probability).argmax(1), 0)
        phases = column[column.dims[1] if column.dims[0] == "specimen" else column.dims[0]].values
        return np.where(seen, phases[best].astype(str), "").astype(object)
    return np.array([_as_label(v) for v in column.values], dtype=object)


def _as_label(value: object) -> str:
    """Spell a label as the posterior does: a whole number without its decimal point."""
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else str(value)
    return "" if value is None else str(value)
