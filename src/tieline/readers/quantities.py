"""Cells that hold more than a number: "3.1 ± 0.2" and "45 %"."""

import re
from dataclasses import replace

import pandas as pd

from tieline.readers.cells import is_missing, tidy
from tieline.readers.headers import canonical_or_none, identifier, parse_header
from tieline.readers.roles import is_identity_name
from tieline.readers.sheet import Sheet

_NUMBER = r"[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?"
_WITH_ERROR = re.compile(rf"\(?({_NUMBER})\s*(?:±|\+/-|\+-)\s*({_NUMBER})\)?")
_WITH_UNIT = re.compile(rf"({_NUMBER})\s*([^\s0-9.,+-].*)")


def split_quantities(sheet: Sheet) -> Sheet:
    """Take values, errors and units apart where every cell of a column is written the same way.

    "3.1 ± 0.2" becomes two columns, the second headed "±"; "45 %" gives its unit to the column.
    """
    columns: dict[str, pd.Series] = {}
    letters, units, notes = dict(sheet.letters), dict(sheet.units), list(sheet.notes)
    for header, cells in sheet.cells.items():
        header = str(header)
        held = [tidy(c) for c in cells if isinstance(c, str) and not is_missing(c)]
        columns[header] = cells
        if not held or is_identity_name(identifier(parse_header(header).base)):
            continue
        error_header = f"{header} ±"
        if all(_WITH_ERROR.fullmatch(text) for text in held) and error_header not in sheet.cells:
            columns[header] = cells.map(lambda c: _group(_WITH_ERROR, c, 1))
            columns[error_header] = cells.map(lambda c: _group(_WITH_ERROR, c, 2))
            letters[error_header] = letters[header]
            units[error_header] = units.get(header, "")
            notes.append(f"'{header}': '{held[0]}' was read as a value and its standard error.")
        elif unit := _shared_unit(held):
            columns[header] = cells.map(lambda c: _group(_WITH_UNIT, c, 1))
            units[header] = units.get(header) or unit
            notes.append(f"'{header}': the unit '{unit}' was taken from its cells.")
    if len(notes) == len(sheet.notes):
        return sheet
    frame = pd.DataFrame(columns, index=sheet.cells.index, dtype=object)
    return replace(sheet, cells=frame, letters=letters, units=units, notes=tuple(notes))


def _shared_unit(texts: list[str]) -> str:
    """Unit that stands behind every number; "" when the cells differ or it is no unit."""
    matches = [_WITH_UNIT.fullmatch(text) for text in texts]
    units = {match[2].strip() if match else "" for match in matches}
    unit = units.pop() if len(units) == 1 else ""
    # A single letter may belong to a name: specimens 1A, 2A.
    is_clear = len(unit) > 1 or unit in ("%", "°") or all(" " in text for text in texts)
    return unit if unit and is_clear and canonical_or_none(unit) else ""


def _group(pattern: re.Pattern[str], cell: object, group: int) -> object:
    match = pattern.fullmatch(tidy(cell)) if isinstance(cell, str) else None
    return match[group] if match else cell if group == 1 or is_missing(cell) else ""
