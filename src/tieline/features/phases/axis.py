"""The axis of diffraction patterns, on which strain is a shift."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.phases.arrays import Array
from tieline.schema.wording import name_some

AXES = ("two_theta", "q")
FEWEST_CHANNELS = 20


@dataclass(frozen=True)
class Axis:
    """Where the channels of patterns are.

    Attributes:
        name: "two_theta", degrees, or "q", in any unit.
        values (channel): rising.
    """

    name: str
    values: Array

    @property
    def logarithm(self) -> Array:
        """Logarithm of the reciprocal spacing (channel), up to a constant.

        A lattice that grows by a small part e everywhere shifts its lines by -e, whatever the wavelength.
        """
        return np.log(np.sin(np.radians(self.values / 2)) if self.name == "two_theta" else self.values)

    def extent(self, logarithm: Array) -> Array:
        """How much of this axis (channel) a step of the logarithm covers, up to a constant."""
        if self.name == "two_theta":
            return np.tan(np.arcsin(np.exp(logarithm)))
        return np.exp(logarithm)


def axis_of(intensity: xr.DataArray) -> Axis:
    """Find the axis of patterns.

    Raises:
        SchemaError: there is none, or it does not rise within what is possible.
    """
    names = [name for name in AXES if name in intensity.dims]
    if len(names) != 1 or names[0] not in intensity.coords:
        raise SchemaError(
            "Diffraction patterns have an axis 'two_theta', in degrees, or 'q'.",
            found=f"dimensions {name_some(intensity.dims)}; coordinates {name_some(intensity.coords)}",
            hint="tieline.load reads patterns in this form",
        )
    values = intensity[names[0]].values.astype(float)
    highest = 180.0 if names[0] == "two_theta" else np.inf
    rising = np.isfinite(values).all() and bool((np.diff(values) > 0).all())
    if len(values) < FEWEST_CHANNELS or not rising or not 0 < values[0] <= values[-1] < highest:
        raise SchemaError(
            f"'{names[0]}' must rise from above 0{' to below 180 degrees' * (highest == 180)}, in at least "
            f"{FEWEST_CHANNELS} channels.",
            found=f"{np.nanmin(values):g} to {np.nanmax(values):g} in {len(values)} channels"
            if len(values)
            else "no channels",
            hint="sort the channels, and leave out those at zero",
        )
    return Axis(names[0], values)
