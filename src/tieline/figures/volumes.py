"""A volume of pore and solid: slices through its middle, and views onto it along each axis."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.figures.style import INK, settings, sheet

if TYPE_CHECKING:
    from tieline.features.volumes.voxels import Pores

DEPTH = 0.35  # of the volume, behind which solid has faded to half; near ligaments then stand out
FARTHEST_GREY = 0.92


def volume(volume: xr.DataArray | np.ndarray, *, pore: int | None = None) -> Figure:
    """Draw a porous volume: a slice across each axis (above), and what is seen along each axis (below).

    In the views, solid is the paler the deeper it lies.

    Args:
        volume (x, y, z): pore and solid.
        pore: the value that is pore, where the volume's attrs do not tell.

    Raises:
        SchemaError: the volume is not pore and solid.
    """
    from tieline.features.volumes.voxels import pores_of  # late: it loads the compiler of voxels

    pores = pores_of(volume, pore)
    with settings():
        figure = sheet(7.4, 5.2)
        panels = figure.subplots(2, 3)
        for axis, (above, below) in enumerate(panels.T):
            middle = pores.mask.shape[axis] // 2
            place = (middle + 0.5) * pores.voxel_size
            unit = "" if pores.units == "1" else f" {pores.units}"
            _draw(above, pores, axis, np.take(1 - pores.mask, middle, axis).astype(float) * 0.85)
            above.set_title(f"slice at {pores.axes[axis]} = {place:.3g}{unit}")
            _draw(below, pores, axis, _shade(pores.mask, axis))
            below.set_title(f"seen along {pores.axes[axis]}")
    return figure


def _shade(mask: np.ndarray, axis: int) -> np.ndarray:
    """Darkness of the first solid voxel along an axis; 0 where there is none."""
    is_solid = mask == 0
    depth = is_solid.argmax(axis) / mask.shape[axis]
    return np.where(is_solid.any(axis), FARTHEST_GREY * 0.5 ** (depth / DEPTH), 0.0)


def _draw(axes: Axes, pores: "Pores", axis: int, darkness: np.ndarray) -> None:
    """Draw a plane of a volume; its first remaining axis runs to the right."""
    across, up = (n for n in range(3) if n != axis)
    width, height = (pores.mask.shape[n] * pores.voxel_size for n in (across, up))
    axes.imshow(
        darkness.T,
        cmap="Greys",
        vmin=0,
        vmax=1,
        origin="lower",
        extent=(0, width, 0, height),
        interpolation="nearest",
    )
    unit = "voxel" if pores.units == "1" else pores.units
    axes.set_xlabel(f"{pores.axes[across]} ({unit})", color=INK)
    axes.set_ylabel(f"{pores.axes[up]} ({unit})", color=INK)
