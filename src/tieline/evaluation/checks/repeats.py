"""Was one thing written down or measured several times, so that folds would share it?"""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import pdist, squareform

from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array, Indices
from tieline.models.belonging import same_rows

FEWEST_ROWS, FEWEST_COLUMNS = 20, 3  # for distances to say anything
MOST_ROWS = 3000  # for distances between all rows
PAIR_GAP, GAP = 2.0, 1.3  # nearest distance out of a pair or a larger cluster, over the largest within it
FEWEST_CLUSTERS = 5
LARGEST_CLUSTER = 15  # rows of one spot
IN_CLUSTERS = 0.5  # of the rows that stand beside another one
NEAREST_TIED = 0.5  # of the rows whose nearest has exactly the same target
SAME_TARGET = 0.25  # of the target's variance within such clusters: repeats share their target


def check_repeats(arrays: TaskArrays) -> Iterator[Finding]:
    """Find duplicates, repeats of one specimen or material, and spectra of one spot."""
    yield from _identities(arrays)
    together = same_rows(arrays.matrix())
    yield from _same_inputs(arrays, together)
    for name, block in arrays.blocks.items():
        if "composition" in name or np.allclose(np.nansum(block, 1), 1, atol=1e-3):
            yield from _same_material(arrays, name, block, together)
    yield from _spots(arrays)


def alike_in_all(*numbers: Indices) -> Indices:
    """Number (row) of the set of rows that are together by each of several numberings (row)."""
    return np.unique(np.stack(numbers, 1), axis=0, return_inverse=True)[1].ravel()


def _crosses(arrays: TaskArrays, together: Indices) -> bool:
    """Whether rows that belong together are in several groups, or nothing was said of groups."""
    if arrays.group is None:
        return True
    pairs = np.unique(np.stack([together, arrays.group], 1), axis=0)
    return len(pairs) > len(np.unique(together))


def _identities(arrays: TaskArrays) -> Iterator[Finding]:
    names, at, counts = np.unique(arrays.specimens, return_inverse=True, return_counts=True)
    is_divided = _crosses(arrays, at)
    if (counts > 1).any() and (is_divided or not arrays.is_grouped):
        n = int((counts > 1).sum())
        said = "One specimen stands" if n == 1 else f"{n} specimens stand"
        folds = ", and folds would divide them" if is_divided else "; folds keep them together"
        yield Finding(
            "repeats",
            "red" if is_divided else "amber",
            f"{said} on several rows{folds}.",
            "Name their group: groups='specimen'.",
            (),
            tuple(names[counts > 1].tolist()),
        )


def _same_inputs(arrays: TaskArrays, together: Indices) -> Iterator[Finding]:
    counts = np.bincount(together)
    several = counts[together] > 1
    if not several.any() or len(np.unique(together)) < 5:
        return
    duplicated, where = np.zeros(arrays.n, dtype=bool), "all that is read"
    if arrays.target:
        code = np.unique(arrays.told, return_inverse=True)[1]
        whole = alike_in_all(together, code)
        duplicated = (np.bincount(whole)[whole] > 1) & arrays.has_target
    elif arrays.matrix().shape[1] > 1:
        duplicated = several
        if arrays.beside is not None:
            alike = alike_in_all(together, arrays.beside)
            duplicated, where = np.bincount(alike)[alike] > 1, "every column"
    if duplicated.any():
        yield Finding(
            "duplicates",
            "amber",
            f"{duplicated.sum()} rows are copies of others in {where}.",
            "Remove the copies; folds keep them together meanwhile.",
            (),
            arrays.named(duplicated),
        )
    rest = several & ~duplicated & arrays.has_target
    if rest.any() and arrays.target:
        yield _repeats(arrays, together, rest)


def _repeats(arrays: TaskArrays, together: Indices, rest: np.ndarray) -> Finding:
    n = len(np.unique(together[rest]))
    if arrays.label is not None:
        sets = [arrays.label[rest & (together == t)] for t in np.unique(together[rest])]
        torn = sum(len(set(s)) > 1 for s in sets)
        said = f"; {torn} of them have more than one label" if torn else ""
    else:
        assert arrays.y is not None
        spread = [np.var(arrays.y[rest & (together == t)], ddof=1) for t in np.unique(together[rest])
                  if (rest & (together == t)).sum() > 1]  # fmt: skip
        unit = arrays.units.get(arrays.target, "")
        noise = f"{np.sqrt(np.mean(spread)):.3g} {unit if unit != '1' else ''}".strip() if spread else ""
        said = f"; they scatter by {noise}, which no model can better" if noise else ""
    return Finding(
        "repeats",
        "amber",
        f"{rest.sum()} rows repeat the inputs of others ({n} different ones){said}.",
        "Folds keep them together; if a recipe was followed several times, name the groups.",
        tuple(arrays.numbers),
        arrays.named(rest),
    )


def _same_material(arrays: TaskArrays, name: str, block: Array, together: Indices) -> Iterator[Finding]:
    material = same_rows(block)
    n_materials = len(np.unique(material))
    if n_materials == len(np.unique(together)) or not _crosses(arrays, material):
        return
    yield Finding(
        "repeats",
        "red" if n_materials < 0.8 * arrays.n else "amber",
        f"{arrays.n} rows are of {n_materials} materials: one {name} stands in several rows.",
        f"Materials are to be tested that were not learned from: groups='{name}'.",
        (name,),
    )


def _spots(arrays: TaskArrays) -> Iterator[Finding]:
    """Rows that differ by less than measurements of different things do, and share their target."""
    clusters = near_repeats(arrays)
    if clusters is None or not _crosses(arrays, clusters):
        return
    counts = np.bincount(clusters)
    inside = counts[clusters] > 1
    what = name_blocks(arrays)
    yield Finding(
        "one_spot",
        "red",
        f"{inside.sum()} of {arrays.n} rows are nearly the same as others in {what}, in "
        f"{(counts > 1).sum()} clusters that share their {arrays.target}: several measurements of one spot "
        "or specimen.",
        "Name what was measured together as groups, or average it; scores are too good otherwise.",
        tuple(arrays.blocks),
        arrays.named(inside),
    )


def name_blocks(arrays: TaskArrays) -> str:
    """What rows are compared in, for a sentence."""
    return " and ".join(arrays.blocks) if arrays.blocks else "all inputs"


def near_repeats(arrays: TaskArrays) -> Indices | None:
    """Number (row) of the cluster of near repeats that each row is in; None where there are no such clusters.

    A cluster is a set of rows that are one another's nearest, with a gap around it. Repeats show by most rows
    being in one, and by sharing their target: exactly, or nearly so.
    """
    x, rows = _standardised(arrays)
    if x is None or not FEWEST_ROWS <= len(rows) <= MOST_ROWS:
        return None
    distance = squareform(pdist(x))
    np.fill_diagonal(distance, -1.0)  # each row is its own nearest, also beside a copy
    order = np.argsort(distance, 1, kind="stable")[:, : LARGEST_CLUSTER + 1]
    near = np.take_along_axis(distance, order, 1)
    found = _tied(arrays, rows, order)
    if found is None:
        found = _closed(order, near)
    counts = np.bincount(found)
    inside = counts[found] > 1
    if (counts > 1).sum() < FEWEST_CLUSTERS or inside.mean() < IN_CLUSTERS:
        return None
    if not _share_target(arrays, rows, found, inside):
        return None
    clusters = np.arange(arrays.n) + len(counts)
    clusters[rows] = found
    return np.unique(clusters, return_inverse=True)[1]


def _closed(order: Indices, near: Array) -> Indices:
    """Number (row) of the set of one another's nearest with the widest gap around it, if it is wide."""
    n, most = order.shape
    cluster, best = np.arange(n), np.zeros(n)
    for size in range(2, most):
        members = np.sort(order[:, :size], 1)
        is_closed = (members[members] == members[:, None, :]).all((1, 2))
        gap = near[members, size].min(1) / np.maximum(near[members, size - 1].max(1), 1e-12)
        wide = is_closed & (gap > (PAIR_GAP if size == 2 else GAP)) & (gap > best)
        cluster[wide], best[wide] = members[wide, 0], gap[wide]
    return np.unique(cluster, return_inverse=True)[1]


def _tied(arrays: TaskArrays, rows: Indices, order: Indices) -> Indices | None:
    """Rows of one and the same measured number, if that is so of most rows and their nearest."""
    if arrays.y is None:
        return None
    tie = np.unique(arrays.y[rows], return_inverse=True)[1]
    if len(np.unique(tie)) < max(10, len(rows) / LARGEST_CLUSTER):
        return None
    return tie if (tie[order[:, 1]] == tie).mean() > NEAREST_TIED else None


def _standardised(arrays: TaskArrays) -> tuple[Array | None, Indices]:
    """What was measured of each row, standardised, one row for each set of equal ones."""
    blocks = [b for n, b in arrays.blocks.items() if not arrays.is_set(n)]
    columns = blocks or [v[:, None] for v in arrays.numbers.values()]
    whole = np.concatenate(columns, 1) if columns else np.zeros((arrays.n, 0))
    rows = np.flatnonzero(np.isfinite(whole).all(1) & arrays.has_target)
    if whole.shape[1] < FEWEST_COLUMNS or len(rows) < FEWEST_ROWS:
        return None, rows
    rows = np.sort(rows[np.unique(whole[rows], axis=0, return_index=True)[1]])
    x = whole[rows]
    spread = x.std(0)
    x = x[:, spread > 0]
    if x.shape[1] < FEWEST_COLUMNS:
        return None, rows
    return (x - x.mean(0)) / spread[spread > 0], rows


def _share_target(arrays: TaskArrays, rows: Indices, found: Indices, inside: np.ndarray) -> bool:
    if arrays.label is not None:
        label, clusters = arrays.label[rows][inside], found[inside]
        torn = [len(set(label[clusters == c])) > 1 for c in np.unique(clusters)]
        n_labels = len(np.unique(label))
        return float(np.mean(torn)) < 0.1 and len(np.unique(clusters)) > n_labels
    assert arrays.y is not None
    y, clusters = arrays.y[rows][inside], np.unique(found[inside], return_inverse=True)[1]
    mean = np.bincount(clusters, y) / np.bincount(clusters)
    return bool(((y - mean[clusters]) ** 2).mean() < SAME_TARGET * max(y.var(), 1e-300))
