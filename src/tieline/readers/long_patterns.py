"""Long texts of patterns: their first lines tell what they are, and all that follows is read at once.

To look at every cell of a hundred patterns, as a table of specimens deserves, takes minutes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tieline.errors import SchemaError
from tieline.readers.patterns import Pattern, rising

N_LINES = 100  # that are looked at with care
N_TWICE = 20  # lines of them that are read both ways, which must give the same numbers
DELIMITERS = (b";", b"\t", b",")


@dataclass(frozen=True, eq=False)
class LongText:
    """A text of many lines, parted.

    Attributes:
        beginning: its first lines.
        numbers (line, column): of the last few lines of the beginning, and of all that follow.
    """

    beginning: bytes
    numbers: np.ndarray


def parted(data: bytes) -> LongText | None:
    """Part a text behind its first lines; None if hardly more follow, or anything but numbers."""
    end = again = 0
    for i in range(N_LINES):
        if i == N_LINES - N_TWICE:
            again = end
        end = data.find(b"\n", end) + 1
        if not end:
            return None
    if len(data) < 2 * end:
        return None
    numbers = _numbers(data[again:])
    return None if numbers is None else LongText(data[:end], numbers)


def continued(text: LongText, begun: Sequence[Pattern], name: str) -> list[Pattern] | None:
    """Give patterns all their numbers.

    Args:
        text: the whole of it.
        begun: the patterns in its beginning, one or several over the same angles.
        name: of the file.

    Returns:
        The patterns; None if what follows are not more numbers of the same columns.
    """
    is_falling = text.numbers[0, 0] > text.numbers[-1, 0]
    columns = [
        begun[0].two_theta,
        *(p.intensity for p in begun),
        *(p.error for p in begun if p.error is not None),
    ]
    seen = np.column_stack([column[::-1] if is_falling else column for column in columns])
    if not np.array_equal(seen[-N_TWICE:], text.numbers[:N_TWICE]):
        return None
    angles, *columns = np.concatenate([seen[:-N_TWICE], text.numbers]).T
    try:
        ordered = [rising(angles, column, name) for column in columns]
    except SchemaError:
        return None  # whoever looks at every line can say in which
    errors = [column for _, column in ordered[len(begun) :]] or [None] * len(begun)
    return [
        replace(pattern, two_theta=theirs, intensity=counts, error=error)
        for pattern, (theirs, counts), error in zip(begun, ordered, errors, strict=False)
    ]


def _numbers(lines: bytes) -> np.ndarray | None:
    """Numbers in columns; None if there is anything else, or one that is missing."""
    first = lines.partition(b"\n")[0]
    delimiter = next((mark.decode() for mark in DELIMITERS if mark in first), None)
    try:
        found = np.loadtxt(io.BytesIO(lines), delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None
