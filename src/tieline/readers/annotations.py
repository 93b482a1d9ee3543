"""Cells that say more of a number than its value: ">6" is a limit, "3.1 ± 0.2" has a standard error."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from tieline.readers.cells import is_missing, is_number, tidy
from tieline.readers.composition import component_of, mixture_part
from tieline.readers.grid import Cell
from tieline.readers.headers import canonical_or_none, error_header, flag_header, parse_header, symbol_name
from tieline.readers.mapping import Correction
from tieline.readers.roles import guess_role, is_identity_name
from tieline.readers.sheet import Sheet

NUMBER = r"[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?"
WITH_UNIT = re.compile(rf"({NUMBER})\s*([^\s0-9.,+-].*)")

_UNIT = r"[^\s0-9.,+()±-][^()±]*?"
_WITH_ERROR = re.compile(
    rf"\(?({NUMBER})\s*({_UNIT})?\s*(?:±|\+/-|\+-)\s*({NUMBER})\s*({_UNIT})?(?:\)\s*({_UNIT})?)?"
)
BARE = set("0123456789.,eE+-\n")
LONGEST = 80  # characters of a cell that is looked into; more is prose
_LIMIT = re.compile(r"([<>≤≥]|<=|>=)\s*([0-9.,+-].*)")


class Part(NamedTuple):
    """What a cell says: a number, as it is written, and something about it."""

    number: str
    beside: str


class Found(NamedTuple):
    """What was found in a column: by place, and how a note goes on behind the first cell."""

    parts: dict[int, Part]
    words: str


def role_of_numbers(sheet: Sheet, header: str, said: Correction) -> str:
    """Role that a column would get if it had nothing but numbers."""
    if said.ignore or said.role:
        return said.role or "ignored"
    if component_of(header) or mixture_part(header):
        return "synthesis"
    parsed = parse_header(header, sheet.units.get(header, ""))
    name = symbol_name(parsed.base, parsed.units)
    return "identity" if is_identity_name(name) else guess_role(name, parsed.units, is_numeric=True)[0]


def is_bare(cells: Iterable[Cell]) -> bool:
    """Whether cells have nothing but digits, marks, signs and powers: nothing is to be taken apart."""
    text = "\n".join(cell for cell in cells if isinstance(cell, str))
    return BARE.issuperset(text) and "+-" not in text


def split_limits(sheet: Sheet, corrections: Mapping[str, Correction]) -> Sheet:
    """Write "<2" and ">6" among the numbers of a property as numbers, with "below" and "above" beside them.

    Args:
        sheet: the table.
        corrections: header -> what a person said about the column.
    """

    def find(header: str, cells: list[Cell], said: Correction) -> Found | None:
        limits = _limits(cells, said) if role_of_numbers(sheet, header, said) == "property" else {}
        n_values = sum(not is_missing(c, said.missing) for c in cells)
        words = f"and the like were read as limits ({len(limits)} of {n_values} values)."
        return Found(limits, words) if limits else None

    return _split(sheet, corrections, find, flag_header)


def split_errors(sheet: Sheet, corrections: Mapping[str, Correction]) -> Sheet:
    """Make two columns of "3.1 ± 0.2", the second headed "±"; a cell without an error has none.

    Args:
        sheet: the table.
        corrections: header -> what a person said about the column.
    """

    def find(header: str, cells: list[Cell], said: Correction) -> Found | None:
        is_text = role_of_numbers(sheet, header, said) in ("identity", "note", "ignored")
        pairs = {} if is_text else _pairs(cells, said)
        return Found(pairs, "was read as a value and its standard error.") if pairs else None

    parted = _split(sheet, corrections, find, error_header)
    in_unit = {error_header(h): unit for h, unit in sheet.units.items() if error_header(h) in parted.cells}
    return replace(parted, units=in_unit | dict(sheet.units))


def _split(
    sheet: Sheet,
    corrections: Mapping[str, Correction],
    find: Callable[[str, list[Cell], Correction], Found | None],
    beside: Callable[[str], str],
) -> Sheet:
    """Put what is found in a column beside a number into a column of its own.

    Args:
        sheet: the table.
        corrections: header -> what a person said about the column.
        find: looks into a column: header, cells and what was said.
        beside: header of the further column.
    """
    columns: dict[str, list[Cell]] = {}
    letters, notes = dict(sheet.letters), list(sheet.notes)
    for header in sheet.headers:
        cells = columns[header] = sheet.column(header)
        if is_bare(cells) or beside(header) in sheet.cells:
            continue
        found = find(header, cells, corrections.get(header, Correction()))
        if found is None:
            continue
        notes.append(f"'{header}': '{tidy(str(cells[min(found.parts)]))}' {found.words}")
        columns[header] = [found.parts[i].number if i in found.parts else c for i, c in enumerate(cells)]
        columns[beside(header)] = [
            found.parts[i].beside if i in found.parts else "" for i in range(len(cells))
        ]
        letters[beside(header)] = letters[header]
    frame = pd.DataFrame(columns, index=sheet.cells.index, dtype=object)
    return replace(sheet, cells=frame, letters=letters, notes=tuple(notes))


def _limits(cells: list[Cell], said: Correction) -> dict[int, Part]:
    """Place -> number and flag of each limit, where numbers stand beside them; else the cells are classes."""
    held = {i: c for i, c in enumerate(cells) if not is_missing(c, said.missing)}
    limits = {}
    for i, cell in held.items():
        match = _match(_LIMIT, cell)
        if match and _is_quantity(match[2]):
            limits[i] = Part(match[2], "below" if match[1][0] in "<≤" else "above")
    others = [c for i, c in held.items() if i not in limits]
    n_numbers = sum(_is_quantity(c) or _pair(c) is not None for c in others)
    is_of_numbers = n_numbers > 0 and 2 * (n_numbers + len(limits)) >= len(held)
    return limits if is_of_numbers else {}


def _pairs(cells: list[Cell], said: Correction) -> dict[int, Part]:
    """Place -> value and error of each cell that has both, in a column of numbers."""
    held = {i: c for i, c in enumerate(cells) if not is_missing(c, said.missing)}
    pairs = {i: pair for i, c in held.items() if (pair := _pair(c)) is not None}
    n_numbers = sum(i in pairs or _is_quantity(c) for i, c in held.items())
    return pairs if 2 * n_numbers >= len(held) else {}


def _pair(cell: Cell) -> Part | None:
    match = _match(_WITH_ERROR, cell)
    if match is None:
        return None
    value, own, error, error_own, both = match.groups()
    if any(unit and not canonical_or_none(unit) for unit in (own, error_own, both)):
        return None
    of_error = error_own or both or own or ""
    return Part(f"{value} {own or of_error}".strip(), f"{error} {of_error}".strip())


def _is_quantity(cell: Cell) -> bool:
    """Whether a cell is a number, with or without a unit."""
    if is_number(cell):
        return True
    match = _match(WITH_UNIT, cell)
    return bool(match and canonical_or_none(match[2].strip()))


def _match(pattern: re.Pattern[str], cell: Cell) -> re.Match[str] | None:
    return pattern.fullmatch(tidy(cell)) if isinstance(cell, str) and len(cell) <= LONGEST else None
