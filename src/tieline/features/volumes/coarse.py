"""Coarser copies of a diffusion problem: blocks of 2 x 2 x 2 cells become one, conductances add up.

A coarse cell is joined to its neighbour by the sum of the conductances between their fine cells, the Galerkin
operator of piecewise constant interpolation. Arrays have a rim of zeros, as in `diffusion.py`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from tieline.features.volumes.diffusion import WALL

LEAST = np.float32(1e-6)  # below any conductance: keeps cells without pores from dividing by zero


class Level(NamedTuple):
    """One coarse problem, with room for what a cycle computes there.

    Attributes:
        to_x, to_y, to_z: conductance of each cell to the one before it along an axis.
        diagonal: sum of all conductances of a cell, those to the walls included.
        b, x, other: right-hand side, solution, and a second solution for steps between the two.
    """

    to_x: np.ndarray
    to_y: np.ndarray
    to_z: np.ndarray
    diagonal: np.ndarray
    b: np.ndarray
    x: np.ndarray
    other: np.ndarray


def empty_level(shape: tuple[int, ...]) -> Level:
    """Make a level of half the shape (rims not counted), all zeros."""
    half = tuple((n - 2 + 1) // 2 + 2 for n in shape)
    return Level(*(np.zeros(half, np.float32) for _ in Level._fields))


@njit(cache=True)
def coarsen_voxels(pore: np.ndarray, level: Level) -> None:
    """Add up the conductances between pore voxels, which are 1, and those to the walls."""
    nx, ny, nz = pore.shape
    for i in range(1, nx - 1):
        at_walls = np.float32(WALL * (int(i == 1) + int(i == nx - 2)))
        for j in range(1, ny - 1):
            coarse_i, coarse_j = (i + 1) // 2, (j + 1) // 2
            here = pore[i, j, 1:-1]
            if i % 2 == 1:
                _add_pairs(level.to_x[coarse_i, coarse_j, 1:-1], here, pore[i - 1, j, 1:-1])
            if j % 2 == 1:
                _add_pairs(level.to_y[coarse_i, coarse_j, 1:-1], here, pore[i, j - 1, 1:-1])
            to_z, left = level.to_z[coarse_i, coarse_j, 1:-1], pore[i, j, :-2]
            for k in range(len(to_z)):
                to_z[k] += here[2 * k] * left[2 * k]
            if at_walls > 0:
                walls = level.diagonal[coarse_i, coarse_j, 1:-1]
                for k in range(nz - 2):
                    walls[k // 2] += at_walls * here[k]
    _close(level)


@njit(cache=True)
def _add_pairs(to: np.ndarray, here: np.ndarray, there: np.ndarray) -> None:
    """Add the conductances of a row of faces, two voxels to a cell; an odd last one has its own."""
    n = len(here)
    for k in range(n // 2):
        to[k] += here[2 * k] * there[2 * k] + here[2 * k + 1] * there[2 * k + 1]
    if n % 2 == 1:
        to[n // 2] += here[n - 1] * there[n - 1]


@njit(cache=True)
def coarsen(fine: Level, level: Level) -> None:
    """Add up the conductances of the next finer level."""
    nx, ny, nz = fine.diagonal.shape
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            coarse_i, coarse_j = (i + 1) // 2, (j + 1) // 2
            for k in range(1, nz - 1):
                coarse_k = (k + 1) // 2
                x, y, z = fine.to_x[i, j, k], fine.to_y[i, j, k], fine.to_z[i, j, k]
                after = fine.to_x[i + 1, j, k] + fine.to_y[i, j + 1, k] + fine.to_z[i, j, k + 1]
                at_walls = fine.diagonal[i, j, k] - (x + y + z) - after
                level.diagonal[coarse_i, coarse_j, coarse_k] += at_walls
                if i % 2 == 1:
                    level.to_x[coarse_i, coarse_j, coarse_k] += x
                if j % 2 == 1:
                    level.to_y[coarse_i, coarse_j, coarse_k] += y
                if k % 2 == 1:
                    level.to_z[coarse_i, coarse_j, coarse_k] += z
    _close(level)


@njit(cache=True)
def _close(level: Level) -> None:
    """Add the conductances between cells to the diagonal, which holds those to the walls."""
    nx, ny, nz = level.diagonal.shape
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(1, nz - 1):
                before = level.to_x[i, j, k] + level.to_y[i, j, k] + level.to_z[i, j, k]
                after = level.to_x[i + 1, j, k] + level.to_y[i, j + 1, k] + level.to_z[i, j, k + 1]
                level.diagonal[i, j, k] += before + after


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def relax(level: Level, x: np.ndarray, weight: float, out: np.ndarray) -> None:
    """Write one weighted Jacobi step from x into out."""
    nx, ny, nz = x.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            d, here, to, b = level.diagonal[i, j, 1:-1], x[i, j, 1:-1], out[i, j, 1:-1], level.b[i, j, 1:-1]
            left, right = x[i, j, :-2], x[i, j, 2:]
            below, above = x[i, j - 1, 1:-1], x[i, j + 1, 1:-1]
            before, behind = x[i - 1, j, 1:-1], x[i + 1, j, 1:-1]
            c_left, c_right = level.to_z[i, j, 1:-1], level.to_z[i, j, 2:]
            c_below, c_above = level.to_y[i, j, 1:-1], level.to_y[i, j + 1, 1:-1]
            c_before, c_behind = level.to_x[i, j, 1:-1], level.to_x[i + 1, j, 1:-1]
            for k in range(nz - 2):
                around = (
                    (c_left[k] * left[k] + c_right[k] * right[k])
                    + (c_below[k] * below[k] + c_above[k] * above[k])
                    + (c_before[k] * before[k] + c_behind[k] * behind[k])
                )
                step = (b[k] + around - d[k] * here[k]) / max(d[k], LEAST)
                to[k] = here[k] + w * step


@njit(cache=True)
def relax_from_zero(level: Level, weight: float, out: np.ndarray) -> None:
    """Write one weighted Jacobi step from zero into out."""
    nx, ny, nz = out.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(1, nz - 1):
                d = level.diagonal[i, j, k]
                out[i, j, k] = w * level.b[i, j, k] / max(d, LEAST)


@njit(cache=True)
def restrict(level: Level, x: np.ndarray, coarse_b: np.ndarray) -> None:
    """Add up what x leaves of the right-hand side, for the next coarser level."""
    nx, ny, nz = x.shape
    coarse_b[:] = 0
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            to = coarse_b[(i + 1) // 2, (j + 1) // 2]
            for k in range(1, nz - 1):
                around = (
                    level.to_z[i, j, k] * x[i, j, k - 1]
                    + level.to_z[i, j, k + 1] * x[i, j, k + 1]
                    + level.to_y[i, j, k] * x[i, j - 1, k]
                    + level.to_y[i, j + 1, k] * x[i, j + 1, k]
                    + level.to_x[i, j, k] * x[i - 1, j, k]
                    + level.to_x[i + 1, j, k] * x[i + 1, j, k]
                )
                to[(k + 1) // 2] += level.b[i, j, k] + around - level.diagonal[i, j, k] * x[i, j, k]


@njit(cache=True)
def interpolate(level: Level, coarse_x: np.ndarray, weight: float, x: np.ndarray) -> None:
    """Add a coarse solution to the cells of each block."""
    nx, ny, nz = x.shape
    w = np.float32(weight)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            source = coarse_x[(i + 1) // 2, (j + 1) // 2]
            for k in range(1, nz - 1):
                if level.diagonal[i, j, k] > 0:
                    x[i, j, k] += w * source[(k + 1) // 2]
