"""What every posterior says of the places that it is asked about."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from tieline.models.arrays import Array

FAR = 0.25  # of the measured range, beyond its ends


def identities(grid: xr.Dataset) -> xr.DataArray | np.ndarray:
    """The identities of places (specimen); numbers where they have none."""
    return grid["specimen"] if "specimen" in grid.coords else np.arange(grid.sizes["specimen"])


def note_far_places(x: Array) -> Iterator[str]:
    """A note when places (place, coordinate), scaled to the measured range, lie well outside it."""
    outside = ((x < -FAR) | (x > 1 + FAR)).any(1).sum()
    if outside:
        yield f"{outside} of {len(x)} places lie more than a quarter outside the measured range."
