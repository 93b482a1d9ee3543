"""What latent variables tell of a specimen: principal components, nearest neighbours, regression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.spatial import KDTree

from tieline.errors import NotIdentified
from tieline.models.arrays import Array
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_process import GaussianProcess

MOST_ROWS = 1000  # that one Gaussian process learns from: a few seconds
MOST_COLUMNS = 16  # principal components it reads


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of latent variables.

    Attributes:
        mean (latent): their centre.
        axes (component, latent): directions, each with its largest entry positive.
        explained (component): share of the variance.
    """

    mean: Array
    axes: Array
    explained: Array

    def scores(self, latent: Array) -> Array:
        """Give the components (specimen, component) of latent variables (specimen, latent)."""
        return (latent - self.mean) @ self.axes.T


def find_components(latent: Array, n: int) -> Components:
    """Find the first n principal components of latent variables (specimen, latent)."""
    mean = latent.mean(0)
    _, sizes, axes = np.linalg.svd(latent - mean, full_matrices=False)
    n = min(n, len(sizes))
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return Components(mean, (axes * np.sign(largest))[:n], sizes[:n] ** 2 / np.sum(sizes**2))


def learn_properties(
    columns: xr.Dataset, table: xr.Dataset, properties: Sequence[str], seed: int
) -> dict[str, GaussianPosterior]:
    """Learn each property from principal components of latent variables.

    Raises:
        NotIdentified: a property was measured on fewer than two volumes.
    """
    design = [str(name) for name in columns][:MOST_COLUMNS]
    learned = {}
    for name in properties:
        measured = np.flatnonzero(np.isfinite(table[name].values))
        if len(measured) < 2:
            raise NotIdentified(f"Nothing is known of '{name}'.", found=f"{len(measured)} values")
        if len(measured) > MOST_ROWS:
            chosen = np.random.default_rng(seed).choice(len(measured), MOST_ROWS, replace=False)
            measured = measured[np.sort(chosen)]
        rows = columns[design].isel(specimen=measured)
        known = rows.assign({name: ("specimen", table[name].values[measured], table[name].attrs)})
        learned[name] = GaussianProcess(design, name).fit(known, seed=seed)
    return learned


def look_up(table: xr.Dataset, name: str, latent: Array, known: Array) -> Array:
    """Read a property off the nearest volume of which it is known.

    Args:
        table (specimen): the property.
        name: of the property.
        latent (asked, latent): of the volumes that are asked about.
        known (specimen, latent): of the volumes of the table.
    """
    values = table[name].values
    measured = np.isfinite(values)
    _, nearest = KDTree(known[measured]).query(latent)
    return values[measured][nearest]
