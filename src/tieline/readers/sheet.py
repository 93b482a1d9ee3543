"""The bytes of a file -> one rectangular table, whatever its layout."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
import pandas as pd

from tieline.errors import SchemaError
from tieline.readers.cells import decimal_marks, is_blank
from tieline.readers.grid import Cell, Grid, letter
from tieline.readers.layout import body_end, find_header, header_texts
from tieline.readers.text import text_grid
from tieline.readers.workbook import workbook_grid

SPREADSHEET_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # zip (xlsx, ods) and OLE (xls)
SPREADSHEET_ENDINGS = {".xlsx", ".xlsm", ".xls", ".ods"}


@dataclass(frozen=True)
class Sheet:
    """One table as it stands in a file, before anyone says what its columns mean.

    Attributes:
        cells: one column a header, as written; the index is the row number that the user sees in the
            file. Cells are text, or floats where a spreadsheet holds numbers.
        letters: header -> the column's letter in a spreadsheet.
        units: header -> unit text, where a row of units stands below the header.
        marks: decimal marks that its texts show, see `cells.decimal_marks`.
        above: title and comment lines above the header.
        notes: what the user should know about how the file was read.
        name: of the file, for messages.
        refusals: header -> why the numbers of a column cannot be read, whatever it is taken to mean.
    """

    cells: pd.DataFrame
    letters: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    above: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    name: str = ""
    refusals: Mapping[str, SchemaError] = field(default_factory=dict)

    @property
    def headers(self) -> list[str]:
        """Headers of the columns, in order."""
        return [str(header) for header in self.cells.columns]

    @property
    def rows(self) -> list[int]:
        """Number of each row, as the user sees it in the file."""
        return self.cells.index.tolist()

    def column(self, header: str) -> list[Cell]:
        """Cells of one column."""
        return self.cells[header].tolist()


def read_grid(data: bytes, name: str, sheet: str | None = None) -> Grid:
    """Take the cells out of a file; its content decides how, not the ending of its name.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.
        sheet: which sheet of a spreadsheet file; None takes the only one.

    Raises:
        SchemaError: the file is empty or is no table.
    """
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise SchemaError(f"'{name}' is empty.", found=f"{len(data)} bytes.", hint="export it again.")
    ending = PurePath(name).suffix.lower()
    if data.startswith(SPREADSHEET_STARTS):
        grid = workbook_grid(data, name, sheet)
        is_expected = ending in SPREADSHEET_ENDINGS
        kind = "a spreadsheet"
    else:
        if sheet is not None:
            raise SchemaError(
                f"'{name}' is a text file and has no sheets.",
                found=f"sheet={sheet!r}.",
                hint="leave sheet out.",
            )
        grid = text_grid(data, name)
        is_expected = ending not in SPREADSHEET_ENDINGS
        kind = "text"
    if not is_expected:
        grid.notes.append(f"{name} is {kind} inside, in spite of its name, and was read as such.")
    if not any(re.search(r"\w", str(cell)) for row in grid.rows for cell in row):
        raise SchemaError(f"'{name}' is empty.", found="no cell with content.", hint="export it again.")
    return grid


def sheet_from_grid(grid: Grid, name: str) -> Sheet:
    """Find header, units and body among the rows of a file.

    Raises:
        SchemaError: there is no numeric column, a header stands twice, or a row does not fit the header.
    """
    notes = list(grid.notes)
    header = find_header(grid)
    if header is None:
        raise SchemaError(
            f"'{name}' holds no column of numbers.",
            found=f"{len(grid.rows)} rows, beginning with {_shown(grid.rows)}.",
            hint="check that the right file or sheet was chosen.",
        )
    first = header.first_body
    width = max(len(row) for row in grid.rows[first:])
    texts = header_texts(grid, header, width)
    units_row = grid.rows[header.units_row] if header.units_row is not None else []
    last, note = body_end(grid, first)
    notes += note
    body = [i for i in range(first, last) if any(not is_blank(c) for c in grid.rows[i])]
    if header.row is not None:
        _check_widths(grid, body, texts, name)
    used = [j for j in range(width) if texts[j] or any(not is_blank(c) for c in _column(grid.rows, body, j))]
    if header.row is None:
        notes.append(f"{name} has no header: its columns are named column A, column B, ...")
    names = _named(texts, used, notes, has_header=header.row is not None)
    _refuse_duplicates(names, used, name)
    cells = np.empty((len(body), len(used)), dtype=object)
    for k, j in enumerate(used):
        cells[:, k] = _column(grid.rows, body, j)
    index = pd.Index([grid.numbers[i] for i in body])
    frame = pd.DataFrame(cells, index=index, columns=pd.Index(names, dtype=object))
    return Sheet(
        cells=frame,
        letters={names[k]: letter(j) for k, j in enumerate(used)},
        units={names[k]: str(units_row[j]).strip() for k, j in enumerate(used) if j < len(units_row)},
        marks=frozenset(decimal_marks(c for i in body for c in grid.rows[i])),
        above=tuple(_joined(grid.rows[i]) for i in range(header.top) if _joined(grid.rows[i])),
        notes=tuple(notes),
        name=name,
    )


def read_sheet(data: bytes, name: str, sheet: str | None = None) -> Sheet:
    """Read one table from the bytes of a file: `read_grid`, then `sheet_from_grid`."""
    return sheet_from_grid(read_grid(data, name, sheet), name)


def _column(rows: list[list[Cell]], body: list[int], j: int) -> list[Cell]:
    return [rows[i][j] if j < len(rows[i]) else "" for i in body]


def _joined(row: list[Cell]) -> str:
    return " ".join(str(cell).strip() for cell in row if not is_blank(cell))


def _shown(rows: list[list[Cell]]) -> str:
    return repr(next(_joined(row) for row in rows if _joined(row))[:60])


def _check_widths(grid: Grid, body: list[int], texts: list[str], name: str) -> None:
    """Refuse a row with more cells than the header, or one whose missing cell shifted the others."""
    n_named = max(j + 1 for j, text in enumerate(texts) if text)
    for i in body:
        n_cells = max(j + 1 for j, cell in enumerate(grid.rows[i]) if not is_blank(cell))
        overflow = n_cells > n_named and not _is_common_overflow(grid, body, n_named)
        if overflow or (grid.is_spaced and len(grid.rows[i]) < n_named):
            raise SchemaError(
                f"Row {grid.numbers[i]} of '{name}' does not fit the header.",
                found=f"{n_cells} cells under {n_named} headers: {_joined(grid.rows[i])[:80]!r}.",
                hint="look for a decimal comma, a missing cell or a delimiter inside a text.",
            )


def _is_common_overflow(grid: Grid, body: list[int], n_named: int) -> bool:
    # A column without a header is filled in most rows; a broken row stands alone.
    longer = sum(any(not is_blank(c) for c in grid.rows[i][n_named:]) for i in body)
    return longer > 0.5 * len(body)


def _named(texts: list[str], used: list[int], notes: list[str], *, has_header: bool) -> list[str]:
    names = [texts[j] or f"column {letter(j)}" for j in used]
    unnamed = [name for name, j in zip(names, used, strict=True) if not texts[j]]
    if has_header and unnamed:
        notes.append(f"Without a header, so named by place: {', '.join(unnamed)}.")
    bare = re.compile(r"±|\+/-|s\.?d\.?|std\.?( dev\.?)?|stdev|error|uncertainty", re.IGNORECASE)
    # Several columns headed only "sd" belong to the columns on their left.
    return [f"{names[k - 1]} {n}" if k and bare.fullmatch(n) else n for k, n in enumerate(names)]


def _refuse_duplicates(names: list[str], used: list[int], name: str) -> None:
    twice = {n for n, times in Counter(names).items() if times > 1}
    if twice:
        places = [f"'{n}' ({letter(j)})" for n, j in zip(names, used, strict=True) if n in twice]
        raise SchemaError(
            f"Several columns of '{name}' have the same header.",
            found=", ".join(places) + ".",
            hint="give each column a header of its own, in the file.",
        )
