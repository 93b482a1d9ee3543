"""Passes over a mask of voxels that count: pairs, faces, chords, and squared distances."""

import numpy as np
from numba import njit

FAR = 2**29  # a squared distance that nothing reaches, and that survives adding another
NEAR = 2**14  # squared distances that are less, and their sums, fit into 16 bits


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
def count_cells(mask: np.ndarray) -> np.ndarray:
    """Count the voxels, pairs, squares and cubes that are 1 throughout; each at its first voxel.

    The last voxels along an axis are no first ones, so that all are looked for at the same places.

    Args:
        mask (x, y, z): uint8.

    Returns:
        (8): voxels; pairs along x, y, z; squares along xy, xz, yz; cubes of two voxels an edge.
    """
    nx, ny = mask.shape[:2]
    totals = np.zeros(8, np.int64)
    for i in range(nx - 1):
        for j in range(ny - 1):
            totals += _cells_between(mask[i, j], mask[i + 1, j], mask[i, j + 1], mask[i + 1, j + 1])
    return totals


@njit(cache=True)
def _cells_between(row: np.ndarray, x: np.ndarray, y: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Count from the voxels of a row; the others are its neighbours along x, along y, and along both."""
    voxels = along_x = along_y = along_z = np.int32(0)
    on_xy = on_xz = on_yz = cubes = np.int32(0)
    for k in range(len(row) - 1):
        here, in_x, in_y = row[k], row[k] & x[k], row[k] & y[k]
        in_z = here & row[k + 1]
        in_xy = in_x & y[k] & xy[k]
        in_xz, in_yz = in_z & x[k] & x[k + 1], in_z & y[k] & y[k + 1]
        voxels += np.int32(here)
        along_x += np.int32(in_x)
        along_y += np.int32(in_y)
        along_z += np.int32(in_z)
        on_xy += np.int32(in_xy)
        on_xz += np.int32(in_xz)
        on_yz += np.int32(in_yz)
        cubes += np.int32(in_xy & in_xz & in_yz & xy[k + 1])
    return np.array([voxels, along_x, along_y, along_z, on_xy, on_xz, on_yz, cubes], np.int64)


@njit(cache=True)
def count_values(values: np.ndarray, n: int) -> np.ndarray:
    """Count how often each number from 0 to n - 1 stands in (x, y, z); larger ones count as n - 1."""
    counts = np.zeros(n, np.int64)
    for value in values.ravel():
        counts[min(value, n - 1)] += 1
    return counts


def squared_distances(mask: np.ndarray) -> np.ndarray:
    """Square the distance of each voxel of a mask from the nearest voxel outside of it.

    What lies beyond the faces of the volume is not known and does not count.

    Args:
        mask (x, y, z): uint8.

    Returns:
        (x, y, z): whole numbers, in voxels squared; 0 outside of the mask; `FAR` where it fills everything.
    """
    squares = _squared_distances(mask, np.int16(NEAR - 1))
    return squares if squares.max() < NEAR - 1 else _squared_distances(mask, np.int32(FAR))


@njit(cache=True)
def _squared_distances(mask: np.ndarray, far: np.signedinteger) -> np.ndarray:
    """Square distances in the type of `far`, which stands for all that are not less."""
    nx, ny = mask.shape[:2]
    along_z = np.full(mask.shape, far)
    for i in range(nx):
        for j in range(ny):
            _distances_in_row(mask[i, j], along_z[i, j], far)
    along_yz = np.empty_like(along_z)
    for i in range(nx):
        for j in range(ny):
            _nearest_of_rows(along_z[i], j, along_yz[i, j])
    plane = np.empty_like(along_z[:, 0])
    for j in range(ny):
        plane[:] = along_yz[:, j]  # rows that lie together in memory are read many times faster
        for i in range(nx):
            _nearest_of_rows(plane, i, along_z[i, j])
    return along_z


@njit(cache=True)
def _distances_in_row(row: np.ndarray, out: np.ndarray, far: np.signedinteger | int) -> None:
    n, since = len(row), far
    for k in range(n):
        since = 0 if row[k] == 0 else min(since + 1, far)
        out[k] = since
    since = far
    for k in range(n - 1, -1, -1):
        since = 0 if row[k] == 0 else min(since + 1, far)
        nearest = min(out[k], since)
        out[k] = min(nearest * nearest, far)


@njit(cache=True)
def _nearest_of_rows(rows: np.ndarray, middle: int, out: np.ndarray) -> None:
    """The least of the rows around one, each more by its squared distance; further rows cannot be less."""
    number = rows.dtype.type  # sums of it are kept as short as it is: twice as many at a time
    n, width = rows.shape
    farthest = number(0)
    for k in range(width):
        out[k] = rows[middle, k]
        farthest = max(farthest, out[k])
    step = 1
    while step < n and step * step < farthest:
        # Beyond the first or last row there is nothing: the row on the other side counts twice.
        one = rows[middle - step] if middle >= step else rows[min(middle + step, n - 1)]
        other = rows[middle + step] if middle + step < n else rows[max(middle - step, 0)]
        square, farthest = number(step * step), number(0)
        for k in range(width):
            nearest = min(out[k], number(min(one[k], other[k]) + square))
            out[k] = nearest
            farthest = max(farthest, nearest)
        step += 1
