"""Which rows of a file are title, header, units, data and summary."""

import re
from dataclasses import dataclass
from itertools import pairwise

from tieline.errors import SchemaError, UnitError
from tieline.readers.cells import is_blank, is_missing, is_number, to_number
from tieline.readers.grid import Cell, Grid
from tieline.readers.headers import identifier
from tieline.readers.roles import is_formula_name
from tieline.schema import parse_formula
from tieline.units import canonical

SUMMARY = re.compile(
    r"(mean|average|avg\.?|median|sum|total|s\.?d\.?|std\.?|std\.? ?dev\.?|stdev|standard deviation|rsd|"
    r"cv|min\.?|max\.?|minimum|maximum|range|count|mittelwert|standardabweichung|summe)[\s:]*(\(.*\))?",
    re.IGNORECASE,
)
FOOTNOTE = re.compile(r"\*|note|source|\S+\s+\S+\s+\S+", re.IGNORECASE)  # three words are no specimen's name
N_PATTERN_ANGLES = 20  # fewer rising numbers in a header are more likely temperatures than an angle axis


@dataclass(frozen=True)
class HeaderPlace:
    """Where the header stands, as row indices of the grid.

    Attributes:
        row: the header; None when the file has none.
        group_row: a row of group names above it; None when there is none.
        units_row: a row of units below it; None when there is none.
        first_body: the first row of data.
    """

    row: int | None
    group_row: int | None
    units_row: int | None
    first_body: int

    @property
    def top(self) -> int:
        """Index of the first row that is no longer title."""
        return min(i for i in (self.group_row, self.row, self.first_body) if i is not None)


def find_header(grid: Grid) -> HeaderPlace | None:
    """Find the header as the row of words above the longest run of rows with numbers.

    Returns:
        None when no row holds a number, and no header stands above formulas.
    """
    angles = angle_header(grid)
    if angles is not None:
        return HeaderPlace(angles, None, None, _next_filled(grid.rows, angles + 1))
    runs = _runs(grid.rows)
    if not runs:
        first = _next_filled(grid.rows, 0)
        return _place(grid, first + 1) if _is_above_formulas(grid.rows, first) else None
    start, stop = max(runs, key=lambda run: run[1] - run[0])
    numeric = _numeric_columns(grid.rows[start:stop])
    # A row of words inside the data splits it: what stands above and fits the same columns belongs to it.
    for first, last in reversed([run for run in runs if run[1] <= start]):
        if _numeric_columns(grid.rows[first:last]) >= numeric and (
            last - first > 1 or _is_full(grid, first, start)
        ):
            start = first
    return _place(grid, start)


def _is_above_formulas(rows: list[list[Cell]], first: int) -> bool:
    """Whether a row names a column of formulas, and the next row has one there."""
    if first + 1 >= len(rows):
        return False
    below = [str(cell) for name, cell in zip(rows[first], rows[first + 1], strict=False) if _heads(name)]
    return any(_is_formula(cell) for cell in below)


def _heads(cell: Cell) -> bool:
    return is_formula_name(identifier(str(cell)))


def _is_formula(text: str) -> bool:
    try:
        parse_formula(text)
    except SchemaError:
        return False
    return True


def _place(grid: Grid, start: int) -> HeaderPlace:
    above = [i for i in range(start) if any(not is_blank(c) for c in grid.rows[i])]
    if not above:
        return HeaderPlace(None, None, None, start)
    units_row = None
    if (
        len(above) > 1
        and is_units_row(grid.rows[above[-1]])
        and _n_filled(grid.rows[above[-2]]) >= _n_filled(grid.rows[above[-1]])
    ):
        units_row = above.pop()
    row = above.pop()
    n_body = max(_n_filled(r) for r in grid.rows[start : start + 50])
    if units_row is None and n_body > 1 and _n_filled(grid.rows[row]) == 1:  # a title alone: no header
        return HeaderPlace(None, None, None, start)
    group_row = above[-1] if above and _is_group(grid, above[-1], row) else None
    return HeaderPlace(row, group_row, units_row, start)


def angle_header(grid: Grid) -> int | None:
    """Find a row whose cells are, from some column on, a rising axis of many numbers; else None."""
    for i, row in enumerate(grid.rows[:60]):
        axis = axis_columns(row)
        if len(axis) < N_PATTERN_ANGLES:
            continue
        has_header = i > 0 and len(_words(grid.rows[i - 1])) > len(axis) / 2
        if not has_header and len(axis) == sum(map(is_number, row)):
            return i
    return None


def axis_columns(row: list[Cell]) -> list[int]:
    """Columns of a row whose numbers rise strictly from left to right; empty when they do not."""
    columns = [j for j, cell in enumerate(row) if is_number(cell)]
    if len(columns) < N_PATTERN_ANGLES:
        return []
    decimal = "," if any(isinstance(row[j], str) and "," in str(row[j]) for j in columns) else "."
    values = [to_number(row[j], decimal) for j in columns]
    rising = all(a is not None and b is not None and a < b for a, b in pairwise(values))
    return columns if rising else []


def is_units_row(row: list[Cell]) -> bool:
    """Whether every filled cell of a row is a unit, in brackets or known; a dash stands for none."""
    filled = [str(cell).strip() for cell in row if not is_blank(cell)]
    known = [text for text in filled if not is_missing(text) and _is_unit(text)]
    return bool(known) and all(is_missing(text) or _is_unit(text) for text in filled)


def _is_unit(text: str) -> bool:
    if re.fullmatch(r"\[.*\]|\(.*\)", text):
        return True
    try:
        canonical(text)
    except UnitError:
        return False
    return True


def header_texts(grid: Grid, place: HeaderPlace, width: int) -> list[str]:
    """Header of each column, joined with the name of its group; "" where there is none."""
    if place.row is None:
        return [""] * width
    texts = _padded(grid.rows[place.row], width)
    if place.group_row is None:
        return texts
    groups = _padded(grid.rows[place.group_row], width)
    spans = {
        column: first
        for top, first, bottom, last in grid.merged
        if top <= place.group_row <= bottom
        for column in range(first, last + 1)
    }
    group = ""
    for j in range(width):
        # Text files lose the merging: there a group reaches as far as the next one.
        inherited = group if texts[j] else ""
        group = groups[spans.get(j, j)] if grid.merged else groups[j] or inherited
        texts[j] = f"{group} {texts[j]}".strip() if group != texts[j] else texts[j]
    return texts


def body_end(grid: Grid, first: int) -> tuple[int, list[str]]:
    """Find where the data end, leaving out trailing rows that summarise them.

    Returns:
        The index after the last row of data, and a note for each row left out.

    Raises:
        SchemaError: a summary stands between the data.
    """
    last = len(grid.rows)
    notes: list[str] = []
    while last > first + 1:
        row = grid.rows[last - 1]
        number, words = grid.numbers[last - 1], _words(row)
        if _is_summary(row):
            notes.insert(0, f"Row {number} ('{words[0]}') summarises the others and was left out.")
        elif len(words) == 1 and not any(is_number(c) for c in row) and FOOTNOTE.match(words[0]):
            notes.insert(0, f"Row {number} below the table was left out: '{words[0][:60]}'.")
        elif _n_filled(row):
            break
        last -= 1
    for i in range(first, last):
        if _is_summary(grid.rows[i]):
            raise SchemaError(
                f"Row {grid.numbers[i]} seems to summarise other rows, but stands among the specimens.",
                found=f"'{_words(grid.rows[i])[0]}' as its first cell.",
                hint="remove summary rows from the table; they are not measurements.",
            )
    return last, notes


def _is_summary(row: list[Cell]) -> bool:
    label = next((str(cell).strip() for cell in row if not is_blank(cell)), "")
    return bool(SUMMARY.fullmatch(label)) and any(is_number(cell) for cell in row)


def _words(row: list[Cell]) -> list[str]:
    return [str(cell).strip() for cell in row if not is_blank(cell) and not is_number(cell)]


def _runs(rows: list[list[Cell]]) -> list[tuple[int, int]]:
    """Runs [start, stop) of rows that hold numbers; blank rows do not end a run."""
    runs: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        if not any(is_number(cell) for cell in row):
            continue
        if runs and all(is_blank(c) for r in rows[runs[-1][1] : i] for c in r):
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs


def _numeric_columns(rows: list[list[Cell]]) -> set[int]:
    width = max(len(row) for row in rows)
    numeric = set()
    for j in range(width):
        held = [row[j] for row in rows if j < len(row) and not is_missing(row[j])]
        if held and sum(is_number(cell) for cell in held) >= 0.8 * len(held):
            numeric.add(j)
    return numeric


def _is_full(grid: Grid, i: int, start: int) -> bool:
    return _n_filled(grid.rows[i]) >= _n_filled(grid.rows[start])


def _is_group(grid: Grid, above: int, row: int) -> bool:
    """Whether the row above completes the header: merged over part of it, or naming its twins."""
    widths = [last - first + 1 for top, first, bottom, last in grid.merged if top <= above <= bottom]
    n_header = _n_filled(grid.rows[row])
    if widths and _n_filled(grid.rows[above]) > 0:
        return max(widths) < n_header or _n_filled(grid.rows[above]) > 1
    texts = [str(c).strip() for c in grid.rows[row] if not is_blank(c)]
    return _n_filled(grid.rows[above]) > 1 and len(set(texts)) < len(texts)


def _n_filled(row: list[Cell]) -> int:
    return sum(not is_blank(cell) for cell in row)


def _next_filled(rows: list[list[Cell]], start: int) -> int:
    return next((i for i in range(start, len(rows)) if _n_filled(rows[i])), len(rows))


def _padded(row: list[Cell], width: int) -> list[str]:
    texts = [re.sub(r"\s+", " ", str(cell)).strip() for cell in row]
    return (texts + [""] * width)[:width]
