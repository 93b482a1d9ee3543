"""A campaign as it was after one of its events, read while others go on writing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xarray as xr

from tieline.campaign.importing import Imports
from tieline.campaign.settings import Settings
from tieline.campaign.store import tables
from tieline.campaign.store.event import Event
from tieline.campaign.store.replay import undone_numbers
from tieline.campaign.store.store import Store
from tieline.campaign.told import Told, with_told
from tieline.errors import TielineError


@dataclass(frozen=True)
class View:
    """What a campaign had said up to one event.

    Attributes:
        folder: of the campaign.
        store: as it was then, for reading only.
        settings: what campaign.toml says.
        events: the whole log up to then.
        imported: what files say together; None if there are none.
        record: that, and what was told; None if there is nothing.
    """

    folder: Path
    store: Store
    settings: Settings
    events: tuple[Event, ...]
    imported: xr.DataTree | None
    record: xr.DataTree | None

    @property
    def valid(self) -> list[Event]:
        """The events that were not undone."""
        void = undone_numbers(self.events)
        return [event for event in self.events if event.number not in void]

    def fits(self) -> list[Mapping[str, Any]]:
        """All fits in the order in which they began, as the log has them."""
        rows = self.store.rows(sa.select(tables.fit).order_by(tables.fit.c.event))
        read = {"about": json.loads, "outcome": json.loads}
        return [{k: read.get(k, lambda v: v)(v) for k, v in row._mapping.items()} for row in rows]


@contextmanager
def viewed(folder: Path, store: Store, settings: Settings) -> Iterator[View]:
    """Hold on to what a campaign says now.

    Raises:
        TielineError: nothing ever happened in it.
    """
    past = store if store.is_past else store.as_of(store.last())
    try:
        events = tuple(past.events())
        if not events:
            raise TielineError("There is nothing to export.", found=f"no event in {folder}")
        imported = Imports(folder, past).joined()
        record = with_told(imported, Told.of(past))
        yield View(folder, past, settings, events, imported, record)
    finally:
        if past is not store:
            past.close()
