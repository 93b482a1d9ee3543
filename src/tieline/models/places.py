"""What every posterior says of itself, and of the places that it is asked about."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from tieline.models.arrays import Array, Indices
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


def as_functions(
    values: Array,
    grid: xr.Dataset,
    posterior: Posterior,
    phase: Indices | None = None,
    *,
    names: Sequence[str] | None = None,
) -> xr.DataArray:
    """Draws of functions (draw, specimen, property), with the units of the properties and the drawn phases.

    Args:
        values: noise-free values, in the units of the table.
        grid: the places.
        posterior: that they were drawn from.
        phase: drawn phase of each draw and place, if it knows phases.
        names: of the properties that were drawn; by default all.
    """
    names = list(posterior.model.properties if names is None else names)
    units = [posterior.table[name].attrs.get("units", "") for name in names]
    coords = {"specimen": identities(grid), "property": names, "units": ("property", units)}
    coords |= {} if phase is None else {"phase_draw": (("draw", "specimen"), phase)}
    return xr.DataArray(values, dims=("draw", "specimen", "property"), coords=coords)


def note_far_places(x: Array) -> Iterator[str]:
    """A note when places (place, coordinate), scaled to the measured range, lie well outside it."""
    outside = ((x < -FAR) | (x > 1 + FAR)).any(1).sum()
    if outside:
        yield f"{outside} of {len(x)} places lie more than a quarter outside the measured range."
