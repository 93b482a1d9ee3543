"""What a network's output means: Gaussian, Bernoulli, Poisson and categorical likelihoods, entry by entry."""

import math

import jax.scipy.special
import numpy as np
import scipy.special

from tieline.models.arrays import Array
from tieline.models.patch_layers import AnyArray, namespace

LEAST_LOG_VARIANCE = -9.0  # of standardised values: networks do not claim more
MOST_LOG_RATE = 20.0  # of a count
HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def log_likelihood(
    kind: str, output: AnyArray, value: AnyArray, is_seen: AnyArray, log_variance: AnyArray
) -> AnyArray:
    """Log likelihood of every specimen, over the entries that were seen.

    Args:
        kind: one of `modality.LIKELIHOODS`.
        output: of the network (specimen, entry): mean, logit, log rate, or one logit a category.
        value: (specimen, entry): standardised, 0 or 1, counts, or 1 for the category; 0 where not seen.
        is_seen: (specimen, entry).
        log_variance: of a Gaussian's noise, for all entries or for each.
    """
    xp = namespace(output)
    if kind == "gaussian":
        log_variance = xp.maximum(log_variance, LEAST_LOG_VARIANCE)
        entry = -0.5 * ((value - output) ** 2 * xp.exp(-log_variance) + log_variance) - HALF_LOG_TWO_PI
    elif kind == "bernoulli":
        entry = value * output - xp.logaddexp(output, 0)
    elif kind == "poisson":
        special = scipy.special if xp is np else jax.scipy.special
        entry = value * output - xp.exp(xp.minimum(output, MOST_LOG_RATE)) - special.gammaln(value + 1)
    else:
        entry = value * (output - log_sum(output))
    return xp.where(is_seen, entry, 0.0).sum(1)


def expectation(kind: str, output: Array) -> Array:
    """Mean of a measurement, given the network's output (..., entry)."""
    if kind == "bernoulli":
        return scipy.special.expit(output)
    if kind == "poisson":
        return np.exp(np.minimum(output, MOST_LOG_RATE))
    return scipy.special.softmax(output, axis=-1) if kind == "categorical" else output


def log_sum(output: AnyArray) -> AnyArray:
    """Log sum exp over the last axis, which is kept."""
    xp, most = namespace(output), output.max(-1, keepdims=True)
    return most + xp.log(xp.exp(output - most).sum(-1, keepdims=True))
