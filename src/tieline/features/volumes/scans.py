"""The grey scans of a record -> pore and solid, specimen by specimen."""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.volumes.segmentation import segment
from tieline.features.volumes.table import VARIABLE
from tieline.schema import require, specimens_of
from tieline.schema.wording import name_some

NODE = "volumes"


def segment_scans(
    record: xr.DataTree,
    *,
    porosity: str | float | None = None,
    threshold: float | None = None,
    smooth: float = 0.0,
    pores_are: str = "dark",
) -> xr.DataTree:
    """Tell pore from solid in every scan of a record, so that `tl.represent` can describe them.

    Args:
        record: with grey values in /volumes, as `tl.load` reads scans.
        porosity: name of the column of /specimens that holds the measured porosity, or one number for all.
        threshold: a grey value for all, if the porosity is not known.
        smooth: standard deviation of a Gaussian filter before, voxels.
        pores_are: "dark" or "bright".

    Returns:
        The record with pore and solid in /volumes, and the threshold and porosity of each measurement there.

    Raises:
        SchemaError: the record has no scans; a porosity was not measured, or is none; or not exactly one of
            porosity and threshold is given.
    """
    if NODE not in record.children or VARIABLE not in record[NODE].to_dataset():
        raise SchemaError(
            "This record has no scans.",
            found=f"nodes {name_some(record.children)}",
            hint="tl.load(path, voxel_size=...) reads them",
        )
    node = record[NODE].to_dataset()
    wanted = _porosities(record, node["specimen"].values, porosity)
    made = [
        segment(node[VARIABLE][i], porosity=share, threshold=threshold, smooth=smooth, pores_are=pores_are)
        for i, share in enumerate(wanted)
    ]
    found = {
        name: (
            "measurement",
            np.array([one.attrs[name] for one in made]),
            {"role": "structure", "units": "1"},
        )
        for name in ("threshold", "porosity")
    }
    stacked = xr.concat(made, "measurement", combine_attrs="drop_conflicts")
    segmented = record.copy()
    segmented[NODE] = xr.DataTree(node.assign({VARIABLE: stacked, **found}))
    return segmented


def _porosities(record: xr.DataTree, owners: np.ndarray, porosity: str | float | None) -> list[float | None]:
    """The wanted porosity of each measurement; None where a threshold decides."""
    if not isinstance(porosity, str):
        return [porosity] * len(owners)
    specimens = specimens_of(record)
    require(specimens, [porosity], reader="segment_scans")
    by_name = dict(zip(specimens["specimen"].values.astype(str), specimens[porosity].values, strict=True))
    shares = [float(by_name[name]) for name in owners.astype(str)]
    missing = [name for name, share in zip(owners.astype(str), shares, strict=True) if not 0 < share < 1]
    if missing:
        raise SchemaError(
            f"The column '{porosity}' gives no porosity between 0 and 1 for {name_some(missing)}.",
            hint="measure it, write it as a fraction, or give a threshold",
        )
    return list(shares)
