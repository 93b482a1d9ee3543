"""Patterns shifted along their axis, by other amounts in every specimen."""

import numpy as np

from tieline.features.phases.arrays import Array


def shifted(pattern: Array, shift: Array) -> Array:
    """Shift one pattern to the right by linear interpolation; what comes in from outside is zero.

    Args:
        pattern (channel): of a phase.
        shift (specimen): channels.

    Returns:
        (specimen, channel).
    """
    whole = np.floor(shift).astype(int)
    part = (shift - whole)[:, None]
    padded = np.concatenate([[0.0], pattern, [0.0]])
    place = np.arange(len(pattern)) - whole[:, None] + 1
    last = len(padded) - 1
    return (1 - part) * padded[place.clip(0, last)] + part * padded[(place - 1).clip(0, last)]


def shifted_back(rows: Array, shift: Array) -> tuple[Array, Array]:
    """Shift every row to the left.

    Args:
        rows (specimen, channel): as measured.
        shift (specimen): channels.

    Returns:
        The rows (specimen, channel), and 1 where they were seen, 0 outside.
    """
    n_channels = rows.shape[1]
    whole = np.floor(shift).astype(int)
    part = (shift - whole)[:, None]
    place = np.arange(n_channels) + whole[:, None]
    first = np.take_along_axis(rows, place.clip(0, n_channels - 1), 1)
    second = np.take_along_axis(rows, (place + 1).clip(0, n_channels - 1), 1)
    inside = ((place >= 0) & (place < n_channels)).astype(float)
    return ((1 - part) * first + part * second) * inside, inside
