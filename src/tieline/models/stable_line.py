"""A straight line in the columns that a sparse line chooses again and again, whatever half it learns from.

Source: Meinshausen & Bühlmann (2010), doi:10.1111/j.1467-9868.2010.00740.x; pairs of halves as in Shah &
Samworth (2013), doi:10.1111/j.1467-9868.2011.01034.x.
"""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from tieline.models.arrays import Array, Indices

N_PAIRS = 10
SHRINKAGE = 1.0  # of the line in what was chosen: columns that say the same share what they tell


class StableLine(RegressorMixin, BaseEstimator):
    """Chooses columns by stability, and fits a ridge to them, as a scikit-learn regressor.

    Args:
        threshold: share of the halves from which a column is chosen, above one half.
        random_state: of the halves.

    Attributes:
        chosen_: numbers of the columns.
        coefficients_: of them.
        intercept_: the rest.
    """

    def __init__(self, threshold: float = 0.75, random_state: int = 0) -> None:
        self.threshold = threshold
        self.random_state = random_state

    def fit(self, X: Array, y: Array) -> "StableLine":
        """Choose columns (row, column), and fit a line to a property (row)."""
        n = columns_a_half(X.shape[1], self.threshold)
        frequency = chosen_in_halves(X, y, np.arange(len(X)), N_PAIRS, n, self.random_state)
        self.chosen_ = np.flatnonzero(frequency >= self.threshold)
        some = X[:, self.chosen_]
        centred = some - some.mean(0)
        within = centred.T @ centred + SHRINKAGE * np.eye(len(self.chosen_))
        self.coefficients_ = np.linalg.solve(within, centred.T @ (y - y.mean()))
        self.intercept_ = float(y.mean() - some.mean(0) @ self.coefficients_)
        return self

    def predict(self, X: Array) -> Array:
        """Say the property of columns (row, column)."""
        return self.intercept_ + X[:, self.chosen_] @ self.coefficients_


def columns_a_half(n_columns: int, threshold: float) -> int:
    """Columns to choose in each half, so that about one of all is expected to be stable by chance."""
    return max(1, int(np.sqrt((2 * threshold - 1) * n_columns)))


def chosen_in_halves(x: Array, y: Array, group: Indices, n_pairs: int, n: int, seed: int) -> Array:
    """How often (column) each of the columns (row, column) enters among the first n of a sparse line.

    Args:
        x (row, column): standardised.
        y (row): the property.
        group (row): what is in the same half.
        n_pairs: pairs of halves that share no group.
        n: columns chosen in each half.
        seed: of the halves.

    Returns:
        Shares of the halves.
    """
    rng, labels = np.random.default_rng(seed), np.unique(group)
    counts = np.zeros(x.shape[1])
    for _ in range(n_pairs):
        first = np.isin(group, rng.permutation(labels)[: len(labels) // 2])
        for half in (first, ~first):
            counts[_entering_first(x[half], y[half], n)] += 1
    return counts / (2 * n_pairs)


def _entering_first(x: Array, y: Array, n: int) -> Indices:
    """The first n columns (row, column) that enter a sparse line for y (row) as its penalty falls."""
    from sklearn.linear_model import lars_path

    spread = x.std(0)
    varies = np.flatnonzero(spread > 1e-9)
    if not varies.size or y.std() == 0:
        return varies[:0]
    scaled = (x[:, varies] - x[:, varies].mean(0)) / spread[varies]
    _, active, _ = lars_path(scaled, y - y.mean(), method="lasso", max_iter=4 * n)
    return varies[list(active[:n])]
