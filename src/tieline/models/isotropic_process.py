"""A Gaussian process with one lengthscale for all columns: for hundreds of columns, in a second.

Its scales are those of the largest marginal likelihood on a grid, found on some of the rows: each lengthscale
takes one eigendecomposition, whatever the number of noise levels.

Source: Rasmussen & Williams (2006), eqs. 2.25, 2.26 and 5.8; kernels of eq. 4.17.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.spatial.distance import cdist

from tieline.models.arrays import Array

LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the median distance
NOISES = np.logspace(-4, 1, 11)  # variance of the noise over that of the function
ROWS_FOR_SCALES = 400
PLACES = 1_000  # at a time: their covariances stay in the cache
MOST_ROWS = 3000
TINY = 1e-300  # keeps the logarithm of nothing finite, where all values are the same
JITTER = 1e-8  # variances are of order 1


@dataclass(frozen=True)
class IsotropicProcess:
    """A fitted process over columns of order one.

    Attributes:
        x (row, column): what was learned from.
        weights (row): of the covariances with them.
        factor (row, row): lower triangle of the covariance with noise, over the variance of the function.
        kernel: "laplace" or "matern52".
        length: of the kernel, in the unit of distances.
        noise: variance of the noise over that of the function.
        variance: of the function.
    """

    x: Array
    weights: Array
    factor: Array
    kernel: str
    length: float
    noise: float
    variance: float

    @staticmethod
    def fit(x: Array, y: Array, seed: int) -> "IsotropicProcess":
        """Learn from standardised columns (row, column) and values (row), at most 3,000 of them."""
        rng = np.random.default_rng(seed)
        if len(x) > MOST_ROWS:
            some = rng.choice(len(x), MOST_ROWS, replace=False)
            x, y = x[some], y[some]
        some = rng.choice(len(x), min(ROWS_FOR_SCALES, len(x)), replace=False)
        kernel, length, noise = _most_likely(cdist(x[some], x[some]), y[some])
        covariance = _KERNELS[kernel](cdist(x, x) / length)
        covariance[np.diag_indices(len(x))] += noise + JITTER
        factor = cholesky(covariance, lower=True)
        weights = cho_solve((factor, True), y)
        return IsotropicProcess(x, weights, factor, kernel, length, noise, float(y @ weights) / len(y))

    def mean(self, x: Array) -> Array:
        """Mean (place) of the function alone."""
        found = np.empty(len(x))
        for start in range(0, len(x), PLACES):
            part = slice(start, start + PLACES)
            found[part] = self._covariance(x[part]) @ self.weights
        return found

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation (place) of the function, without noise."""
        cross = self._covariance(x)
        explained = (solve_triangular(self.factor, cross.T, lower=True) ** 2).sum(0)
        return cross @ self.weights, np.sqrt(self.variance * np.maximum(1 - explained, 0))

    def _covariance(self, x: Array) -> Array:
        """Covariances (place, row) over the variance of the function; squares by one matrix product."""
        squared = (-2 * x) @ self.x.T
        squared += (x**2).sum(1)[:, None]
        squared += (self.x**2).sum(1)
        distance = np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
        return _KERNELS[self.kernel](np.divide(distance, self.length, out=distance))

    @property
    def noise_sd(self) -> float:
        """Standard deviation of the noise."""
        return float(np.sqrt(self.noise * self.variance))


def _most_likely(distance: Array, y: Array) -> tuple[str, float, float]:
    """Kernel, lengthscale and noise of the largest marginal likelihood, the variance being its best."""
    typical = float(np.median(distance[np.triu_indices(len(y), 1)])) or 1.0
    best, found = np.inf, ("laplace", typical, 1.0)
    for kernel in _KERNELS:
        for share in LENGTHS:
            values, vectors = np.linalg.eigh(_KERNELS[kernel](distance / (share * typical)))
            projected = (vectors.T @ y) ** 2
            levels = np.maximum(values, 0)[:, None] + NOISES + JITTER
            cost = len(y) * np.log(TINY + (projected[:, None] / levels).sum(0)) + np.log(levels).sum(0)
            k = int(cost.argmin())
            if cost[k] < best:
                best, found = float(cost[k]), (kernel, share * typical, float(NOISES[k]))
    return found


def _laplace(r: Array) -> Array:
    return np.exp(-r)


def _matern52(r: Array) -> Array:
    s = np.sqrt(5.0) * r
    polynomial = s / 3
    polynomial += 1
    polynomial *= s
    polynomial += 1
    return polynomial * np.exp(-s)


_KERNELS = {"laplace": _laplace, "matern52": _matern52}
