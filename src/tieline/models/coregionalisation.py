"""How properties go together: their covariance over compositions, and what is left at one specimen.

Values Y (row, property) have the covariance K ⊗ B + 1 ⊗ R. K is known on the rows, k(x, x') = exp(-|x - x'|)
with the sum of absolute differences; B and R are found by expectation maximisation of the marginal
likelihood, in the basis in which K is diagonal and the pair B, R is too, so that a step costs a few small
matrix products. A label that is missing, or has a standard error, is one more unknown of the expectation.

Source: Álvarez, Rosasco & Lawrence (2012), doi:10.1561/2200000036, section 4.2; the trick of two bases is
that of Stegle et al. (2011), NeurIPS 24. Departs from both: labels may be missing or uncertain.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, solve_triangular
from scipy.spatial.distance import cdist

from tieline.models.arrays import Array, Indices

LEAST_SIGNAL = 1e-4  # of a standardised property, relative to its residual: keeps B of full rank
PRIOR_ROWS = 2.0  # beyond the number of properties: how many rows the prior of B and R counts for
PRIOR_SIGNAL, PRIOR_RESIDUAL = 0.8, 0.1  # variances that the prior expects of a standardised property
STEPS, FIRST_STEPS = 25, 6
ENOUGH_ROWS = 400  # on which lengths and covariances are fitted
FACTORS = (0.5, 2.0)  # by which lengths are tried
MISSING = 1e8  # variance of a label that is not there, of order one for all others
PASSES = 2  # so that a length changes by four at most: beyond, likelihood and prediction part ways


@dataclass(frozen=True)
class Coupling:
    """Covariances of properties, and the basis in which they are independent.

    Attributes:
        signal: B (property, property), over compositions.
        residual: R (property, property), at one specimen.
        mixing: T (property, latent), with T Tᵀ = R and T diag(ratio) Tᵀ = B.
        ratio: variance of each latent over that of its noise (latent), a power of four.
    """

    signal: Array
    residual: Array
    mixing: Array
    ratio: Array

    @classmethod
    def of(cls, signal: Array, residual: Array) -> "Coupling":
        """Find the common basis; ratios are rounded, so that latents share matrices, and B follows them."""
        mixing, ratio = _common_basis(signal, residual)
        ratio = 4.0 ** np.round(np.log(ratio) / np.log(4.0))
        return cls((mixing * ratio) @ mixing.T, residual, mixing, ratio)


def fit_lengths(
    x: Array, y: Array, variance: Array, group: Indices, first: Array, seed: int
) -> tuple[Array, Coupling]:
    """Find the length of each group of coordinates, and the covariances, by the marginal likelihood.

    Args:
        x: places (row, coordinate).
        y: values of order one (row, property), NaN where missing.
        variance: squared standard errors of the values (row, property).
        group: of each coordinate (coordinate).
        first: lengths to begin with (group).
        seed: of the choice of rows, where there are many.
    """
    rows = _most_telling(y, seed)
    x, y, variance = x[rows], y[rows], variance[rows]
    apart = np.stack([cdist(x[:, group == g], x[:, group == g], "cityblock") for g in range(len(first))])

    def likelihood(lengths: Array) -> float:
        return _maximise(np.exp(-np.tensordot(1 / lengths, apart, 1)), y, variance, FIRST_STEPS)[2]

    lengths, best = first.copy(), likelihood(first)
    for _ in range(PASSES):
        for g in range(len(first)):
            for factor in FACTORS:
                tried = lengths.copy()
                tried[g] *= factor
                found = likelihood(tried)
                if found > best:
                    lengths, best = tried, found
    return lengths, _coupling(np.exp(-np.tensordot(1 / lengths, apart, 1)), y, variance)


def fit_coupling(k: Array, y: Array, variance: Array, seed: int) -> Coupling:
    """Find the covariances alone, of values (row, property), where that of the rows is known (row, row)."""
    rows = _most_telling(y, seed)
    return _coupling(k[np.ix_(rows, rows)], y[rows], variance[rows])


def _coupling(k: Array, y: Array, variance: Array) -> Coupling:
    signal, residual, _ = _maximise(k, y, variance, STEPS)
    return Coupling.of(signal, residual)


def _most_telling(y: Array, seed: int) -> Indices:
    """Rows with the most labels, in an order by chance among equals."""
    chance = np.random.default_rng(seed).permutation(len(y))
    order = chance[np.argsort(-np.isfinite(y[chance]).sum(1), kind="stable")]
    return np.sort(order[:ENOUGH_ROWS])


def _common_basis(signal: Array, residual: Array) -> tuple[Array, Array]:
    root = np.linalg.cholesky(residual)
    half = solve_triangular(root, signal, lower=True)
    ratio, turn = eigh(solve_triangular(root, half.T, lower=True))
    return root @ turn, np.maximum(ratio, LEAST_SIGNAL)


def _maximise(k: Array, y: Array, variance: Array, steps: int) -> tuple[Array, Array, float]:
    """B, R and the log marginal likelihood (of observed and filled labels) after some steps."""
    n, p = y.shape
    size, basis = eigh(k, driver="evd")
    size = np.maximum(size, 1e-9)[:, None]
    seen = np.isfinite(y)
    filled, variance = np.where(seen, y, 0.0), np.where(seen, variance, MISSING)
    weight = p + PRIOR_ROWS
    signal, residual = PRIOR_SIGNAL * np.eye(p), 2 * PRIOR_RESIDUAL * np.eye(p)
    value = -np.inf
    for _ in range(steps):
        mixing, ratio = _common_basis(signal, residual)
        latent = np.linalg.solve(mixing, (basis.T @ filled).T).T
        gain = size * ratio / (size * ratio + 1)
        mean = gain * latent
        value = -0.5 * float((np.log(size * ratio + 1) + latent**2 / (size * ratio + 1)).sum())
        value -= n * np.linalg.slogdet(mixing)[1]
        function = basis @ mean @ mixing.T
        around = residual + (mixing * gain.mean(0)) @ mixing.T  # of one label, given the other rows
        filled, unsure = _refill(y, variance, function, residual, around)
        unsure = np.linalg.solve(mixing, np.linalg.solve(mixing, unsure).T) / n
        left = latent - mean
        by_signal = (mean / size).T @ mean + np.diag((gain / size).sum(0)) + unsure * ((gain / size).T @ gain)
        by_residual = left.T @ left + np.diag(gain.sum(0)) + unsure * ((1 - gain).T @ (1 - gain))
        prior = weight * np.eye(p)
        signal = (mixing @ by_signal @ mixing.T + PRIOR_SIGNAL * prior) / (n + weight)
        residual = (mixing @ by_residual @ mixing.T + PRIOR_RESIDUAL * prior) / (n + weight)
    return signal, residual, value


def _refill(
    y: Array, variance: Array, function: Array, residual: Array, around: Array
) -> tuple[Array, Array]:
    """Expected labels where they are not exact, and the covariance of their errors, summed over rows."""
    rows = np.flatnonzero((variance > 0).any(1))
    filled, off = np.where(np.isfinite(y), y, function), np.nan_to_num(y - function)[rows]
    if not rows.size:
        return filled, np.zeros_like(residual)
    error = variance[rows][:, :, None] * np.eye(len(residual))
    filled[rows] = function[rows] + np.linalg.solve(residual + error, off[:, :, None])[:, :, 0] @ residual
    told = np.linalg.solve(around + error, np.broadcast_to(around, error.shape)).sum(0)
    return filled, len(rows) * around - around @ told
