"""What a network learned of volumes: its training, its latent space, searches in it, what it transfers."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tieline.errors import SchemaError
from tieline.figures.scales import few
from tieline.figures.style import ACCENT, INK, PENCIL, PHASE_COLOURS, settings, sheet
from tieline.schema import require
from tieline.schema.volumes import AXES

STRETCHES = tuple(f"stretch_{axis}" for axis in AXES)
STRETCHED = 0.95  # a factor below it counts as stretched
PALE = "#BBBBBB"
LABEL_WIDTH = 16  # letters
N_COMPONENTS = 3  # among which the panels choose
POROUS = "viridis_r"  # the darker the more porous, as in the study


def training(course: xr.Dataset) -> Figure:
    """Draw how training went: the negative bounds of learned and of held-out volumes, Fig. 4.9 of the study.

    Args:
        course: of the posterior of a `VolumeAutoencoder`.
    """
    require(course, ["training", "validation"], reader="figures.training")
    epoch, best = course["epoch"].values, int(course["validation"].values.argmin())
    with settings():
        figure = sheet(4.6, 3.2)
        axes = figure.subplots()
        axes.plot(epoch, course["training"].values, color=ACCENT, label="learned volumes")
        axes.plot(epoch, course["validation"].values, color=PENCIL, linestyle="--", label="held-out volumes")
        axes.plot(epoch[best], course["validation"].values[best], "o", color=INK, markersize=4, label="kept")
        axes.set(xlabel="epoch", ylabel="negative bound (nat a volume)")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(few(5))
        axes.legend()
    return figure


def latent_space(components: xr.Dataset) -> Figure:
    """Draw volumes in their principal components: by stretched axis, and by porosity; Fig. 4.10 of the study.

    The components that say most about the stretch span the left panel; the one that says most about porosity
    runs to the right in the other.

    Args:
        components: of the posterior of a `VolumeAutoencoder`, three or more, with porosity and the columns
            stretch_x, stretch_y and stretch_z. Stronger stretch is drawn larger. Volumes stretched along
            several axes have the colour of the strongest.

    Raises:
        SchemaError: a column is missing, or there are fewer than three components.
    """
    require(components, ["score", "porosity", *STRETCHES], reader="figures.latent_space")
    if components.sizes["component"] < N_COMPONENTS:
        raise SchemaError(
            f"The latent space is drawn with {N_COMPONENTS} components.",
            found=f"{components.sizes['component']}",
            hint="posterior.components(3)",
        )
    score = components["score"].values[:, :N_COMPONENTS]
    stretch = np.stack([components[name].values for name in STRETCHES], 1)
    told = [_explained(score[:, [k]], np.log(stretch)) for k in range(N_COMPONENTS)]
    porosity = components["porosity"].values
    by_porosity = int(np.argmax([_explained(score[:, [k]], porosity[:, None]) for k in range(N_COMPONENTS)]))
    rest = [int(k) for k in np.argsort(told)[::-1] if k != by_porosity]
    with settings():
        figure = sheet(7.4, 3.6)
        left, right = figure.subplots(1, 2)
        _draw_directions(left, score[:, sorted(rest)], stretch)
        points = right.scatter(
            score[:, by_porosity], score[:, min(rest)], c=porosity, cmap=POROUS, s=7, linewidths=0
        )
        figure.colorbar(points, ax=right, label="porosity", shrink=0.9)
        share = components["explained"].values
        for axes, (across, up) in ((left, sorted(rest)), (right, (by_porosity, min(rest)))):
            axes.set_xlabel(f"component {across + 1} ({share[across]:.0%})")
            axes.set_ylabel(f"component {up + 1} ({share[up]:.0%})")
        left.set_title("stretched axis", loc="left")
        right.set_title("porosity", loc="left")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def convergence(histories: Sequence[xr.Dataset], titles: Sequence[str] | None = None) -> Figure:
    """Draw how near searches came to their targets, against structures made; Fig. 4.12 of the study.

    Args:
        histories: of `inverse_design`. Those with the same title share a panel; the one whose final distance
            is the median of its panel is drawn in blue.
        titles: one for each history; by default one panel for all.

    Raises:
        SchemaError: there is nothing to draw, or not a title for each history.
    """
    names = list(titles) if titles is not None else [""] * len(histories)
    if not histories or len(names) != len(histories):
        raise SchemaError(
            "A figure of convergence has one history or more, and a title for each.",
            found=f"{len(histories)} histories, {len(names)} titles",
        )
    panels = {name: [h for h, n in zip(histories, names, strict=True) if n == name] for name in names}
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    with settings():
        figure = sheet(3.7 * columns + (1.0 if columns == 1 else 0), 2.4 * rows + 0.4)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for axes, (name, group) in zip(grid.ravel(), panels.items(), strict=False):
            _draw_searches(axes, [h["least_distance"].values for h in group])
            axes.set_title(name, loc="left")
        for axes in grid.ravel()[len(panels) :]:
            axes.remove()
        for axes in grid[-1]:
            axes.set_xlabel("structures made")
        for axes in grid[:, 0]:
            axes.set_ylabel("least distance")
    return figure


def transfer(errors: xr.Dataset) -> Figure:
    """Draw errors of several methods over repeats as boxes; Fig. 4.13 of the study.

    Args:
        errors: mean_squared_error (method, repeat), of what was predicted; and optionally
            mean_squared_error_training, of what was learned from.
    """
    require(errors, ["mean_squared_error"], reader="figures.transfer")
    methods = [str(m) for m in errors["method"].values]
    kinds = [("predicted", "mean_squared_error", ACCENT)]
    if "mean_squared_error_training" in errors:
        kinds.insert(0, ("learned from", "mean_squared_error_training", PALE))
    width = 0.7 / len(kinds)
    with settings():
        figure = sheet(max(4.6, 1.3 * len(methods) + 1), 3.4)
        axes = figure.subplots()
        for k, (label, name, colour) in enumerate(kinds):
            values = errors[name].transpose("method", "repeat").values
            place = np.arange(len(methods)) + (k - (len(kinds) - 1) / 2) * width
            axes.boxplot(
                [row[np.isfinite(row)] for row in values],
                positions=place,
                widths=width * 0.85,
                patch_artist=True,
                manage_ticks=False,
                medianprops={"color": INK},
                flierprops={"markersize": 3, "markeredgecolor": PENCIL},
                boxprops={"facecolor": colour, "edgecolor": INK, "linewidth": 0.8},
                label=label,
            )
        axes.set_yscale("log")
        axes.set_xticks(np.arange(len(methods)), [fill(m, LABEL_WIDTH) for m in methods])
        axes.set_ylabel("mean squared error")
        if len(kinds) > 1:
            axes.legend()
    return figure


def _draw_directions(axes: Axes, score: np.ndarray, stretch: np.ndarray) -> None:
    strongest, factor = stretch.argmin(1), stretch.min(1)
    is_stretched = factor < STRETCHED
    axes.scatter(*score[~is_stretched].T, s=5, color=PALE, linewidths=0, label="none")
    for k, axis in enumerate(AXES):
        own = is_stretched & (strongest == k)
        size = 4 + 22 * (STRETCHED - factor[own])
        axes.scatter(*score[own].T, s=size, color=PHASE_COLOURS[k], linewidths=0, alpha=0.8, label=axis)


def _draw_searches(axes: Axes, searches: list[np.ndarray]) -> None:
    middle = np.argsort([s[-1] for s in searches])[(len(searches) - 1) // 2]
    for number, least in enumerate(searches):
        made = np.arange(1, len(least) + 1)
        is_middle = number == middle
        axes.plot(
            made,
            least,
            color=ACCENT if is_middle else PALE,
            linewidth=1.6 if is_middle else 0.9,
            zorder=3 if is_middle else 2,
        )
    axes.set_yscale("log")
    axes.set_xlim(0, max(map(len, searches)))


def _explained(score: np.ndarray, known: np.ndarray) -> float:
    """Share of the variance of what is known that a line in the scores explains."""
    rows = np.isfinite(known).all(1)
    known = known[rows] - known[rows].mean(0)
    design = np.column_stack([score[rows], np.ones(rows.sum())])
    fitted = design @ np.linalg.lstsq(design, known, rcond=None)[0]
    spread = np.sum(known**2)
    return float(np.sum(fitted**2) / spread) if spread > 0 else 0.0
