"""How wrong any posterior is about rows that it did not learn from."""

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.design_columns import labels_of
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.learner_fit import LEAST_CHANCE
from tieline.schema import is_label


def losses_of(predicted: xr.Dataset, truth: xr.DataArray) -> Array:
    """Loss of each row: absolute error in the unit of a property, or minus the log of a label's probability.

    Args:
        predicted: of any posterior, at the rows.
        truth: what was measured there, or the labels.

    Returns:
        (row); NaN where nothing was measured.
    """
    if not is_label(truth):
        return np.abs(truth.values.astype(float) - predicted[str(truth.name)].values)
    labels, known = labels_of(truth), predicted["phase"].values.astype(str)
    chance = predicted["phase_probability"].transpose("specimen", "phase").values
    found = np.where(labels[:, None] == known, chance, 0.0).sum(1)
    return np.where(labels != "", -np.log(np.maximum(found, LEAST_CHANCE)), np.nan)


def half_widths(predicted: xr.Dataset, target: str) -> Array:
    """Half widths (row) of the 90 % intervals that a posterior gives to a property."""
    if f"{target}_quantile" not in predicted:
        return HALF_OF_90 * predicted[f"{target}_sd"].values
    ends = predicted[f"{target}_quantile"].sel(probability=[0.05, 0.95]).transpose("specimen", ...).values
    return (ends[:, 1] - ends[:, 0]) / 2
