"""One prediction out of several learners, and how far it may be off: learned from rows that were left out.

For each property and each regime, a chemical system that is known or one that is new, the weights of the
learners are those with the smallest mean absolute error on left-out rows. The variance around that is
a + b v + d²: noise, the part v of the function that is not known, and the weighed variance d² of what the
learners say; the standard error of a left-out value adds to it. Residuals over its root have an
empirical distribution, whose quantiles make the intervals, and a correlation between properties, through
which values of some tell of the others.

Source: Wolpert (1992), doi:10.1016/S0893-6080(05)80023-1, for the stacking; Vovk, Gammerman & Shafer (2005),
chapter 2, for intervals from ranks of left-out residuals; Nelsen (2006) for the Gaussian copula that joins
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from tieline.models.arrays import Array, Indices, Mask

KNOWN, NEW = 0, 1  # regimes: other specimens of the chemical system were learned from, or none
STEPS = 20  # into which the weight is divided
FEWEST = 12  # left-out values of a property in a regime, below which both regimes are pooled
LEVELS = np.linspace(0.01, 0.99, 41)  # of the quantiles that are kept
SCORES = norm.ppf(LEVELS)
NODES = norm.ppf((np.arange(40) + 0.5) / 40)  # at which distributions are averaged
LEAST_NOISE = 1e-4  # variance of a standardised property
SHRINKAGE = 20.0  # pairs of residuals that count against a correlation
STEEPEST = 4.0  # slope of a quantile function in its tails, residuals per standard deviation


@dataclass(frozen=True)
class Guesses:
    """What the learners say of places, of order one.

    Attributes:
        means: of each learner (learner, place, property).
        reach: how little is known of the function there, in [0, 1] (place, property).
    """

    means: Array
    reach: Array


@dataclass(frozen=True, eq=False)
class Stack:
    """How guesses become a distribution.

    Attributes:
        weight: of each learner (regime, learner, property); together one.
        noise: a (regime, property).
        slope: b (regime, property).
        quantile: of residuals over their expected size (regime, property, level).
        correlation: of the normal scores of residuals at one place (regime, property, property).
        n_left_out: left-out values that each rests on (regime, property).
    """

    weight: Array
    noise: Array
    slope: Array
    quantile: Array
    correlation: Array
    n_left_out: Indices

    def mean(self, guesses: Guesses, regime: Indices) -> Array:
        """The centre of the distribution (place, property), of order one."""
        return _weighed(guesses.means, self.weight[regime])

    def variances(self, guesses: Guesses, regime: Indices) -> Array:
        """Noise, function and disagreement of the learners (part, place, property)."""
        apart = _apart(guesses.means, self.weight[regime])
        return np.stack([self.noise[regime], self.slope[regime] * guesses.reach, apart])

    def residual_of(self, p: int, score: Array, regime: Indices) -> Array:
        """Residuals of a property over their expected size at normal scores (place, ...)."""
        found = np.empty(score.shape)
        for r in (KNOWN, NEW):
            found[regime == r] = _interpolate(score[regime == r], SCORES, self.quantile[r, p])
        return found

    def score(self, residual: Array, regime: Indices) -> Array:
        """Normal scores of residuals over their expected size (place, property); NaN stays."""
        found = np.empty_like(residual)
        for r in (KNOWN, NEW):
            for p in range(self.weight.shape[-1]):
                found[regime == r, p] = _interpolate(residual[regime == r, p], self.quantile[r, p], SCORES)
        return found

    def given(self, score: Array, variance: Array, regime: Indices) -> tuple[Array, Array]:
        """Mean and standard deviation of every score, given those that are finite (place, property).

        Args:
            score: of what is given; NaN for the others.
            variance: squared standard errors of these scores (place, property).
            regime: of each place.
        """
        mean, sd = np.zeros_like(score), np.ones_like(score)
        error = np.where(np.isfinite(score), variance, np.inf)
        for r in (KNOWN, NEW):
            for alike in np.unique(error[regime == r], axis=0):
                has = np.isfinite(alike)
                if not has.any():
                    continue
                rows = np.flatnonzero((regime == r) & (error == alike).all(1))
                c = self.correlation[r]
                pull = np.linalg.solve(c[np.ix_(has, has)] + np.diag(alike[has]), c[has])
                mean[rows] = score[np.ix_(rows, has)] @ pull
                sd[rows] = np.sqrt(np.maximum(1 - (c[has] * pull).sum(0), 0))
        return mean, sd


def fit_stack(y: Array, variance: Array, ways: Sequence[Guesses], is_new: Sequence[Mask]) -> Stack:
    """Learn from left-out rows how to weigh and how far to trust.

    Args:
        y: values of order one (row, property), NaN where missing.
        variance: their squared standard errors (row, property).
        ways: guesses of each row from the others, for each way of leaving out.
        is_new: whether the chemical system of a row was left out with it, for each way (row).
    """
    n_properties = y.shape[1]
    shape = (2, n_properties)
    weight = np.empty((2, len(ways[0].means), n_properties))
    noise, slope = np.empty(shape), np.empty(shape)
    quantile, n_left_out = np.empty((*shape, len(LEVELS))), np.zeros(shape, dtype=np.intp)
    residual = [np.full((len(ways), *y.shape), np.nan) for _ in range(2)]
    for p in range(n_properties):
        for r in (KNOWN, NEW):
            chosen = _rows_of(r, y[:, p], is_new)
            guess = _gather(ways, chosen, p)
            truth = np.concatenate([y[rows, p] for rows in chosen])
            unsure = np.concatenate([variance[rows, p] for rows in chosen])
            weight[r, :, p] = _best_weights(truth, unsure, guess.means)
            error = truth - _weighed(guess.means, weight[r, :, p])
            apart = _apart(guess.means, weight[r, :, p])
            noise[r, p], slope[r, p] = _spread(error, guess.reach, apart + unsure)
            relative = error / np.sqrt(noise[r, p] + slope[r, p] * guess.reach + apart + unsure)
            quantile[r, p] = _quantiles(relative)
            n_left_out[r, p] = len(truth)
            scores = _interpolate(relative, quantile[r, p], SCORES)
            for i, part in enumerate(np.split(scores, np.cumsum([len(rows) for rows in chosen])[:-1])):
                residual[r][i, chosen[i], p] = part
    correlation = np.stack([_correlation(found.reshape(-1, n_properties)) for found in residual])
    return Stack(weight, noise, slope, quantile, correlation, n_left_out)


def _rows_of(regime: int, y: Array, is_new: Sequence[Mask]) -> list[Indices]:
    """Rows with a value that were left out in this regime, for each way; all if these are too few."""
    seen = np.isfinite(y)
    chosen = [np.flatnonzero(seen & (new == (regime == NEW))) for new in is_new]
    if sum(map(len, chosen)) < FEWEST:
        chosen = [np.flatnonzero(seen) for _ in is_new]
    return chosen


def _gather(ways: Sequence[Guesses], chosen: Sequence[Indices], p: int) -> Guesses:
    """What is said of one property at the chosen rows of all ways: means (learner, row), reach (row)."""
    pairs = list(zip(ways, chosen, strict=True))
    means = np.concatenate([way.means[:, rows, p] for way, rows in pairs], axis=1)
    return Guesses(means, np.concatenate([way.reach[rows, p] for way, rows in pairs]))


def _weighed(means: Array, weight: Array) -> Array:
    """Mean of learners (learner, ...), weighed (learner) or at places (place, learner, property)."""
    return np.einsum("lip,ilp->ip", means, weight) if weight.ndim > 1 else weight @ means


def _apart(means: Array, weight: Array) -> Array:
    """How far the learners disagree: their weighed variance."""
    return np.maximum(_weighed(means**2, weight) - _weighed(means, weight) ** 2, 0.0)


def _best_weights(truth: Array, unsure: Array, means: Array) -> Array:
    """The weights (learner), in twentieths, with the smallest mean absolute error."""
    typical = max(float(np.median((truth - means[0]) ** 2)), LEAST_NOISE)
    counts = typical / (typical + unsure)
    tried = [np.array(w) / STEPS for w in product(range(STEPS + 1), repeat=len(means)) if sum(w) == STEPS]
    return min(tried, key=lambda weight: float(counts @ np.abs(truth - weight @ means)))


def _spread(error: Array, reach: Array, apart: Array) -> tuple[float, float]:
    """The most likely noise and slope of the variance of normal errors; a part of it is known."""

    def misfit(theta: Array) -> float:
        variance = np.exp(theta[0]) + np.exp(theta[1]) * reach + apart + LEAST_NOISE
        # Tails are heavy, so that the size is taken from a Student likelihood of four degrees of freedom.
        return float((0.5 * np.log(variance) + 2.5 * np.log1p(error**2 / (4 * variance))).mean())

    scale = max(float(np.mean(error**2)), LEAST_NOISE)
    start = np.log([scale / 2, scale / 2 / max(float(reach.mean()), 1e-3)])
    bounds = [(value - 6, value + 6) for value in start]
    found = minimize(misfit, start, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])) + LEAST_NOISE, float(np.exp(found.x[1]))


def _quantiles(relative: Array) -> Array:
    """Quantiles of residuals, each a little further out than seen, as a new one may be the most extreme."""
    n = len(relative)
    outward = np.where(LEVELS > 0.5, np.ceil((n + 1) * LEVELS), np.floor((n + 1) * LEVELS))
    order = np.clip(outward, 1, n).astype(int) - 1
    found = np.sort(relative)[order]
    # Where there are too few values for a tail, it is that of a normal of the same size.
    size = np.sqrt(np.mean(relative**2))
    beyond = (outward < 1) | (outward > n)
    found[beyond] = np.sign(SCORES[beyond]) * np.maximum(np.abs(found[beyond]), np.abs(SCORES[beyond]) * size)
    found = np.maximum.accumulate(found)
    return found + 1e-6 * SCORES  # strictly increasing, so that it can be inverted


def _correlation(scores: Array) -> Array:
    """Correlation of normal scores where both are known, shrunk where few are, and positive definite."""
    known = np.isfinite(scores)
    filled = np.where(known, np.clip(scores, -3, 3), 0.0)
    n = known.T.astype(float) @ known
    square = (filled**2).T @ known
    product = (filled.T @ filled) / np.sqrt(np.maximum(square * square.T, 1e-12))
    shrunk = product * n / (n + SHRINKAGE)
    np.fill_diagonal(shrunk, 1.0)
    size, basis = np.linalg.eigh(shrunk)
    if size[0] < 1e-3:  # pairs of properties rest on different rows
        shrunk = (basis * np.maximum(size, 1e-3)) @ basis.T
        sd = np.sqrt(shrunk.diagonal())
        shrunk = shrunk / np.outer(sd, sd)
    return shrunk


def _interpolate(at: Array, x: Array, y: Array) -> Array:
    """Linear between knots, and beyond them with the slope of the outer ones, within bounds."""
    found = np.interp(at, x, y)
    for end, inner, is_beyond in ((0, 4, at < x[0]), (-1, -5, at > x[-1])):
        slope = (y[end] - y[inner]) / (x[end] - x[inner])
        slope = np.clip(slope, 1 / STEEPEST, STEEPEST)
        found = np.where(is_beyond, y[end] + slope * (at - x[end]), found)
    return np.where(np.isnan(at), np.nan, found)
