"""What one cell of a sheet says: a number, nothing, or words."""

import math
import re
from collections.abc import Container, Iterable, Set
from functools import lru_cache

import numpy as np

from tieline.errors import SchemaError

MISSING = {"", "-", "--", "---", "–", "—", "n/a", "n.a.", "na", "nan", "null", "none", "#n/a"}
# Words such as "NaN" (sodium nitride) or "NA" may be meant in a column of text; these cannot be.
MISSING_IN_TEXT = {"", "-", "--", "---", "–", "—", "n/a", "#n/a"}

LONGEST_NUMBER = 60  # characters; the longest double has 25, thousands separators and spaces included

_LOOKALIKES = str.maketrans({"−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_POWER_OF_TEN = re.compile(r"(?<=[0-9])\s*[×x·*]\s*10(?:\^|\*\*)\(?([+-]?[0-9]+)\)?$")
_RAISED = re.compile(r"(?<=10)([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)$")
_PARTS = re.compile(r"[+-]?(?P<digits>[0-9.,]+)(?P<power>[eE][+-]?[0-9]+)?")
_GROUPED_BY_SPACE = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[ '][0-9]{3})+(?![0-9])")
_INFINITE = re.compile(r"[+-]?(inf|infinity|∞)", re.IGNORECASE)


def tidy(text: str) -> str:
    """Strip a text and replace the look-alikes of minus, space and powers of ten."""
    text = text.translate(_LOOKALIKES).strip()
    if text.isascii() and "*" not in text and "x" not in text:
        return text
    text = _RAISED.sub(lambda match: "^" + match.group().translate(_SUPERSCRIPT), text)
    return _POWER_OF_TEN.sub(r"e\1", text)


def is_missing(cell: object, also: Container[str] = ()) -> bool:
    """Whether a cell of a numeric column says that nothing was measured, as some more texts may."""
    if isinstance(cell, float):
        return math.isnan(cell)
    return isinstance(cell, str) and (cell.strip().casefold() in MISSING or cell.strip() in also)


def is_number(cell: object) -> bool:
    """Whether a cell can be read as a number, whatever its decimal mark."""
    if isinstance(cell, float):
        return not math.isnan(cell)
    return isinstance(cell, str) and decimal_mark(cell) is not None


def is_blank(cell: object) -> bool:
    """Whether a cell is empty, so that not even a missing mark stands in it."""
    return isinstance(cell, str) and not cell.strip()


@lru_cache(maxsize=100_000)  # cells are looked at several times on their way
def decimal_mark(text: str) -> str | None:
    """Say which decimal mark one text uses.

    Returns:
        "." or "," when the text shows it, "" for a number without a mark, "?." or "?," when the mark
        could just as well group thousands ("1,234"), and None when the text is no number.
    """
    if _PLAIN.fullmatch(text) and (len(text) < 5 or text[-4] != "."):
        return "." if "." in text else ""
    if len(text) > LONGEST_NUMBER:
        return None
    text = tidy(text)
    if _INFINITE.fullmatch(text):
        return ""
    match = _PARTS.fullmatch(_without_spaces(text))
    if not match or not any(c.isdigit() for c in match["digits"]):
        return None
    digits = match["digits"]
    marks = [c for c in digits if c in ".,"]
    if not marks:
        return ""
    if len(marks) == 1:
        grouping = re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", digits) and not match["power"]
        return f"?{marks[0]}" if grouping else marks[0]
    group = marks[0]
    decimal = "," if group == "." else "."
    whole, _, rest = digits.partition(decimal)
    is_grouped = re.fullmatch(rf"[0-9]{{1,3}}(\{group}[0-9]{{3}})+", whole) and not set(rest) & set(".,")
    return decimal if is_grouped else None


def decimal_marks(cells: Iterable[object]) -> set[str]:
    """Collect what the texts among some cells show of their decimal mark, as in `decimal_mark`."""
    marks = {decimal_mark(c) for c in cells if isinstance(c, str) and not is_missing(c)}
    return {m for m in marks if m}


def choose_decimal(
    cells: Iterable[object], *, column: str, file_marks: Set[str], how_to_say: str = ""
) -> str:
    """Choose the decimal mark of one column, or refuse when the choice would be a guess.

    Args:
        cells: the cells of the column.
        column: its header, for the message.
        file_marks: what the whole sheet shows, from `decimal_marks`; it settles "1,234" in a sheet
            that writes "0,5" elsewhere.
        how_to_say: how a person can state the mark, for the message; "" where none can.

    Raises:
        SchemaError: the column mixes both marks, or a mark may group thousands.
    """
    cells = list(cells)
    marks = decimal_marks(cells)
    sure = marks & {".", ","}
    if len(sure) == 1:
        return sure.pop()
    if not marks:
        return "."
    elsewhere = file_marks & {".", ","}
    unsure = {m[1] for m in marks - sure}
    if not sure and len(unsure) == 1:
        if elsewhere == unsure or (unsure == {"."} and not elsewhere):
            return unsure.pop()
        if unsure == {"."} and "." in elsewhere:
            return "."
    examples = [str(c) for c in cells if isinstance(c, str) and decimal_mark(c) in marks - {""}][:3]
    raise SchemaError(
        f"The decimal mark of column '{column}' is not clear: a point or comma may also group thousands.",
        found=", ".join(f"'{e}'" for e in examples),
        hint="write the numbers without thousands separators"
        + (f', or state the mark by {how_to_say}\n  or "." if the point is the mark.' if how_to_say else "."),
    )


def to_number(cell: object, decimal: str) -> float | None:
    """Read one cell with a known decimal mark; None when it is no number.

    Args:
        cell: a float, or text without a missing mark.
        decimal: "." or ",".
    """
    if isinstance(cell, float):
        return cell
    text = tidy(str(cell))
    if decimal == "." and _PLAIN.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return math.inf
    if decimal_mark(text) is None:
        return None
    group = "," if decimal == "." else "."
    plain = _without_spaces(text).replace(group, "").replace(decimal, ".")
    return float(plain) if plain.count(".") <= 1 else None


def has_thousands(cell: object, decimal: str) -> bool:
    """Whether a text groups its thousands, given the decimal mark."""
    group = "," if decimal == "." else "."
    return isinstance(cell, str) and (group in cell or bool(_GROUPED_BY_SPACE.search(tidy(cell))))


def share_of_numbers(cells: Iterable[object]) -> float:
    """Share of the cells with a value that are numbers; 0 when every cell is missing."""
    held = [c for c in cells if not is_missing(c)]
    return float(np.mean([is_number(c) for c in held])) if held else 0.0


def _without_spaces(text: str) -> str:
    return _GROUPED_BY_SPACE.sub(lambda match: re.sub("[ ']", "", match.group()), text)
