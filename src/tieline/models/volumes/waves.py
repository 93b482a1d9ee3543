"""Standing waves of a periodic box: the straightest account of where solid is denser and where it is thinner.

In volumes that are as likely shifted as not, waves are the principal components of the voxels. The strongest
of them are where a network begins; what it learns is what goes beyond.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array

CHUNK = 100  # volumes that are transformed at once


@dataclass(frozen=True)
class Waves:
    """Waves, each a cosine or a sine of mean square one.

    Attributes:
        vectors: periods along x, y and z in the box; each vector stands for a cosine and a sine.
        scale: standard deviation of the amplitude of each wave.
    """

    vectors: tuple[tuple[int, ...], ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, shares: np.ndarray, n: int) -> "Waves":
        """Find the n waves with the greatest mean power, whichever way the volumes are turned.

        Args:
            shares (specimen, x, y, z): of solid in every block.
            n: waves.
        """
        edge = shares.shape[1]
        power = np.zeros((edge, edge, edge // 2 + 1))
        for start in range(0, len(shares), CHUNK):
            power += np.sum(np.abs(np.fft.rfftn(shares[start : start + CHUNK], axes=(1, 2, 3))) ** 2, 0)
        power /= len(shares) * edge**6
        periods = np.stack(np.meshgrid(*[_signed(edge)] * 2, np.arange(edge // 2 + 1), indexing="ij"), -1)
        chosen = _one_of_each_pair(periods) & (np.abs(periods).max(-1) < edge // 2)
        vectors, strength = periods[chosen], power[chosen]
        # All that a turn of the box makes of a vector have one power: the mean of what was seen of them.
        _, kind = np.unique(np.sort(np.abs(vectors), 1), axis=0, return_inverse=True)
        strength = (np.bincount(kind, strength) / np.bincount(kind))[kind]
        order = np.lexsort((*vectors.T, -strength))[: -(-n // 2)]
        scale = np.repeat(np.sqrt(strength[order]), 2)[:n]
        return cls(tuple(tuple(map(int, v)) for v in vectors[order]), tuple(map(float, scale)))

    def columns(self, edge: int) -> Array:
        """Write the waves as columns (block, wave): cosine and sine of each vector in turn."""
        place = (np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1) / edge).reshape(-1, 3)
        phase = 2 * np.pi * place @ np.array(self.vectors, float).T
        both = np.stack([np.cos(phase), np.sin(phase)], -1).reshape(edge**3, -1)
        return np.sqrt(2) * both[:, : len(self.scale)]


def _signed(edge: int) -> np.ndarray:
    return np.fft.fftfreq(edge, 1 / edge).astype(int)


def _one_of_each_pair(vectors: np.ndarray) -> np.ndarray:
    """Whether the last entry that is not zero is positive."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return (z > 0) | ((z == 0) & ((y > 0) | ((y == 0) & (x > 0))))
