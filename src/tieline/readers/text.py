"""Text files -> rows of cells: which encoding, which delimiter, which lines are comments."""

import csv
import io
import re
from dataclasses import dataclass

from tieline.errors import SchemaError
from tieline.readers.cells import is_number
from tieline.readers.grid import Cell, Grid

DELIMITERS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "wide gaps": "  ", "spaces": " "}
CONTROLS = "".join(chr(i) for i in range(32) if chr(i) not in "\t\r\n\f\x1a")  # none stands in text
COMMENT = re.compile(r"\s*(#+|%+|//+|!+)[^\S\t]*(?=[^\s;,|])")
SNIFFED_LINES = 400  # enough to outvote a long preamble; a full read of a large file would only be slower


def decode(data: bytes, name: str) -> tuple[str, list[str]]:
    """Turn bytes into text, with a note when the encoding had to be inferred.

    Raises:
        SchemaError: the bytes are not text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _checked(_strictly(data, encoding, name), name), []
    if b"\0" in data:
        zeros_even, zeros_odd = data[0::2].count(0), data[1::2].count(0)
        if min(zeros_even, zeros_odd) > 0.02 * len(data) or max(zeros_even, zeros_odd) < 0.2 * len(data):
            raise _not_text(name, f"bytes of value zero; it begins with {data[:8]!r}")
        encoding = "utf-16-le" if zeros_odd > zeros_even else "utf-16-be"
        return _checked(_strictly(data, encoding, name), name), [f"{name} was read as {encoding.upper()}."]
    try:
        return _checked(data.decode("utf-8"), name), []
    except UnicodeDecodeError:
        text = _checked(_strictly(data, "cp1252", name), name)
    odd = sorted({c for c in text if ord(c) > 127})[:8]
    return text, [f"{name} is not UTF-8 and was read as Windows text (cp1252): check {' '.join(odd)}"]


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text(name, f"byte {error.start} does not fit {encoding}") from error


def _checked(text: str, name: str) -> str:
    controls = sum(text.count(c) for c in CONTROLS)
    if controls > 0.001 * len(text) or "\0" in text:
        raise _not_text(name, f"{controls} control characters among {len(text)}")
    if re.match(r"\s*(<!doctype|<html|<\?xml|<table)", text, re.IGNORECASE):
        raise SchemaError(
            f"'{name}' is a web page or XML, not a table.",
            found=repr(text.strip()[:40]),
            hint="open it in a spreadsheet program and save it as .xlsx or .csv.",
        )
    return text


def _not_text(name: str, found: str) -> SchemaError:
    return SchemaError(
        f"'{name}' is not a table: its content is not text.",
        found=found + ".",
        hint="check the file's ending, or export it again as .csv or .xlsx.",
    )


def text_grid(data: bytes, name: str) -> Grid:
    """Cut a text file of any encoding and delimiter into rows of cells.

    Raises:
        SchemaError: the bytes are not text, or a quote is never closed.
    """
    text, notes = decode(data, name)
    lines = _lines(text)
    delimiter = sniff_delimiter([line.text for line in lines[:SNIFFED_LINES]])
    if delimiter in ("  ", " ") or not any('"' in line.text for line in lines):
        rows: list[list[Cell]] = [[*split(line.text, delimiter)] for line in lines]
        numbers = [line.number for line in lines]
    else:
        rows, numbers = _quoted_rows(lines, delimiter, name)
    return Grid(rows=rows, numbers=numbers, notes=notes, is_spaced=delimiter in ("  ", " "))


@dataclass(frozen=True)
class _Line:
    number: int  # as an editor shows it, from 1
    text: str


def _lines(text: str) -> list[_Line]:
    """Lines with their numbers, blank ones left out, comment marks taken off.

    Comments below the first data line are dropped; above it they stay, as one may be the header.
    """
    every = [_Line(i, t) for i, t in enumerate(re.split(r"\r\n|\r|\n", text.rstrip("\x1a")), 1) if t.strip()]
    if len(every) and every[0].text.lower().startswith("sep="):  # an Excel directive, not a row
        every = every[1:]
    commented = [bool(COMMENT.match(line.text)) for line in every]
    if sum(commented) > len(every) / 2 and sum(commented) > 3:  # specimens named #1, #2, ...
        return every
    start = _first_data(every, commented)
    return [
        _Line(line.number, COMMENT.sub("", line.text, count=1)) if commented[i] else line
        for i, line in enumerate(every)
        if i < start or not commented[i]
    ]


def _first_data(lines: list[_Line], commented: list[bool]) -> int:
    """Index of the first of two neighbouring uncommented lines that hold numbers, else the end."""

    def has_numbers(i: int) -> bool:
        words = re.split(r"[;|\s]+|,\s*", lines[i].text)
        return not commented[i] and any(is_number(word) for word in words if word)

    return next((i for i in range(len(lines) - 1) if has_numbers(i) and has_numbers(i + 1)), len(lines))


def split(line: str, delimiter: str) -> list[str]:
    """Cut one line that needs no unquoting; a bracket stays with the word before it."""
    if delimiter == "":
        return [line.strip()]
    if delimiter == " ":
        return re.split(r"\s+(?![(\[\s])", line.strip())
    if delimiter == "  ":
        return re.split(r"\s{2,}|\t", line.strip())
    return [cell.strip() for cell in line.split(delimiter)]


def _quoted_rows(lines: list[_Line], delimiter: str, name: str) -> tuple[list[list[Cell]], list[int]]:
    reader = csv.reader(
        io.StringIO("\n".join(line.text for line in lines), newline=""),
        delimiter=delimiter or "\t",
        strict=True,
        skipinitialspace=True,
    )
    rows: list[list[Cell]] = []
    numbers: list[int] = []
    first = 0
    try:
        for row in reader:
            rows.append([cell.strip() for cell in row])
            numbers.append(lines[first].number)
            first = reader.line_num
    except csv.Error as error:
        raise SchemaError(
            f"A quotation mark in '{name}' does not close where its cell ends.",
            found=f"from row {lines[min(first, len(lines) - 1)].number} on: {error}.",
            hint='write a quote inside a cell as "" or remove it.',
        ) from error
    return rows, numbers


def sniff_delimiter(lines: list[str]) -> str:
    """Find the delimiter that cuts the lines into the same number of clean cells.

    Returns:
        A character; two spaces for gaps of two or more; one space for any gap; "" for one column.
    """
    scores = {delimiter: _score(lines, delimiter) for delimiter in DELIMITERS.values()}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else ""


def _score(lines: list[str], delimiter: str) -> float:
    """Grade a delimiter: 0 is no table; consistency times clean and numeric cells, at most 1.5."""
    rows = [_rough_split(line, delimiter) for line in lines]
    widths = [len(row) for row in rows]
    wide = [w for w in widths if w > 1]
    if not wide:
        return 0.0
    width = max(set(wide), key=lambda w: (wide.count(w), w))
    start = widths.index(width)
    consistency = widths[start:].count(width) / len(widths[start:])
    if widths[start:].count(width) < 0.5 * len(widths[start:]) or widths.count(width) < 2:
        return 0.0
    cells = [cell for row in rows if len(row) == width for cell in row if cell]
    stronger = "\t;|" if delimiter in ",  " else "\t" if delimiter != "\t" else ""
    clean = sum(not set(cell) & set(stronger) for cell in cells) / max(len(cells), 1)
    numeric = sum(is_number(cell) for cell in cells) / max(len(cells), 1)
    return consistency * (0.5 * clean + numeric) * _header_fit(rows, width)


def _header_fit(rows: list[list[str]], width: int) -> float:
    """1 when the line above the first numbers has the width of the table, else less."""
    for i, row in enumerate(rows):
        if len(row) == width and any(is_number(cell) for cell in row):
            return 1.0 if i == 0 or len(rows[i - 1]) == width else 0.6
    return 1.0


def _rough_split(line: str, delimiter: str) -> list[str]:
    # Quoted cells are emptied first: a delimiter inside quotes says nothing.
    if delimiter in (" ", "  "):
        return split(line, delimiter)
    return split(re.sub(r'"[^"]*"', lambda m: re.sub(r"[;,|\t]", "_", m.group()), line), delimiter)
