"""How culprits are named in a message, and units are said."""

import math
from collections.abc import Collection, Iterable

from tieline.errors import did_you_mean

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_DECIMALS = 6
PLAIN = (-3, 5)  # powers of ten between which numbers are read without


def name_some(names: Iterable[object], limit: int = 5) -> str:
    """List the first few names, and count the rest."""
    texts = [str(name) for name in names]
    rest = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {rest} more" if rest > 0 else "")


def name_cells(values: Iterable[object], rows: Iterable[object], limit: int = 3) -> str:
    """List the first few cells with the row each stands in."""
    return name_some((f"{value!r} in row {row}" for value, row in zip(values, rows, strict=True)), limit)


def name_known(known: Collection[object], wanted: object) -> str:
    """List what there is, and what is nearest to what was wanted."""
    return f"{name_some(known, limit=12) or 'nothing'}.  {did_you_mean(str(wanted), known)}".rstrip(" ")


def after_number(unit: str) -> str:
    """A unit as it follows a number in a sentence; nothing where there is none."""
    return "" if unit in ("", "1") else f" {unit}"


def ten_to(power: int) -> str:
    """Write a power of ten.

    Example:
        >>> ten_to(-4)
        '10⁻⁴'
    """
    return "10" + str(power).translate(RAISED)


def plus_minus(value: float, error: float, units: str = "") -> str:
    """Write a value with its uncertainty to two digits of the latter, and its unit.

    Example:
        >>> plus_minus(0.2721, 0.0213), plus_minus(0.000812, 0.000094, "S/cm")
        ('0.272 ± 0.021', '(8.12 ± 0.94)·10⁻⁴ S/cm')
    """
    unit = f" {units}" if units else ""
    if error == 0 or not (math.isfinite(value) and math.isfinite(error)):
        return f"{value:g} ± {error:g}{unit}"
    power = math.floor(math.log10(max(abs(value), error)))
    power = 0 if PLAIN[0] <= power < PLAIN[1] else power
    value, error = value / 10.0**power, error / 10.0**power
    n = min(max(1 - math.floor(math.log10(error)), 0), MOST_DECIMALS)
    said = f"{value:.{n}f} ± {error:.{n}f}"
    return f"({said})·{ten_to(power)}{unit}" if power else f"{said}{unit}"
