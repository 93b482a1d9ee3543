"""A seal on a SQLite file that is closed: its checksum, since empty space in it is part of no row.

It says up to which event the file was sealed. Whoever dies leaves an older seal, which then says nothing.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from tieline.campaign.store import tables
from tieline.campaign.store.database import Database
from tieline.campaign.store.queueing import in_turn
from tieline.schema.partial import partial_beside


def seal(database: Database, file: Path) -> None:
    """Write everything into the one file, and its checksum beside it; while others are at work, nothing."""
    if database.queue is None:
        return
    with in_turn(database.queue), database.engine.connect() as connection:
        driver = connection.connection
        busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            return
        number = driver.execute("SELECT max(number) FROM event").fetchone()[0] or 0
        partial = partial_beside(_seal_of(file))
        partial.write_text(_line(str(number), sha256_of(file)), encoding="ascii")
        partial.replace(_seal_of(file))


def broken_seal(connection: sa.Connection, file: Path) -> Iterator[str]:
    """Tell a file that was changed after it was sealed."""
    seal_file, log = _seal_of(file), file.with_name(f"{file.name}-wal")
    if not seal_file.is_file() or (log.is_file() and log.stat().st_size):
        return
    line = seal_file.read_text(encoding="latin-1")
    number, digest, _ = [*line.split(" "), "", ""][:3]
    last = connection.execute(sa.select(sa.func.max(tables.event.c.number))).scalar() or 0
    if line != _line(number, digest):
        yield f"{seal_file.name} was changed."
    elif int(number) == last and digest != sha256_of(file):
        yield f"{file.name} was changed after the campaign was closed."


def _line(number: str, digest: str) -> str:
    """What stands in a seal: the number of the last event, the checksum of the file, and one of both."""
    return f"{number} {digest} {hashlib.sha256(f'{number} {digest}'.encode()).hexdigest()}\n"


def sha256_of(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _seal_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-seal")
