"""Figures of calibration.md, from the numbers in calibration.json."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.figures.style import INK, PENCIL, PHASE_COLOURS, settings, sheet

QUANTITIES = {
    "value": "property at one place",
    "value_mean": "its mean over places",
    "value_spread": "its spread over places",
    "phase_share": "share of a phase",
    "log_likelihood": "likelihood of what was seen",
}
ENGINES = ("exact", "fast", "mcmc")
FEWEST = 0.8  # coverage of one world below which its intervals have failed


def draw_ranks(numbers: dict[str, Any]) -> Figure:
    """Draw how far the shares of smaller ranks depart from uniform, with the band that chance keeps to."""
    points = np.r_[0.0, numbers["points"], 1.0]
    own = [engine for engine in ENGINES if engine in numbers["cases"]]
    with settings():
        figure = sheet(7.4, 3.3)
        panels = figure.subplots(1, len(own), sharey=True)
        for axes, engine in zip(panels, own, strict=True):
            found = numbers["cases"][engine]
            low, high = (_closed(bound) for bound in found["band"])
            axes.fill_between(points, low, high, color=PENCIL, alpha=0.2, linewidth=0, label="chance (99 %)")
            axes.axhline(0, color=INK, linewidth=0.8)
            for colour, (name, label) in zip(PHASE_COLOURS, QUANTITIES.items(), strict=False):
                axes.plot(points, _closed(found["ranks"][name]), color=colour, label=label, linewidth=1.3)
            axes.set_title(f"{engine}, {found['worlds']} worlds", loc="left")
            axes.set(xlim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
        panels[len(own) // 2].set_xlabel("rank of the truth among draws")
        panels[0].set_ylabel("share of smaller ranks, less expected")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_coverage(numbers: dict[str, Any]) -> Figure:
    """Draw coverage against what was promised, and coverage world by world where assumptions fail."""
    levels = np.array(numbers["levels"]) / 100
    with settings():
        figure = sheet(7.4, 3.4)
        left, right = figure.subplots(1, 2)
        _promises(left)
        for i, (colour, engine) in enumerate(zip(PHASE_COLOURS, ENGINES, strict=False)):
            if engine in numbers["cases"]:
                found = numbers["cases"][engine]
                error = 2.576 * np.array(found["coverage_se"])  # 99 %
                excess = np.array(found["coverage"]) - levels
                left.errorbar(
                    100 * levels + 1.2 * (i - 1),
                    100 * excess,
                    100 * error,
                    fmt="o",
                    color=colour,
                    markersize=4,
                    elinewidth=1,
                    label=engine,
                )
        left.legend(loc="upper right")
        _draw_worlds(right, numbers["cases"])
    return figure


def _promises(axes: Axes) -> None:
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(xlabel="promised coverage, %", ylabel="kept less promised, percentage points")
    axes.set(xticks=[50, 80, 90, 95], xlim=(45, 100))
    axes.set_title("worlds of the prior", loc="left")


def _draw_worlds(axes: Axes, cases: dict[str, Any]) -> None:
    """Sorted coverage of every world, one line a case."""
    axes.axhline(90, color=INK, linewidth=0.8)
    axes.axhspan(40, 100 * FEWEST, color=PENCIL, alpha=0.12, linewidth=0)
    for colour, engine in zip(PHASE_COLOURS, ENGINES, strict=False):
        if (case := f"misfit_{engine}") in cases:
            share = 100 * np.array(cases[case]["by_world"])
            place = (np.arange(len(share)) + 0.5) / len(share) * 100
            axes.plot(place, share, "o-", color=colour, markersize=3, linewidth=1, label=engine)
    axes.set(xlabel="worlds from worst to best, %", ylabel="kept by 90 % intervals, %")
    axes.set(xlim=(0, 100), ylim=(40, 101))
    axes.set_title("worlds that break assumptions", loc="left")
    axes.legend(*axes.get_legend_handles_labels(), loc="lower right")


def _closed(curve: list[float]) -> np.ndarray:
    """Both ends are known: no rank lies below 0, all below 1."""
    return np.r_[0.0, curve, 0.0]
