"""Values of which only a limit is known, for `CompositionProperties`: stand-ins from what others say.

Where a value lies below (or above) a limit, the process learns from a Gaussian stand-in, whose product with
what other materials say of the value has the mean and variance of the truncated normal; the trees learn from
that mean. What others say is what the process predicts when the material is left out with a fifth of all.

Source: Minka (2001), for the stand-ins; departs from it: they are left out a fifth at a time, not one by one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from tieline.models.arrays import Array, Indices
from tieline.models.censoring import FIRST, truncated_moments
from tieline.models.composition_basis import Basis, complete
from tieline.models.composition_field import CompositionField, fit_field, leave_out
from tieline.models.composition_reading import CompositionReading

ROUNDS = 2  # of the process and the stand-ins, each given the other
WIDEST = 25.0  # variance of a stand-in beyond which it tells nothing of a property of order one


class Labels(NamedTuple):
    """What the learners learn from (row, property), NaN where nothing is known.

    Attributes:
        value: of the process; stand-ins for limits.
        variance: squared standard errors of these.
        expected: of the trees.
        drawn: for the calibration: values beyond their limits, one drawn for each. Without them what is left
            out would be mostly on one side of what is predicted.
    """

    value: Array
    variance: Array
    expected: Array
    drawn: Array


def labels_of(reading: CompositionReading, parts: Sequence[Indices], basis: Basis, seed: int) -> Labels:
    """What is to be learned from values and limits.

    Args:
        reading: what the table holds.
        parts: rows that are left out together, so that a limit does not tell of itself.
        basis: of the values.
        seed: of the choice of rows, where there are too many, and of what is drawn.
    """
    y = complete(reading.y, reading.spans)
    labels = Labels(y, reading.variance, y, reading.y)
    limited = reading.bound != 0
    if not limited.any():
        return labels
    labels = labels._replace(variance=np.where(limited, FIRST, reading.variance))
    for _ in range(ROUNDS):
        labels = _stand_ins(reading, labels, parts, basis, seed)
    return labels


def _stand_ins(
    reading: CompositionReading, labels: Labels, parts: Sequence[Indices], basis: Basis, seed: int
) -> Labels:
    """Update the stand-ins, given what the process makes of the others."""
    group, first = reading.coordinates.group, reading.coordinates.first_lengths
    field, rows = fit_field(reading.x, labels.value, labels.variance, group, first, seed, basis)
    mean, variance = _of_others(field, rows, reading, labels, parts)
    where = reading.bound != 0
    limit, side = reading.y[where], reading.bound[where]
    m, v = mean[where], variance[where]
    middle, left = truncated_moments(m, v, limit, side, reading.variance[where])
    precision = np.maximum(1 / left - 1 / v, 1e-300)
    tells = precision > 1 / WIDEST
    centre = np.where(tells, (middle / left - m / v) / precision, m)
    chance = np.random.default_rng(seed).random(len(m))
    beyond = -ndtri(chance * ndtr(-side * (limit - m) / np.sqrt(v)))  # of a normal, above where it is cut off
    now = Labels(*(part.copy() for part in labels))
    now.value[where], now.variance[where] = centre, np.where(tells, 1 / precision, WIDEST)
    now.expected[where], now.drawn[where] = middle, m + side * np.sqrt(v) * beyond
    return now


def _of_others(
    field: CompositionField,
    rows: Indices,
    reading: CompositionReading,
    labels: Labels,
    parts: Sequence[Indices],
) -> tuple[Array, Array]:
    """Mean and variance of every value (row, property), the material being left out."""
    said = field.answer(reading.x / field.lengths[reading.coordinates.group])
    mean, reach = said.mean, said.reach
    place = np.full(len(reading.x), -1)
    place[rows] = np.arange(len(rows))
    inside = [place[part][place[part] >= 0] for part in parts]
    (others,) = leave_out(field, labels.value[rows], [inside])
    mean[rows], reach[rows] = others
    return mean, field.basis.spread(field.coupling.signal.diagonal()) * reach + field.noise
