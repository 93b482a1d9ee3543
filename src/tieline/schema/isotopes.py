"""Isotopes of the elements, and what an ion made of them weighs."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tieline.errors import SchemaError
from tieline.schema.wording import name_known

ELECTRON = 5.485799e-4  # u
PART = re.compile(r"(\d+)?([A-Z][a-z]?)(\d*)")


@dataclass(frozen=True)
class Isotope:
    """One stable or primordial isotope.

    Attributes:
        symbol: of the element.
        mass_number: protons and neutrons.
        mass: of the neutral atom, u.
        abundance: share of the element's atoms, 0 to 1.
    """

    symbol: str
    mass_number: int
    mass: float
    abundance: float


@cache
def isotopes() -> dict[str, tuple[Isotope, ...]]:
    """Look up the natural isotopes of each element, the commonest first.

    Source:
        Masses: AME 2020, doi:10.1088/1674-1137/abddaf; abundances: CIAAW (2021), centres of ranges.
    """
    lines = files("tieline").joinpath("data/isotopes.csv").read_text(encoding="utf-8").splitlines()
    found: dict[str, list[Isotope]] = {}
    for symbol, number, mass, abundance in (line.split(",") for line in lines[1:]):
        found.setdefault(symbol, []).append(Isotope(symbol, int(number), float(mass), float(abundance)))
    return {symbol: tuple(sorted(row, key=lambda i: -i.abundance)) for symbol, row in found.items()}


def ion_mass(formula: str, charge: int = -1) -> float:
    """Weigh an ion: "LiH2", or "6LiH2" with the isotope named before its symbol.

    Args:
        formula: elements and how many of each; the commonest isotope is meant where none is named. Named
            isotopes stand first: "6LiO2", as the 2 of "O26Li" would be read with its 6.
        charge: of the ion, in elementary charges.

    Returns:
        Mass divided by the number of charges, u; for a charge of 0 the mass.

    Raises:
        SchemaError: the formula cannot be read, or names an unknown element or isotope.

    Example:
        >>> round(ion_mass("6LiH2"), 4)
        8.0313
    """
    mass, end = 0.0, 0
    for match in PART.finditer(formula):
        if match.start() != end:
            break
        number, symbol, count = match.groups()
        mass += _isotope(symbol, int(number) if number else None, formula).mass * int(count or 1)
        end = match.end()
    if end != len(formula) or not formula:
        raise SchemaError(
            f"'{formula}' is no formula of an ion.",
            found=f"'{formula[end:]}' cannot be read" if formula else "nothing",
            hint="elements with their numbers, as in LiCO3, or 6LiH2 for an isotope",
        )
    return (mass - charge * ELECTRON) / max(abs(charge), 1)


def _isotope(symbol: str, number: int | None, formula: str) -> Isotope:
    if symbol not in isotopes():
        raise SchemaError(
            f"'{formula}' names '{symbol}', which is no element with a natural isotope.",
            found=name_known(isotopes(), symbol),
        )
    known = isotopes()[symbol]
    for isotope in known:
        if number in (None, isotope.mass_number):
            return isotope
    raise SchemaError(
        f"'{formula}' names {number}{symbol}, which is no natural isotope.",
        found=", ".join(f"{i.mass_number}{symbol}" for i in known),
        hint="a number of atoms stands behind its element: Li2H, not 2LiH",
    )
