"""How numbers and names are written for people."""

import math
import re

import xarray as xr

from tieline.schema.wording import RAISED, ten_to

SPOKEN_UNITS = {"degC": "°C", "degF": "°F", "1": "", "deg": "°"}
NUMBERS = re.compile(r"\(?-?[\d.]+ ± [\d.]+\)?(·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?( [^\s,;]+)?|\d %")
NO_BREAK = "\N{NO-BREAK SPACE}"
POWER = re.compile(r"\^(-?\d)")


def spoken_unit(variable: xr.DataArray | xr.Variable) -> str:
    """Write a variable's unit as one reads it; "" where there is none."""
    return as_read(str(variable.attrs.get("units", "")))


def as_read(units: str) -> str:
    """Write a unit as one reads it: g/cm³ for g/cm^3, °C for degC, nothing for 1."""
    return SPOKEN_UNITS.get(units, POWER.sub(lambda found: found[1].translate(RAISED), units))


def label(variable: xr.DataArray, name: str, power: int = 0) -> str:
    """Write a quantity's name with its unit, as axes and columns carry it.

    Args:
        variable: has the unit.
        name: of the quantity.
        power: of ten, that the numbers beside the label are to be multiplied with.
    """
    scale = f"{ten_to(power)} " if power else ""
    units = f"{scale}{spoken_unit(variable)}".strip()
    plain = name.replace("_", " ")
    return f"{plain} ({units})" if units else plain


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{100 * share:.0f} %"


def short(value: float) -> str:
    """Write a number with two digits, as a power of ten if it is very small or large.

    Example:
        >>> short(0.000473), short(0.0473), short(1250.0)
        ('4.7·10⁻⁴', '0.047', '1250')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·{ten_to(int(exponent))}"


def rounded(value: float, span: float) -> str:
    """Write a setting as finely as matters where settings differ by `span`: steps of a 500th or less.

    Example:
        >>> rounded(0.5176, 87.0), rounded(87.5, 87.0), rounded(931.4, 600.0), rounded(0.09753, 0.2)
        ('0.5', '87.5', '931', '0.0975')
    """
    span = abs(span) or abs(value)
    if span == 0 or not 1e-3 <= max(abs(value), span) < 1e6:
        return short(value)
    n_decimals = max(math.ceil(-math.log10(span / 500)), 0)
    written = f"{round(value, n_decimals) + 0.0:.{n_decimals}f}"  # + 0.0 makes 0 of -0
    return written.rstrip("0").rstrip(".") if n_decimals else written


def unbroken(text: str) -> str:
    """Keep each number of a sentence on one line, with its uncertainty and unit or its percent sign."""
    return NUMBERS.sub(lambda found: found[0].replace(" ", NO_BREAK), text)
