"""What each instrument adds to every value of a property, as learned from values it shares places with."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.line_answer import LineAnswer

if TYPE_CHECKING:
    from tieline.models.phase_posterior import PhasePosterior


def offsets(posterior: "PhasePosterior") -> xr.Dataset:
    """Mean and standard deviation (instrument, property) of offsets, settings of the experts averaged.

    Raises:
        SchemaError: properties were not measured on several instruments.
    """
    answer, encoding = posterior.answer, posterior.encoding
    if isinstance(answer, LineAnswer) or answer.seen.instrument is None:
        raise SchemaError(
            "Offsets need properties measured on several instruments.",
            found=", ".join(encoding.instruments) or "no column of instruments",
            hint='PhaseProperty(..., instrument="lab")',
        )
    names, instruments = list(posterior.model.properties), encoding.instruments
    mean, sd = np.zeros((len(instruments), len(names))), np.zeros((len(instruments), len(names)))
    for j in range(len(names)):
        first, second = np.zeros(len(instruments)), np.zeros(len(instruments))
        for expert, weight in answer.experts(j):
            m, v = expert.offsets(len(instruments))
            first += weight * m
            second += weight * (v + m**2)
        mean[:, j], sd[:, j] = first, np.sqrt(np.maximum(second - first**2, 0.0))
    units = [posterior.table[name].attrs.get("units", "") for name in names]
    dims = ("instrument", "property")
    return xr.Dataset(
        {"offset": (dims, mean * encoding.scale), "offset_sd": (dims, sd * encoding.scale)},
        coords={"instrument": list(instruments), "property": names, "units": ("property", units)},
    )
