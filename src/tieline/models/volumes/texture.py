"""What a volume is like wherever it is cut: how alike voxels are that lie a step apart, in 13 directions.

The numbers do not change when a periodic volume is shifted; where its ligaments run does not show in them.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from tieline.models.arrays import Array

STEPS = (1, 2, 3, 4, 5, 6, 7)  # of 1/32 of the edge
WEIGHT_OF_SOLID = 5.0  # one number among many, and the one that is asked for most
PRECISION = 0.2  # to which the numbers are to be given back, relative to their spread


def directions() -> list[tuple[int, int, int]]:
    """One of each pair of opposite directions to the 26 neighbours of a voxel."""
    return [(i, j, k) for i, j, k in product((-1, 0, 1), repeat=3) if (i, j, k) > (0, 0, 0)]


def pair_numbers(shares: np.ndarray) -> np.ndarray:
    """Count pairs of solid: the share of solid, and its covariance at steps in all directions.

    Args:
        shares (specimen, x, y, z): of solid in every block; taken as periodic.

    Returns:
        (specimen, number): single precision.
    """
    edge = shares.shape[1]
    wave = np.fft.rfftn(shares, axes=(1, 2, 3))
    alike = np.fft.irfftn(np.abs(wave) ** 2, s=shares.shape[1:], axes=(1, 2, 3)) / edge**3
    mean = shares.mean((1, 2, 3))
    scale = max(edge // 32, 1)
    lags = [tuple(scale * s * c % edge for c in d) for d in directions() for s in STEPS]
    columns = [alike[:, i, j, k] for i, j, k in [(0, 0, 0), *lags]]
    return np.stack([mean, *(c - mean**2 for c in columns)], 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Texture:
    """Coordinates of order one for what volumes are like.

    Attributes:
        mean (number): over the volumes that were learned from.
        axes (component, number): what a coordinate is made of.
        deviation (component): of a coordinate before it was brought to order one, in spreads of the numbers.
        to_solid (component): what the share of solid gains by a coordinate.
    """

    mean: Array
    axes: Array
    deviation: Array
    to_solid: Array

    @classmethod
    def of(cls, numbers: np.ndarray, n: int) -> "Texture":
        """Find n components of variance at most; numbers count by their spread, the share of solid more."""
        mean, spread = numbers.mean(0, dtype=float), numbers.std(0, dtype=float)
        spread = np.where(spread > 0, spread, 1.0)
        spread[0] /= WEIGHT_OF_SOLID
        _, sizes, axes = np.linalg.svd((numbers - mean) / spread, full_matrices=False)
        n = min(n, len(sizes))
        deviation = np.maximum(sizes[:n] / np.sqrt(len(numbers)), np.finfo(float).eps)
        to_solid = axes[:n, 0] * deviation * spread[0]
        return cls(mean, axes[:n] / spread / deviation[:, None], deviation, to_solid)

    @property
    def tolerance(self) -> Array:
        """How far a coordinate may be off (component), so that all numbers are given back alike."""
        return PRECISION / self.deviation

    def coordinates(self, shares: np.ndarray) -> np.ndarray:
        """Give the coordinates (specimen, component) of volumes (specimen, x, y, z)."""
        return ((pair_numbers(shares) - self.mean) @ self.axes.T).astype(np.float32)
