"""Maps of a design in two dimensions: which phase is where, and how large a property is."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from tieline.errors import SchemaError
from tieline.figures.flags import flagged, handle, look
from tieline.figures.scales import colour_bar, power_of
from tieline.figures.stars import RADIUS, number_stars
from tieline.figures.style import (
    INK,
    PAPER,
    PENCIL,
    UNSURE,
    given_labels,
    phase_colours,
    phases_of,
    settings,
    sheet,
)
from tieline.figures.views import Chart, View, charts, refine
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool
from tieline.planning.wording import label, percent
from tieline.schema.wording import name_known

SURE_STRENGTH, UNSURE_STRENGTH = 0.6, 0.2  # how much of a phase's colour a place gets
FAINT, FAINT_STAR = 0.35, 0.55  # opacity of specimens and proposals that are far from a cut
GREY = "#999999"  # hatching that shows on white and on dark purple
NEAR = 0.15  # specimens within this share of the range of the resting inputs are drawn strongly


def phase_map(
    posterior: Posterior, proposals: xr.Dataset | None = None, *, drawn: Sequence[Chart] | None = None
) -> Figure:
    """Draw which phase is where: pale and hatched where the most likely phase has less than 80 %.

    Designs of two inputs or three elements give one map. Longer ones give a cut for each pair of inputs, the
    others resting at their medians; specimens far from a cut are faint.

    Args:
        posterior: what a model learned.
        proposals (specimen): from `tl.propose`; drawn as numbered stars.
        drawn: from `charts(posterior, proposals)`, to predict once for several maps.

    Raises:
        SchemaError: the model knows no phases.
    """
    drawn = charts(posterior, proposals) if drawn is None else drawn
    phases = phases_of(drawn[0].predicted)
    if not phases:
        raise SchemaError(
            "This posterior knows no phases to draw.",
            found=f"the properties {', '.join(posterior.model.properties)}",
            hint=f'tl.figures.property_map(posterior, "{posterior.model.properties[0]}")',
        )
    with settings():
        figure, panels = _panels(len(drawn))
        for axes, chart in zip(panels, drawn, strict=True):
            _paint_phases(axes, chart)
            _draw_specimens(axes, chart.view, posterior, phases)
            _frame(axes, chart.view)
        handles = _legend_of_phases(posterior, phases, proposals is not None)
        figure.legend(handles=handles, loc="outside right upper", handlelength=1.4)
        _draw_proposals(figure, panels, drawn, posterior, proposals)
    return figure


def property_map(
    posterior: Posterior,
    name: str,
    proposals: xr.Dataset | None = None,
    *,
    drawn: Sequence[Chart] | None = None,
) -> Figure:
    """Draw a property and, beside it, the standard deviation of a new measurement.

    Dark lines are the boundaries of the most likely phases, hatched where the most likely phase has less than
    80 %; specimens have the colour of their measured value. Of cuts, the properties stand above the standard
    deviations.

    Args:
        posterior: what a model learned.
        name: of the property.
        proposals (specimen): from `tl.propose`; drawn as numbered stars.
        drawn: from `charts(posterior, proposals)`, to predict once for several maps.

    Raises:
        SchemaError: there is no such property.
    """
    measured = _measured(posterior, name)
    drawn = charts(posterior, proposals) if drawn is None else drawn
    means, sds = ([refine(chart.predicted[v].values) for chart in drawn] for v in (name, f"{name}_sd"))
    limits = _limits(np.concatenate([m.ravel() for m in means]), measured.values)
    widest = max(float(sd.max()) for sd in sds) or 1.0
    words = label(measured, name, power := power_of(*limits))
    with settings():
        figure, upper, lower = _pairs_of_panels(len(drawn))
        hatched = False
        for left, right, chart, mean, sd in zip(upper, lower, drawn, means, sds, strict=True):
            mean_image = _image(left, chart.view, mean, "viridis", limits)
            sd_image = _image(right, chart.view, sd, "Purples", (0.0, widest))
            for axes, colour in ((left, PAPER), (right, GREY)):
                hatched |= _hatch_guesses(axes, chart, colour)
                _draw_boundaries(axes, chart, on_colour=True)
                _frame(axes, chart.view)
            _draw_values(left, right, chart.view, posterior, name, limits)
        colour_bar(mean_image, upper, words, power)
        colour_bar(sd_image, lower, f"sd of {words}", power)
        handles = [_guess_handle()] if hatched else []
        if handles := [*handles, *(handle(flag) for flag, _ in flagged(posterior, name))]:
            figure.legend(handles=handles, loc="outside lower center", handlelength=1.4, ncols=len(handles))
        _draw_proposals(figure, upper, drawn, posterior, proposals)
    return figure


def _measured(posterior: Posterior, name: str) -> xr.DataArray:
    """Read what was measured of a property, if it is one."""
    known = list(posterior.model.properties)
    if name not in known:
        raise SchemaError(
            f"This posterior has no property '{name}' to draw.",
            found=name_known(known, name),
            hint=f'tl.figures.property_map(posterior, "{known[0]}")' if known else "tl.figures.phase_map",
        )
    return posterior.results[name]


def _limits(predicted: np.ndarray, measured: np.ndarray) -> tuple[float, float]:
    """Ends of the colour scale, shared by map and specimens; a few extremes may lie beyond."""
    values = np.concatenate([predicted, measured[np.isfinite(measured)]])
    return float(np.quantile(values, 0.005)), float(np.quantile(values, 0.995))


def _panels(n: int) -> tuple[Figure, list[Axes]]:
    """Open a figure with n panels, at most three in a row, and room for a legend on the right."""
    n_columns = min(n, 3)
    n_rows = -(-n // n_columns)
    width, height = (4.6, 4.1) if n == 1 else (3.0, 2.9)
    figure = sheet(width * n_columns + 1.3, height * n_rows)
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for spare in panels[n:]:
        spare.remove()
    return figure, list(panels[:n])


def _pairs_of_panels(n: int) -> tuple[Figure, list[Axes], list[Axes]]:
    """Open a figure for n means and n standard deviations: one beside the other, or cuts above cuts."""
    if n == 1:
        figure = sheet(9.4, 3.9)
        left, right = figure.subplots(1, 2)
        return figure, [left], [right]
    n_columns = min(n, 3)
    n_rows = -(-n // n_columns)
    height = 2.7 if n_rows == 1 else 2.2  # inches a row: with six cuts there are four rows
    figure = sheet(3.0 * n_columns + 1.3, 2 * n_rows * height)
    panels = figure.subplots(2 * n_rows, n_columns, squeeze=False)
    halves = [list(half.ravel()) for half in (panels[:n_rows], panels[n_rows:])]
    for spare in [axes for half in halves for axes in half[n:]]:
        spare.remove()
    return figure, halves[0][:n], halves[1][:n]


def _frame(axes: Axes, view: View) -> None:
    view.furnish(axes)
    if view.resting():
        axes.set_title(f"at {view.resting()}", loc="left", fontsize=8, color=INK, pad=RADIUS + 2)


def _paint_phases(axes: Axes, chart: Chart) -> None:
    view, predicted = chart.view, chart.predicted
    probability = refine(predicted["phase_probability"].transpose("specimen", "phase").values)
    colours = np.array(list(phase_colours(predicted["phase"].values).values()))
    top = probability.max(-1)
    strength = np.where(top >= UNSURE, SURE_STRENGTH, UNSURE_STRENGTH)[..., None]
    picture = 1 - strength * (1 - colours[probability.argmax(-1)])
    image = axes.imshow(
        picture, extent=view.extent, origin="lower", aspect="auto", interpolation="nearest", zorder=1
    )
    image.set_clip_path(view.outline(axes))
    _hatch_guesses(axes, chart, PENCIL)
    _draw_boundaries(axes, chart)


def _hatch_guesses(axes: Axes, chart: Chart, colour: str) -> bool:
    """Hatch where the most likely phase has less than 80 %, and tell whether there is such a place."""
    if "phase_probability" not in chart.predicted:
        return False
    top = refine(chart.predicted["phase_probability"].transpose("specimen", "phase").values).max(-1)
    if (top >= UNSURE).all():
        return False
    hatching = axes.contourf(
        *_grid(chart.view, top), top, levels=[-1, UNSURE], colors="none", hatches=["////"], zorder=2
    )
    hatching.set(edgecolor=colour, linewidth=0, clip_path=chart.view.outline(axes))
    return True


def _draw_boundaries(axes: Axes, chart: Chart, *, on_colour: bool = False) -> None:
    """Draw where the most likely phase changes, with a light edge on a map that may be dark there."""
    view, predicted = chart.view, chart.predicted
    if "phase_probability" not in predicted:
        return
    probability = refine(predicted["phase_probability"].transpose("specimen", "phase").values)
    winner = probability.argmax(-1)
    for k in np.unique(winner)[:-1]:
        lead = probability[..., k] - np.delete(probability, k, axis=-1).max(-1)
        lines = axes.contour(*_grid(view, lead), lead, levels=[0], colors=INK, linewidths=0.8, zorder=3)
        lines.set_clip_path(view.outline(axes))
        if on_colour:
            lines.set_path_effects([withStroke(linewidth=2.0, foreground=PAPER, alpha=0.7)])


def _grid(view: View, raster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left, right, bottom, top = view.extent
    return np.linspace(left, right, raster.shape[1]), np.linspace(bottom, top, raster.shape[0])


def _image(axes: Axes, view: View, raster: np.ndarray, colours: str, limits: tuple[float, float]):
    image = axes.imshow(
        raster,
        extent=view.extent,
        origin="lower",
        aspect="auto",
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        interpolation="nearest",
        zorder=1,
    )
    image.set_clip_path(view.outline(axes))
    return image


def _strength(view: View, places: xr.Dataset) -> Any:
    """Opacity of specimens, one each: faint away from the cut."""
    return np.where(view.distance(places) <= NEAR, 1.0, FAINT)


def _draw_specimens(axes: Axes, view: View, posterior: Posterior, phases: Sequence[str]) -> None:
    labels = given_labels(posterior)
    colours = phase_colours(phases)
    _dots(axes, view, posterior.table.isel(specimen=labels == ""), s=9, c=INK, linewidths=0, zorder=4)
    labelled = labels != ""
    fill = [colours.get(v, (1, 1, 1)) for v in labels[labelled]]
    _dots(
        axes,
        view,
        posterior.table.isel(specimen=labelled),
        s=30,
        c=fill,
        edgecolors=PAPER,
        linewidths=0.8,
        zorder=5,
    )


def _draw_proposals(
    figure: Figure,
    panels: Iterable[Axes],
    drawn: Sequence[Chart],
    posterior: Posterior,
    proposals: xr.Dataset | None,
) -> None:
    """Add numbered stars to maps that are complete otherwise."""
    if proposals is None:
        return
    places = check_pool(posterior, proposals, called="proposals")
    edge = RADIUS / 72  # inches: half a star, which may stand at the edge of a map
    figure.set_layout_engine("constrained", w_pad=edge, h_pad=edge)
    figure.draw_without_rendering()
    for axes, chart in zip(panels, drawn, strict=True):
        strength = np.maximum(_strength(chart.view, places), FAINT_STAR)
        number_stars(axes, *chart.view.locate(places), strength)


def _draw_values(
    left: Axes, right: Axes, view: View, posterior: Posterior, name: str, limits: tuple[float, float]
) -> None:
    measured = posterior.table.isel(specimen=np.isfinite(posterior.results[name].values))
    scale = {"cmap": "viridis", "vmin": limits[0], "vmax": limits[1]}
    colours = measured[name].values
    # A light ring shows on dark places, the dark ring around it on light ones.
    _dots(left, view, measured, s=50, c=INK, linewidths=0, zorder=4.9)
    _dots(left, view, measured, s=30, c=colours, edgecolors=PAPER, linewidths=1.1, zorder=5, **scale)
    _dots(right, view, measured, s=16, c=INK, edgecolors=PAPER, linewidths=0.8, zorder=5)
    for flag, rows in flagged(posterior, name):
        for axes in (left, right):
            _dots(axes, view, posterior.table.isel(specimen=rows), s=30, zorder=5, **look(flag))


def _dots(axes: Axes, view: View, places: xr.Dataset, **look: Any) -> None:
    """Draw specimens, faint away from the cut. Matplotlib refuses opacities of no points at all."""
    if places.sizes["specimen"]:
        axes.scatter(*view.locate(places), alpha=_strength(view, places), **look)


def _guess_handle() -> Patch:
    return Patch(
        facecolor=PAPER,
        edgecolor=PENCIL,
        hatch="////",
        linewidth=0.5,
        label=f"less than {percent(UNSURE)} sure",
    )


def _legend_of_phases(
    posterior: Posterior, phases: Sequence[str], has_proposals: bool
) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=(*colour, SURE_STRENGTH), edgecolor=INK, linewidth=0.5, label=phase)
        for phase, colour in phase_colours(phases).items()
    ]
    handles.append(_guess_handle())
    labels = given_labels(posterior)
    point = {"linestyle": "none", "markeredgewidth": 0.8}
    if (labels != "").any():
        handles.append(
            Line2D(
                [],
                [],
                marker="o",
                color=PENCIL,
                markeredgecolor=PAPER,
                markersize=6,
                label="labelled",
                **point,
            )
        )
    if (labels == "").any():
        handles.append(
            Line2D([], [], marker=".", color=INK, markersize=5, label="no label", linestyle="none")
        )
    if has_proposals:
        handles.append(
            Line2D(
                [], [], marker="*", color=PAPER, markeredgecolor=INK, markersize=11, label="proposal", **point
            )
        )
    return handles
