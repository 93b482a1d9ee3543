"""Prior draws of smooth functions that can be evaluated anywhere, by random Fourier features.

Source: Rahimi & Recht (2007); Wilson et al. (2020), arXiv:2002.09309, for drawing posterior functions by
correcting prior ones, which costs a number of places only once, not cubed.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array

N_FEATURES = 256  # covariance error about 1 / sqrt(256) per draw, and fresh features for every draw's weights


@dataclass(frozen=True)
class RandomFunctions:
    """Functions of unit variance on d dimensions, lengthscale one.

    Attributes:
        frequency: (d, feature).
        weight: (2 feature, draw).
    """

    frequency: Array
    weight: Array

    @classmethod
    def draw(
        cls, kernel: str, n_dimensions: int, n_draws: int, rng: np.random.Generator
    ) -> "RandomFunctions":
        """Draw functions of a kernel from its spectrum: normal for RBF, Student's t for Matern-5/2."""
        frequency = rng.standard_normal((n_dimensions, N_FEATURES))
        if kernel == "matern52":
            frequency *= np.sqrt(5 / rng.chisquare(5, N_FEATURES))
        return cls(frequency, rng.standard_normal((2 * N_FEATURES, n_draws)))

    def at(self, x: Array) -> Array:
        """Values (place, draw) at places (place, d) divided by the lengthscale."""
        phase = x @ self.frequency
        if self.weight.shape[1] == 1:  # a cos p + b sin p = r cos(p - q): half as many cosines
            a, b = np.split(self.weight, 2)
            return np.cos(phase - np.arctan2(b, a)[:, 0]) @ np.hypot(a, b) / np.sqrt(N_FEATURES)
        return np.hstack([np.cos(phase), np.sin(phase)]) @ self.weight / np.sqrt(N_FEATURES)
