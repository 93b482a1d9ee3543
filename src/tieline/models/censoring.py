"""Values of which only a limit is known, as Gaussian stand-ins: expectation propagation for half-lines.

Where a value lies below (or above) a limit, its likelihood is a step on the noisy value. Each such entry gets
a Gaussian stand-in whose product with what all others say has the mean and variance of the truncated normal.
A limit that is itself uncertain makes a softer step.

Source: Minka (2001); Rasmussen & Williams (2006), section 3.6; Chu & Ghahramani's treatment of limits differs
by a probit step, which here is the noise that the covariance holds already.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dpotri  # pyright: ignore[reportAttributeAccessIssue]
from scipy.special import log_ndtr

from tieline.models.arrays import Array, Indices
from tieline.models.gaussian_fit import GaussianFit, fit_hyperparameters
from tieline.models.gaussian_kernel import Entries, Shape

ROUNDS = 3  # of hyperparameters and stand-ins, each given the other
SWEEPS = 30  # over the limits, at most
DAMPING = 0.7
SETTLED = 1e-4  # how far moments with a stand-in may be off those with its limit, standardised
FIRST = 1.0  # variance of a stand-in at first, standardised
WIDEST = 1e6  # variance of a stand-in that says nothing
LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


def fit_with_limits(entries: Entries, bound: Indices, shape: Shape) -> tuple[GaussianFit, Array]:
    """Fit hyperparameters and, where only limits are known, stand-ins for the values.

    Args:
        entries: what was measured; of limits, the limit.
        bound: -1 for values that lie below the limit, 1 for those above, 0 for values (entry).
        shape: which hyperparameters there are.

    Returns:
        The fit, and its parameter vector. With limits it is the most probable one given the stand-ins, which
        are themselves found given the parameters.
    """
    if not bound.any():
        theta = fit_hyperparameters(entries, shape)
        return GaussianFit(entries, shape.at(theta)), theta
    limits, variance = Limits.of(entries, bound), entries.variance.copy()
    variance[limits.entry] = FIRST
    stand_in = replace(entries, variance=variance)
    theta = fit_hyperparameters(stand_in, shape)
    fit = GaussianFit(stand_in, shape.at(theta))
    for _ in range(ROUNDS):
        fit = propagate(fit, limits)
        theta = fit_hyperparameters(fit.entries, shape)
        fit = GaussianFit(fit.entries, shape.at(theta))
    return propagate(fit, limits), theta


@dataclass(frozen=True, eq=False)
class Limits:
    """Entries of which only a limit is known.

    Attributes:
        entry: which entries these are (limit).
        value: where the limits lie, standardised (limit).
        variance: their squared standard errors (limit).
        side: 1 for values above their limit, -1 for those below (limit).
    """

    entry: Indices
    value: Array
    variance: Array
    side: Indices

    @classmethod
    def of(cls, entries: Entries, bound: Indices) -> "Limits":
        """Find them, by bound (entry): -1 below, 1 above, 0 for values."""
        entry = np.flatnonzero(bound)
        return cls(entry, entries.y[entry], entries.variance[entry], bound[entry])


def propagate(fit: GaussianFit, limits: Limits) -> GaussianFit:
    """Update the stand-ins until they agree with what all else says.

    Args:
        fit: with stand-ins among its entries, whose hyperparameters stay.
        limits: what is known instead.
    """
    limited = limits.entry
    for _ in range(SWEEPS):
        entries = fit.entries
        inverse = dpotri(fit.root, lower=1)[0].diagonal()[limited]
        # Leaving an entry out gives the cavity of its value, noise included but not the stand-in's variance.
        cavity_mean = entries.y[limited] - fit.weights[limited] / inverse
        cavity_variance = np.maximum(1 / inverse - entries.variance[limited], 1e-12)
        mean, variance = truncated_moments(
            cavity_mean, cavity_variance, limits.value, limits.side, limits.variance
        )
        old = 1 / entries.variance[limited]
        now = 1 / (1 / cavity_variance + old)
        apart = now * (cavity_mean / cavity_variance + old * entries.y[limited]) - mean
        if max(np.abs(apart).max(), np.abs(now - variance).max()) < SETTLED:
            break
        precision = np.maximum(1 / variance - 1 / cavity_variance, 1 / WIDEST)
        centre = (mean / variance - cavity_mean / cavity_variance) / precision
        new = old + DAMPING * (precision - old)
        shift = old * entries.y[limited] * (1 - DAMPING) + DAMPING * precision * centre
        y, spread = entries.y.copy(), entries.variance.copy()
        y[limited], spread[limited] = shift / new, 1 / new
        fit = GaussianFit(replace(entries, y=y, variance=spread), fit.hyper)
    return fit


def truncated_moments(
    mean: Array, variance: Array, limit: Array, side: Indices, softness: Array | float = 0.0
) -> tuple[Array, Array]:
    """Mean and variance of normals that are cut off at a limit.

    Args:
        mean: of the whole normals.
        variance: of the whole normals.
        limit: where they are cut off.
        side: 1 keeps what lies above, -1 what lies below.
        softness: variance of the limit.

    Source:
        Rasmussen & Williams (2006), eqs. 3.85 and 3.87, of which a sharp limit is a case.
    """
    total = variance + softness
    z = side * (mean - limit) / np.sqrt(total)
    hazard = np.exp(-0.5 * z**2 - LOG_SQRT_2PI - log_ndtr(z))
    shrink = np.clip(1 - variance / total * hazard * (z + hazard), 1e-9, 1.0)
    return mean + side * variance / np.sqrt(total) * hazard, variance * shrink
