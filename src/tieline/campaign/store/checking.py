"""Whether a store is as it was written: the chain of events, and the tables that must follow from it."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import exc

from tieline.campaign.store import tables
from tieline.campaign.store.database import Database
from tieline.campaign.store.event import BEGINNING
from tieline.campaign.store.migrations import LATEST, upgrade, version_of
from tieline.campaign.store.replay import read_events, rebuild
from tieline.campaign.store.seal import broken_seal
from tieline.campaign.store.store import Store
from tieline.errors import TielineError


def check_store(store: Store) -> list[str]:
    """Tell what in a store is not as it was written, one sentence each; none if all is well."""
    try:
        with store.reading() as connection:
            if found := list(_damaged_pages(connection)):
                return found
            if version_of(connection) != LATEST:
                return [f"The version of the store was changed: {version_of(connection)}, not {LATEST}."]
            if broken := list(_broken_chain(connection)):
                return broken
            strange = list(_strange_tables(connection))
            return strange or ([] if store.file is None else list(broken_seal(connection, store.file)))
    except (TielineError, ValueError, KeyError, exc.SQLAlchemyError) as error:
        found = error.found or error.what if isinstance(error, TielineError) else str(error)
        return [f"The store cannot be read: {found.splitlines()[0]}"]


def _damaged_pages(connection: sa.Connection) -> Iterator[str]:
    """What the database itself finds wrong with its file."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check").all():
            if line != "ok":
                yield f"The database file is damaged: {line}"


def _broken_chain(connection: sa.Connection) -> Iterator[str]:
    previous, number = BEGINNING, 0
    for event in read_events(connection):
        if event.number != number + 1:
            yield f"Events {number + 1} to {event.number - 1} are missing."
        elif event.previous != previous:
            yield f"Event {event.number} does not follow the one before it."
        if not event.is_intact():
            yield f"Event {event.number} was changed: {event.kind}, {event.at}."
        previous, number = event.digest, event.number


def _strange_tables(connection: sa.Connection) -> Iterator[str]:
    past = Database.in_memory()
    with past.writing() as memory:
        upgrade(memory)
        if events := [vars(event) for event in read_events(connection)]:
            memory.execute(tables.event.insert(), events)
        rebuild(memory)
        for table in tables.derived.sorted_tables:
            if contents(connection, table) != contents(memory, table):
                yield f"The table '{table.name}' does not say what the log says."
    past.close()


def contents(connection: sa.Connection, table: sa.Table) -> list[tuple]:
    """All rows of a table, in the order of its key."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    return [tuple(row) for row in connection.execute(query)]
