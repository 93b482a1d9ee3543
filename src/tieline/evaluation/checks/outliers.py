"""Values that lie far from all others."""

from collections.abc import Iterator

import numpy as np

from tieline.evaluation.checks.unit_slips import slipped
from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array, Mask
from tieline.models.diagnosis import HALF_OF_90
from tieline.schema.wording import name_cells

FAR = 7.0  # robust standard deviations from the median
LONELY = 2.5  # robust standard deviations to the next value
MOST = 0.05  # of the values: more are a second population
FEWEST = 12


def check_outliers(arrays: TaskArrays) -> Iterator[Finding]:
    """Look for lonely values of the target and of each number among the inputs."""
    for name, x in arrays.all_numbers.items():
        if slipped(x) is not None:
            continue
        lonely = far_values(x)
        if lonely.any():
            rows = np.flatnonzero(lonely)
            rows = rows[np.argsort(-np.abs(x[rows] - np.nanmedian(x)))]
            yield Finding(
                "outliers",
                "amber",
                f"{name} lies far from all others: {name_cells(x[rows].tolist(), arrays.specimens[rows])}.",
                "A slip of the pen or the instrument? Correct it, or set it to NaN; keep it if it is real.",
                (name,),
                arrays.named(rows),
            )


def far_values(x: Array) -> Mask:
    """Mark values far from the median and from the next value; if positive, in their logarithm too."""
    known = np.isfinite(x)
    far = np.zeros(len(x), dtype=bool)
    if known.sum() < FEWEST:
        return far
    far[known] = _lonely(x[known])
    if far.any() and (x[known] > 0).all():
        far[known] &= _lonely(np.log(x[known]))
    return far


def _lonely(x: Array) -> Mask:
    centre = np.median(x)
    width = 1.4826 * np.median(np.abs(x - centre))
    if width == 0:  # more than half are the same
        width = np.percentile(np.abs(x - centre), 90) / HALF_OF_90
    if width == 0:
        return np.zeros(len(x), dtype=bool)
    order = np.argsort(x)
    z = (x[order] - centre) / width
    gap = np.diff(z)
    outside = np.zeros(len(x), dtype=bool)
    middle = int(np.searchsorted(z, 0.0))
    above = [i for i in range(max(middle, 1), len(x)) if gap[i - 1] > LONELY and z[i] > FAR]
    below = [i for i in range(min(middle, len(x) - 1)) if gap[i] > LONELY and z[i] < -FAR]
    if above:
        outside[order[above[0] :]] = True
    if below:
        outside[order[: below[-1] + 1]] = True
    return outside if outside.sum() <= max(1, MOST * len(x)) else np.zeros(len(x), dtype=bool)
