"""One axis for measurements that were taken on different ones."""

from collections.abc import Sequence

import numpy as np

from tieline.errors import SchemaError

SAME = 1e-6  # far below the step of any diffractometer or spectrometer, above the rounding of a text file


def common_axis(
    measured: Sequence[tuple[object, np.ndarray]], what: str, over: str, units: str
) -> tuple[np.ndarray, str]:
    """Find the axis that measurements can be brought to: their own, or the finest step of their overlap.

    Args:
        measured: names and rising axes.
        what: they are, for messages: "patterns".
        over: what they run: "angles".
        units: of the axes.

    Returns:
        The axis, and a note if measurements are to be interpolated to it; "" if they all have it.

    Raises:
        SchemaError: they have no range in common.
    """
    first = measured[0][1]
    if all(_is_same(axis, first) for _, axis in measured):
        return first, ""
    low = max(axis[0] for _, axis in measured)
    high = min(axis[-1] for _, axis in measured)
    step = min(float(np.median(np.diff(axis))) for _, axis in measured)
    if high - low < step:
        ranges = [f"{name}: {axis[0]:g}-{axis[-1]:g}" for name, axis in measured[:4]]
        raise SchemaError(
            f"The {what} have no range of {over} in common.",
            found="; ".join(ranges) + ".",
            hint=f"load {what} of different ranges separately.",
        )
    axis = low + step * np.arange(int((high - low) / step + 1 + SAME))
    return axis, (
        f"{len(measured)} {what} on different grids were interpolated linearly to "
        f"{axis[0]:g}-{axis[-1]:g} {units} in steps of {step:.4g} {units}; what lies outside was left out."
    )


def _is_same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and bool(np.abs(a - b).max() <= SAME)
