"""Which rows belong together: those left out at once, and those with the same labels."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices, Mask

N_FOLDS = 5


@dataclass(frozen=True)
class Folds:
    """Parts of the rows that are predicted from the others.

    Attributes:
        parts: rows of each part; together all rows, each once.
        is_new: whether no other row of a row's chemical system was learned from (row).
    """

    parts: tuple[Indices, ...]
    is_new: Mask


def leave_out(group: Indices, system: Indices, seed: int) -> Folds:
    """Divide rows into parts that share no group, of about the same size.

    Args:
        group: what stays together (row): a material, or a chemical system.
        system: chemical system (row).
        seed: of the division.
    """
    rng = np.random.default_rng(seed)
    group = np.unique(group, return_inverse=True)[1].ravel()
    n_groups = int(group.max()) + 1
    n_parts = min(N_FOLDS, n_groups)
    part = deal(group, n_parts, rng)[group]
    rows = tuple(np.flatnonzero(part == i) for i in range(n_parts))
    is_new = np.zeros(len(group), dtype=bool)
    for inside in rows:
        is_new[inside] = ~np.isin(system[inside], system[np.setdiff1d(np.arange(len(group)), inside)])
    return Folds(rows, is_new)


def deal(group: Indices, n_parts: int, rng: np.random.Generator) -> Indices:
    """Deal groups, numbered from 0, into parts of about the same size; the part of each group."""
    n_groups = int(group.max()) + 1
    sizes = np.bincount(group, minlength=n_groups)
    # Large groups first, each into the smallest part: sizes stay even although groups are not.
    order = rng.permutation(n_groups)
    order = order[np.argsort(-sizes[order], kind="stable")]
    part_of, filled = np.empty(n_groups, dtype=np.intp), np.zeros(n_parts)
    for one in order:
        smallest = int(filled.argmin())
        part_of[one] = smallest
        filled[smallest] += sizes[one]
    return part_of


def same_labels(seen: Mask, weight: Array | None = None) -> list[tuple[Indices, Indices]]:
    """Properties that were measured on the same rows: their numbers, and these rows.

    Args:
        seen: which labels are there (row, property).
        weight: how much each label counts (row, property), where that has to be the same too.
    """
    told = seen if weight is None else np.where(seen, weight, -1.0)
    _, first, kind = np.unique(told.T, axis=0, return_index=True, return_inverse=True)
    return [(np.flatnonzero(kind.ravel() == i), np.flatnonzero(seen[:, j])) for i, j in enumerate(first)]
