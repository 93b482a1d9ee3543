"""Elliptical slice sampling: moves that need a Gaussian reference, and neither gradients nor tuning.

Where the reference is close to the posterior, as what fast inference found is, a few evaluations bring
a nearly independent draw; where it is not, moves get short and stay valid.

Source: Murray, Adams & MacKay (2010), arXiv:1001.0175; Nishihara, Murray & Adams (2014), arXiv:1210.7477,
for references other than the prior.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tieline.models.arrays import Array

MOST_TRIES = 60  # halvings of the ellipse: a slice this thin is a matter of rounding
State = TypeVar("State")


def elliptical_slice(
    z: Array,
    log_ratio: Callable[[Array], tuple[float, State]],
    current: tuple[float, State],
    rng: np.random.Generator,
) -> tuple[Array, tuple[float, State]]:
    """Move once.

    Args:
        z: coordinates (n) in which the reference is standard normal.
        log_ratio: of coordinates, the log density of the target over that of the reference, up to a
            constant, and whatever was computed on the way.
        current: what `log_ratio` says of `z`.
        rng: it is advanced.

    Returns:
        The new coordinates and what `log_ratio` says of them.
    """
    other = rng.standard_normal(len(z))
    (cos, sin), found = turn(lambda cos, sin: log_ratio(z * cos + other * sin), current, rng)
    return z * cos + other * sin, found


def turn(
    log_ratio: Callable[[float, float], tuple[float, State]],
    current: tuple[float, State],
    rng: np.random.Generator,
) -> tuple[tuple[float, float], tuple[float, State]]:
    """Move once on an ellipse whose other half-axis, a draw from the reference, the caller holds.

    Args:
        log_ratio: as above, of the cosine and the sine of an angle.
        current: what `log_ratio` says of (1, 0).
        rng: it is advanced.

    Returns:
        Cosine and sine of the new angle, and what `log_ratio` says of them.
    """
    least = current[0] + np.log(rng.random())
    angle = rng.uniform(0, 2 * np.pi)
    low, high = angle - 2 * np.pi, angle
    for _ in range(MOST_TRIES):
        cos, sin = math.cos(angle), math.sin(angle)
        found = log_ratio(cos, sin)
        if found[0] > least:
            return (cos, sin), found
        if angle < 0:
            low = angle
        else:
            high = angle
        angle = rng.uniform(low, high)
    return (1.0, 0.0), current
