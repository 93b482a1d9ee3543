"""Which pores lead through a volume."""

import numpy as np
import xarray as xr
from scipy.ndimage import label

from tieline.features.volumes.counting import count_values
from tieline.features.volumes.voxels import Volume, axes_named, pores_of


def percolation(volume: Volume, axis: str | int | None = None, *, pore: int | None = None) -> xr.DataArray:
    """Measure how much of the pore space leads from one face of a volume to the opposite one.

    Voxels are connected where they share a face.

    Args:
        volume (x, y, z): pore and solid.
        axis: from which faces to which; None for all three axes.
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        (axis) or one number: share of the pore voxels in paths that connect both faces; 0 where none does.
    """
    pores = pores_of(volume, pore)
    labels = connected(pores.mask)
    numbers = axes_named(axis, pores.axes)
    sizes = count_values(labels, int(labels.max()) + 1)
    n_pores = max(1, int(sizes[1:].sum()))
    shares = [sizes[through(labels, number)].sum() / n_pores for number in numbers]
    answer = xr.DataArray(
        shares,
        {"axis": [pores.axes[n] for n in numbers]},
        "axis",
        name="percolation",
        attrs={"units": "1", "role": "structure"},
    )
    return answer if axis is None else answer[0]


def connected(mask: np.ndarray) -> np.ndarray:
    """Number the connected parts of a mask, from 1; 0 outside of it."""
    labels = np.empty(mask.shape, np.int32)
    label(mask, output=labels)
    return labels


def through(labels: np.ndarray, axis: int) -> np.ndarray:
    """Give the numbers of the parts that touch both faces across an axis."""
    first, last = (np.unique(np.take(labels, side, axis)) for side in (0, -1))
    both = np.intersect1d(first, last)
    return both[both > 0]
