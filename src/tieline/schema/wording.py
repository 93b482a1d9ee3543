"""How culprits are named in a message, and units are said."""

import math
from collections.abc import Collection, Iterable

from tieline.errors import did_you_mean

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
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


def with_error(value: float, error: float, digits: int = 3) -> str:
    """Write a number and its standard error, the latter to one digit.

    Example:
        >>> with_error(0.2721, 0.0213), with_error(757812.0, 68000.0)
        ('0.272 ± 0.02', '(7.58 ± 0.7)·10⁵')
    """
    size = max(abs(value), error)
    power = math.floor(math.log10(size)) if 0 < size < math.inf else 0
    power = 0 if PLAIN[0] <= power < PLAIN[1] else power
    first, second = (number / 10.0**power for number in (value, error))
    said = f"{float(f'{first:.{digits}g}'):g} ± {float(f'{second:.1g}'):g}"
    return f"({said})·{ten_to(power)}" if power else said
