"""Principal components, each pointing to where its strongest column is large."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of some columns.

    Attributes:
        mean (column): their centre.
        axes (component, column): directions, each with its largest entry positive.
        explained (component): share of the variance.
    """

    mean: Array
    axes: Array
    explained: Array

    def scores(self, x: Array) -> Array:
        """Give the components (row, component) of columns (row, column)."""
        return (x - self.mean) @ self.axes.T


def find_components(x: Array, n: int) -> Components:
    """Find the first n principal components of columns (row, column)."""
    mean = x.mean(0)
    _, sizes, axes = np.linalg.svd(x - mean, full_matrices=False)
    n = min(n, len(sizes))
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return Components(mean, (axes * np.sign(largest))[:n], sizes[:n] ** 2 / np.sum(sizes**2))
