"""Capsules drawn into voxels: what lies within a radius of a straight segment, in a periodic box."""

from math import ceil, floor, sqrt

import numpy as np
from numba import njit

PARALLEL = 1e-12  # squared sine of the angle between segment and voxel rows, below which they are parallel


@njit(cache=True)
def draw_capsules(
    volume: np.ndarray, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, value: int
) -> None:
    """Write a value into every voxel whose centre lies in one of the capsules.

    A capsule is convex, so it meets a row of voxels in one interval, which is found in closed form. What
    leaves the box on one side comes back on the other. Voxel (i, j, k) has its centre at
    (i + 1/2, j + 1/2, k + 1/2).

    Args:
        volume (x, y, z): uint8; written to.
        starts (capsule, 3): first ends, voxels.
        ends (capsule, 3): other ends; the same as the first for a sphere.
        radii (capsule): voxels.
        value: what to write.
    """
    nx, ny, nz = volume.shape
    for c in range(len(radii)):
        r = radii[c]
        ax, ay, az = starts[c] - 0.5  # from here on, centres of voxels are whole numbers
        bx, by, bz = ends[c] - 0.5
        i0, i1 = ceil(min(ax, bx) - r), floor(max(ax, bx) + r)
        j0, j1 = ceil(min(ay, by) - r), floor(max(ay, by) + r)
        for i in range(i0, i1 + 1):
            for j in range(j0, j1 + 1):
                low, high = _interval(i - ax, j - ay, bx - ax, by - ay, bz - az, r)
                if low <= high:
                    k0, k1 = ceil(az + low), floor(az + high)
                    _fill(volume[i % nx, j % ny], k0, min(k1, k0 + nz - 1), value)


@njit(cache=True)
def _interval(wx: float, wy: float, dx: float, dy: float, dz: float, r: float) -> tuple[float, float]:
    """Where the row through (wx, wy) meets the capsule from 0 to d; an empty interval if nowhere.

    The capsule is the union of a ball at each end and a cylinder between them.
    """
    low, high = np.inf, -np.inf
    across = wx * wx + wy * wy
    half = r * r - across
    if half >= 0:
        low, high = -sqrt(half), sqrt(half)
    half = r * r - (wx - dx) ** 2 - (wy - dy) ** 2
    if half >= 0:
        low, high = min(low, dz - sqrt(half)), max(high, dz + sqrt(half))
    dd = dx * dx + dy * dy + dz * dz
    if dd == 0.0:
        return low, high
    # Points (wx, wy, u): their squared distance from the axis is a u^2 + 2 b u + c + r^2.
    along = wx * dx + wy * dy
    a = 1.0 - dz * dz / dd
    b = -along * dz / dd
    c = across - along * along / dd - r * r
    if a < PARALLEL:
        if c > 0:
            return low, high
        first, last = -np.inf, np.inf
    else:
        root = b * b - a * c
        if root < 0:
            return low, high
        first, last = (-b - sqrt(root)) / a, (-b + sqrt(root)) / a
    # The cylinder ends where the foot on the axis leaves the segment: 0 <= along + u dz <= dd.
    if dz != 0.0:
        one, other = -along / dz, (dd - along) / dz
        first, last = max(first, min(one, other)), min(last, max(one, other))
    elif along < 0 or along > dd:
        return low, high
    if first <= last:
        low, high = min(low, first), max(high, last)
    return low, high


@njit(cache=True)
def _fill(row: np.ndarray, first: int, last: int, value: int) -> None:
    n = len(row)
    for k in range(first, last + 1):
        row[k % n] = value
