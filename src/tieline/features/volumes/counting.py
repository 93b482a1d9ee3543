"""Passes over a mask of voxels that count: pairs, faces, chords, and squared distances."""

import numpy as np
from numba import njit

FAR = 2**29  # a squared distance that nothing reaches, and that survives adding another


@njit(cache=True)
def count_pairs(one: np.ndarray, other: np.ndarray) -> int:
    """Count where both masks (x, y, z) are 1."""
    total = 0
    for i in range(one.shape[0]):
        for j in range(one.shape[1]):
            a, b = one[i, j], other[i, j]
            part = np.int32(0)
            for k in range(len(a)):
                part += np.int32(a[k] & b[k])
            total += int(part)
    return total


@njit(cache=True)
def count_chords(mask: np.ndarray) -> np.ndarray:
    """Count the runs of 1 along the first axis of a mask.

    Args:
        mask (x, y, z): uint8.

    Returns:
        (length): how many runs have each length, in voxels, from 0 to the whole axis; runs that a face cuts
        off count with what is left of them.
    """
    nx, ny, nz = mask.shape
    counts = np.zeros(nx + 1, np.int64)
    lengths = np.zeros(nz, np.int32)
    for j in range(ny):
        lengths[:] = 0
        for i in range(nx):
            row = mask[i, j]
            for k in range(nz):
                if row[k] == 1:
                    lengths[k] += 1
                elif lengths[k] > 0:
                    counts[lengths[k]] += 1
                    lengths[k] = 0
        for k in range(nz):
            if lengths[k] > 0:
                counts[lengths[k]] += 1
    return counts


@njit(cache=True)
def squared_distances(mask: np.ndarray) -> np.ndarray:
    """Square the distance of each voxel of a mask from the nearest voxel outside of it.

    What lies beyond the faces of the volume is not known and does not count.

    Args:
        mask (x, y, z): uint8.

    Returns:
        (x, y, z): int32, in voxels squared; 0 outside of the mask; `FAR` where it fills everything.
    """
    nx, ny, nz = mask.shape
    along_z = np.empty(mask.shape, np.int32)
    for i in range(nx):
        for j in range(ny):
            _distances_in_row(mask[i, j], along_z[i, j])
    along_yz = np.empty_like(along_z)
    for i in range(nx):
        for j in range(ny):
            _nearest_of_rows(along_z[i], j, along_yz[i, j])
    plane = np.empty((nx, nz), np.int32)
    for j in range(ny):
        plane[:] = along_yz[:, j]  # rows that lie together in memory are read many times faster
        for i in range(nx):
            _nearest_of_rows(plane, i, along_z[i, j])
    return along_z


@njit(cache=True)
def _distances_in_row(row: np.ndarray, out: np.ndarray) -> None:
    n, since = len(row), FAR
    for k in range(n):
        since = 0 if row[k] == 0 else min(since + 1, FAR)
        out[k] = since
    since = FAR
    for k in range(n - 1, -1, -1):
        since = 0 if row[k] == 0 else min(since + 1, FAR)
        nearest = min(out[k], since)
        out[k] = nearest * nearest if nearest < FAR else FAR


@njit(cache=True)
def _nearest_of_rows(rows: np.ndarray, middle: int, out: np.ndarray) -> None:
    """The least of the rows around one, each more by its squared distance; further rows cannot be less."""
    n, width = rows.shape
    farthest = np.int32(0)
    for k in range(width):
        out[k] = rows[middle, k]
        farthest = max(farthest, out[k])
    step = 1
    while step < n and step * step < farthest:
        # Beyond the first or last row there is nothing: the row on the other side counts twice.
        one = rows[middle - step] if middle >= step else rows[min(middle + step, n - 1)]
        other = rows[middle + step] if middle + step < n else rows[max(middle - step, 0)]
        square, farthest = np.int32(step * step), np.int32(0)
        for k in range(width):
            nearest = min(out[k], min(one[k], other[k]) + square)
            out[k] = nearest
            farthest = max(farthest, nearest)
        step += 1
