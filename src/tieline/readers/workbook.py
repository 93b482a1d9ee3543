"""Spreadsheets (xlsx, xls, ods) -> rows of cells."""

import datetime
import io
import re
import zipfile
import zlib

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from tieline.errors import SchemaError, did_you_mean
from tieline.readers.cells import is_missing, is_number
from tieline.readers.grid import Cell, Grid
from tieline.readers.mapping import MAPPING_ENDING, quoted

LARGEST_UNPACKED = 400_000_000  # bytes; a sheet of a million rows by ten columns stays below it
LARGEST_AREA = 20_000_000  # cells; the parser lays out the whole area, so one stray cell can cost gigabytes
_ADDRESS = re.compile(rb'<c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"')
_FORMULA_ERROR = re.compile(rb"<v>(#(?:DIV/0!|REF!|VALUE!|NAME\?|NUM!))</v>")
_BAD_PACKAGE = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError, EOFError
)  # fmt: skip
_UNCOMPUTED = re.compile(rb"</f>\s*(<v>\s*</v>|<v\s*/>)?\s*</c>")


def workbook_grid(data: bytes, name: str, sheet: str | None) -> Grid:
    """Take the cells of one sheet of a spreadsheet file.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.
        sheet: name of the sheet; None takes the only one with a column of numbers.

    Raises:
        SchemaError: the file is damaged, protected or too large, or the sheet cannot be chosen.
    """
    notes = _inspect_package(data, name)
    try:
        workbook = CalamineWorkbook.from_object(io.BytesIO(data))
        sheets = {s: workbook.get_sheet_by_name(s) for s in _table_sheets(workbook)}
        cells = {s: _rows(content) for s, content in sheets.items() if content.height}
    except PasswordError as error:
        raise _protected(name) from error
    except CalamineError as error:
        raise _damaged(name, str(error)) from error
    tables = [s for s, rows in cells.items() if _has_numbers(rows)]
    chosen = _choose(list(sheets), list(cells), tables, name, sheet)
    others = [s if s in tables else f"{s} (no column of numbers)" for s in cells if s != chosen]
    if others:
        notes.append(f"Sheet '{chosen}' was read; not read: {', '.join(others)}.")
    rows = cells.get(chosen, [])
    merged = [(r0, c0, r1, c1) for (r0, c0), (r1, c1) in sheets[chosen].merged_cell_ranges or []]
    return Grid(rows=rows, numbers=list(range(1, len(rows) + 1)), merged=merged, notes=notes)


def _table_sheets(workbook: CalamineWorkbook) -> list[str]:
    return [s.name for s in workbook.sheets_metadata if "WorkSheet" in str(s.typ)]


def _rows(sheet: CalamineSheet) -> list[list[Cell]]:
    return [[_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def _has_numbers(rows: list[list[Cell]]) -> bool:
    """Whether some column is mostly numbers from its first one on, whatever stands above."""
    for j in range(max(len(row) for row in rows)):
        held = [row[j] for row in rows if j < len(row) and not is_missing(row[j])]
        numbers = [is_number(cell) for cell in held]
        if any(numbers) and 2 * sum(numbers) >= len(numbers) - numbers.index(True):
            return True
    return False


def _choose(sheets: list[str], filled: list[str], tables: list[str], name: str, sheet: str | None) -> str:
    if sheet is not None:
        if sheet in sheets:
            return sheet
        raise SchemaError(
            f"'{name}' has no sheet '{sheet}'.",
            found=f"{', '.join(sheets)}. {did_you_mean(sheet, sheets)}".strip(),
            hint="name one of these: --sheet NAME on the command line, or sheet=... in Python.",
        )
    if len(filled) == 1:
        return filled[0]
    if len(tables) == 1:
        return tables[0]
    if not filled:
        raise SchemaError(f"'{name}' holds no cells.", found="only empty sheets.", hint="save it with data.")
    if not tables:
        raise SchemaError(
            f"'{name}' has no sheet with a column of numbers.",
            found=", ".join(filled) + ".",
            hint="check that the right file was chosen.",
        )
    # Quoted for a shell, where a name with a space would fall apart.
    shown = f'"{tables[0]}"' if re.search(r"\W", tables[0]) else tables[0]
    raise SchemaError(
        f"'{name}' has several sheets with data.",
        found=", ".join(tables) + ".",
        hint=f"say which one to read: --sheet {shown} on the command line, or "
        f'sheet="{tables[0]}" in Python; or write the line sheet = {quoted(tables[0])} at the top of '
        f"'{name}{MAPPING_ENDING}', beside the file.",
    )


def _inspect_package(data: bytes, name: str) -> list[str]:
    """Look into a zipped workbook before it is parsed: its size, its area, and cells without a value."""
    if not data.startswith(b"PK"):
        if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in data:
            raise _protected(name)
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(part.file_size for part in package.infolist()) > LARGEST_UNPACKED:
                raise _too_large(name, "it unpacks to more than 400 MB.")
            parts = [p for p in package.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", p)]
            return _inspect_sheets([package.read(part) for part in parts], name)
    except _BAD_PACKAGE as error:
        raise _damaged(name, str(error)) from error


def _inspect_sheets(sheets: list[bytes], name: str) -> list[str]:
    notes = []
    for content in sheets:
        cells = _ADDRESS.findall(content)
        height = max((int(row) for _, row in cells), default=0)
        width = max((_column_number(column) for column in {column for column, _ in cells}), default=0)
        if height * width > LARGEST_AREA:
            raise _too_large(name, f"a sheet of {height} rows and {width} columns, most of them empty.")
    errors = sorted({e.decode() for content in sheets for e in _FORMULA_ERROR.findall(content)})
    if errors:
        notes.append(f"Cells with the formula error {', '.join(errors)} were read as missing.")
    if any(_UNCOMPUTED.search(content) for content in sheets):
        notes.append(
            "Some formulas have no stored result and were read as missing: "
            "open the file in a spreadsheet program and save it."
        )
    return notes


def _column_number(letters: bytes) -> int:
    number = 0
    for character in letters:
        number = number * 26 + character - 64
    return number


def _plain(cell: object) -> Cell:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).strip()


def _protected(name: str) -> SchemaError:
    return SchemaError(
        f"'{name}' is protected by a password.",
        found="an encrypted workbook.",
        hint="open it with its password and save a copy without one.",
    )


def _damaged(name: str, found: str) -> SchemaError:
    return SchemaError(
        f"'{name}' cannot be opened as a spreadsheet: it is damaged or of another kind.",
        found=found.rstrip(".") + ".",
        hint="open it in a spreadsheet program and save it again as .xlsx or .csv.",
    )


def _too_large(name: str, found: str) -> SchemaError:
    return SchemaError(
        f"'{name}' is too large to be a table of specimens.",
        found=found,
        hint="delete stray cells far from the table, or export the table as .csv.",
    )
