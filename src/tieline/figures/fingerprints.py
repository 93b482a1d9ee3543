"""Fingerprints: where specimens lie, what is typical of clusters, one modality from another."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.ticker import MaxNLocator

from tieline.errors import SchemaError
from tieline.figures.style import ACCENT, INK, PENCIL, UNSURE, phase_colours, settings, sheet
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.models.fingerprint.modality_reading import View

MOST_CARDS = 12  # clusters of one figure
MOST_SHOWN = 8  # specimens of one figure


def fingerprint(posterior: FingerprintPosterior, table: xr.Dataset | None = None) -> Figure:
    """Draw where specimens lie, in the plane in which clusters are furthest apart, with their ellipses.

    Args:
        posterior: of `Fingerprint`.
        table: specimens; those that were learned from if not given. Those that are less than 80 % sure of
            their cluster are drawn open.
    """
    table = posterior.table if table is None else table
    place = posterior.embed(table)["fingerprint"].values
    belongs = posterior.responsibilities(table)
    probability = belongs["cluster_probability"].values.max(1)
    axes_of = plane_of(posterior)
    colours = phase_colours(posterior.clusters)
    points = place @ axes_of
    with settings():
        figure = sheet(5.6, 4.2)
        axes = figure.subplots()
        for k, name in enumerate(posterior.clusters):
            _ellipse(axes, posterior, axes_of, k, colours[name])
            mine = belongs["most_likely_cluster"].values == name
            sure = probability >= UNSURE
            axes.scatter(*points[mine & sure].T, s=9, color=colours[name], label=name, linewidth=0)
            axes.scatter(
                *points[mine & ~sure].T, s=11, facecolor="none", edgecolor=colours[name], linewidth=0.7
            )
        axes.set(xlabel="first direction", ylabel="second direction")
        axes.set_title("Fingerprints; open: less than 80 % sure", loc="left")
        figure.legend(loc="outside right center", markerscale=2)
    return figure


def cluster_cards(posterior: FingerprintPosterior) -> Figure:
    """Draw what is typical of each cluster: one row a cluster, one column a modality.

    Args:
        posterior: of `Fingerprint`, with at most twelve clusters.
    """
    n = len(posterior.clusters)
    if n > MOST_CARDS:
        raise SchemaError(
            f"A figure shows the cards of at most {MOST_CARDS} clusters.", found=f"{n} clusters"
        )
    cards, views = posterior.prototypes(), [v for v in posterior.views if not v.categories]
    colours = phase_colours(posterior.clusters)
    with settings():
        figure = sheet(1.2 + 1.9 * len(views), 0.5 + 1.15 * n)
        grid = figure.subplots(n, len(views), squeeze=False)
        for k, name in enumerate(posterior.clusters):
            for axes, view in zip(grid[k], views, strict=True):
                one = cards.sel(cluster=name)
                _show(axes, view, one, colours[name])
                _same_scale(axes, cards, view)
                if k == 0:
                    axes.set_title(view.name, loc="left")
                if k < n - 1:
                    axes.tick_params(labelbottom=False)
                    axes.set_xlabel("")
                elif len(view.dims) == 1:
                    axes.set_xlabel(view.dims[0])
            share = float(cards["cluster_weight"].sel(cluster=name))
            of_row = {"rotation": 0, "ha": "right", "va": "center", "color": colours[name]}
            grid[k][0].set_ylabel(f"{name}\n{share:.0%}", **of_row)
    return figure


def cross_modal(
    posterior: FingerprintPosterior, table: xr.Dataset, target: str, given: str | Sequence[str], *, n: int = 4
) -> Figure:
    """Draw one modality as it was measured, and as others predict it.

    Args:
        posterior: of `Fingerprint`.
        table: specimens that were measured.
        target: an image or a curve.
        given: what it is predicted from.
        n: specimens, at most eight; the first of the table.
    """
    view = next((v for v in posterior.views if v.name == target), None)
    if view is None or not 1 <= len(view.dims) <= 2:
        raise SchemaError(
            f"'{target}' is no image and no curve.", hint="predict(table, target) gives numbers as a table"
        )
    n = min(n, MOST_SHOWN, table.sizes["specimen"])
    some = table.isel(specimen=slice(0, n))
    found = posterior.predict(some, target, given=given)
    told = given if isinstance(given, str) else ", ".join(given)
    with settings():
        if len(view.dims) == 1:
            return _curves(view, some, found, told)
        return _images(view, some, found, told)


def which_modality(posterior: FingerprintPosterior) -> Figure:
    """Draw how well each modality is predicted from others: errors beside those of the mean of all specimens.

    Args:
        posterior: of `Fingerprint`.
    """
    found = posterior.diagnose()["relative_error"]
    values = found.values
    with settings():
        figure = sheet(2.0 + 0.9 * values.shape[1], 1.3 + 0.6 * len(values))
        axes = figure.subplots()
        drawn = axes.imshow(np.clip(values, 0, 1), cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            if np.isfinite(value):
                axes.text(
                    j, i, f"{value:.2f}", ha="center", va="center", color="white" if value < 0.6 else INK
                )
        axes.set_xticks(range(values.shape[1]), [str(g) for g in found["given"].values])
        axes.set_yticks(range(len(values)), [str(t) for t in found["target"].values])
        axes.set(xlabel="given", ylabel="predicted")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_title("Error of held-out specimens; 1 is that of the mean", loc="left")
        figure.colorbar(drawn, ax=axes, fraction=0.05)
    return figure


def plane_of(posterior: FingerprintPosterior) -> np.ndarray:
    """Two directions (latent, 2) in which the centres of clusters are furthest apart."""
    centre = posterior.population.centre
    weight = np.sqrt(posterior.population.weight)[:, None]
    middle = (posterior.population.weight[:, None] * centre).sum(0)
    directions = np.linalg.svd(weight * (centre - middle), full_matrices=True)[2][:2].T
    return np.pad(directions, [(0, 0), (0, 2 - directions.shape[1])])


def _ellipse(axes: Axes, posterior: FingerprintPosterior, plane: np.ndarray, k: int, colour: object) -> None:
    """Two standard deviations around the centre of a cluster."""
    population = posterior.population
    covariance = plane.T @ (population.variance[k][:, None] * plane)
    size, direction = np.linalg.eigh(covariance)
    width, height = 4 * np.sqrt(np.maximum(size[::-1], 0))
    angle = np.degrees(np.arctan2(direction[1, 1], direction[0, 1]))
    centre = population.centre[k] @ plane
    axes.add_patch(Ellipse(tuple(centre), width, height, angle=angle, fill=False, color=colour, lw=0.8))


def _show(axes: Axes, view: View, card: xr.Dataset, colour: object) -> None:
    if len(view.dims) >= 2:
        image = card[view.variables[0]].values
        _show_image(axes, image if image.ndim == 2 else image[image.shape[0] // 2])
    elif view.dims:
        x, mean, sd = view.grid, card[view.variables[0]].values, card[f"{view.variables[0]}_sd"].values
        axes.fill_between(x, mean - sd, mean + sd, color=colour, alpha=0.25, linewidth=0)
        axes.plot(x, mean, color=colour)
    else:
        rows = np.arange(len(view.variables))
        mean = np.array([float(card[v]) for v in view.variables])
        sd = np.array([float(card[f"{v}_sd"]) for v in view.variables])
        away, reach = (mean - view.centre) / view.scale, sd / view.scale
        axes.errorbar(away, rows, xerr=reach, fmt="o", color=colour, markersize=4)
        axes.axvline(0, color=PENCIL, linewidth=0.6)
        axes.set_yticks(rows, view.variables)
        axes.set(xlim=(-3.2, 3.2), ylim=(len(rows) - 0.5, -0.5), xlabel="standard deviations")


def _show_image(axes: Axes, image: np.ndarray, low: float | None = None, high: float | None = None) -> None:
    """Draw an image in greys without a frame; by default from its own darkest to its brightest."""
    axes.imshow(image, cmap="gray", vmin=low, vmax=high)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _same_scale(axes: Axes, cards: xr.Dataset, view: View) -> None:
    if len(view.dims) != 1:
        return
    mean, sd = cards[view.variables[0]].values, cards[f"{view.variables[0]}_sd"].values
    axes.set_ylim(float((mean - sd).min()), float((mean + sd).max()))


def _curves(view: View, some: xr.Dataset, found: xr.Dataset, told: str) -> Figure:
    name, n = view.variables[0], some.sizes["specimen"]
    figure = sheet(1.0 + 1.7 * n, 2.3)
    grid = figure.subplots(1, n, squeeze=False, sharey=True)[0]
    for i, axes in enumerate(grid):
        one, measured = found.isel(specimen=i), some[name].isel(specimen=i).values
        axes.fill_between(view.grid, one[f"{name}_low"], one[f"{name}_high"], color=ACCENT, alpha=0.2, lw=0)
        axes.plot(view.grid, one[name], color=ACCENT)
        axes.plot(view.grid, measured, ".", color=INK, markersize=2.5)
        axes.set(xlabel=view.dims[0])
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.set_title(str(some["specimen"].values[i]), loc="left")
    grid[0].set_ylabel(f"{name}, {view.units}" if view.units not in ("", "1") else name)
    level = found.attrs["level"]
    figure.suptitle(f"{name} from {told}: prediction with {level:.0%} interval, dots as measured", size=10)
    return figure


def _images(view: View, some: xr.Dataset, found: xr.Dataset, told: str) -> Figure:
    name, n = view.variables[0], some.sizes["specimen"]
    figure = sheet(1.1 + 1.2 * n, 3.0)
    grid = figure.subplots(2, n, squeeze=False)
    for i in range(n):
        measured, predicted = some[name].isel(specimen=i).values, found[name].isel(specimen=i).values
        low, high = np.nanmin(measured), np.nanmax(measured)
        for axes, image in zip(grid[:, i], (measured, predicted), strict=True):
            _show_image(axes, image, low, high)
        grid[0, i].set_title(str(some["specimen"].values[i]))
    grid[0, 0].set_ylabel("measured")
    grid[1, 0].set_ylabel(f"from {told}")
    return figure
