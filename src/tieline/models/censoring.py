"""Values of which only a limit is known, as Gaussian stand-ins: expectation propagation for half-lines.

Where a value lies below (or above) a limit, its likelihood is a step on the noisy value. Each such entry gets
a Gaussian stand-in whose product with what all others say has the mean and variance of the truncated normal.

Source: Minka (2001); Rasmussen & Williams (2006), section 3.6; Chu & Ghahramani's treatment of limits differs
by a probit step, which here is the noise that the covariance holds already.
"""

from dataclasses import replace

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
    limited = np.flatnonzero(bound)
    if not limited.size:
        theta = fit_hyperparameters(entries, shape)
        return GaussianFit(entries, shape.at(theta)), theta
    limits, variance = entries.y[limited], entries.variance.copy()
    variance[limited] = FIRST
    stand_in = replace(entries, variance=variance)
    theta = fit_hyperparameters(stand_in, shape)
    fit = GaussianFit(stand_in, shape.at(theta))
    for _ in range(ROUNDS):
        fit = propagate(fit, limited, limits, bound[limited])
        theta = fit_hyperparameters(fit.entries, shape)
        fit = GaussianFit(fit.entries, shape.at(theta))
    return propagate(fit, limited, limits, bound[limited]), theta


def propagate(fit: GaussianFit, limited: Indices, limits: Array, side: Indices) -> GaussianFit:
    """Update the stand-ins until they agree with what all else says.

    Args:
        fit: with stand-ins among its entries, whose hyperparameters stay.
        limited: which entries these are (limit).
        limits: their limits, standardised (limit).
        side: 1 for values above their limit, -1 for those below (limit).
    """
    for _ in range(SWEEPS):
        entries = fit.entries
        inverse = dpotri(fit.root, lower=1)[0].diagonal()[limited]
        # Leaving an entry out gives the cavity of its value, noise included but not the stand-in's variance.
        cavity_mean = entries.y[limited] - fit.weights[limited] / inverse
        cavity_variance = np.maximum(1 / inverse - entries.variance[limited], 1e-12)
        mean, variance = truncated_moments(cavity_mean, cavity_variance, limits, side)
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


def truncated_moments(mean: Array, variance: Array, limit: Array, side: Indices) -> tuple[Array, Array]:
    """Mean and variance of normals that are cut off at a limit.

    Args:
        mean: of the whole normals.
        variance: of the whole normals.
        limit: where they are cut off.
        side: 1 keeps what lies above, -1 what lies below.

    Source:
        Johnson, Kotz & Balakrishnan (1994), vol. 1, section 13.10.1.
    """
    sd = np.sqrt(variance)
    z = side * (mean - limit) / sd
    hazard = np.exp(-0.5 * z**2 - LOG_SQRT_2PI - log_ndtr(z))
    shrink = np.clip(1 - hazard * (z + hazard), 1e-9, 1.0)
    return mean + side * sd * hazard, variance * shrink
