"""The codes of one input that is not a composition: a share of its range, or one of so many positions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """One column of codes.

    Attributes:
        n_places: how many positions there are, from 0; None for a share of a range, any number from 0 to 1.
    """

    n_places: int | None

    n_columns = 1
    n_free = 1

    @property
    def is_whole(self) -> bool:
        """Whether codes are whole numbers."""
        return self.n_places is not None

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and the largest code."""
        return np.zeros(1), np.array([1.0 if self.n_places is None else self.n_places - 1.0])

    def spread(self, cube: np.ndarray) -> np.ndarray:
        """Map (point, 1) in [0, 1) to codes, evenly."""
        return cube if self.n_places is None else np.floor(cube * self.n_places)

    def listing(self) -> np.ndarray:
        """List all positions."""
        return np.arange(float(self.n_places or 0))[:, None]

    def holds(self, codes: np.ndarray, tolerance: float) -> np.ndarray:
        """Tell which codes (place, 1) are in range and, where they are positions, whole."""
        (low,), (high,) = self.bounds()
        code = codes[:, 0]
        inside = (code >= low - tolerance) & (code <= high + tolerance)
        return inside & (np.abs(code - np.round(code)) <= tolerance) if self.is_whole else inside
