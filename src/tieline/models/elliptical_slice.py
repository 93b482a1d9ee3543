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
    log_density: Callable[[Array], tuple[float, State]],
    current: tuple[float, State],
    rng: np.random.Generator,
    spread: float = 1.0,
) -> tuple[Array, tuple[float, State]]:
    """Move once.

    Args:
        z: coordinates (n).
        log_density: of coordinates, the log density of the target up to a constant, and whatever was computed
            on the way.
        current: what `log_density` says of `z`.
        rng: it is advanced.
        spread: of the reference, a normal around zero. Where the target has heavier tails than a narrow
            reference, chains get stuck in them; a wide one costs more tries and lets them out.

    Returns:
        The new coordinates and what `log_density` says of them.
    """
    other = spread * rng.standard_normal(len(z))

    def log_ratio(cos: float, sin: float) -> tuple[float, tuple[float, State]]:
        there = z * cos + other * sin
        found = log_density(there)
        return found[0] + 0.5 * float(there @ there) / spread**2, found

    start = current[0] + 0.5 * float(z @ z) / spread**2
    (cos, sin), (_, found) = turn(log_ratio, (start, current), rng)
    return z * cos + other * sin, found


def turn(
    log_ratio: Callable[[float, float], tuple[float, State]],
    current: tuple[float, State],
    rng: np.random.Generator,
) -> tuple[tuple[float, float], tuple[float, State]]:
    """Move once on an ellipse whose other half-axis, a draw from the reference, the caller holds.

    Args:
        log_ratio: of the cosine and the sine of an angle, the log density of the target over that of the
            reference up to a constant, and whatever was computed on the way.
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
