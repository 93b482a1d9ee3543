"""What a request carries, looked at before anything reads it: how much it is, and whether it is plain JSON.

JSON as Python reads it lets a result vanish in silence where a name is said twice, and takes NaN. Here
neither is let in.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import anyio
from starlette.types import Message, Receive

MAX_JSON = 1 << 20  # bytes
MAX_UPLOAD = 256 << 20  # bytes
PASSED, PATIENCE = 16 << 20, 5.0  # bytes and seconds that a refused request may go on for
DEEPEST = 12  # levels of lists and mappings
LONGEST = 300  # digits of a whole number: what is longer is no double


class TooLarge(Exception):
    """A request carries more than is taken."""


class NotPlain(Exception):
    """A request is not JSON, or says something that cannot be recorded."""


async def take_whole(receive: Receive, limit: int) -> bytes:
    """Take all that a request carries.

    Raises:
        TooLarge: it is more than the limit.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break  # whoever asked has gone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def let_pass(receive: Receive) -> None:
    """Let what is not taken run through for a moment: who is still sending does not hear an answer."""
    size, more = 0, True
    with anyio.move_on_after(PATIENCE):
        while more and size < PASSED:
            message = await receive()
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)


def given_again(body: bytes, receive: Receive) -> Receive:
    """Hand on what was taken; afterwards only news of the connection come."""
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def check_json(body: bytes) -> None:
    """See that a body is JSON that means one thing.

    Raises:
        NotPlain: it is not, or it holds what cannot be recorded; says what.
    """
    try:
        content = json.loads(
            body, object_pairs_hook=_mapping, parse_constant=_no_number, parse_float=_float, parse_int=_int
        )
    except UnicodeDecodeError as error:
        raise NotPlain("text that is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotPlain(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise NotPlain("lists in lists without end") from error
    _walk(content)


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise NotPlain(f"'{twice}' is said twice in one mapping")
    return dict(pairs)


def _no_number(text: str) -> NoReturn:
    raise NotPlain(f"{text}, which is no number of JSON")


def _float(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise NotPlain("a number that no computer can hold")
    return value


def _int(text: str) -> int:
    if len(text) > LONGEST:
        raise NotPlain("a number that no computer can hold")
    return int(text)


def _walk(content: Any) -> None:
    """See that nothing is nested without end and that all texts can be stored."""
    waiting = [(content, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise NotPlain(f"more than {DEEPEST} levels of lists and mappings")
        if isinstance(value, str):
            check_text(value)
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]


def check_text(text: str) -> None:
    """See that a text can be stored.

    Raises:
        NotPlain: it has a NUL character or half of one.
    """
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NotPlain("a character that no database keeps")


def counting(receive: Receive, limit: int, refuse: Callable[[], Any]) -> Receive:
    """Pass on what comes in pieces; beyond the limit it is refused, and no more is passed on.

    Args:
        receive: where the pieces come from.
        limit: bytes.
        refuse: answers the request; awaited once.
    """
    size = 0

    async def count() -> Message:
        nonlocal size
        if size > limit:
            return {"type": "http.disconnect"}
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            await refuse()
            return {"type": "http.disconnect"}
        return message

    return count
