"""Undo: a counter-event. The slip stays in the log, and everything follows as if it had not been."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xarray as xr

from tieline.campaign.importing import Imports
from tieline.campaign.store.event import Event
from tieline.campaign.store.replay import UNDONE, read_events, undone_numbers
from tieline.campaign.store.store import Store, find_event
from tieline.errors import Conflict, NotFound

CHANGES_DATA = ("told", "imported", UNDONE)
CAN_BE_UNDONE = ("proposed", "claimed", "renewed", "moved", "told", "imported", "attached", UNDONE)


def undo(
    folder: Path, store: Store, number: int, known: xr.Dataset | None, *, why: str, by: str, key: str
) -> Event:
    """Let an event count no longer.

    Args:
        folder: of the campaign.
        store: its store.
        number: of the event.
        known (specimen): all that is known, to read lists of ours again.
        why: for the log.
        by: who does it.
        key: of the request.

    Raises:
        NotFound: there is no such event.
        Conflict: it was undone before, cannot be, or later events build on it.
    """
    request = {"event": number, "why": why}
    if before := store.answered(UNDONE, request, key):
        return before
    with store.reading() as connection:
        slip = find_event(connection, number)
        _check(connection, slip)
    record = None
    if slip.kind == "imported":
        record = Imports(folder, store).without(slip.told["name"], known)
    elif slip.kind == UNDONE and slip.told["record"] is not None:
        raise Conflict(
            "An import that was undone is not brought back by undoing that.",
            found=f"event {number}",
            hint="import the file again: it lies in raw/",
        )
    base = store.fact("record")

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        _check(connection, slip)
        if record is not None and store.fact("record") != base:
            raise Conflict("Somebody imported a file meanwhile.", hint="undo again")
        return request | {"record": record, "changes_data": slip.kind in CHANGES_DATA}

    try:
        return store.write(UNDONE, settle, by=by, key=key, request=request)
    except (NotFound, Conflict) as error:
        raise Conflict(
            f"Event {number} cannot be undone: later events build on it.",
            found=error.what,
            hint="undo those first, the latest one first",
        ) from error


def _check(connection: sa.Connection, slip: Event) -> None:
    if slip.kind not in CAN_BE_UNDONE:
        raise Conflict(
            f"An event of the kind '{slip.kind}' cannot be undone.", hint=f"only {', '.join(CAN_BE_UNDONE)}"
        )
    if slip.number in undone_numbers(read_events(connection)):
        raise Conflict(f"Event {slip.number} was undone before.")
    if slip.kind == "imported" and slip.told["replaces"]:
        raise Conflict(
            "A corrected reading of a file is not undone.",
            found=f"event {slip.number} took the place of an earlier reading",
            hint="correct FILE.columns.toml and import the file again",
        )
