"""Where specimens can be made at all, learned from those that failed.

A specimen succeeds where a smooth latent function plus noise is positive: a Gaussian process classifier with
a probit step, of which every outcome is a limit at zero.

Source: Rasmussen & Williams (2006), section 3.6; Gelbart, Snoek & Adams (2014), doi:10.48550/arXiv.1403.5607,
for its use in planning.
"""

import numpy as np
from scipy.special import log_ndtr

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.censoring import fit_with_limits
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import Entries, Shape

ONE = np.ones(1)  # weight of the only output


def fit_feasibility(x: Array, is_failed: Mask, group: Indices, kernel: str) -> GaussianFit:
    """Learn where specimens fail.

    Args:
        x: places that were tried (tried, coordinate), scaled.
        is_failed: which of them failed (tried).
        group: lengthscale of each coordinate (coordinate).
        kernel: name of a kernel.
    """
    n = len(x)
    zeros = np.zeros(n, dtype=np.intp)
    entries = Entries(x, zeros, np.arange(n), zeros, np.zeros(n), np.zeros(n))
    return fit_with_limits(entries, np.where(is_failed, -1, 1), Shape(group, 1, 1, kernel))[0]


def log_success(fit: GaussianFit, x: Array) -> Array:
    """Logarithm of the probability that a specimen can be made at each place (place)."""
    mean, variance = fit.moments(x, ONE)
    return log_ndtr(mean / np.sqrt(variance + fit.noise(ONE)))
