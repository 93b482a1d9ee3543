"""How pores hang together: the Euler number of a volume, and of plane cuts through it."""

import numpy as np
import xarray as xr

from tieline.features.volumes.counting import count_cells
from tieline.features.volumes.voxels import Pores, Volume, axes_named, pores_of


def euler_number(volume: Volume, axis: str | int | None = None, *, pore: int | None = None) -> xr.DataArray:
    """Count the pieces of the pore space, less its handles, plus the solids that it encloses, in a volume.

    Voxels are connected where they share a face. The number is the sum of what every two voxels an edge show,
    so that a part of a structure has, on average, that of all of it: a network has minus one for each loop.

    Args:
        volume (x, y, z): pore and solid.
        axis: count in plane cuts across this axis instead: pieces less the solids that they enclose, in an
            area, on average over the cuts.
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        One number, in one over the unit of the voxels, cubed (squared for cuts); NaN where the volume is one
        voxel thin.
    """
    pores = pores_of(volume, pore)
    if axis is None:
        value, power = euler_numbers(pores)[-1], 3
    else:
        value, power = euler_numbers(pores)[axes_named(axis, pores.axes)[0]], 2
    attrs = {"units": pores.per_length_to(power), "role": "structure"}
    return xr.DataArray(value, name="euler_number", attrs=attrs)


def euler_numbers(pores: Pores) -> np.ndarray:
    """Give the Euler number of cuts across each axis, in an area, and last that of the volume, in it (4)."""
    n_places = np.prod(np.array(pores.mask.shape) - 1.0)
    if not n_places:
        return np.full(4, np.nan)
    voxels, x, y, z, xy, xz, yz, cubes = count_cells(pores.mask) / n_places
    cuts = [voxels - y - z + yz, voxels - x - z + xz, voxels - x - y + xy]
    whole = voxels - x - y - z + xy + xz + yz - cubes
    return np.array([*cuts, whole / pores.voxel_size]) / pores.voxel_size**2
