"""Regions of a spread where diffraction patterns are alike, found without unmixing them.

Where only a line or two of each phase are in sight, patterns of phases cannot be told apart well, but it can
still be seen where patterns change. Patterns are compared on a root scale, on which counting noise is even
and weak lines count, smoothed over most of a line so that small strains hardly matter, and averaged with
those of neighbours in composition. They are sorted into as many clusters as are most clearly separate.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from tieline.errors import NotIdentified, SchemaError
from tieline.features.phases.arrays import Array
from tieline.features.phases.find import neighbours, points_of, specimens_of
from tieline.features.phases.reading import CHANNELS_PER_LINE, Patterns, lines_of, read_patterns

SMOOTHING = 2 / 3  # of the width of a line
N_COMPONENTS = 10
N_STARTS = 10
MOST = 12
READER = "find_regions"


def find_regions(
    record: xr.DataTree,
    *,
    node: str = "xrd",
    design: str | Sequence[str] | None = "composition",
    n_regions: int | None = None,
    most_regions: int = 8,
    seed: int = 0,
) -> xr.Dataset:
    """Find the regions of a spread in which diffraction patterns are alike: no labels, no references.

    For patterns with few lines in sight; where there are many, `find_phases` says more.

    Args:
        record: /specimens with the design, and a node of patterns: intensity (measurement, two_theta) in
            degrees, or over q. What was not measured is NaN, or has no row.
        node: name of the node of patterns.
        design: the composition or the names of the columns in which specimens are neighbours; None if there
            are none.
        n_regions: how many regions; found if not given.
        most_regions: how many to look for.
        seed: of the starts of the clusters.

    Returns:
        On `specimen`: region_probability (specimen, phase), which `PhaseProperty` reads as labels; region,
        the likeliest, "" where there was no pattern. pattern (phase, channel), the mean without background;
        separation (number), the silhouette of each number of regions. Regions are named by numbers, the
        largest first.

    Raises:
        SchemaError: patterns or design are not what they should be.
        NotIdentified: there are too few patterns to tell regions.

    Source:
        Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7, for the silhouette.
    """
    specimens = specimens_of(record, node)
    _check(n_regions, most_regions)
    patterns = read_patterns(record[node].to_dataset(), specimens["specimen"].values)
    n_seen, fewest = len(patterns.rows), n_regions or 2
    if n_seen < 2 * fewest:
        raise NotIdentified(
            f"{fewest} regions are told from {2 * fewest} patterns at least.", found=f"{n_seen} patterns"
        )
    lines = lines_of(patterns)
    near, notes = neighbours(points_of(specimens, design, READER), patterns)
    features = _features(lines.counts, near.mean)
    most = min(most_regions, n_seen // 2)
    tried = {n: _clusters(features, n, seed) for n in ([n_regions] if n_regions else range(2, most + 1))}
    separation = {n: float(silhouette_score(features, c.predict(features))) for n, c in tried.items()}
    number = max(separation, key=lambda n: separation[n])
    probability = _memberships(features, tried[number])
    notes = [*patterns.notes, *notes]
    if not n_regions:
        notes.append(f"{number} regions were found; `separation` says how clear other numbers are.")
    answer = _answer(specimens, patterns, patterns.intensity - lines.background, probability)
    answer["separation"] = ("number", list(separation.values()), {"units": "1"})
    return answer.assign_coords(number=list(separation)).assign_attrs(notes=notes, n_regions=number)


def _check(n_regions: int | None, most_regions: int) -> None:
    wrong = [n for n in (n_regions, most_regions) if n is not None and not 2 <= n <= MOST]
    if wrong:
        raise SchemaError(f"There are from 2 to {MOST} regions.", found=", ".join(map(str, wrong)))


def _features(counts: Array, neighbours_mean: Array) -> Array:
    """Components (specimen, component) in which patterns are compared."""
    root = np.sqrt(np.maximum(counts, 0))
    smooth = gaussian_filter1d(root, SMOOTHING * CHANNELS_PER_LINE, axis=1)
    n_near = (neighbours_mean > 0).sum(1, keepdims=True)
    together = (smooth + n_near * (neighbours_mean @ smooth)) / (1 + n_near)
    n_components = min(N_COMPONENTS, *(size - 1 for size in together.shape))
    return PCA(n_components, svd_solver="full").fit_transform(together)


def _clusters(features: Array, n: int, seed: int) -> KMeans:
    return KMeans(n, n_init=N_STARTS, random_state=seed).fit(features)  # type: ignore[arg-type]


def _memberships(features: Array, clusters: KMeans) -> Array:
    """Probability (specimen, region) of each cluster, the largest first.

    Clusters are round and of one size, that of the scatter within them; it counts in as many dimensions as it
    really has (its participation ratio), since components within a cluster go together.
    """
    label = clusters.predict(features)
    away = features - clusters.cluster_centers_[label]
    scatter = np.linalg.eigvalsh(away.T @ away / len(away))
    n_dimensions = scatter.sum() ** 2 / max((scatter**2).sum(), 1e-300)
    square = ((features[:, None] - clusters.cluster_centers_) ** 2).sum(2)
    probability = softmax(-square / max(2 * scatter.sum() / n_dimensions, 1e-300), axis=1)
    order = np.argsort(-np.bincount(label, minlength=clusters.n_clusters), kind="stable")
    return np.asarray(probability)[:, order]


def _answer(specimens: xr.Dataset, patterns: Patterns, net: Array, probability: Array) -> xr.Dataset:
    n, axis = specimens.sizes["specimen"], patterns.axis
    names = np.array([str(k + 1) for k in range(probability.shape[1])])
    wide = np.full((n, len(names)), np.nan)
    wide[patterns.rows] = probability
    region = np.full(n, "", dtype=object)
    region[patterns.rows] = names[probability.argmax(1)]
    own = probability / np.maximum(probability.sum(0), 1e-300)
    structure = {"units": "1", "role": "structure"}
    return xr.Dataset(
        {
            "region_probability": (("specimen", "phase"), wide, structure),
            "region": ("specimen", region.astype(str), {"role": "structure"}),
            "pattern": (("phase", axis.name), own.T @ net, {"units": "counts"}),
        },
        coords={"specimen": specimens["specimen"], "phase": names, axis.name: axis.values},
    )
