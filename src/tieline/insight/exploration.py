"""What a table looks like before anything is learned from it: a map of its specimens, and a tree of groups.

Source: Zhao, KIT (2024), sections 2.2.2 and 3.1.1, for the ways; van der Maaten & Hinton (2008),
jmlr.org/papers/v9/vandermaaten08a.html; McInnes, Healy & Melville (2018), doi:10.21105/joss.00861; Ward
(1963), doi:10.1080/01621459.1963.10500845; Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7. Departs from
them: an input of many columns, such as a composition, counts as much as one number does.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, TielineError, not_installed
from tieline.evaluation.task import inputs_of
from tieline.models.arrays import Array, Indices
from tieline.models.design_columns import DesignColumns
from tieline.models.learner_fit import Preparation
from tieline.models.principal_components import find_components
from tieline.schema import as_variables, require, require_table
from tieline.schema.flags import without_limits
from tieline.schema.wording import name_known

READER = "explore"
WAYS = ("components", "tsne", "umap")
FEWEST = 8  # specimens: fewer are a list, and no map
MOST = 10_000  # specimens: the tree keeps a distance for each pair, 0.4 GB of them
MOST_AXES = 10  # of principal components
NOTHING = 1e-18  # of the variance along the first axis: what rounding leaves
MOST_CLUSTERS = 8  # that are tried where no number was asked for
N_NEAREST = 10  # neighbours by which a map is judged
N_JUDGED = 2_000  # specimens among which groups are judged
HARDLY = 0.25  # mean silhouette below which groups are no structure worth a name
PERPLEXITY = 30.0  # neighbours that tsne looks at; it takes a third of the specimens at most
N_UMAP = 15  # neighbours that umap looks at


@dataclass(frozen=True)
class _Columns:
    """Standardised columns (specimen, column) in which every input has the same weight, and their names."""

    values: Array
    names: np.ndarray
    n_filled: int


def explore(
    data: xr.Dataset | xr.DataTree,
    inputs: Sequence[str] | str | None = None,
    *,
    way: str = "components",
    n_clusters: int | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Lay the specimens of a table out on a map by what they are made of, and divide them into groups.

    Nothing is predicted. Columns are standardised, holes filled with medians; a composition or a spectrum
    counts as much as one number, divided evenly among its columns. Most columns of a composition say what its
    elements are like: chemical likeness counts, more than each element. `tl.figures.exploration` draws it.

    Args:
        data: a table, or a record, which is represented first.
        inputs: numbers, categories, compositions and spectra; by default what the lab sets, or else every
            number.
        way: of the map: "components" (principal components), "tsne" or "umap" (`pip install
            "tieline[umap]"`). The last two keep neighbours together; distances between clusters, and
            their sizes, mean nothing there.
        n_clusters: how many; by default as many, up to eight, as are told apart best.
        seed: of tsne and umap.

    Returns:
        On `specimen`: embedding (specimen, axis), cluster (from 1, the largest first), silhouette (how much
        nearer a specimen is to its own cluster than to the next, in [-1, 1]) and kept (share of its ten
        nearest on the first two axes that are among its ten nearest in truth; of fewer below 21 specimens).
        The tree: merge (step, side), numbers of specimens or, from the number of specimens on, of earlier
        steps; height (step), in standard deviations.
        With "components", explained (axis) and loading (axis, column). attrs `way`, `n_clusters`, `notes`.

    Raises:
        SchemaError: an input is missing, or there is no such way or number of clusters.
        NotIdentified: there are fewer than eight specimens, or fewer than two columns vary.
        TielineError: there are more than 10,000 specimens.
        MissingExtra: umap is not installed.
    """
    table, names = _read(data, inputs)
    n = table.sizes["specimen"]
    _check(n, way, n_clusters)
    columns = _standardised(table, names)
    steps = _tree(columns.values)
    cluster, silhouette = _divided(columns.values, steps, n_clusters, seed)
    found: dict[str, tuple] = {}
    if way == "components":
        embedding, found = _components(columns)
    else:
        embedding = {"tsne": _tsne, "umap": _umap}[way](columns.values, seed)
    found |= {
        "embedding": (("specimen", "axis"), embedding, {"units": "1"}),
        "cluster": ("specimen", cluster),
        "silhouette": ("specimen", silhouette, {"units": "1"}),
        "kept": ("specimen", _kept(columns.values, embedding[:, :2]), {"units": "1"}),
        "merge": (("step", "side"), steps[:, :2].astype(int)),
        "height": ("step", steps[:, 2], {"units": "1"}),
    }
    coords = {
        "specimen": table["specimen"].values,
        "axis": np.arange(1, embedding.shape[1] + 1),
        "column": columns.names,
    }
    told = xr.Dataset(found, {k: v for k, v in coords.items() if k != "column" or way == "components"})
    notes = list(_notes(told, columns.n_filled))
    return told.assign_attrs(way=way, inputs=list(names), n_clusters=int(cluster.max()), notes=notes)


def _read(data: xr.Dataset | xr.DataTree, inputs: Sequence[str] | str | None) -> tuple[xr.Dataset, list[str]]:
    if isinstance(data, xr.DataTree):
        from tieline.features.represent import represent

        data = represent(data)
    require_table(data)
    names = list(inputs_of(data, (), (inputs,) if isinstance(inputs, str) else inputs))
    table = as_variables(data, names)
    require(table, names, READER)
    return without_limits(table, names), names


def _check(n: int, way: str, n_clusters: int | None) -> None:
    if way not in WAYS:
        raise SchemaError(f"There is no way '{way}' to lay specimens out.", found=name_known(WAYS, way))
    if n < FEWEST:
        raise NotIdentified(f"A map needs at least {FEWEST} specimens.", found=f"{n}")
    if n > MOST:
        raise TielineError(
            f"A tree of groups is made of at most {MOST:,} specimens.",
            found=f"{n:,}",
            hint="explore a part: table.isel(specimen=slice(None, None, 10))",
        )
    if n_clusters is not None and not 1 <= n_clusters < n:
        raise SchemaError(
            "So many groups cannot be made.",
            found=f"n_clusters={n_clusters} of {n} specimens",
            hint="leave n_clusters out",
        )


def _standardised(table: xr.Dataset, names: Sequence[str]) -> _Columns:
    design = DesignColumns.of(table, names)
    x = design.place(table)
    preparation = Preparation.of(x)
    varies = preparation.varies
    if varies.sum() < 2:
        raise NotIdentified(
            "A map needs two columns that vary.",
            found=", ".join(np.array(design.names)[varies]) or "none",
            hint="name other inputs",
        )
    inputs = np.array(design.input_of)[varies]
    weight = 1 / np.sqrt([np.sum(inputs == name) for name in inputs])
    values = preparation.apply(x)[:, : varies.sum()] * weight
    return _Columns(values, np.array(design.names)[varies], int((~np.isfinite(x[:, varies])).any(1).sum()))


def _components(columns: _Columns) -> tuple[Array, dict[str, tuple]]:
    """Places (specimen, axis), shares and loadings."""
    components = find_components(columns.values, MOST_AXES)
    # All on a line: the second axis is nothing, and says so.
    n = max(2, int((components.explained > NOTHING * components.explained[0]).sum()))
    found: dict[str, tuple] = {
        "explained": ("axis", components.explained[:n], {"units": "1"}),
        "loading": (("axis", "column"), components.axes[:n], {"units": "1"}),
    }
    return components.scores(columns.values)[:, :n], found


def _tsne(values: Array, seed: int) -> Array:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values).astype(float)


def _umap(values: Array, seed: int) -> Array:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells of parts of its own that are missing, and not needed
            from umap import UMAP
    except ImportError as error:
        raise not_installed("A map by umap needs", "umap", error) from error
    n_neighbours = min(N_UMAP, len(values) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few specimens: it changes how eigenvectors are found
        found = UMAP(n_neighbors=n_neighbours, random_state=seed, n_jobs=1).fit_transform(values)
    return np.asarray(found, dtype=float)


def _tree(values: Array) -> Array:
    """Steps (step, 4) by which specimens are joined so that variances within groups grow least."""
    from scipy.cluster.hierarchy import linkage

    return linkage(values, "ward")


def _divided(values: Array, steps: Array, n_clusters: int | None, seed: int) -> tuple[Indices, Array]:
    """Number of the group of each specimen, the largest first, and its silhouette."""
    from scipy.cluster.hierarchy import cut_tree
    from sklearn.metrics import silhouette_samples

    n = len(values)
    judged = np.sort(np.random.default_rng(seed).permutation(n)[:N_JUDGED])
    tried = [n_clusters] if n_clusters else list(range(2, min(MOST_CLUSTERS, n - 1) + 1))
    cuts = {k: cut_tree(steps, k).ravel() for k in tried}
    scores = {k: _score(values[judged], cut[judged]) for k, cut in cuts.items()}
    cut = cuts[max(scores, key=scores.__getitem__)]
    order = np.argsort(-np.bincount(cut), kind="stable")
    cluster = np.argsort(order)[cut]
    silhouette = silhouette_samples(values, cluster) if cluster.max() else np.zeros(n)
    return cluster + 1, np.asarray(silhouette)


def _score(values: Array, cluster: Indices) -> float:
    """Mean silhouette; the worst there is where a part of the specimens holds a single group."""
    from sklearn.metrics import silhouette_score

    n_groups = len(np.unique(cluster))
    return float(silhouette_score(values, cluster)) if 1 < n_groups < len(values) else -1.0


def _kept(values: Array, place: Array) -> Array:
    """Share (specimen) of the nearest on a map that are among the nearest in truth."""
    from sklearn.neighbors import NearestNeighbors

    k = min(N_NEAREST, (len(values) - 1) // 2)
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (values, place)]
    return (near[0][:, :, None] == near[1][:, None, :]).any(2).mean(1)


def _notes(told: xr.Dataset, n_filled: int) -> Iterator[str]:
    if n_filled:
        yield f"{n_filled} specimens lack an input, which was filled with its median."
    mean = float(told["silhouette"].mean())
    if mean < HARDLY:
        yield f"The specimens hardly fall into groups: their mean silhouette is {mean:.2f}."
    yield f"Of what is nearest on the map, {100 * float(told['kept'].mean()):.0f} % is nearest in truth."
