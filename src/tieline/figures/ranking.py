"""A batch of proposals at a glance: where each lies in the pool, and what is expected there."""

from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.figures.scales import name_axis
from tieline.figures.style import ACCENT, INK, PENCIL, settings, sheet
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.posterior import Posterior
from tieline.planning.goals import (
    LearnLevelSet,
    PropertyGoal,
    Target,
    level_terms,
    parse_goal,
    property_terms,
)
from tieline.planning.listing import design_columns
from tieline.planning.pool import check_pool
from tieline.planning.reason import measured_best
from tieline.planning.wording import rounded

LABEL_WIDTH = 18  # characters: what fits below a rail


def proposals(posterior: Posterior, batch: xr.Dataset) -> Figure:
    """Draw a row for each proposal: its settings, and 90 % intervals of the properties in the goal.

    Args:
        posterior: what a model learned.
        batch (specimen): from `tl.propose`.
    """
    settings_of, explored = (
        design_columns(posterior, places) for places in (check_pool(posterior, batch), posterior.table)
    )
    goal = parse_goal(batch.attrs["goal"])
    aims = {
        part.name: _aim(part, posterior.results) for _, part in (*property_terms(goal), *level_terms(goal))
    }
    n = batch.sizes["specimen"]
    with settings():
        figure = sheet(1.5 * len(settings_of) + 3.4 * len(aims) + 0.6, 0.42 * n + 1.3)
        widths = [1.0] * len(settings_of) + [2.3] * len(aims)
        panels = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths, sharey=True)[0]
        for axes, name in zip(panels, settings_of, strict=False):
            if settings_of[name].dtype.kind in "iufb":
                _draw_setting(axes, name, settings_of[name], explored[name])
            else:
                _draw_category(axes, name, settings_of[name])
        for axes, (name, (word, at)) in zip(panels[len(settings_of) :], aims.items(), strict=True):
            mean, sd = batch[name].values, batch[f"{name}_sd"].values
            rows = np.arange(n)
            axes.hlines(
                rows, mean - HALF_OF_90 * sd, mean + HALF_OF_90 * sd, color=ACCENT, linewidth=3, alpha=0.35
            )
            axes.plot(mean, rows, "o", color=ACCENT, markersize=5)
            if np.isfinite(at):
                axes.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
                axes.annotate(
                    word,
                    (at, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, -2),
                    textcoords="offset points",
                    fontsize=7,
                    color=INK,
                    va="bottom",
                )
            name_axis(axes.xaxis, batch[name], name)
            axes.tick_params(left=False)
            axes.spines["left"].set_visible(False)
        panels[0].set_yticks(np.arange(n), [str(i + 1) for i in range(n)], fontweight="bold", fontsize=10)
        panels[0].set_ylim(n - 0.5, -0.5)
    return figure


def _aim(goal: PropertyGoal | LearnLevelSet, table: xr.Dataset) -> tuple[str, float]:
    """What a property is compared with: a word and a value."""
    if isinstance(goal, LearnLevelSet):
        return "level", goal.level
    return ("target", goal.value) if isinstance(goal, Target) else ("best so far", measured_best(goal, table))


def _draw_category(axes: Axes, name: str, values: np.ndarray) -> None:
    """Write the category of each proposal."""
    for row, value in enumerate(values):
        axes.annotate(str(value), (0.5, row), ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, 1), xticks=[], xlabel=fill(name, LABEL_WIDTH))
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


def _draw_setting(axes: Axes, name: str, values: np.ndarray, seen: np.ndarray) -> None:
    """Draw a rail over the values explored, a dot where each proposal lies, and its number above."""
    rows = np.arange(values.size)
    low, high = np.nanmin(np.append(seen, values)), np.nanmax(np.append(seen, values))
    axes.hlines(rows, low, high, color=PENCIL, linewidth=0.8, alpha=0.5)
    axes.plot(values, rows, "o", color=INK, markersize=5)
    for row, value in zip(rows, values, strict=True):
        axes.annotate(
            rounded(value, high - low),
            (value, row),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    margin = 0.22 * (high - low or 1.0)
    axes.set(
        xlim=(low - margin, high + margin),
        xticks=[low, high],
        xticklabels=[rounded(end, high - low) for end in (low, high)],
        xlabel=fill(name, LABEL_WIDTH),
    )
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", labelcolor=PENCIL)
