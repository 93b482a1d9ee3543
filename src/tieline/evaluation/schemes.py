"""Ways to divide a task into folds, none of which lets a group stand on both sides."""

import itertools
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.model_selection import StratifiedGroupKFold

from tieline.errors import NotIdentified, SchemaError
from tieline.evaluation.folds import Fold
from tieline.models.arrays import Array, Indices
from tieline.models.composition_folds import deal

SCHEMES = ("grouped", "clusters", "time")
LEAST_LEARNED = 0.3  # of the rows, before the first test of a time-ordered scheme


def _check_number(n_folds: int, least: int) -> None:
    """See that there are folds to learn from beside the one that is tested."""
    if not isinstance(n_folds, int | np.integer) or n_folds < least:
        raise SchemaError(f"It takes at least {least} folds.", found=f"n_folds={n_folds!r}", hint="n_folds=5")


def group_folds(group: Indices, label: np.ndarray | None, n_folds: int, seed: int) -> list[Fold]:
    """Deal whole groups into folds of like size; labels, where there are any, evenly too.

    Args:
        group (row): number of the group of each row.
        label (row): labels; None where a number is predicted.
        n_folds: how many.
        seed: of the order.

    Raises:
        SchemaError: fewer folds than two.
        NotIdentified: there are fewer groups than two.
    """
    _check_number(n_folds, 2)
    n_groups = len(np.unique(group))
    n_folds = min(n_folds, n_groups)
    if n_folds < 2:
        raise NotIdentified(
            "All rows are of one group: nothing could be tested that was not learned from.",
            found=f"{len(group)} rows",
            hint="name other groups, or measure another specimen",
        )
    often = [] if label is None else [n for n in _groups_of_each(group, label) if n > 1]
    if often:
        folds = StratifiedGroupKFold(min(n_folds, *often), shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a label in one group only, as the task says
            return list(folds.split(np.zeros((len(group), 1)), label, group))
    at = np.unique(group, return_inverse=True)[1]
    return _held_out(deal(at, n_folds, np.random.default_rng(seed))[at])


def cluster_folds(columns: Array, group: Indices, n_folds: int, seed: int) -> list[Fold]:
    """Hold out one cluster of the inputs after another: what is tested is unlike what was learned from.

    Args:
        columns (row, column): standardised, without holes.
        group (row): number of the group of each row; a group goes with most of its rows.
        n_folds: how many clusters; fewer where there are fewer places.
        seed: of the clusters.

    Raises:
        SchemaError: fewer folds than two.
        NotIdentified: all rows are of one cluster.
    """
    _check_number(n_folds, 2)
    found = KMeans(
        min(n_folds, len(np.unique(columns, axis=0))),
        n_init=4,  # type: ignore[arg-type] - scikit-learn's stub says text
        random_state=seed,
    ).fit_predict(columns)
    votes = np.zeros((group.max() + 1, n_folds))
    np.add.at(votes, (group, found), 1)
    cluster = votes.argmax(1)[group]
    if len(np.unique(cluster)) < 2:
        raise NotIdentified(
            "All rows are of one cluster of the inputs: none could be held out.",
            found=f"{len(group)} rows in {len(np.unique(group))} groups",
            hint='scheme="grouped"',
        )
    return _held_out(cluster)


def time_folds(order: Array, group: Indices, n_folds: int) -> list[Fold]:
    """Learn from what came first, test what came next.

    Args:
        order (row): when each row was measured, or its number.
        group (row): a group is tested when its first row came; rows of it, or of others, that came later than
            the first of a test are not learned from.
        n_folds: how many tests, each of what follows.

    Raises:
        SchemaError: the time of some row is not known, or there is no fold.
        NotIdentified: nothing came before anything else.
    """
    _check_number(n_folds, 1)
    if not np.isfinite(order).all():
        raise SchemaError(
            "Some rows do not say when they were measured.",
            found=f"{(~np.isfinite(order)).sum()} rows",
            hint="fill in the column that was named as order=",
        )
    first = np.full(group.max() + 1, np.inf)
    np.minimum.at(first, group, order)
    rank = np.argsort(np.argsort(first[group], kind="stable"), kind="stable")
    # Groups that came together stay together: their rows share the place of the earliest.
    place = np.full(group.max() + 1, len(group))
    np.minimum.at(place, group, rank)
    at = place[group]
    edges = np.linspace(LEAST_LEARNED * len(group), len(group), n_folds + 1)
    folds = []
    for start, end in itertools.pairwise(edges):
        test = np.flatnonzero((at >= start) & (at < end))
        train = np.flatnonzero((at < start) & (order < order[test].min(initial=np.inf)))
        if len(train) and len(test):
            folds.append((train, test))
    if not folds:
        raise NotIdentified(
            "No group came wholly before another: nothing could be learned from the past alone.",
            found=f"{len(np.unique(group))} groups",
            hint='scheme="grouped"',
        )
    return folds


def _held_out(fold: Indices) -> list[Fold]:
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]


def _groups_of_each(group: Indices, label: np.ndarray) -> Sequence[int]:
    return [len(np.unique(group[label == name])) for name in np.unique(label)]
