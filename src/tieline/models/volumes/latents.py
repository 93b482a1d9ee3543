"""What latent variables tell of a specimen: nearest neighbours, regression."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.spatial import KDTree

from tieline.errors import NotIdentified
from tieline.models.arrays import Array
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_process import GaussianProcess

MOST_ROWS = 1000  # that one Gaussian process learns from: a few seconds
MOST_COLUMNS = 16  # principal components it reads


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
