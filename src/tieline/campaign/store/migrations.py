"""Versions of a store. Each step changes what is primary; what follows from the log is made anew.

A step is never changed once it is released: somebody's database is at every one of them.
"""

from collections.abc import Callable

import sqlalchemy as sa

from tieline.campaign.store.replay import rebuild
from tieline.campaign.store.tables import derived, version
from tieline.errors import TielineError


def _first(connection: sa.Connection) -> None:
    """The log, which refuses any change of what it holds."""
    connection.exec_driver_sql(
        "CREATE TABLE event (number BIGINT NOT NULL PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,"
        ' "by" TEXT NOT NULL, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, content TEXT NOT NULL,'
        " previous TEXT NOT NULL, digest TEXT NOT NULL)"
    )
    refusal = "events are never changed"
    if connection.dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER event_refuses_{deed.lower()} BEFORE {deed} ON event"
                f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER event_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _second(connection: sa.Connection) -> None:
    """Signs of life of running fits."""
    connection.exec_driver_sql(
        "CREATE TABLE beat (fit TEXT NOT NULL PRIMARY KEY, at TEXT NOT NULL, stage TEXT NOT NULL,"
        " process TEXT NOT NULL)"
    )


def _third(connection: sa.Connection) -> None:
    """Tokens of the service follow from the log, and nothing else is new."""


STEPS: tuple[Callable[[sa.Connection], None], ...] = (_first, _second, _third)
LATEST = len(STEPS)


def version_of(connection: sa.Connection) -> int:
    """The version of a store; 0 for an empty database."""
    if not sa.inspect(connection).has_table("version"):
        return 0
    return connection.execute(sa.select(version.c.number)).scalar_one()


def upgrade(connection: sa.Connection) -> None:
    """Bring a store to the latest version, inside the caller's transaction.

    Raises:
        TielineError: a later version of tieline made it.
    """
    found = version_of(connection)
    if found == LATEST:
        return
    if found > LATEST:
        raise TielineError(
            "This campaign was opened by a later version of tieline.",
            found=f"a store of version {found}; this tieline knows versions up to {LATEST}",
            hint="pip install --upgrade tieline",
        )
    if not found:
        version.create(connection)
        connection.execute(version.insert().values(number=0))
    for step in STEPS[found:]:
        step(connection)
    derived.drop_all(connection)
    derived.create_all(connection)
    rebuild(connection)
    connection.execute(version.update().values(number=LATEST))
