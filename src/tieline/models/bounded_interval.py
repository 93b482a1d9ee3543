"""Intervals for a number between 0 and 1 that was estimated with a normal error.

An estimate may come out below 0 or above 1 although the number cannot. Intervals that are cut off at the
bounds, or that come from a posterior with a smooth prior, then hold a true zero always or never. Here every
possible number has a region of estimates that it would give with the probability `level`, ordered by
likelihood ratio to the best number that is allowed, and the interval holds the numbers whose region holds the
estimate. It is never empty, begins at 0 where nothing speaks against 0, and holds the truth with the
probability `level` whatever the truth is.

Source: Feldman & Cousins (1998), doi:10.1103/PhysRevD.57.3873, section IV B, with a bound on both sides.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from tieline.models.arrays import Array

N_NUMBERS = 201  # that are tried; between them is interpolated
N_HALVINGS = 30
REACH = 5.0  # standard errors around the estimate where numbers are tried
NEAR = 4.0  # standard errors from a bound, beyond which it does not matter


def bounded_interval(estimate: Array, sd: Array, level: float = 0.9) -> tuple[Array, Array]:
    """Find the interval of each number in [0, 1].

    Args:
        estimate: any shape; may lie outside [0, 1].
        sd: standard error of each.
        level: the probability with which an interval holds the truth.

    Returns:
        Lower and upper ends.
    """
    estimate, sd = np.asarray(estimate, float), np.maximum(np.asarray(sd, float), 1e-9)
    best = np.clip(estimate, 0, 1)
    start, stop = np.clip(best - REACH * sd, 0, 1), np.clip(best + REACH * sd, 0, 1)
    number = start[..., None] + (stop - start)[..., None] * np.linspace(0, 1, N_NUMBERS)
    spread = sd[..., None]
    limit = _limits(number / spread, (1 - number) / spread, level)
    excess = ((estimate[..., None] - number) ** 2 - (estimate - best)[..., None] ** 2) / spread**2
    room = limit - excess
    low, high = _first(number, room), _first(number[..., ::-1], room[..., ::-1])
    return np.minimum(low, best), np.maximum(high, best)


def _first(number: Array, room: Array) -> Array:
    """The first number with room, interpolated from the one before it."""
    n = np.argmax(room >= 0, axis=-1)[..., None]
    before = np.maximum(n - 1, 0)
    here, there = (np.take_along_axis(number, i, -1)[..., 0] for i in (n, before))
    gain, loss = (np.take_along_axis(room, i, -1)[..., 0] for i in (n, before))
    part = np.where(gain > loss, gain / np.where(gain > loss, gain - loss, 1), 0)
    return here + np.clip(part, 0, 1) * (there - here)


def _limits(below: Array, above: Array, level: float) -> Array:
    """The largest -2 log likelihood ratio in the region of each number, by halving.

    Args:
        below: how far the bounds are, in standard errors.
        above: the same for the upper bound.
        level: probability of the region.
    """
    usual = np.full_like(below, ndtri((1 + level) / 2) ** 2)
    is_near = np.minimum(below, above) < NEAR
    below, above = below[is_near], above[is_near]
    low, high = np.zeros_like(below), np.full_like(below, 40.0)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        inside = ndtr(_reach(middle, above)) + ndtr(_reach(middle, below)) - 1
        low, high = np.where(inside < level, middle, low), np.where(inside < level, high, middle)
    usual[is_near] = high
    return usual


def _reach(limit: Array, bound: Array) -> Array:
    """How many standard errors an estimate may be off towards a bound.

    Beyond the bound the best allowed number is the bound itself: -2 log ratio is then 2 z b - b^2.
    """
    root = np.sqrt(limit)
    return np.where(root <= bound, root, (limit + bound**2) / (2 * np.maximum(bound, 1e-12)))
