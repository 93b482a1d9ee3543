"""The cells of a file as they stand, before anyone says which row is the header."""

from dataclasses import dataclass, field

Cell = str | float


@dataclass(frozen=True)
class Grid:
    """Rows of cells, still ragged.

    Attributes:
        rows: the cells of each row; text, or floats where a spreadsheet holds numbers.
        numbers: the number of each row as the user's editor or spreadsheet shows it.
        merged: merged areas as (first row, first column, last row, last column), counted from 0 in `rows`.
        notes: what the user should know about how the file was opened.
        is_spaced: cells were cut at spaces, so that a missing cell would shift the rest of its row.
    """

    rows: list[list[Cell]]
    numbers: list[int]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_spaced: bool = False


def letter(index: int) -> str:
    """Name a column as spreadsheets do: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
