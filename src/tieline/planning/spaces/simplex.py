"""Amounts that sum to a total, each between its own bounds: even coverage, and the whole lattice.

Drawing from a box and keeping what sums to one finds next to nothing from seven components on. Here one
component is chosen after the other, each from its exact distribution given those before it, so that nothing
is ever thrown away and points that fill a cube evenly fill the bounded simplex evenly.
"""

import numpy as np
from scipy.integrate import cumulative_trapezoid

N_KNOTS = 1025  # of a tabulated volume; feasibility is exact with any number, evenness to about 1e-3


def spread_amounts(cube: np.ndarray, low: np.ndarray, high: np.ndarray, total: float = 1.0) -> np.ndarray:
    """Map points of the unit cube to a bounded simplex, so that equal volumes stay equal.

    The volume of what the components after the i-th can make up, as a function of what is left for them, is
    the convolution of boxes. Its integral gives the distribution of the i-th component.

    Args:
        cube (point, component - 1): in [0, 1).
        low (component): the least of each.
        high (component): the most of each; the sums of low and high enclose the total.
        total: what the components sum to.

    Returns:
        (point, component): between the bounds, summing to the total within rounding.
    """
    width, slack = high - low, max(total - low.sum(), 0.0)
    left = np.full(len(cube), slack)
    knots = np.linspace(0.0, slack, N_KNOTS)
    volumes = _volumes(width, knots) if slack > 0 else []
    chosen = np.zeros((len(cube), width.size))
    for i, volume in enumerate(volumes):
        most = np.minimum(width[i], left)
        least = np.maximum(left - width[i + 1 :].sum(), 0.0)
        top, bottom = np.interp(left, knots, volume), np.interp(left - most, knots, volume)
        for_the_rest = np.interp(top - cube[:, i] * (top - bottom), volume, knots)
        chosen[:, i] = np.minimum(np.maximum(left - for_the_rest, least), most)
        left = left - chosen[:, i]
    chosen[:, -1] = left
    return low + chosen


def _volumes(width: np.ndarray, knots: np.ndarray) -> list[np.ndarray]:
    """Tabulate, for each component but the last, the volume of the later ones up to a sum, rising to 1."""
    volume = np.minimum(knots, width[-1])
    volumes = [volume]
    for w in width[-2:0:-1]:
        # Each table is scaled: with many components the volumes themselves would underflow.
        volume = cumulative_trapezoid(volume - np.interp(knots - w, knots, volume), knots, initial=0.0)
        volume /= volume[-1] or 1.0
        volumes.insert(0, volume)
    return volumes if len(width) > 1 else []


def spread_parts(cube: np.ndarray, low: np.ndarray, high: np.ndarray, total: int) -> np.ndarray:
    """Map points of the unit cube to whole parts between bounds, so that every choice is equally likely.

    Args:
        cube (point, component - 1): in [0, 1).
        low (component): the least number of parts of each, whole.
        high (component): the most; the sums of low and high enclose the total.
        total: the number of parts to share out.

    Returns:
        (point, component): whole numbers, as floats, that sum to the total exactly.
    """
    width, slack = (high - low).astype(int), int(total - low.sum())
    left = np.full(len(cube), slack)
    counts = [np.minimum(np.arange(slack + 1), width[-1]) + 1.0]  # ways to make up at most so many parts
    for w in width[-2:0:-1]:
        before = np.concatenate([np.zeros(w + 1), counts[0]])[: slack + 1]
        counts.insert(0, np.cumsum(counts[0] - before))
    chosen = np.zeros((len(cube), width.size), dtype=int)
    for i in range(width.size - 1):
        most = np.minimum(width[i], left)
        least = np.maximum(left - width[i + 1 :].sum(), 0)
        below = left - most - 1
        top, bottom = counts[i][left], np.where(below < 0, 0.0, counts[i][below])
        for_the_rest = np.searchsorted(counts[i], top - cube[:, i] * (top - bottom))
        chosen[:, i] = np.minimum(np.maximum(left - for_the_rest, least), most)
        left = left - chosen[:, i]
    chosen[:, -1] = left
    return low + chosen


def list_parts(low: np.ndarray, high: np.ndarray, total: int) -> np.ndarray:
    """List every way to share out whole parts between bounds.

    Returns:
        (place, component): whole numbers, as floats, in the order of a dictionary.
    """
    width = (high - low).astype(int)
    left = np.array([int(total - low.sum())])
    chosen = np.zeros((1, 0), dtype=int)
    for i, w in enumerate(width):
        least = np.maximum(left - width[i + 1 :].sum(), 0)
        rows, order = _choices(np.maximum(np.minimum(w, left) - least + 1, 0))
        amount = least[rows] + order
        chosen, left = np.column_stack([chosen[rows], amount]), left[rows] - amount
    return low + chosen


def list_sparse_parts(
    low: np.ndarray, least: np.ndarray, high: np.ndarray, total: int, n_present: range
) -> np.ndarray:
    """List every way to share out whole parts when a component may be absent.

    Args:
        low (component): a component with a low above zero cannot be absent.
        least (component): the least number of parts of a component that is there, at least one.
        high (component): the most.
        total: the number of parts.
        n_present: how many components may be there.

    Returns:
        (place, component): whole numbers, as floats, in the order of a dictionary.
    """
    chosen, left = np.zeros((1, 0), dtype=np.int32), np.array([total])
    for i in range(low.size):
        least_later, most_later = int(low[i + 1 :].sum()), int(high[i + 1 :].sum())
        there = (chosen > 0).sum(1)
        first = np.maximum(int(least[i]), left - most_later)
        # The last component that may be there takes all that is left.
        first = np.where(there == n_present.stop - 2, np.maximum(first, left), first)
        last = np.where(there < n_present.stop - 1, np.minimum(int(high[i]), left - least_later), -1)
        absent = (low[i] == 0) & (left <= most_later) & (there + low.size - i - 1 >= n_present.start)
        rows, order = _choices(absent + np.maximum(last - first + 1, 0))
        amount = np.where(absent[rows] & (order == 0), 0, first[rows] + order - absent[rows])
        chosen, left = np.column_stack([chosen[rows], amount.astype(np.int32)]), left[rows] - amount
    return chosen[left == 0].astype(float)


def _choices(n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Say for every choice of every row which row it belongs to, and the how-manieth of its choices it is."""
    rows = np.repeat(np.arange(n.size), n)
    return rows, np.arange(rows.size) - np.repeat(np.cumsum(n) - n, n)


def count_parts(
    low: np.ndarray, least: np.ndarray, high: np.ndarray, total: int, n_present: range, *, zero: bool
) -> int:
    """Count the ways to share out whole parts when only so many components may be there.

    Args:
        low (component): a component with a low above zero cannot be absent.
        least (component): the least number of parts of a component that is there.
        high (component): the most.
        total: the number of parts.
        n_present: how many components may be there.
        zero: that a component is absent is a choice of its own; otherwise `least` may be zero itself.

    Returns:
        The exact number.
    """
    # ways[k][t]: choices so far with k components there and t parts given out
    ways = np.zeros((n_present.stop, total + 1), dtype=object)
    ways[0, 0] = 1
    for below, smallest, most in zip(low, least.astype(int), high.astype(int), strict=True):
        running = np.cumsum(ways, axis=1)
        taken = np.zeros_like(ways)
        if most >= smallest:
            taken[:, smallest:] += running[:, : total + 1 - smallest]
            taken[:, most + 1 :] -= running[:, : max(total - most, 0)]
        there = np.zeros_like(ways)
        there[1:] = taken[:-1]
        ways = there + (ways if zero and below == 0 else 0)
    return int(sum(ways[k, total] for k in n_present))
