"""Are some values of a column in another unit than the rest?"""

from collections.abc import Iterator

import numpy as np

from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array, Mask

FEWEST = 12
TEMPERATURE = ("temperature", "temp", "t_k", "t_c", "degc")
KELVIN = 273.15
NEAR = 0.21  # by which two temperatures that are one may differ: some add 273 alone
# Factors between units that labs exchange; powers of ten come first, since they are likeliest.
FACTORS = {
    1e3: "a prefix of a thousand (MPa and GPa, mA and A)",
    1e6: "a prefix of a million",
    1e2: "percent and fraction, or cm and m",
    1e4: "cm² and m²",
    1e9: "nm and m",
    10.0: "kbar and GPa, or mm and cm",
    9.80665: "kgf/mm² and MPa",
    60.0: "minutes and seconds, or hours and minutes",
    3600.0: "hours and seconds",
    96.485: "eV and kJ/mol",
    4.184: "kcal and kJ",
    6.8948: "ksi and MPa",
}
CLEAR = 1.5  # robust standard deviations of log values between the nearest of the two populations
WIDER = 2.0  # times the largest other gap
MOST_ERROR = 0.2  # of the logarithm of the factor


def check_units(arrays: TaskArrays) -> Iterator[Finding]:
    """Look for two populations of one column that a change of unit would join."""
    for name, x in arrays.all_numbers.items():
        found = slipped(x)
        if found is not None:
            factor, rows = found
            times = float(f"{factor:.3g}")
            yield Finding(
                "units_differ",
                "red",
                f"{rows.sum()} values of {name} are {times:g} times the others: {FACTORS[factor]}?",
                "Convert them with tl.units.convert before anything is learned.",
                (name,),
                arrays.named(rows),
            )
        elif any(word in name.lower() for word in TEMPERATURE) or arrays.units.get(name) in ("K", "degC"):
            rows = _kelvin(x)
            if rows is not None:
                yield Finding(
                    "units_differ",
                    "red",
                    f"{rows.sum()} values of {name} are 273 more than others: kelvin among degrees Celsius?",
                    "Convert them with tl.units.convert before anything is learned.",
                    (name,),
                    arrays.named(rows),
                )


def slipped(x: Array) -> tuple[float, Mask] | None:
    """The factor and the rows (row) of the smaller of two populations that a change of unit would join."""
    known = np.isfinite(x) & (x != 0)
    if known.sum() < FEWEST or np.isfinite(x).sum() * 0.8 > known.sum():
        return None
    size = np.log10(np.abs(x[known]))
    order = np.argsort(size)
    gap = np.diff(size[order])
    if len(gap) < 3:
        return None
    k = int(np.argmax(gap))
    low, high = size[order[: k + 1]], size[order[k + 1 :]]
    # A value far off that stands on several rows is one outlier, not a population.
    if min(len(low), len(high)) < 3 or min(_n_different(low), _n_different(high)) < min(
        3, _n_different(size)
    ):
        return None
    width = (
        max(_width(low), _width(high)) if min(len(low), len(high)) > 4 else _width(max(low, high, key=len))
    )
    others = np.sort(gap)[-2]
    if gap[k] < max(WIDER * others, CLEAR * width, 0.3):
        return None
    shift = np.median(high) - np.median(low)
    error = min(3 * width / np.sqrt(min(len(low), len(high))) + 0.02, MOST_ERROR)
    factor = min(FACTORS, key=lambda f: abs(np.log10(f) - shift))
    if abs(np.log10(factor) - shift) > error:
        return None
    is_high = np.zeros(len(x), dtype=bool)
    is_high[np.flatnonzero(known)[order[k + 1 :]]] = True
    is_low = known & ~is_high
    return factor, is_high if len(high) <= len(low) else is_low


def _n_different(size: Array) -> int:
    """How many values (decades) differ by more than two per cent."""
    return len(np.unique(size.round(2)))


def _width(x: Array) -> float:
    """Robust standard deviation."""
    return float(1.4826 * np.median(np.abs(x - np.median(x))))


def _kelvin(x: Array) -> Mask | None:
    """Rows (row) whose temperature is another's, and 273 more."""
    known = np.flatnonzero(np.isfinite(x))
    if len(known) < FEWEST:
        return None
    values = np.unique(x[known])
    first = np.searchsorted(values, values - KELVIN - NEAR, "right")
    end = np.searchsorted(values, values - KELVIN + NEAR, "left")
    has_partner = end > first
    shifted = values[has_partner]
    begun = np.bincount(first[has_partner], minlength=len(values) + 1)
    ended = np.bincount(end[has_partner], minlength=len(values) + 1)
    n_partners = int((np.cumsum(begun - ended) > 0).sum())
    # Two settings may differ by 273 by chance; that at least two do, and a third of the values, is none.
    if len(shifted) < 2 or n_partners + len(shifted) < len(values) / 3:
        return _two_bunches(x)
    return np.isin(x, shifted)


def _two_bunches(x: Array) -> Mask | None:
    """Rows of the upper of two bunches of temperatures that lie 273 apart and are equally wide."""
    known = np.isfinite(x)
    values = np.sort(x[known])
    gap = np.diff(values)
    k = int(np.argmax(gap))
    low, high = values[: k + 1], values[k + 1 :]
    is_wide = gap[k] > 0.3 * max(np.ptp(low), np.ptp(high))
    if min(len(low), len(high)) < 3 or not is_wide or gap[k] < WIDER * np.sort(gap)[-2]:
        return None
    shift = np.median(high) - np.median(low)
    error = 3 * max(_width(low), _width(high)) / np.sqrt(min(len(low), len(high))) + 1
    if abs(shift - KELVIN) > min(error, 40):
        return None
    return known & (x > (low[-1] + high[0]) / 2)
