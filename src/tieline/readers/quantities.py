"""Cells that hold a number and its unit: "45 %"."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from tieline.errors import SchemaError, UnitError
from tieline.readers.annotations import WITH_UNIT, is_bare, role_of_numbers, split_errors, split_limits
from tieline.readers.cells import choose_decimal, is_missing, is_number, tidy, to_number
from tieline.readers.grid import Cell
from tieline.readers.headers import canonical_or_none, parse_header
from tieline.readers.mapping import Correction, how_to_say
from tieline.readers.sheet import Sheet
from tieline.units import canonical, convert

_SHARES = {"at.%", "wt.%", "mol%", "vol%"}  # of different things: "%" or "ppm" beside them may mean either


@dataclass(frozen=True)
class _Quantities:
    """The cells of a column in which numbers have units.

    Attributes:
        numbers: place -> text or number without its unit.
        units: place -> canonical unit; "" where the cell has none and none is stated for the column.
        written: canonical unit -> as the file first spells it.
    """

    numbers: dict[int, Cell]
    units: dict[int, str]
    written: dict[str, str]


def split_quantities(sheet: Sheet, corrections: Mapping[str, Correction] | None = None) -> Sheet:
    """Take limits, values, errors and units apart.

    "<2" and "3.1 ± 0.2" become two columns each. "45 %" gives its unit to the column. Cells in several
    units are converted into the commonest, or the one that a person stated; a column in which this cannot
    be done is left to be refused when it is read.

    Args:
        sheet: the table.
        corrections: header -> what a person said about the column.
    """
    corrections = corrections or {}
    sheet = split_errors(split_limits(sheet, corrections), corrections)
    columns: dict[str, pd.Series] = {}
    units, notes, refusals = dict(sheet.units), list(sheet.notes), dict(sheet.refusals)
    for header, cells in sheet.cells.items():
        header = str(header)
        said = corrections.get(header, Correction())
        columns[header] = cells
        if is_bare(cells) or role_of_numbers(sheet, header, said) in ("identity", "note", "ignored"):
            continue
        if quantities := _quantities(sheet, header, said):
            try:
                columns[header], units[header], note = _in_one_unit(sheet, header, quantities, said)
                notes.append(note)
            except SchemaError as error:
                if any(
                    len(unit) > 1 or unit in "%°" for unit in quantities.written.values()
                ):  # "1 A" is a place
                    refusals[header] = error
    frame = pd.DataFrame(columns, index=sheet.cells.index, dtype=object)
    return replace(sheet, cells=frame, units=units, notes=tuple(notes), refusals=refusals)


def _quantities(sheet: Sheet, header: str, said: Correction) -> _Quantities | None:
    """Find the numbers with units in a column; None when it does not consist of these."""
    held = {
        i: tidy(c) if isinstance(c, str) else c
        for i, c in enumerate(sheet.column(header))
        if not is_missing(c, said.missing)
    }
    matches = {i: WITH_UNIT.fullmatch(c) for i, c in held.items() if isinstance(c, str)}
    found = {i: m for i, m in matches.items() if m and canonical_or_none(m[2].strip())}
    texts = {i: m[2].strip() for i, m in found.items()}
    # A single letter may belong to a name: specimens 1A, 2A.
    is_name = any(
        len(text) == 1 and text not in "%°" and " " not in str(held[i]) for i, text in texts.items()
    )
    bare = {i: c for i, c in held.items() if is_number(c)}
    n_others = len(held) - len(found) - len(bare)
    is_label = n_others and role_of_numbers(sheet, header, said) == "structure"
    if not found or is_name or is_label or 2 * n_others > len(held):
        return None
    stated = said.units or sheet.units.get(header) or parse_header(header).unit_text
    units = {i: canonical(text) for i, text in texts.items()}
    units |= dict.fromkeys(bare, (canonical_or_none(stated) or "") if stated else "")
    return _Quantities(
        numbers={i: found[i][1] if i in found else bare[i] for i in sorted(units)},
        units={i: units[i] for i in sorted(units)},
        written={units[i]: text for i, text in reversed(texts.items())},
    )


def _in_one_unit(
    sheet: Sheet, header: str, quantities: _Quantities, said: Correction
) -> tuple[pd.Series, str, str]:
    """Write a column in one unit: its cells, the unit, and a note.

    Raises:
        SchemaError: some cells have no unit, or one that cannot be converted.
    """
    cells, counts = sheet.column(header), Counter(quantities.units.values())
    commonest = max((unit for unit in counts if unit), key=counts.__getitem__)
    target = canonical(said.units) if said.units and len(counts) > 1 else commonest
    told = said.units or sheet.units.get(header) or parse_header(header).unit_text
    stated = canonical_or_none(told) if told else None
    if stated and target != stated and not (target == "%" and stated in _SHARES):
        _refuse_another(sheet, header, quantities, stated, target)
    if set(counts) == {target}:
        for i, number in quantities.numbers.items():
            cells[i] = number
        unit = quantities.written[target]
        note = f"'{header}': the unit '{unit}' was taken from its cells."
        return pd.Series(cells, index=sheet.cells.index, dtype=object), unit, note
    _refuse_doubtful(sheet, header, quantities, target, is_stated=bool(said.units))
    decimal = said.decimal or choose_decimal(
        quantities.numbers.values(),
        column=header,
        file_marks=sheet.marks,
        how_to_say=how_to_say(sheet.name, header, Correction(decimal=",")),
    )
    is_error, example = parse_header(header).is_error, ""
    for i, number in quantities.numbers.items():
        value, unit = to_number(number, decimal), quantities.units[i]
        if value is None:  # left as it is, to be refused by its row
            continue
        written = cells[i]
        cells[i] = float(convert(value, unit, target, difference=is_error))
        if unit != target and not example:
            example = f"row {sheet.rows[i]}: '{written}' was read as {cells[i]:g}"
    note = (
        f"'{header}': its cells are in {' and '.join(counts)}; all were converted into {target} ({example})."
    )
    return pd.Series(cells, index=sheet.cells.index, dtype=object), target, note


def _refuse_another(sheet: Sheet, header: str, quantities: _Quantities, stated: str, target: str) -> None:
    """Refuse cells in a unit of another thing than that which the column is said to hold."""
    try:
        convert(0.0, target, stated)
    except UnitError as error:
        i = next(i for i, unit in quantities.units.items() if unit == target)
        raise SchemaError(
            f"Column '{header}' is in {stated}, and its cells are in {target}.",
            found=f"row {sheet.rows[i]}: '{sheet.column(header)[i]}'.",
            hint=f"write the cells in {stated}, an error too; or state the right unit by "
            + how_to_say(sheet.name, header, Correction(units=target)),
        ) from error


def _refuse_doubtful(
    sheet: Sheet, header: str, quantities: _Quantities, target: str, *, is_stated: bool
) -> None:
    """Refuse a column of several units that only a person can bring together."""
    cells, first = sheet.column(header), {}
    for i, unit in quantities.units.items():
        first.setdefault(unit, f"row {sheet.rows[i]}: '{cells[i]}'")
    found = ", ".join(first.values()) + "."
    if "" in first:
        raise SchemaError(
            f"Column '{header}' holds numbers with and without a unit.",
            found=found,
            hint="write the unit behind every number; or state the unit of the bare numbers by "
            + how_to_say(sheet.name, header, Correction(units=target)),
        )
    try:
        for unit in first:
            convert(0.0, unit, target)
    except UnitError as error:
        raise _mixed(sheet, header, found) from error
    if not is_stated and _SHARES & set(first):
        raise _mixed(sheet, header, found)


def _mixed(sheet: Sheet, header: str, found: str) -> SchemaError:
    return SchemaError(
        f"Column '{header}' mixes units that cannot be converted into one.",
        found=found,
        hint="mend the unit, or give each quantity a column of its own; or keep the column as text by "
        + how_to_say(sheet.name, header, Correction(role="note")),
    )
