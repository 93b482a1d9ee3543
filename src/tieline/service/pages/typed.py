"""What people type into a field for a result: a number as the lab writes it, a limit, a failure, a label."""

import re
from typing import Any

from tieline.errors import SchemaError

NUMBER = r"[-+\u2212]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+\u2212]?\d+)?"
RESULT = re.compile(
    rf"(?P<sign>[<>\u2264\u2265])?\s*(?P<value>{NUMBER})\s*(?:(?:±|\+/-|\+-)\s*(?P<sd>{NUMBER}))?\s*(?P<unit>[^\d\s<>±.,].*)?"
)
FLAGS = {"<": "below", "≤": "below", ">": "above", "≥": "above"}
FAILED = ("failed", "fail")


def read_typed(text: str, *, is_number: bool) -> Any:
    """Read a result as somebody typed it.

    Args:
        text: `5.2`, `5,2 ± 0.1 GPa`, `< 0.5` for a limit, `failed`; or a label.
        is_number: whether it is a number and no label.

    Returns:
        As `Campaign.tell` takes it.

    Raises:
        SchemaError: it is not a number.

    Example:
        >>> read_typed("5,2 ± 0.1 GPa", is_number=True)
        {'value': 5.2, 'sd': 0.1, 'unit': 'GPa'}
    """
    if text.casefold() in FAILED:
        return {"flag": "failed"}
    if not is_number:
        return text
    found = RESULT.fullmatch(text.strip())
    if found is None:
        raise SchemaError("This is not a number.", found=text[:60], hint="5.2, 5.2 ± 0.1, < 0.5 or failed")
    said: dict[str, Any] = {"value": _number(found["value"])}
    if found["sd"]:
        said["sd"] = _number(found["sd"])
    if found["unit"]:
        said["unit"] = found["unit"].strip()
    if found["sign"]:
        said["flag"] = FLAGS[found["sign"]]
    return said


def plain_number(text: str) -> float | None:
    """A number without anything around it; None if it is none."""
    return _number(text) if re.fullmatch(NUMBER, text) else None


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace("\u2212", "-"))
