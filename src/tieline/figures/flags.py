"""Specimens whose property has no value: only a limit of it is known, or they could not be made."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from tieline.figures.style import INK, PAPER
from tieline.models.posterior import Posterior

MARKERS = {"below": "v", "above": "^", "failed": "x"}
WORDS = {"below": "below this limit", "above": "above this limit", "failed": "failed"}


def flagged(posterior: Posterior, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Give each flag of a property that occurs, and the rows of the table that have it."""
    if f"{name}_flag" not in posterior.table.variables:
        return
    flags = posterior.table.variables[f"{name}_flag"].values.astype(str)
    for flag in MARKERS:
        if (rows := np.flatnonzero(flags == flag)).size:
            yield flag, rows


def look(flag: str) -> dict[str, Any]:
    """How `Axes.scatter` draws a flag: triangles that point to where the value is, crosses for failures."""
    if flag == "failed":
        return {"marker": MARKERS[flag], "color": INK, "linewidths": 1.2}
    return {"marker": MARKERS[flag], "facecolors": PAPER, "edgecolors": INK, "linewidths": 0.9}


def handle(flag: str) -> Line2D:
    """What a legend shows for a flag."""
    return Line2D(
        [],
        [],
        marker=MARKERS[flag],
        color=PAPER if flag != "failed" else INK,
        markeredgecolor=INK,
        linestyle="none",
        markersize=6,
        label=WORDS[flag],
    )
