"""One event of the log, and the chain of digests that no change can pass unseen."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tieline.errors import TielineError

BEGINNING = "0" * 64  # what the first event names as the digest before it


@dataclass(frozen=True)
class Event:
    """Something that happened in a campaign; it is never changed, and never taken away.

    Attributes:
        number: place in the log, from 1.
        at: when, UTC; never earlier than the event before, whatever the clock says.
        kind: what happened, such as "told".
        by: who did it, as they called themselves.
        key: names the request, so that it counts once however often it is sent.
        request: SHA-256 of what was asked for.
        content: what happened, as JSON.
        previous: digest of the event before.
        digest: SHA-256 of all that stands above.
    """

    number: int
    at: str
    kind: str
    by: str
    key: str
    request: str
    content: str
    previous: str
    digest: str

    @classmethod
    def after(
        cls, last: "Event | None", kind: str, content: Mapping[str, Any], by: str, key: str, request: str
    ) -> "Event":
        """Make the event that follows another."""
        at = now() if last is None else max(now(), last.at)
        number, previous = (1, BEGINNING) if last is None else (last.number + 1, last.digest)
        parts = (number, at, kind, by, key, request, write_json(content), previous)
        return cls(*parts, digest_of(*parts))

    @property
    def told(self) -> dict[str, Any]:
        """The content, read."""
        return json.loads(self.content)

    def is_intact(self) -> bool:
        """Whether the event is as it was written."""
        parts = (self.number, self.at, self.kind, self.by, self.key, self.request, self.content)
        return digest_of(*parts, self.previous) == self.digest


def digest_of(*parts: object) -> str:
    """SHA-256 of parts, as JSON, so that no two lists of parts read alike."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def canonical(content: Any) -> str:
    """Write plain content as JSON, the same content always alike, in whatever order it came.

    Raises:
        TielineError: as `write_json`.
    """
    return write_json(content, is_sorted=True)


def write_json(content: Any, *, is_sorted: bool = False) -> str:
    """Write plain content as JSON, in its own order: elements of a composition have one.

    Raises:
        TielineError: it holds a number that is not finite, or a text that no database takes.
    """
    try:
        text = json.dumps(
            content, sort_keys=is_sorted, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        text.encode()
    except (TypeError, ValueError) as error:
        raise TielineError(
            "Something in this cannot be recorded.",
            found=str(error),
            hint="finite numbers, text, lists and mappings; leave out what is not known",
        ) from error
    if "\\u0000" in text:
        raise TielineError(
            "Something in this cannot be recorded.", found="a NUL character in a text", hint="leave it out"
        )
    return text


def request_digest(kind: str, request: Any) -> str:
    """SHA-256 of what was asked for: the same request under the same key is the same deed."""
    return hashlib.sha256(canonical([kind, request]).encode()).hexdigest()


def now(*, plus: float = 0.0) -> str:
    """The time in UTC as text that sorts, some seconds from now."""
    return moment(datetime.fromtimestamp(datetime.now(UTC).timestamp() + plus, UTC))


def moment(time: datetime) -> str:
    """A point in time as text that sorts; without a time zone it is local time."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: float) -> float | None:
    """A number for JSON: None for one that is not finite."""
    return float(value) if math.isfinite(value) else None
