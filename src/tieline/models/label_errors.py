"""How often the labels of each set are wrong, as learned from how they agree with the map."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.posterior import label_sets

if TYPE_CHECKING:
    from tieline.models.phase_posterior import PhasePosterior


def label_errors(posterior: "PhasePosterior") -> xr.DataArray:
    """Mean and standard deviation of the rate at which each label set names a wrong phase.

    A label that errs may name any phase, in one of K cases the right one: wrong are (K - 1) / K of them.

    Raises:
        SchemaError: nothing is labelled.
    """
    if not posterior.answer.seen.labelled.any():
        raise SchemaError(
            "Error rates of labels need labels.",
            found="none",
            hint="name label variables as phase",
        )
    names, n_phases = label_sets(posterior.model), len(posterior.phases)
    errors, weights = np.zeros((1, len(names))), np.ones(1)
    if n_phases > 1:
        errors, weights = posterior.answer.label_errors()
    rates = errors * (n_phases - 1) / n_phases
    mean = weights @ rates
    return xr.DataArray(
        mean,
        coords={
            "label_set": list(names),
            "error_rate_sd": ("label_set", np.sqrt(weights @ (rates - mean) ** 2)),
        },
        dims="label_set",
        name="error_rate",
        attrs={"units": "1"},
    )
