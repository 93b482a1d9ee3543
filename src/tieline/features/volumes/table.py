"""The node /volumes of a record -> columns of its table."""

import numpy as np
import xarray as xr

from tieline.features.volumes.describe import describe

VARIABLE = "volume"


def describe_node(node: xr.Dataset, specimens: np.ndarray) -> xr.Dataset:
    """Describe the volumes of each specimen, repeats by their mean.

    Args:
        node (measurement, x, y, z): `volume`, and the coordinate `specimen`.
        specimens: identities of the table.

    Returns:
        (specimen): what `describe` gives; NaN where a specimen has no volume.
    """
    owners = node["specimen"].values.astype(str)
    described = [describe(node[VARIABLE][i]) for i in range(node.sizes["measurement"])]
    columns = {}
    for name, first in described[0].items():
        values = np.array([d[name].item() for d in described])
        means = [_mean(values[owners == str(specimen)]) for specimen in specimens]
        columns[name] = ("specimen", np.array(means), first.attrs)
    return xr.Dataset(columns, {"specimen": specimens})


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
