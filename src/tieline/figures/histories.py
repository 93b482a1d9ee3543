"""A campaign specimen by specimen, in the order of making: how the best was come by."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tieline.errors import SchemaError, TielineError
from tieline.figures.scales import name_axis
from tieline.figures.style import INK, PAPER, PENCIL, PHASE_COLOURS, settings, sheet
from tieline.models.diagnosis import HALF_OF_90
from tieline.planning.goals import Goal, Maximize, Minimize, Target, property_terms
from tieline.schema.wording import name_known

BEST = "#D55E00"  # of the palette's eight, what stands out most from the first four


def history(
    table: xr.Dataset,
    goal: Goal,
    *,
    predicted: xr.Dataset | None = None,
    iteration: str = "iteration",
    best_before: float | None = None,
) -> Figure:
    """Draw a property of every specimen in the order of making, the best so far, and what was predicted.

    Args:
        table (specimen): in the order of making.
        goal: `Maximize`, `Minimize` or `Target` of one property.
        predicted (specimen): `NAME` and `NAME_sd` of each specimen as they were predicted before it was made,
            in the order of the table; NaN where nothing was predicted. Bars are 90 % intervals of a new
            measurement.
        iteration: variable or coordinate of the table that tells batches apart; each has its colour. Not
            drawn if the table has none.
        best_before: the best value known before the first specimen.

    Raises:
        SchemaError: the table lacks the property, or the prediction has other rows.
        TielineError: the goal asks for more than one property, or for none.
    """
    part = _only_part(goal)
    _check(table, part.name, predicted)
    values = table[part.name].values.astype(float)
    number = np.arange(1, values.size + 1)
    with settings():
        figure = sheet(7.2, 3.6)
        axes = figure.subplots()
        _draw_best_so_far(axes, part, number, values, best_before)
        if predicted is not None:
            _draw_predictions(axes, number, predicted, part.name)
        axes.plot(number, values, color=INK, lw=0.8, zorder=3)
        _draw_specimens(axes, table, iteration, number, values)
        if np.isfinite(values).any():
            best = int(np.nanargmax(_worth(part, values)))
            axes.plot(number[best], values[best], "*", color=BEST, ms=15, mec=PAPER, mew=0.8, zorder=5)
            axes.lines[-1].set_label("best of all")
        if isinstance(part, Target):
            axes.axhline(part.value, color=PENCIL, lw=0.8, linestyle=(0, (1, 2)))
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        axes.set_xlabel("specimen, in the order of making")
        name_axis(axes.yaxis, table[part.name], part.name)
        axes.set_xlim(0.4, values.size + 0.8)
        lines, labels = axes.get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside lower center", ncols=4)
    return figure


def _only_part(goal: Goal) -> Maximize | Minimize | Target:
    parts = property_terms(goal) if isinstance(goal, Goal) else ()
    if len(parts) != 1:
        raise TielineError(
            "A history is drawn of one property.", found=str(goal), hint='tl.Maximize("strength")'
        )
    return parts[0][1]


def _check(table: xr.Dataset, name: str, predicted: xr.Dataset | None) -> None:
    if name not in table.data_vars:
        raise SchemaError(
            f"The table lacks '{name}'.", found=name_known(table.data_vars, name), hint="name one of these"
        )
    if predicted is None:
        return
    lacking = [wanted for wanted in (name, f"{name}_sd") if wanted not in predicted]
    n_rows = predicted.sizes.get("specimen", 0)
    if lacking or n_rows != table.sizes["specimen"]:
        raise SchemaError(
            "The prediction does not go with the table.",
            found=f"no '{lacking[0]}'" if lacking else f"{n_rows} rows for {table.sizes['specimen']}",
            hint="posterior.predict(table) has a row for each specimen; put NaN where nothing was predicted",
        )


def _draw_best_so_far(
    axes: Axes,
    part: Maximize | Minimize | Target,
    number: np.ndarray,
    values: np.ndarray,
    before: float | None,
) -> None:
    """Draw the best so far as steps, from the first specimen or from what was known before it."""
    known = np.append(np.nan if before is None else before, values)
    worth = np.where(np.isfinite(known), _worth(part, known), -np.inf)
    leaders = [int(worth[: i + 1].argmax()) for i in range(len(known))]
    levels = np.where(np.isfinite(worth[leaders]), known[leaders], np.nan)
    x = np.append(0, number)
    axes.step(
        np.append(x, x[-1] + 1), np.append(levels, levels[-1]), where="post", color=PENCIL, lw=1.4, zorder=2
    )
    axes.lines[-1].set_label("best so far")


def _worth(part: Maximize | Minimize | Target, values: np.ndarray) -> np.ndarray:
    if isinstance(part, Maximize):
        return values
    return -values if isinstance(part, Minimize) else -np.abs(values - part.value)


def _draw_predictions(axes: Axes, number: np.ndarray, predicted: xr.Dataset, name: str) -> None:
    mean, sd = predicted[name].values, predicted[f"{name}_sd"].values
    axes.errorbar(
        number + 0.16,
        mean,
        HALF_OF_90 * sd,
        fmt="D",
        color=PENCIL,
        ecolor=PENCIL,
        elinewidth=3,
        alpha=0.3,
        ms=4,
        mew=0,
        zorder=1,
        label="predicted, with 90 % interval",
    )


def _draw_specimens(
    axes: Axes, table: xr.Dataset, iteration: str, number: np.ndarray, values: np.ndarray
) -> None:
    if iteration not in table.variables:
        axes.plot(number, values, "o", color=INK, ms=6, mec=PAPER, mew=0.6, zorder=4, label="measured")
        return
    batch = table[iteration].values
    for i, which in enumerate(dict.fromkeys(batch.tolist())):
        mine = batch == which
        colour = PHASE_COLOURS[i % len(PHASE_COLOURS)]
        axes.plot(number[mine], values[mine], "o", color=colour, ms=7, mec=PAPER, mew=0.7, zorder=4)
        words = f"{which:g}" if isinstance(which, float) else str(which)
        axes.annotate(
            f"{iteration} {words}" if i == 0 else words,
            (number[mine].mean(), 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=colour,
            fontweight="bold",
        )
    for edge in np.flatnonzero(batch[1:] != batch[:-1]) + 1.5:
        axes.axvline(edge, color=PENCIL, lw=0.5, alpha=0.6, zorder=0)
