"""The covariance exp(-Σ|aᵢ - bᵢ|) of many coordinates, and how little is known of it near some rows.

Source: Rasmussen & Williams (2006), eq. 4.18 with the sum of absolute differences for a distance.
"""

import numpy as np
from numba import njit

from tieline.models.arrays import Array

NEIGHBOURS = 16  # rows whose values nearly decide a function that is as rough as this
BLOCK = 512  # rows at a time, which fit into the processor's cache
WIDEST = 4_000_000  # covariances held at a time


def laplace(a: Array, b: Array) -> Array:
    """Covariance exp(-Σ|aᵢ - bᵢ|) between places (n, d) and (m, d): (n, m), to single precision."""
    return _laplace(np.ascontiguousarray(a, dtype=np.float32), np.ascontiguousarray(b, dtype=np.float32))


def reach_of(x: Array, rows: Array, noise: Array | float, k: Array) -> Array:
    """Variance left at places of a function of unit variance that was seen at rows with some noise (place).

    Only the nearest rows count: a function of this covariance is so rough that they screen the others.

    Args:
        x: places (place, coordinate).
        rows: where it was seen (row, coordinate).
        noise: variance of what was seen, of each row or of all.
        k: covariance of places and rows (place, row).
    """
    if not len(rows):
        return np.ones(len(x))
    m = min(NEIGHBOURS, len(rows))
    nearest = np.argpartition(-k, m - 1, axis=1)[:, :m]
    to_place = np.take_along_axis(k, nearest, 1)
    among = _among(np.ascontiguousarray(rows, dtype=np.float32), nearest)
    among[:, np.arange(m), np.arange(m)] += np.broadcast_to(noise, len(rows))[nearest]
    pull = np.linalg.solve(among, to_place[:, :, None])[:, :, 0]
    return np.clip(1 - (pull * to_place).sum(1), 0.0, 1.0)


@njit(cache=True, fastmath=True)
def _laplace(a, b):
    found = np.empty((len(a), len(b)))
    for first in range(0, len(b), BLOCK):
        for i in range(len(a)):
            for j in range(first, min(first + BLOCK, len(b))):
                apart = np.float32(0.0)
                for c in range(a.shape[1]):
                    apart += abs(a[i, c] - b[j, c])
                found[i, j] = np.exp(-np.float64(apart))
    return found


@njit(cache=True, fastmath=True)
def _among(rows, nearest):
    """Covariances of the rows that are near each place (place, neighbour, neighbour)."""
    n, m = nearest.shape
    found = np.ones((n, m, m))
    for i in range(n):
        for p in range(m):
            for q in range(p):
                apart = np.float32(0.0)
                for c in range(rows.shape[1]):
                    apart += abs(rows[nearest[i, p], c] - rows[nearest[i, q], c])
                found[i, p, q] = found[i, q, p] = np.exp(-np.float64(apart))
    return found
