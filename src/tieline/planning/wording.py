"""How numbers and names are written for people."""

import math

import xarray as xr

SPOKEN_UNITS = {"degC": "°C", "degF": "°F", "1": "", "deg": "°"}


def spoken_unit(variable: xr.DataArray) -> str:
    """Write a variable's unit as one reads it; "" where there is none."""
    units = str(variable.attrs.get("units", ""))
    return SPOKEN_UNITS.get(units, units)


def label(variable: xr.DataArray, name: str) -> str:
    """Write a quantity's name with its unit, as axes and columns carry it."""
    units = spoken_unit(variable)
    plain = name.replace("_", " ")
    return f"{plain} ({units})" if units else plain


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{100 * share:.0f} %"


def short(value: float) -> str:
    """Write a number with two digits, as a power of ten if it is very small or large.

    Example:
        >>> short(0.000473), short(0.0473), short(1250.0)
        ('4.7e-4', '0.047', '1250')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def plus_minus(value: float, sd: float, units: str = "") -> str:
    """Write a value with its uncertainty to two digits of the latter, and its unit.

    Example:
        >>> plus_minus(0.000812, 0.000094, "S/cm")
        '(8.12 ± 0.94)e-4 S/cm'
    """
    unit = f" {units}" if units else ""
    if not (math.isfinite(value) and math.isfinite(sd)):
        return f"{value:g} ± {sd:g}{unit}"
    size = max(abs(value), sd)
    exponent = math.floor(math.log10(size)) if size > 0 else 0
    if -3 <= exponent < 5:
        digits = _decimals(sd)
        return f"{value:.{digits}f} ± {sd:.{digits}f}{unit}"
    value, sd = value / 10.0**exponent, sd / 10.0**exponent
    digits = _decimals(sd)
    return f"({value:.{digits}f} ± {sd:.{digits}f})e{exponent}{unit}"


def _decimals(sd: float) -> int:
    """Decimals that show two significant digits of sd, at most six."""
    return min(max(1 - math.floor(math.log10(sd)), 0), 6) if sd > 0 else 3
