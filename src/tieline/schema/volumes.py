"""A volume: voxels on the axes x, y, z, which say where they lie and which of them are pores."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.units import canonical

AXES = ("x", "y", "z")
PORE, SOLID = 0, 1
_MEANINGS = {"flag_values": np.array([PORE, SOLID], np.uint8), "flag_meanings": "pore solid"}


def volume_of(values: np.ndarray, voxel_size: float, units: str, *, is_segmented: bool) -> xr.DataArray:
    """Give an array of voxels its axes, its voxel size and the meaning of its values.

    Args:
        values (x, y, z): 0 for pore and 1 for solid, or grey values. Not copied.
        voxel_size: edge of a voxel.
        units: of the voxel size.
        is_segmented: whether the values are pore and solid.

    Returns:
        (x, y, z): with the places of the centres of the voxels as coordinates; attrs `voxel_size` and, if
        segmented, `flag_values` and `flag_meanings`.

    Raises:
        SchemaError: there are not three axes, or the voxel size is not positive.
        UnitError: the unit is unknown.
    """
    if values.ndim != len(AXES):
        raise SchemaError("A volume has three axes.", found=f"shape {values.shape}")
    if not (np.isfinite(voxel_size) and voxel_size > 0):
        raise SchemaError("A voxel has a positive size.", found=f"voxel_size={voxel_size}")
    unit = canonical(units)
    places = {
        axis: (axis, (np.arange(n) + 0.5) * voxel_size, {"units": unit})
        for axis, n in zip(AXES, values.shape, strict=True)
    }
    attrs = {"units": "1", "role": "structure", "voxel_size": float(voxel_size), "voxel_size_units": unit}
    return xr.DataArray(
        values, coords=places, dims=AXES, name="volume", attrs=attrs | (_MEANINGS if is_segmented else {})
    )


def shape_text(shape: Sequence[int]) -> str:
    """Write a shape as it is said: 200 x 200 x 200."""
    return " x ".join(map(str, shape))
