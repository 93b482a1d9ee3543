"""Units, read by an alias table and an allow-list over pint: an unknown unit is a question, never a guess.

Pint alone reads `at.%` as percent times technical atmosphere and `a.u.` as atomic mass unit times year, so
its own parser never sees what a user wrote. Here a text is split into factors that must all be listed in
`data/units.csv`; pint only multiplies and shifts.
"""

import csv
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tieline.errors import UnitError

_PREFIXES = {"f": "femto", "p": "pico", "n": "nano", "µ": "micro", "m": "milli", "c": "centi", "d": "deci"}
_PREFIXES |= {"k": "kilo", "M": "mega", "G": "giga", "T": "tera"}

_FRACTIONS = {"at.%", "mol%", "wt.%", "vol%"}  # of different things: never exchanged without a composition

# What a mistyped unit is compared with, besides the plain symbols.
_COMMON = (
    *(
        "nm",
        "µm",
        "mm",
        "cm",
        "mg",
        "kg",
        "mV",
        "mA",
        "mS",
        "MPa",
        "GPa",
        "mbar",
        "mT",
        "meV",
        "keV",
        "kHz",
        "kΩ",
    ),
    *(
        "S/cm",
        "mS/cm",
        "S/m",
        "emu/g",
        "J/mol",
        "kJ/mol",
        "J/g/K",
        "W/m/K",
        "mAh/g",
        "Wh/kg",
        "mol/L",
        "g/cm^3",
    ),
    *("degC/min", "K/min", "counts/s", "1/cm", "µV/K", "mA/cm^2", "m^2/g"),
)

_SPELLINGS = str.maketrans({"μ": "µ", "Ω": "Ω", "Å": "Å", "−": "-", "·": "*", "⋅": "*", "×": "*"})
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FACTOR = re.compile(r"(?P<symbol>.*?[^\d^{}+-])(?:\^?\{?(?P<power>[+-]?\d+)\}?)?")


@dataclass(frozen=True)
class Unit:
    """A unit as listed symbols with their powers; no factors mean dimensionless."""

    factors: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        """Write the canonical text: `S/cm`, `W/m/K`, `cm^2`, `1` when dimensionless."""
        above = [symbol + (f"^{power}" if power > 1 else "") for symbol, power in self.factors if power > 0]
        below = [symbol + (f"^{-power}" if power < -1 else "") for symbol, power in self.factors if power < 0]
        return "/".join(["*".join(above) or "1", *below])


def canonical(text: str) -> str:
    """Write a unit in its one spelling, so that two texts of the same unit compare equal.

    Args:
        text: what the lab wrote: `"wt%"`, `"°C"`, `"S cm-1"`, `"W/(m K)"`; `""` and `"1"` are dimensionless.

    Returns:
        `"wt.%"`, `"degC"`, `"S/cm"`, `"W/m/K"`, `"1"`.

    Raises:
        UnitError: the unit is not on the list. The message asks which one was meant.

    Example:
        >>> canonical("emu g⁻¹")
        'emu/g'
    """
    return str(parse(text))


def parse(text: str) -> Unit:
    """Read a unit into factors, each of which is on the list.

    Args:
        text: what the lab wrote. A `C` alone is degrees Celsius; inside a compound it is refused.

    Raises:
        UnitError: a factor is unknown, or has two meanings.
    """
    compact = text.strip().translate(_SPELLINGS).replace(" ", "")
    whole = _listed(compact or "1")
    powers: dict[str, int] = {}
    for piece, power in [(compact, 1)] if whole else _factors(_plain(text)):
        symbol = whole or (_listed(piece) if piece != "C" else None)
        if symbol is None:
            raise _question(text, piece)
        if symbol != "1":
            powers[symbol] = powers.get(symbol, 0) + power
    return Unit(tuple((symbol, power) for symbol, power in powers.items() if power))


def convert(values: ArrayLike, source: str, target: str, *, difference: bool = False) -> np.ndarray:
    """Convert numbers from one unit into another.

    Args:
        values: any shape, in units of `source`; NaN stays NaN.
        source: the unit the numbers are in.
        target: the unit they are wanted in.
        difference: the numbers are differences or standard errors, so temperatures convert without offset.

    Returns:
        The same shape, in units of `target`.

    Raises:
        UnitError: a unit is unknown, or the two do not measure the same thing.
    """
    numbers = np.array(values, dtype=float)
    old, new = parse(source), parse(target)
    if old == new:
        return numbers
    fractions = [{symbol for symbol, _ in unit.factors} & _FRACTIONS for unit in (old, new)]
    if all(fractions) and fractions[0] != fractions[1]:
        raise UnitError(
            f"'{old}' cannot be converted to '{new}' without the whole composition.",
            hint="tieline.table(..., composition=[...], basis='wt.%') does it with atomic weights",
        )
    registry, names = _registry(), [_pint_name(unit, difference) for unit in (old, new)]
    dimensions = [str(registry.get_dimensionality(registry.Unit(name))) for name in names]
    if dimensions[0] != dimensions[1]:
        raise UnitError(
            f"'{old}' cannot be converted to '{new}': they do not measure the same thing.",
            found=" against ".join(dimensions),
            hint="check the unit of the column; correct it with units={column: unit}",
        )
    return registry.Quantity(numbers, names[0]).to(names[1]).magnitude


class _Listed(NamedTuple):
    pint_name: str
    takes_prefix: bool


@cache
def _list() -> tuple[dict[str, _Listed], dict[str, str]]:
    """Read the allow-list, and the other spellings of its symbols."""
    with files("tieline").joinpath("data/units.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    symbols = {row["symbol"]: _Listed(row["pint_name"], row["takes_prefix"] == "yes") for row in rows}
    return symbols, {other: row["symbol"] for row in rows for other in row["other_spellings"].split()}


def _listed(text: str) -> str | None:
    """Return the symbol that a text without powers spells, or None."""
    symbols, spellings = _list()
    for candidate in (text, spellings.get(text), spellings.get(text.lower())):
        if candidate in symbols:
            return candidate
    prefix = "µ" if text[:1] == "u" else text[:1]
    rest = "coulomb" if text[1:] == "C" else spellings.get(text[1:], text[1:])
    if prefix in _PREFIXES and rest in symbols and symbols[rest].takes_prefix:
        return prefix + rest
    return None


def _plain(text: str) -> str:
    """Rewrite a compound with `*`, `/` and `^` only: `W (m K)⁻¹` has no such form, `W/(m K)` is `W/m/K`."""
    plain = text.strip().translate(_SPELLINGS).replace("**", "^")
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda digits: "^" + digits[0].translate(_SUPERSCRIPTS), plain)
    plain = re.sub(r"\s+", "*", re.sub(r"\s*([/*^()])\s*", r"\1", plain))
    return re.sub(r"/\(([^()]*)\)", lambda inner: "/" + inner[1].replace("*", "/"), plain)


def _factors(plain: str) -> list[tuple[str, int]]:
    """Split into (symbol, power); a slash inverts the one factor after it."""
    factors = []
    for term in plain.split("*"):
        for place, piece in enumerate(term.split("/")):
            factor = _FACTOR.fullmatch(piece)
            symbol, power = (factor["symbol"], int(factor["power"] or 1)) if factor else (piece, 1)
            factors.append((symbol, -power if place else power))
    return factors


def _question(text: str, piece: str) -> UnitError:
    known = [*_list()[0], *_COMMON]
    same_letters = [unit for unit in known if unit.lower() == text.strip().lower()]
    close = same_letters or get_close_matches(text.strip(), known, n=1)
    hint = (
        f"did you mean '{close[0]}'?" if close else "a unit such as 'degC', 'wt.%', 'S/cm', 'GPa' or 'a.u.'"
    )
    if piece == "C":
        hint = "write 'degC' for degrees Celsius or 'coulomb'; only a 'C' alone is read as degC"
    elif piece[:1].isdigit():
        hint = "put the power of ten into the values and keep the unit plain"
    return UnitError(
        f"Which unit is '{text}'?", found=f"'{piece}', which is not on tieline's list", hint=hint
    )


def _pint_name(unit: Unit, difference: bool) -> str:
    """Spell a unit in pint's own names, where nothing is ambiguous."""
    symbols, _ = _list()
    # A temperature that stands alone has an offset; in a rate such as degC/min it is a difference.
    stands_alone = len(unit.factors) == 1 and unit.factors[0][1] == 1 and not difference
    names = []
    for symbol, power in unit.factors:
        is_plain = symbol in symbols
        name = symbols[symbol].pint_name if is_plain else _PREFIXES[symbol[0]] + symbols[symbol[1:]].pint_name
        if name in {"degC", "degF"} and not stands_alone:
            name = f"delta_{name}"
        names.append(f"{name}**{power}" if power != 1 else name)
    return " * ".join(names) or "dimensionless"


@cache
def _registry() -> Any:
    """Build pint's registry once, when a conversion is first asked for: it costs half a second."""
    import pint

    registry = pint.UnitRegistry()
    for alone in ("arbitrary_unit", "detector_count", "detector_pixel", "vickers_number", "information_nat"):
        registry.define(f"{alone} = [{alone}]")
    # Pint keeps gauss and oersted in Gaussian dimensions, which do not meet tesla and A/m.
    registry.define("gauss_in_si = 1e-4 * tesla")
    registry.define("oersted_in_si = 79.57747154594767 * ampere / meter")  # 1000 / (4 pi)
    registry.define("detector_count_rate = detector_count / second")
    registry.define("electromagnetic_unit = 1e-3 * ampere * meter**2")
    registry.define("sccm = standard_atmosphere * centimeter**3 / minute")
    return registry
