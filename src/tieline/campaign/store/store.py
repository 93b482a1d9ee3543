"""The store of one campaign: one door for writing, which counts every request once."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from tieline.campaign.store import tables
from tieline.campaign.store.database import Database
from tieline.campaign.store.event import Event, moment, request_digest
from tieline.campaign.store.migrations import LATEST, upgrade, version_of
from tieline.campaign.store.replay import apply, read_events, rebuild
from tieline.campaign.store.seal import seal
from tieline.errors import Conflict, NotFound, TielineError

FILE = "campaign.db"
Content = Mapping[str, Any] | Callable[[sa.Connection], Mapping[str, Any]]


@dataclass(frozen=True)
class Store:
    """What a campaign remembers.

    Attributes:
        database: where.
        file: of SQLite, which is sealed when the store is closed.
        is_past: whether this is a look back, which nothing can be written into.
    """

    database: Database
    file: Path | None = None
    is_past: bool = False

    @classmethod
    def open(cls, folder: Path, url: str | None = None) -> "Store":
        """Open the store of a folder, or one on a server; made if it is new, upgraded if it is old.

        Raises:
            TielineError: it cannot be read, or a later version of tieline made it.
        """
        database = Database.in_file(folder / FILE) if url is None else Database.at_url(url)
        with ExitStack() as undo:
            undo.callback(database.close)
            with database.reading() as connection:
                is_current = version_of(connection) == LATEST
            if not is_current:
                if url is None:
                    with database.engine.connect() as connection:  # the mode of the file, which stays
                        connection.connection.execute("PRAGMA journal_mode=WAL")
                with database.writing() as connection:
                    upgrade(connection)
            undo.pop_all()
        return cls(database, folder / FILE if url is None else None)

    def write(
        self, kind: str, content: Content, *, by: str = "", key: str = "", request: Any = None
    ) -> Event:
        """Append one event and let the tables follow; both are on disk when this returns, or neither.

        Args:
            kind: what happens.
            content: of the event, or how to work it out once no other writer can come between.
            by: who does it.
            key: names the request. The same request again under the same key changes nothing and is answered
                as the first time.
            request: what was asked for, which says whether two requests are the same; by default the content.

        Raises:
            Conflict: the key belongs to another request, or what happens contradicts what is recorded.
            TielineError: the store cannot be written.
        """
        self._refuse_past()
        asked = request_digest(kind, content if request is None else request)
        with self.database.writing() as connection:
            if key and (before := find_request(connection, key, asked)):
                return before
            said = content(connection) if callable(content) else content
            event = Event.after(last_event(connection), kind, said, by, key or uuid4().hex, asked)
            connection.execute(tables.event.insert().values(**vars(event)))
            apply(connection, event)
        return event

    def answered(self, kind: str, request: Any, key: str) -> Event | None:
        """Find the event of a request that was answered before, to spare working it out again.

        Raises:
            Conflict: the key belongs to another request.
        """
        if not key:
            return None
        with self.database.reading() as connection:
            return find_request(connection, key, request_digest(kind, request))

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state throughout."""
        with self.database.reading() as connection:
            yield connection

    def rows(self, query: sa.Select) -> list[sa.Row[Any]]:
        """Answer one query."""
        with self.database.reading() as connection:
            return list(connection.execute(query))

    def fact(self, name: str) -> str | None:
        """A single value that the store keeps."""
        found = self.rows(sa.select(tables.fact.c.value).where(tables.fact.c.name == name))
        return found[0].value if found else None

    def has_specimens(self) -> bool:
        """Whether anything was told of a specimen."""
        return bool(self.rows(sa.select(tables.specimen.c.name).limit(1)))

    def events(self, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """Read the log in order, from the event after a number."""
        with self.database.reading() as connection:
            return list(read_events(connection, after=after, limit=limit))

    def last(self) -> int:
        """Number of the latest event; 0 if there is none."""
        with self.database.reading() as connection:
            return connection.execute(sa.select(sa.func.max(tables.event.c.number))).scalar() or 0

    def as_of(self, when: int | str | datetime) -> "Store":
        """The store as it was, in memory, for reading only.

        Args:
            when: number of an event, or a time: a datetime, or text such as "2026-11-24" or
                "2026-11-24T15:00", local unless it says otherwise; a day counts to its end.

        Raises:
            TielineError: it is no time.
        """
        number = when if isinstance(when, int) else self._number_at(_as_time(when))
        past = Database.in_memory()
        with past.writing() as connection:
            upgrade(connection)
            if events := [vars(event) for event in self.events(limit=None) if event.number <= number]:
                connection.execute(tables.event.insert(), events)
            rebuild(connection)
        return Store(past, is_past=True)

    def close(self) -> None:
        """Let go of the database, and seal its file."""
        if self.file is not None and self.file.is_file() and os.access(self.file, os.W_OK):
            seal(self.database, self.file)
        self.database.close()

    def _number_at(self, time: str) -> int:
        latest = sa.select(sa.func.max(tables.event.c.number)).where(tables.event.c.at <= time)
        return self.rows(latest)[0][0] or 0

    def _refuse_past(self) -> None:
        if self.is_past:
            raise TielineError(
                "What is past can be looked at, and not changed.", hint="open the campaign without as_of"
            )


def last_event(connection: sa.Connection) -> Event | None:
    """The latest event, if there is one."""
    row = connection.execute(sa.select(tables.event).order_by(tables.event.c.number.desc()).limit(1)).first()
    return None if row is None else Event(*row)


def find_event(connection: sa.Connection, number: int) -> Event:
    """The event of a number.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(sa.select(tables.event).where(tables.event.c.number == number)).first()
    if row is None:
        raise NotFound(f"There is no event {number}.", hint="tieline show FOLDER --events lists them")
    return Event(*row)


def find_request(connection: sa.Connection, key: str, asked: str) -> Event | None:
    """The event of an earlier request of the same key.

    Raises:
        Conflict: that was another request.
    """
    row = connection.execute(sa.select(tables.event).where(tables.event.c.key == key)).first()
    if row is None:
        return None
    event = Event(*row)
    if event.request != asked:
        raise Conflict(
            "This key was used for another request.",
            found=f"key '{key}', of '{event.kind}' at {event.at}",
            hint="a new key for every new request; the same one only to send a request again",
        )
    return event


def _as_time(when: str | datetime) -> str:
    """A point in time as the log writes it; a day without a time counts to its end."""
    if isinstance(when, datetime):
        return moment(when)
    try:
        time = datetime.fromisoformat(when)
    except ValueError as error:
        raise TielineError(
            "This is no point in time.", found=f"'{when}'", hint="2026-11-24, or 2026-11-24T15:00"
        ) from error
    if len(when) == len("2026-11-24"):
        time = time.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment(time)
