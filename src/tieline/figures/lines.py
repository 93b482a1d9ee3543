"""A design of one dimension: the piecewise fit, where the boundaries are, and which phase is where."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.errors import TielineError
from tieline.figures.flags import flagged, handle, look
from tieline.figures.resting import distance_from_rest, is_category, resting_columns, say_rest
from tieline.figures.scales import few, name_axis, power_of, without
from tieline.figures.style import (
    ACCENT,
    INK,
    PAPER,
    PENCIL,
    given_labels,
    phase_colours,
    phases_of,
    settings,
    sheet,
)
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool, design_names
from tieline.planning.wording import spoken_unit
from tieline.schema.wording import ten_to

N_PLACES = 400
FAINT = 0.3  # opacity of specimens of another category


def line(posterior: Posterior, proposals: xr.Dataset | None = None) -> Figure:
    """Draw properties along a line with 90 % bands; below, where boundaries are and which phase is where.

    Categories rest at the commonest one; specimens of others are faint.

    Args:
        posterior: what a model learned, over one input or two elements, and any categories.
        proposals (specimen): from `tl.propose`; drawn as numbered ticks.
    """
    places, x, position = along(posterior)
    predicted = posterior.predict(places)
    has_phases = len(phases_of(predicted)) > 1
    properties = list(posterior.model.properties)
    has_density = has_phases and posterior.has_boundaries
    heights = [3.0] * len(properties) + [1.0] * has_density + [0.7] * has_phases
    with settings():
        figure = sheet(7.2, 0.6 + 0.82 * sum(heights))
        panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        for axes, wanted in zip(panels, properties, strict=False):
            _draw_property(axes, posterior, predicted, x, wanted)
        if has_density:
            _draw_density(panels[-2], posterior)
        if has_phases:
            _draw_phases(panels[-1], posterior, predicted, x)
        if proposals is not None:
            known = check_pool(posterior, proposals, called="proposals")
            _draw_proposals(panels[: len(properties)], position_along(posterior, known))
        if rest := say_rest(posterior.table, _categories(posterior)):
            panels[0].set_title(f"at {rest}", loc="right", fontsize=8, color=INK)
        panels[-1].set_xlim(x.min(), x.max())
        name_axis(panels[-1].xaxis, position, str(position.name), n_ticks=8)
        figure.align_ylabels(list(panels))
    return figure


def along(posterior: Posterior) -> tuple[xr.Dataset, np.ndarray, xr.DataArray]:
    """Spread places along the design, with their position and what names the axis."""
    name = _only_dimension(posterior)
    known = posterior.table[name]
    seen = position_along(posterior, posterior.table)
    margin = 0.02 * np.ptp(seen[np.isfinite(seen)])
    if "element" not in known.dims:
        x = np.linspace(np.nanmin(seen) - margin, np.nanmax(seen) + margin, N_PLACES)
        places = xr.Dataset({name: ("specimen", x, known.attrs)}, {"specimen": np.arange(x.size)})
        return places.assign(_resting(posterior, x.size)), x, known
    elements = known["element"].values
    if len(elements) > 2:
        raise _too_wide(f"{len(elements)} elements")
    x = np.linspace(max(np.nanmin(seen) - margin, 0), min(np.nanmax(seen) + margin, 1), N_PLACES)
    places = xr.Dataset(
        {name: (("specimen", "element"), np.stack([1 - x, x], -1), known.attrs)},
        {"specimen": np.arange(x.size), "element": elements},
    )
    places = places.assign(_resting(posterior, x.size))
    return places, x, known.rename(f"mole fraction of {elements[1]}")


def _only_dimension(posterior: Posterior) -> str:
    """The one input that is not a category."""
    names = [name for name in design_names(posterior) if not is_category(posterior.table[name])]
    if len(names) != 1:
        raise _too_wide(f"{len(names)} inputs that are numbers")
    return names[0]


def _categories(posterior: Posterior) -> list[str]:
    return [name for name in design_names(posterior) if is_category(posterior.table[name])]


def _resting(posterior: Posterior, n: int) -> dict[str, tuple]:
    return resting_columns(posterior.table, _categories(posterior), n)


def _too_wide(found: str) -> TielineError:
    return TielineError("A line needs a design of one dimension.", found=found, hint="tl.figures.phase_map")


def position_along(posterior: Posterior, places: xr.Dataset) -> np.ndarray:
    """Read where places are along the line; of two elements, the fraction of the second."""
    column = places[_only_dimension(posterior)]
    if "element" in column.dims:
        return column.sel(element=posterior.table["element"].values[1]).values
    return column.values


def _draw_property(axes: Axes, posterior: Posterior, predicted: xr.Dataset, x: np.ndarray, name: str) -> None:
    measured = posterior.results[name]
    mean, sd = predicted[name].values, predicted[f"{name}_sd"].values
    axes.fill_between(
        x,
        mean - HALF_OF_90 * sd,
        mean + HALF_OF_90 * sd,
        color=ACCENT,
        alpha=0.18,
        linewidth=0,
        label="90 % of new values",
    )
    axes.plot(x, mean, color=ACCENT, linewidth=1.6, label="expected")
    seen = position_along(posterior, posterior.table)
    error = posterior.table.get(f"{name}_sd")
    if error is not None:
        axes.errorbar(seen, measured, yerr=error, fmt="none", ecolor=PENCIL, elinewidth=0.8, zorder=3)
    labels = given_labels(posterior)
    colours = phase_colours(phases_of(predicted))
    fill = [colours.get(v, PAPER) for v in labels]
    away = distance_from_rest(posterior.table, _categories(posterior), posterior.table)
    strength: Any = np.where(away, FAINT, 1.0)
    axes.scatter(
        seen,
        measured,
        s=26,
        c=fill,
        edgecolors=INK,
        linewidths=0.7,
        alpha=strength,
        zorder=4,
        label="measured",
    )
    for flag, rows in flagged(posterior, name):
        if flag == "failed":  # has no value: at the foot
            foot = {"transform": axes.get_xaxis_transform(), "clip_on": False}
            axes.scatter(seen[rows], np.full(rows.size, 0.03), s=26, zorder=4, **foot, **look(flag))
        else:
            axes.scatter(seen[rows], posterior.table[name].values[rows], s=34, zorder=4, **look(flag))
    name_axis(axes.yaxis, measured, name)
    shown = axes.get_legend_handles_labels()[0]
    axes.legend(handles=[*shown, *(handle(flag) for flag, _ in flagged(posterior, name))], loc="best")


def _draw_density(axes: Axes, posterior: Posterior) -> None:
    known = posterior.table[_only_dimension(posterior)]
    found = posterior.boundaries()
    units = "" if "element" in known.dims else spoken_unit(known)
    axes.fill_between(found["position"], found["density"], color=PENCIL, alpha=0.5, linewidth=0)
    axes.plot(found["position"], found["density"], color=INK, linewidth=0.8)
    axes.set_ylim(bottom=0)
    power = power_of(*axes.get_ylim())
    scale = f"{ten_to(power)} " if power else ""
    words = f"boundaries\n{scale}per {units}" if units else f"boundary\ndensity {scale}".rstrip()
    axes.set_ylabel(words)
    axes.yaxis.set_major_locator(few(2))
    if power:
        axes.yaxis.set_major_formatter(without(power))


def _draw_phases(axes: Axes, posterior: Posterior, predicted: xr.Dataset, x: np.ndarray) -> None:
    probability = predicted["phase_probability"].transpose("phase", "specimen")
    colours = phase_colours(phases_of(predicted))
    axes.stackplot(x, probability.values, colors=[(*c, 0.75) for c in colours.values()], linewidth=0)
    for phase, share in zip(colours, probability.values, strict=True):
        for start, stop in _runs(share > 0.5):
            if x[stop - 1] - x[start] > 0.04 * np.ptp(x):
                axes.text(
                    (x[start] + x[stop - 1]) / 2,
                    0.5,
                    phase,
                    ha="center",
                    va="center",
                    fontsize=9,
                    fontweight="bold",
                )
    labels = given_labels(posterior)
    seen = position_along(posterior, posterior.table)[labels != ""]
    axes.plot(seen, np.full(seen.size, 0.06), "|", color=INK, markersize=6, markeredgewidth=0.8)
    axes.set(ylim=(0, 1), yticks=[0, 1], ylabel="phase\nprobability")


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Find the stretches where flags are set: (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return list(zip(edges[::2], edges[1::2], strict=True))


def _draw_proposals(panels: np.ndarray, x: np.ndarray) -> None:
    for axes in panels:
        for i, place in enumerate(x):
            axes.axvline(place, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
            axes.annotate(
                str(i + 1),
                (place, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                fontweight="bold",
                annotation_clip=False,
            )
