"""Covariance functions of a Gaussian process, and the low-rank root of a covariance matrix."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tieline.models.arrays import Array, Indices

JITTER = 1e-8  # relative to the variance on a diagonal: below any noise a measurement has


def squared_distance(a: Array, b: Array, lengthscale: Array) -> Array:
    """Scaled squared distance r² between the rows of `a` (n, d) and `b` (m, d): (n, m)."""
    a, b = a / lengthscale, b / lengthscale
    # |a|² - 2ab + |b|² in one product: the squares ride along as two more columns.
    left = np.column_stack([a, (a**2).sum(1), np.ones(len(a))])
    right = np.column_stack([-2 * b, np.ones(len(b)), (b**2).sum(1)])
    r2 = left @ right.T
    return np.maximum(r2, 0.0, out=r2)


def rbf(r2: Array) -> Array:
    """Squared exponential, k = exp(-r²/2). Source: Rasmussen & Williams (2006), eq. 4.9."""
    return np.exp(-0.5 * r2)


def matern52(r2: Array) -> Array:
    """Matern-5/2, k = (1 + √5 r + 5r²/3) exp(-√5 r). Source: Rasmussen & Williams (2006), eq. 4.17."""
    s = np.sqrt(5 * r2)
    value = s / 3
    value += 1
    value *= s
    value += 1
    value *= np.exp(-s)
    return value


def rbf_slope(r2: Array) -> Array:
    """dk/d(r²) of `rbf`."""
    return -0.5 * np.exp(-0.5 * r2)


def matern52_slope(r2: Array) -> Array:
    """dk/d(r²) of `matern52`: -5/6 (1 + √5 r) exp(-√5 r)."""
    s = np.sqrt(5 * r2)
    return -5 / 6 * (1 + s) * np.exp(-s)


def matern52_both(r2: Array) -> tuple[Array, Array]:
    """`matern52` and its slope, which share their exponential."""
    s = np.sqrt(5 * r2)
    decay = np.exp(-s)
    slope = (1 + s) * decay
    return slope + s**2 / 3 * decay, -5 / 6 * slope


def rbf_both(r2: Array) -> tuple[Array, Array]:
    """`rbf` and its slope, which share their exponential."""
    value = np.exp(-0.5 * r2)
    return value, -0.5 * value


class Kernel(NamedTuple):
    """A stationary covariance as a function of r², its derivative, and both at once."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    both: Callable[[Array], tuple[Array, Array]]


KERNELS = {
    "matern52": Kernel(matern52, matern52_slope, matern52_both),
    "rbf": Kernel(rbf, rbf_slope, rbf_both),
}


def pivoted_root(
    kernel: Callable[[Array, Array], Array], variance: Array, x: Array, max_rank: int, tolerance: float
) -> tuple[Array, Indices]:
    """Find G with G Gᵀ = K by Cholesky with diagonal pivoting, to a tolerance or to `max_rank` columns.

    Source: Harbrecht, Peters & Schneider (2012), doi:10.1016/j.apnum.2011.10.001.

    Args:
        kernel: covariance between two sets of rows.
        variance: its diagonal (n).
        x: places (n, d).
        max_rank: most columns that G may have.
        tolerance: variance that may be left unexplained at any place.

    Returns:
        G (n, rank) and the integer rows of `x` that were pivots (rank).
    """
    n = len(x)
    left = variance.copy()
    tolerance = max(tolerance, JITTER * variance.max())
    root = np.zeros((n, min(n, max_rank)))
    pivots: list[int] = []
    for m in range(root.shape[1]):
        i = int(np.argmax(left))
        if left[i] <= tolerance:
            break
        column = kernel(x, x[i : i + 1])[:, 0] - root[:, :m] @ root[i, :m]
        root[:, m] = column / np.sqrt(left[i])
        left = np.maximum(left - root[:, m] ** 2, 0.0)
        left[i] = 0.0
        pivots.append(i)
    return root[:, : len(pivots)], np.array(pivots, dtype=np.intp)
