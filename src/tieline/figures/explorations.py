"""A table before anything is learned from it: the map of its specimens, the tree of its groups."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tieline.errors import SchemaError
from tieline.figures.scales import few
from tieline.figures.style import ACCENT, INK, PENCIL, phase_colours, settings, sheet
from tieline.models.design_columns import labels_of
from tieline.planning.wording import label
from tieline.schema import is_label, require

AXIS = {"components": "component", "tsne": "t-SNE", "umap": "UMAP"}
N_LOADINGS = 8  # bars of the columns that matter most on the map
MOST_LEAVES = 400  # of the tree: what is joined further down is one, and scipy recurses no deeper than it may
MOST_NAMED = 24  # letters of a column
MAP = "viridis"


def exploration(found: xr.Dataset, colour: xr.DataArray | None = None) -> Figure:
    """Draw the map, the tree, and with principal components what its two axes are made of.

    Args:
        found: from `tl.explore`.
        colour: a number or a label of each specimen, such as `table["hardness"]` or `table["phase"]`, that
            colours the map; by default the groups do.

    Raises:
        SchemaError: what is given is of another kind, or of other specimens.
    """
    require(found, ["embedding", "cluster", "merge", "height"], reader="figures.exploration")
    _check(found, colour)
    has_loadings = "loading" in found
    colours = list(phase_colours(range(found.attrs["n_clusters"])).values())
    with settings():
        figure = sheet(9.6 if has_loadings else 7.0, 3.1)
        widths = [1.2, 0.8, 1.0] if has_loadings else [1.2, 1.0]
        panels = figure.subplots(1, len(widths), width_ratios=widths)
        _draw_map(panels[0], found, colour, colours)
        if has_loadings:
            _draw_loadings(panels[1], found)
        _draw_tree(panels[-1], found, colours)
    return figure


def _check(found: xr.Dataset, colour: xr.DataArray | None) -> None:
    if colour is None:
        return
    if colour.dims != ("specimen",):
        raise SchemaError(
            "A map is coloured by one number or label a specimen.", found=f"{colour.dtype} on {colour.dims}"
        )
    theirs, ours = colour["specimen"].values.astype(str), found["specimen"].values.astype(str)
    if not np.array_equal(theirs, ours):
        raise SchemaError(
            f"'{colour.name}' is of other specimens than the map.",
            found=f"{len(theirs)} beside {len(ours)}",
            hint="colour by a variable of the table that was explored",
        )


def _draw_map(axes: Axes, found: xr.Dataset, colour: xr.DataArray | None, colours: list) -> None:
    across, up = found["embedding"].values[:, :2].T
    if colour is None:
        names = [f"group {k}" for k in range(1, len(colours) + 1)]
        _draw_groups(axes, found, np.array(names)[found["cluster"].values - 1], names)
    elif is_label(colour):
        labels = labels_of(colour)
        _draw_groups(axes, found, labels, [name for name in np.unique(labels).tolist() if name])
    else:
        values = colour.values.astype(float)
        known = np.isfinite(values)
        axes.plot(across[~known], up[~known], "o", mfc="none", mec=PENCIL, markersize=4, mew=0.6)
        shown = axes.scatter(across[known], up[known], c=values[known], cmap=MAP, s=16, linewidths=0)
        name = label(colour, str(colour.name).replace("_", " "))
        axes.figure.colorbar(shown, ax=axes, label=name, shrink=0.9, ticks=few(5))
    for axis, k in ((axes.xaxis, 0), (axes.yaxis, 1)):
        name = f"{AXIS[found.attrs['way']]} {k + 1}"
        share = f" ({found['explained'].values[k]:.0%})" if "explained" in found else ""
        axis.set_label_text(name + share)
        axis.set_major_locator(few(4))
    if "explained" not in found:  # distances between groups mean nothing there
        axes.set(xticks=[], yticks=[])


def _draw_groups(axes: Axes, found: xr.Dataset, of: np.ndarray, names: list[str]) -> None:
    """Colour each specimen by the name that it has; those without one are open."""
    across, up = found["embedding"].values[:, :2].T
    for name, shade in phase_colours(names).items():
        has = of == name
        axes.plot(across[has], up[has], "o", color=shade, markersize=4, alpha=0.7, mec="none",
                  label=f"{name} ({has.sum()})")  # fmt: skip
    axes.plot(across[of == ""], up[of == ""], "o", mfc="none", mec=PENCIL, markersize=4, mew=0.6)
    below = -0.2 if "explained" in found else -0.1
    axes.legend(loc="upper left", bbox_to_anchor=(0, below), ncols=3, handletextpad=0.1, columnspacing=0.8)


def _draw_loadings(axes: Axes, found: xr.Dataset) -> None:
    """The columns that matter most on the map, each with what it weighs on both axes."""
    loading = found["loading"].values[:2]
    size = np.hypot(*(loading * np.sqrt(found["explained"].values[:2, None])))
    first = np.argsort(-size)[:N_LOADINGS]
    rows = np.arange(len(first))
    for k, shade in enumerate((ACCENT, PENCIL)):
        axes.barh(rows + 0.2 * (2 * k - 1), loading[k, first], 0.36, color=shade, label=f"component {k + 1}")
    names = [str(name).replace("_", " ") for name in found["column"].values[first]]
    axes.set_yticks(rows, [n if len(n) <= MOST_NAMED else n[: MOST_NAMED - 1] + "…" for n in names])
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.xaxis.set_major_locator(few(4))
    axes.set_xlabel("loading")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.3, -0.2), ncols=2, handlelength=1, columnspacing=0.8)


def _draw_tree(axes: Axes, found: xr.Dataset, colours: list) -> None:
    from scipy.cluster.hierarchy import dendrogram

    n, height = found.sizes["specimen"], found["height"].values
    size = np.ones(2 * n - 1)
    group = np.concatenate([found["cluster"].values, np.zeros(n - 1, dtype=int)])
    for step, (a, b) in enumerate(found["merge"].values):
        size[n + step] = size[a] + size[b]
        group[n + step] = group[a] if group[a] == group[b] else 0
    steps = np.column_stack([found["merge"].values.astype(float), height, size[n:]])
    n_leaves = min(n, MOST_LEAVES)
    drawn = dendrogram(
        steps,
        n_leaves,
        "lastp",
        no_plot=True,
        show_leaf_counts=False,
        link_color_func=lambda k: str(group[k]),
    )
    lines = [list(zip(x, y, strict=True)) for x, y in zip(drawn["icoord"], drawn["dcoord"], strict=True)]
    shades = [colours[int(k) - 1] if int(k) else INK for k in drawn["color_list"]]
    axes.add_collection(LineCollection(lines, colors=shades, linewidths=0.8))
    axes.set(xlim=(0, 10 * n_leaves), ylim=(0, 1.05 * height[-1]), xticks=[])
    axes.yaxis.set_major_locator(few(4))
    axes.spines["bottom"].set_visible(False)
    axes.set(xlabel=f"{n} specimens", ylabel="apart by")
