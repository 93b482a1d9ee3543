"""A multigrid cycle for diffusion in pores: the preconditioner that `tortuosity` solves with.

Blocks of 2 x 2 x 2 voxels are lumped again and again, until the problem is small enough to be inverted.
Piecewise constant interpolation makes the coarse problems too stiff by up to a factor of two a level, so each
correction is enlarged. Every step of the cycle is symmetric, as conjugate gradients demand.

Source:
    D. Braess, "Towards algebraic multigrid for elliptic problems of second order", Computing 55 (1995)
    379-393, for lumping with an enlarged correction. Departs from it: W-cycles, and Chebyshev-weighted
    Jacobi steps, which vectorise.
"""

from dataclasses import dataclass

import numpy as np

from tieline.features.volumes import coarse, diffusion
from tieline.features.volumes.coarse import Level

# Two Jacobi steps with these weights damp all eigenvalues from 1/2 to 2, which no coarser level sees.
WEIGHTS = (0.5617, 1.389)
ENLARGEMENT = 1.8  # of a correction; must stay below 2, where the cycle would cease to be positive
N_VISITS = 2  # of the next coarser level: a W-cycle
MOST_INVERTED = 400  # cells of the coarsest level


@dataclass(frozen=True, eq=False)
class Multigrid:
    """A hierarchy of diffusion problems, with the room that a cycle needs.

    Attributes:
        diagonal (x, y, z): of the finest problem, as `diffusion.conductances` gives it.
        levels: the coarser problems.
        inverse (cell, cell): of the coarsest one.
    """

    diagonal: np.ndarray
    levels: tuple[Level, ...]
    inverse: np.ndarray

    def cycle(self, b: np.ndarray, out: np.ndarray, room: np.ndarray) -> None:
        """Write into out an approximate solution for the right-hand side b; `room` is overwritten."""
        first, second = WEIGHTS
        diffusion.relax_from_zero(self.diagonal, b, first, out)
        diffusion.relax(self.diagonal, b, out, second, room)
        diffusion.restrict(self.diagonal, b, room, self.levels[0].b)
        self._descend(0)
        diffusion.interpolate(self.diagonal, self.levels[0].x, ENLARGEMENT, room)
        diffusion.relax(self.diagonal, b, room, second, out)
        diffusion.relax(self.diagonal, b, out, first, room)
        out[:] = room

    def _descend(self, depth: int) -> None:
        """Solve a level approximately, for the right-hand side that it holds."""
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            inner = level.b[1:-1, 1:-1, 1:-1]
            level.x[1:-1, 1:-1, 1:-1] = (self.inverse @ inner.ravel()).reshape(inner.shape)
            return
        first, second = WEIGHTS
        coarse.relax_from_zero(level, first, level.other)
        coarse.relax(level, level.other, second, level.x)
        for _ in range(N_VISITS):
            coarse.restrict(level, level.x, self.levels[depth + 1].b)
            self._descend(depth + 1)
            coarse.interpolate(level, self.levels[depth + 1].x, ENLARGEMENT, level.x)
            coarse.relax(level, level.x, second, level.other)
            coarse.relax(level, level.other, first, level.x)


def multigrid(pore: np.ndarray) -> Multigrid:
    """Lump a problem until it is small.

    Args:
        pore (x, y, z): with a rim of zeros; 1 for pore. Each pore voxel is connected with a wall.
    """
    levels = [coarse.empty_level(pore.shape)]
    coarse.coarsen_voxels(pore, levels[0])
    while levels[-1].x[1:-1, 1:-1, 1:-1].size > MOST_INVERTED:
        levels.append(coarse.empty_level(levels[-1].x.shape))
        coarse.coarsen(levels[-2], levels[-1])
    return Multigrid(diffusion.conductances(pore), tuple(levels), _inverse(levels[-1]))


def _inverse(level: Level) -> np.ndarray:
    """Invert the matrix of a level; cells without pores get 0."""
    inner = (slice(1, -1),) * 3
    cells = np.arange(level.x[inner].size).reshape(level.x[inner].shape)
    diagonal = level.diagonal[inner].ravel().astype(float)
    is_cell = diagonal > 0
    matrix = np.diag(np.where(is_cell, diagonal, 1.0))
    for axis, to in enumerate((level.to_x, level.to_y, level.to_z)):
        here, before = (np.moveaxis(cells, axis, 0)[part].ravel() for part in (slice(1, None), slice(-1)))
        matrix[here, before] = matrix[before, here] = -np.moveaxis(to[inner], axis, 0)[1:].ravel()
    return (np.linalg.inv(matrix) * np.outer(is_cell, is_cell)).astype(np.float32)
