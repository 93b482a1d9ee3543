"""What every posterior says of itself, and of the places that it is asked about."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.posterior import Posterior, label_sets

FAR = 0.25  # of the measured range, beyond its ends


def describe(posterior: Posterior) -> str:
    """One line: what was learned, over what, from how many specimens."""
    model = posterior.model
    learned = ", ".join([*label_sets(model), *model.properties])
    design = model.design if isinstance(model.design, str) else ", ".join(model.design)
    n = posterior.table.sizes["specimen"]
    return f"<{type(posterior).__name__}: {learned} over {design}, from {n} specimens>"


def identities(grid: xr.Dataset) -> xr.DataArray | np.ndarray:
    """The identities of places (specimen); numbers where they have none."""
    return grid["specimen"] if "specimen" in grid.coords else np.arange(grid.sizes["specimen"])


def note_far_places(x: Array) -> Iterator[str]:
    """A note when places (place, coordinate), scaled to the measured range, lie well outside it."""
    outside = ((x < -FAR) | (x > 1 + FAR)).any(1).sum()
    if outside:
        yield f"{outside} of {len(x)} places lie more than a quarter outside the measured range."
