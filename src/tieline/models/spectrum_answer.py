"""What a posterior says of a spectrum: its bins side by side, and a band that holds all of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.composition_basis import Span

SIDES = ("low", "high")


def gather(span: Span, bins: Sequence[Mapping[str, tuple]], band: Sequence[Array]) -> dict[str, tuple]:
    """Put what is said of each bin, as of a property, on the axis of the spectrum.

    Args:
        span: columns of the spectrum.
        bins: for each bin the variables of a property.
        band: for each bin the ends (specimen, side) of the band.
    """
    found = {}
    for name, (dims, _, attrs) in bins[0].items():
        dims = ("specimen",) if isinstance(dims, str) else tuple(dims)
        values = np.stack([one[name][1] for one in bins], 1)
        found[name] = (("specimen", span.axis, *dims[1:]), values, attrs)
    attrs = bins[0][span.name][2]
    found[f"{span.name}_band"] = (("specimen", span.axis, "side"), np.stack(list(band), 1), attrs)
    return found


def axes_of(spans: Sequence[Span], table: xr.Dataset) -> dict[str, object]:
    """Coordinates of the axes of spectra, and of the sides of their bands."""
    found: dict[str, object] = {}
    for span in spans:
        if span.axis:
            found["side"] = list(SIDES)
            if span.axis in table.coords:
                found[span.axis] = table[span.axis].variable
    return found
