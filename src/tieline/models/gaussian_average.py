"""Gaussian processes of several hyperparameters, averaged by how probable these are.

The most probable hyperparameters alone promise too much: after ten values of a smooth function their 90 %
intervals hold 60 to 80 % of new ones. So hyperparameters are drawn around the most probable ones and weighed
by their posterior density, and what they disagree about is part of the variance.

Source: Rue, Martino & Chopin (2009), doi:10.1111/j.1467-9868.2008.00700.x, section 6.5, for such sums; the
draws are of Student's t, weighed as in Geweke (1989), doi:10.2307/1913710.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from tieline.models.arrays import Array
from tieline.models.gaussian_fit import IMPROBABLE, REACH, GaussianFit, Objective, settling_entries
from tieline.models.gaussian_kernel import Entries, Hyperparameters, Shape

N_DRAWS = 8  # of hyperparameters
N_DRAWS_OF_MANY = 4  # where values are many and hyperparameters better known
MANY = 40
FREEDOM = 4.0  # degrees of freedom of the draws: their tails are wider than the posterior's
STEP = 1e-2  # of a parameter, for the curvature of the posterior density
LEAST_CURVATURE = 0.5  # in units of the widest prior's
LEAST_SHARE = 0.01  # of a draw that is kept
MOST_AHEAD = 4.0  # nats that a weight may exceed the typical one by: one lucky draw must not be all


@dataclass(frozen=True, eq=False)
class GaussianAverage:
    """Several processes given the same measurements.

    Attributes:
        fits: that of the most probable hyperparameters, and one for each draw of others.
        shares: probability of each (fit).
    """

    fits: tuple[GaussianFit, ...]
    shares: Array

    @property
    def entries(self) -> Entries:
        """What was measured."""
        return self.fits[0].entries

    @property
    def hyper(self) -> Hyperparameters:
        """The most probable hyperparameters."""
        return self.fits[0].hyper

    def moments(self, x: Array, weights: Array) -> tuple[Array, Array, Array]:
        """Mean of a weighted sum of the noise-free outputs, and its variance within and between fits (place).

        Args:
            x: places (place, coordinate), scaled.
            weights: of each output (output).
        """
        means, variances = (
            np.stack(a) for a in zip(*(f.moments(x, weights) for f in self.fits), strict=True)
        )
        mean = self.shares @ means
        return mean, self.shares @ variances, self.shares @ (means - mean) ** 2

    def noise(self, weights: Array) -> float:
        """Variance of the noise of one measurement of a weighted sum of outputs."""
        return float(self.shares @ [fit.noise(weights) for fit in self.fits])

    def leave_one_out(self) -> tuple[Array, Array]:
        """Mean and variance of every entry, noise included, predicted from all others (entry).

        The shares are those that the fits would have without the entry.
        """
        means, variances = (np.stack(a) for a in zip(*(f.leave_one_out() for f in self.fits), strict=True))
        log_density = norm.logpdf(self.entries.y, means, np.sqrt(variances))
        shares = softmax(np.log(self.shares)[:, None] - log_density, axis=0)
        mean = (shares * means).sum(0)
        return mean, (shares * (variances + (means - mean) ** 2)).sum(0)


def average(entries: Entries, shape: Shape, theta: Array, seed: int) -> GaussianAverage:
    """Draw hyperparameters around the most probable ones, and fit each.

    Args:
        entries: what was measured.
        shape: which hyperparameters there are.
        theta: the most probable parameter vector.
        seed: of the draws.
    """
    objective = Objective(settling_entries(entries), shape)
    drawn, log_weights = zip(*_draws(objective, shape, theta, _n_draws(entries), seed), strict=True)
    log_weight = np.array(log_weights)
    log_weight = np.minimum(log_weight, np.median(log_weight) + MOST_AHEAD)
    shares = np.exp(log_weight - logsumexp(log_weight))
    kept = [k for k in range(len(shares)) if k == 0 or shares[k] > LEAST_SHARE]  # the first is the mode
    fits = tuple(GaussianFit(entries, shape.at(drawn[k])) for k in kept)
    return GaussianAverage(fits, shares[kept] / shares[kept].sum())


def _n_draws(entries: Entries) -> int:
    return N_DRAWS if len(entries.y) < MANY else N_DRAWS_OF_MANY


def _draws(
    objective: Objective, shape: Shape, theta: Array, n: int, seed: int
) -> Iterator[tuple[Array, float]]:
    """Parameter vectors from a t distribution around the mode, and the logarithm of the weight of each."""
    rng = np.random.default_rng(seed)
    middle, width = shape.priors()
    value, slope = objective(theta)
    curvature = np.stack([(objective(theta + step)[1] - slope) / STEP for step in STEP * np.eye(len(theta))])
    sizes, directions = np.linalg.eigh((curvature + curvature.T) / 2)
    # The symmetric root: the signs and the order of eigenvectors hang on the last digits of the data.
    root = directions / np.sqrt(np.maximum(sizes, LEAST_CURVATURE / width.max() ** 2)) @ directions.T
    yield theta, 0.0
    for _ in range(n - 1):
        away = rng.standard_normal(len(theta)) / np.sqrt(rng.chisquare(FREEDOM) / FREEDOM)
        draw = np.clip(theta + root @ away, middle - REACH * width, middle + REACH * width)
        there = objective(draw)[0]
        if there < IMPROBABLE:
            log_tail = (len(theta) + FREEDOM) / 2 * np.log1p(away @ away / FREEDOM)
            yield draw, value - there + log_tail
