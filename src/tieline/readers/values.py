"""The cells of a column -> numbers or texts."""

import numpy as np

from tieline.errors import SchemaError, UnitError
from tieline.readers.cells import MISSING_IN_TEXT, choose_decimal, has_thousands, is_missing, to_number
from tieline.readers.column import Column
from tieline.readers.mapping import Correction, how_to_say
from tieline.readers.sheet import Sheet
from tieline.units import convert


def read_values(sheet: Sheet, column: Column, notes: list[str] | None = None) -> np.ndarray:
    """Read the cells of one column.

    Args:
        sheet: the table.
        column: what the column means.
        notes: a list that gets a line when thousands separators were read.

    Returns:
        (specimen): floats in the column's own units with NaN where missing, or strings with "" where missing.

    Raises:
        SchemaError: a cell among the numbers is text or infinite, the decimal mark is unclear, or the cells
            have units that do not go together.
    """
    cells = sheet.column(column.header)
    if not column.is_numeric:
        texts = [_as_text(c) for c in cells]
        return np.array(["" if t.casefold() in MISSING_IN_TEXT else t for t in texts], dtype=object)
    if column.header in sheet.refusals:
        raise sheet.refusals[column.header]
    held = [c for c in cells if not is_missing(c, column.missing)]
    decimal = column.decimal or choose_decimal(
        held,
        column=column.header,
        file_marks=sheet.marks,
        how_to_say=how_to_say(sheet.name, column.header, Correction(decimal=",")),
    )
    values = np.full(len(cells), np.nan)
    for i, (row, cell) in enumerate(zip(sheet.rows, cells, strict=True)):
        if not is_missing(cell, column.missing):
            values[i] = _number_at(cell, decimal, column, row, sheet.name)
    grouped = [c for c in held if has_thousands(c, decimal)]
    if grouped and notes is not None:
        notes.append(f"'{column.header}': '{grouped[0]}' was read as {to_number(grouped[0], decimal):g}.")
    return values


def _number_at(cell: object, decimal: str, column: Column, row: object, file: str) -> float:
    number = to_number(cell, decimal)
    if number is None:
        missing = Correction(missing=(*column.missing, str(cell).strip()))
        raise SchemaError(
            f"Column '{column.header}' holds text among its numbers.",
            found=f"row {row}: '{str(cell)[:60]}'.",
            hint="mend the cell; or, if it means that nothing was measured, put "
            + how_to_say(file, column.header, missing)
            + '\n  A column of remarks gets role = "note" instead. Only a property has limits such as <50.',
        )
    if np.isinf(number):
        raise SchemaError(
            f"Column '{column.header}' holds an infinite value.",
            found=f"row {row}: '{cell}'.",
            hint="leave the cell empty when the value could not be measured.",
        )
    return number


def _as_text(cell: object) -> str:
    if isinstance(cell, float):
        return "" if np.isnan(cell) else f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return str(cell).strip()


def error_in_units_of(errors: np.ndarray, column: Column, partner: Column, *, file: str) -> np.ndarray:
    """Convert standard errors into the units of the values they belong to; `file` is named in messages.

    Raises:
        UnitError: the two units do not measure the same thing; a relative error in % is such a case.
    """
    if column.units is None or partner.units is None or column.units == partner.units:
        return errors
    try:
        return convert(errors, column.units, partner.units, difference=True)
    except UnitError as error:
        raise UnitError(
            f"The error '{column.header}' and its value '{partner.header}' have different units.",
            found=f"{column.units} against {partner.units}.",
            hint="convert the errors in the file; or, if only the unit is wrong, put "
            + how_to_say(file, column.header, Correction(units=partner.units))
            + "\n  A column to leave out gets ignore = true instead; in Python None.",
        ) from error
