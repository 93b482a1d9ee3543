"""Back-tests: how often and how soon each strategy finds the best, and what is lacking on the way."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tieline.errors import TielineError
from tieline.figures.scales import few, name_axis
from tieline.figures.style import PENCIL, PHASE_COLOURS, settings, sheet
from tieline.planning.backtest_answer import EXPECTED
from tieline.planning.goals import parse_goal, property_terms
from tieline.planning.wording import percent

WIDE = 1.96  # standard errors to either side of a mean hold it in 95 of 100 cases
MARKERS = "os^Dv<>P"
RANDOM = "random"
CHANCE = {"color": PENCIL, "linewidth": 1.2, "linestyle": (0, (5, 3))}


def backtest(result: xr.Dataset) -> Figure:
    """Draw how often each strategy found the best, and after how many tries, against the size of the start.

    Whiskers are 95 % intervals. The dashed line is what random picks do on average, in closed form. Tries are
    those after the start, the mean over runs that found the best.

    Args:
        result: from `tieline.backtest`.
    """
    _check(result)
    with settings():
        figure = sheet(7.4, 3.3)
        left, right = figure.subplots(1, 2)
        draw = _along_starts if result.sizes["n_start"] > 1 else _side_by_side
        share = result["found_share"]
        reach = (share - result["found_share_low"], result["found_share_high"] - share)
        draw(left, result, share, reach, "random_found_share")
        tries, error = result["mean_extra_tries"], WIDE * result["mean_extra_tries_sd"]
        draw(right, result, tries, (error, error), "random_extra_tries")
        left.set_ylim(0, 1.03)
        left.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        left.set_title(f"runs that found {_what(result)}", loc="left")
        right.set_ylim(bottom=0)
        right.yaxis.set_major_locator(few(6))
        right.set_title("tries after the start, where found", loc="left")
        lines, labels = left.get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside lower center", ncols=min(len(labels), 5))
    return figure


def regret(result: xr.Dataset, n_start: int | None = None) -> Figure:
    """Draw what the best place measured so far lacks to the best of all, against tries.

    Lines are means over the repeats, with bands that hold the mean in 95 of 100 cases.

    Args:
        result: from `tieline.backtest`.
        n_start: from which number of starts; by default the smallest.
    """
    _check(result)
    known = [int(n) for n in result["n_start"].values]
    n_start = known[0] if n_start is None else n_start
    if n_start not in known:
        raise TielineError(
            f"The back-test has no runs from {n_start} places.",
            found=f"n_start {', '.join(map(str, known))}",
            hint=f"n_start={known[0]}",
        )
    curves = result["regret"].sel(n_start=n_start).dropna("tries", how="all")
    mean = curves.mean("repeat")
    error = curves.std("repeat", ddof=1) / np.sqrt(curves.sizes["repeat"])
    with settings():
        figure = sheet(5.6, 3.4)
        axes = figure.subplots()
        for name, colour, marker in _looks(result):
            middle, wide = mean.sel(strategy=name).values, WIDE * error.sel(strategy=name).values
            tries = curves["tries"].values
            axes.fill_between(
                tries, np.maximum(middle - wide, 0), middle + wide, color=colour, alpha=0.15, lw=0
            )
            axes.plot(tries, middle, color=colour, lw=1.6, marker=marker, ms=4, markevery=_spaced(tries.size))
            axes.lines[-1].set_label(name)
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, _settled(mean))
        axes.set_xlabel(f"tries after a start of {n_start}")
        name_axis(axes.yaxis, result["regret"], _lack(result))
        axes.legend(loc="upper right")
    return figure


def _check(result: xr.Dataset) -> None:
    if not isinstance(result, xr.Dataset) or "found_share" not in result:
        raise TielineError(
            "This is not the answer of a back-test.",
            found=type(result).__name__,
            hint="tl.figures.backtest(tl.backtest(table, goal, strategies))",
        )


def _looks(result: xr.Dataset) -> list[tuple[str, str, str]]:
    """Name, colour and marker of each strategy; chance is grey."""
    names = [str(name) for name in result["strategy"].values]
    chance = [name for name in names if name == RANDOM]
    others = [name for name in names if name != RANDOM]
    bright = [(n, PHASE_COLOURS[i % len(PHASE_COLOURS)], MARKERS[i % 8]) for i, n in enumerate(others)]
    return [*bright, *((name, PENCIL, "x") for name in chance)]


def _along_starts(
    axes: Axes, result: xr.Dataset, middle: xr.DataArray, reach: Sequence[xr.DataArray], chance: str
) -> None:
    starts = result["n_start"].values
    looks = _looks(result)
    step = np.diff(starts).min() / 30
    for i, (name, colour, marker) in enumerate(looks):
        aside = starts + step * (i - (len(looks) - 1) / 2)  # so that no whisker hides another
        whiskers = [part.sel(strategy=name).values for part in reach]
        values = middle.sel(strategy=name).values
        axes.errorbar(aside, values, whiskers, color=colour, marker=marker, ms=4, lw=1.4, elinewidth=0.8)
        axes.containers[-1].set_label(name)
    axes.plot(starts, result[chance].values, **CHANCE, label=EXPECTED)
    axes.set_xlabel("specimens in the start")
    axes.xaxis.set_major_locator(few(6))


def _side_by_side(
    axes: Axes, result: xr.Dataset, middle: xr.DataArray, reach: Sequence[xr.DataArray], chance: str
) -> None:
    looks = _looks(result)
    for i, (name, colour, marker) in enumerate(looks):
        whiskers = [part.sel(strategy=name).values for part in reach]
        values = middle.sel(strategy=name).values
        axes.errorbar([i], values, whiskers, color=colour, marker=marker, ms=6, lw=0, elinewidth=1.2)
        axes.containers[-1].set_label(name)
    axes.axhline(float(result[chance].values[0]), **CHANCE, label=EXPECTED)
    axes.set_xlim(-0.6, len(looks) - 0.4)
    axes.set_xticks(range(len(looks)), [name for name, *_ in looks])
    axes.set_xlabel(f"strategy, from {int(result['n_start'][0])} specimens")


def _settled(mean: xr.DataArray) -> float:
    """After how many tries no curve but that of chance falls any more."""
    own = mean.sel(strategy=[name for name in mean["strategy"].values if name != RANDOM])
    own = mean if own.sizes["strategy"] == 0 else own
    level = own.transpose("tries", "strategy").values
    moving = np.flatnonzero((level[:-1] - level[1:] > 0).any(1))
    last = moving[-1] + 1 if moving.size else 1
    return float(min(1.15 * last + 1, mean["tries"].values[-1]))


def _spaced(n: int) -> int:
    return max(n // 12, 1)


def _lack(result: xr.Dataset) -> str:
    parts = property_terms(parse_goal(result.attrs["goal"]))
    return f"{parts[0][1].name} still lacking" if len(parts) == 1 else "spreads still lacking"


def _what(result: xr.Dataset) -> str:
    """What counts as found."""
    if "threshold" in result.attrs:
        return f"the threshold {result.attrs['threshold']:g}"
    return f"the best {percent(result.attrs['top_share'])}" if "top_share" in result.attrs else "the best"
