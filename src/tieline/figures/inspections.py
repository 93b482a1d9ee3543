"""The quality of data at a glance: what each column holds, and which of them something is wrong with."""

from math import ceil
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.evaluation.inspection import COLOURS, Inspection, is_counted
from tieline.figures.scales import few, name_axis
from tieline.figures.style import ACCENT, INK, PENCIL, settings, sheet
from tieline.models.design_columns import labels_of

ACROSS = 4  # panels in a row
MOST = 16  # panels; those with a finding come first
N_BARS = 20
MOST_LABELS = 8  # bars of a column of text
TITLE = 30  # characters of a finding above a panel


def inspection(report: Inspection) -> Figure:
    """Draw a histogram of each column, and above it what was found.

    Columns with a finding come first, in its colour; specimens that it names are ticks at the top. Of a
    composition or a spectrum it is the values of all its members.

    Args:
        report: from `tl.inspect`, or `task.inspection`.
    """
    names = [str(name) for name in report.columns["column"].values]
    worst = {n: next((f for f in report.findings if n in f.columns), None) for n in names}
    order = sorted(names, key=lambda n: list(COLOURS).index(f.severity) if (f := worst[n]) else len(COLOURS))
    shown = order[:MOST]
    n_rows = ceil(len(shown) / ACROSS)
    across = ceil(len(shown) / n_rows)  # five are three and two, not four and one
    with settings():
        figure = sheet(2.3 * across, 1.9 * n_rows + 0.2)
        panels = figure.subplots(n_rows, across, squeeze=False).ravel()
        for axes, name in zip(panels, shown, strict=False):
            found = worst[name]
            _draw(axes, report, name, COLOURS[found.severity] if found else ACCENT)
            kinds = dict.fromkeys(f.kind.replace("_", " ") for f in report.findings if name in f.columns)
            title = fill(", ".join(kinds), TITLE) if kinds else ""
            axes.set_title(title, loc="left", fontsize=8, color=COLOURS[found.severity] if found else INK)
        for axes in panels[len(shown) :]:
            axes.remove()
    return figure


def _draw(axes: Axes, report: Inspection, name: str, colour: str) -> None:
    variable = report.table[name]
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    if is_counted(variable):
        text = labels_of(variable)
        labels, counts = np.unique(text[text != ""], return_counts=True)
        first = np.argsort(-counts)[:MOST_LABELS]
        axes.barh(np.arange(len(first)), counts[first], color=colour, alpha=0.6)
        axes.set_yticks(np.arange(len(first)), [str(s)[:12] for s in labels[first]], fontsize=7)
        axes.invert_yaxis()
        axes.set_xlabel(name.replace("_", " "))
        axes.xaxis.set_major_locator(few(3))
        return
    values = variable.values.astype(float).ravel()
    axes.hist(values[np.isfinite(values)], N_BARS, color=colour, alpha=0.6)
    if variable.ndim == 1:
        specimens = variable["specimen"].values.astype(str)
        called = {s for f in report.findings if name in f.columns for s in f.specimens}
        at = values[np.isin(specimens, list(called)) & np.isfinite(values)]
        top = axes.get_xaxis_transform()
        axes.plot(at, np.full(len(at), 0.97), "|", color=INK, markersize=6, transform=top)
        missing = int(np.isnan(values).sum())
        if missing:
            axes.annotate(f"{missing} missing", (1, 1), xycoords="axes fraction", ha="right", va="top",
                          fontsize=7, color=PENCIL)  # fmt: skip
    name_axis(axes.xaxis, variable, name.replace("_", " "), n_ticks=3)
