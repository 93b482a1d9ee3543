"""SQLite in a folder or PostgreSQL by its URL, behind the same two doors: `reading` and `writing`."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as hooks
from sqlalchemy import exc
from sqlalchemy.pool import StaticPool

from tieline.campaign.store.queueing import in_turn
from tieline.errors import TielineError, Unavailable, not_installed

PATIENCE = 30  # seconds to wait for another writer before giving up
DEFAULT_SCHEMA = "tieline"
WRITERS = 7_133_001  # advisory lock of PostgreSQL that writers of any one campaign take in turn


@dataclass(frozen=True)
class Database:
    """A database that holds one campaign.

    Attributes:
        engine: of SQLAlchemy.
        where: how messages name it.
        queue: file on whose lock writers wait for their turn; None where the database sees to it.
    """

    engine: sa.Engine
    where: str
    queue: Path | None = None

    @classmethod
    def in_file(cls, path: Path) -> "Database":
        """Open or make a SQLite file."""
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": PATIENCE})
        _prepare_sqlite(engine)
        return cls(engine, str(path), path.with_name(f"{path.name}-queue"))

    @classmethod
    def in_memory(cls) -> "Database":
        """Make a SQLite database that is gone with the process."""
        engine = sa.create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        _prepare_sqlite(engine)
        return cls(engine, "memory")

    @classmethod
    def at_url(cls, url: str) -> "Database":
        """Open a schema of a PostgreSQL server: `postgresql://user@host/database#schema`.

        Raises:
            TielineError: it is no such URL, or the server does not answer.
            MissingExtra: psycopg is not installed.
        """
        address, _, schema = url.partition("#")
        schema = schema or DEFAULT_SCHEMA
        if not address.startswith("postgresql://") or not re.fullmatch(r"[a-z_][a-z0-9_]{0,50}", schema):
            raise TielineError(
                "A campaign is kept in its folder, or on a PostgreSQL server.",
                found=f"store = '{without_password(url)}'",
                hint='store = "postgresql://user@host/database#campaign", the last word in small letters',
            )
        options = {"options": f"-csearch_path={schema}", "connect_timeout": PATIENCE}
        try:
            engine = sa.create_engine(
                address.replace("postgresql", "postgresql+psycopg", 1), connect_args=options
            )
        except ModuleNotFoundError as error:
            raise not_installed("PostgreSQL needs", "postgres", error) from error
        database = cls(engine, without_password(url))
        with ExitStack() as undo:
            undo.callback(engine.dispose)
            with database.writing() as connection:
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            undo.pop_all()
        return database

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database throughout."""
        options: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._explained(), self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection whose changes are all kept, on disk, or none; one writer at a time.

        Raises:
            Unavailable: the disk is full, the database read-only, damaged or not to be reached.
        """
        turn = nullcontext() if self.queue is None else in_turn(self.queue)
        with self._explained(), turn, self.engine.connect() as connection:
            connection = connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(
                        sa.text("SELECT pg_advisory_xact_lock(:many, hashtext(current_schema()))"),
                        {"many": WRITERS},
                    )
                yield connection

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tell faults of the database in the words of its users."""
        try:
            yield
        except UnicodeDecodeError as error:
            raise TielineError(
                f"The record of the campaign at {self.where} cannot be read.",
                found=str(error),
                hint="tieline verify tells what is damaged; put back the copy of a backup",
            ) from error
        except exc.DatabaseError as error:
            if isinstance(error, exc.IntegrityError | exc.ProgrammingError):
                raise
            found = str(error.orig).strip().splitlines()[0]
            raise Unavailable(
                f"The record of the campaign at {self.where} cannot be {_trouble(found)}.",
                found=found,
                hint=_remedy(found),
            ) from error


def _prepare_sqlite(engine: sa.Engine) -> None:
    @hooks.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we say ourselves when a transaction begins
        connection.execute(f"PRAGMA busy_timeout={1000 * PATIENCE}")
        connection.execute("PRAGMA synchronous=FULL")

    @hooks.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def without_password(url: str) -> str:
    """A URL to be shown."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def _trouble(found: str) -> str:
    if "readonly" in found or "read-only" in found or "full" in found:
        return "written"
    return "opened" if "connect" in found or "open" in found else "read"


def _remedy(found: str) -> str:
    remedies = {
        "full": "free some space; nothing that was recorded before is lost",
        "readonly": "give yourself the right to write the folder and its files",
        "read-only": "give yourself the right to write",
        "locked": "another program holds the file; try again when it is done",
        "malformed": "tieline verify tells what is damaged; put back the copy of a backup",
        "not a database": "tieline verify tells what is damaged; put back the copy of a backup",
        "connect": "see that the server runs and that the line store in campaign.toml is right",
    }
    return next((remedy for word, remedy in remedies.items() if word in found), "tieline verify FOLDER")
