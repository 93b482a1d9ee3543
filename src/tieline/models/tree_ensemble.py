"""Extremely randomised trees as plain arrays: grown by scikit-learn, asked and saved without it.

Properties that were measured on the same rows, and count alike there, share their trees.

Source: Geurts, Ernst & Wehenkel (2006), doi:10.1007/s10994-006-6226-1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.composition_folds import same_labels

N_TREES = 100
N_TREES_LEFT_OUT = 20  # of each part that is left out
SHARE_OF_COORDINATES = 1 / 4  # that a split may choose from
LEAF = -1


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees of the properties that share their labels, end to end.

    Attributes:
        columns: numbers of these properties.
        start: first node of each tree, and the end of the last (tree + 1).
        feature: coordinate of each split, -1 for a leaf (node).
        threshold: at most this goes left (node).
        left: the node to the left, counted from the first of the tree (node).
        right: the node to the right (node).
        value: expected values of order one (node, property).
    """

    columns: Indices
    start: Indices
    feature: Indices
    threshold: Array
    left: Indices
    right: Indices
    value: Array

    def mean(self, x: Array) -> Array:
        """Expected values of order one (place, property of this forest)."""
        x = x.astype(np.float32)  # as they were grown
        total = np.zeros((len(x), len(self.columns)))
        for first, end in zip(self.start[:-1], self.start[1:], strict=True):
            total += self.value[first:end][self._leaves(x, slice(first, end))]
        return total / (len(self.start) - 1)

    def _leaves(self, x: Array, tree: slice) -> Indices:
        feature, threshold = self.feature[tree], self.threshold[tree]
        left, right = self.left[tree], self.right[tree]
        node = np.zeros(len(x), dtype=np.intp)
        moving = np.arange(len(x)) if feature[0] != LEAF else np.empty(0, np.intp)
        while moving.size:
            at = node[moving]
            goes_left = x[moving, feature[at]] <= threshold[at]
            node[moving] = np.where(goes_left, left[at], right[at])
            moving = moving[feature[node[moving]] != LEAF]
        return node


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Forests of all properties."""

    forests: tuple[Forest, ...]

    def mean(self, x: Array) -> Array:
        """Expected values of order one (place, property)."""
        n_properties = sum(len(forest.columns) for forest in self.forests)
        found = np.empty((len(x), n_properties))
        for forest in self.forests:
            found[:, forest.columns] = forest.mean(x)
        return found


def fit_trees(x: Array, y: Array, weight: Array, seed: int, n_trees: int = N_TREES) -> TreeEnsemble:
    """Grow trees on places (row, coordinate) and values (row, property), NaN where missing.

    Properties share trees if the same labels are there and count alike, by weight (row, property).
    """
    return TreeEnsemble(
        tuple(
            _grow(x[rows], y[np.ix_(rows, columns)], weight[rows, columns[0]], columns, seed, n_trees)
            for columns, rows in same_labels(np.isfinite(y), weight)
        )
    )


def leave_out_trees(x: Array, y: Array, weight: Array, parts: Sequence[Indices], seed: int) -> Array:
    """Predict each part of the rows from the others (row, property)."""
    found = np.empty_like(y)
    for i, rows in enumerate(parts):
        others = np.setdiff1d(np.arange(len(y)), rows)
        grown = fit_trees(x[others], y[others], weight[others], seed + i, N_TREES_LEFT_OUT)
        found[rows] = grown.mean(x[rows])
    return found


def _grow(x: Array, y: Array, weight: Array, columns: Indices, seed: int, n_trees: int) -> Forest:
    if not len(y):  # nothing to learn from: the mean, which is zero
        leaf = np.zeros((1, len(columns)), dtype=np.float32)
        none = np.full(1, LEAF, dtype=np.intp)
        return Forest(columns, np.array([0, 1]), none, np.zeros(1), none, none, leaf)
    from sklearn.ensemble import ExtraTreesRegressor

    grown = ExtraTreesRegressor(n_trees, max_features=SHARE_OF_COORDINATES, random_state=seed, n_jobs=1)
    grown.fit(x.astype(np.float32), y if y.shape[1] > 1 else y[:, 0], weight)
    trees = [tree.tree_ for tree in grown.estimators_]
    return Forest(
        columns,
        np.cumsum([0, *(tree.node_count for tree in trees)]),
        np.maximum(np.concatenate([tree.feature for tree in trees]), LEAF).astype(np.intp),
        np.concatenate([tree.threshold for tree in trees]),
        np.concatenate([tree.children_left for tree in trees]).astype(np.intp),
        np.concatenate([tree.children_right for tree in trees]).astype(np.intp),
        np.concatenate([tree.value[:, :, 0] for tree in trees]).astype(np.float32),
    )
