"""Files of instruments that belong to a specimen: kept by checksum, never under a name from outside."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from tieline.campaign.files import adopt
from tieline.campaign.store import tables
from tieline.campaign.store.event import Event
from tieline.campaign.store.seal import sha256_of
from tieline.campaign.store.store import Store
from tieline.campaign.telling import Vocabulary
from tieline.errors import NotFound, TielineError
from tieline.schema.wording import name_known

LONGEST = 12  # letters of an ending that is kept, so that programs know the file


def attach(
    folder: Path,
    store: Store,
    words: Vocabulary,
    file: Path,
    *,
    name: str,
    specimen: str,
    proposal: str,
    by: str,
    key: str,
) -> Event:
    """Keep a copy of a file.

    Args:
        folder: of the campaign.
        store: its store.
        words: what the campaign speaks of.
        file: what to keep.
        name: what it is called in the record.
        specimen: whose it is; "" for none.
        proposal: the proposal that it belongs to; "" for none.
        by: who does it.
        key: of the request.

    Raises:
        TielineError: there is no such file.
        NotFound: there is no such specimen, or no such proposal.
    """
    if not file.is_file():
        raise TielineError(f"There is no file '{file}'.", hint="check the name; folders are imported instead")
    ending = file.suffix.lower()
    if not ending[1:].isalnum() or not ending.isascii() or len(ending) > LONGEST:
        ending = ""
    place = folder / "artifacts"
    place.mkdir(exist_ok=True)
    copy = place / f".{uuid4().hex}{ending}"
    shutil.copyfile(file, copy)
    digest = sha256_of(copy)
    content = {"name": name, "sha256": digest, "file": f"{digest}{ending}"}
    content |= {"specimen": specimen, "proposal": proposal}

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        _refuse_unknown(connection, words, specimen, proposal)
        adopt(copy, place, digest)
        return content

    try:
        return store.write("attached", settle, by=by, key=key, request=content)
    finally:
        copy.unlink(missing_ok=True)  # of a file that was refused, or is kept already


def _refuse_unknown(connection: sa.Connection, words: Vocabulary, specimen: str, proposal: str) -> None:
    proposals = _names(connection, tables.proposal) if specimen or proposal else []
    if proposal and proposal not in proposals:
        raise NotFound(
            f"There is no proposal '{proposal}'.",
            found=name_known(proposals, proposal),
            hint="campaign.proposals() lists them",
        )
    known = [*sorted(words.specimens), *_names(connection, tables.specimen), *proposals] if specimen else []
    if specimen and specimen not in known:
        raise NotFound(
            f"There is no specimen '{specimen}'.",
            found=name_known(dict.fromkeys(known), specimen),
            hint='name one of these, or tell first how it was made: tell({}, specimen="...", made={...})',
        )


def _names(connection: sa.Connection, table: sa.Table) -> list[str]:
    return [row.name for row in connection.execute(sa.select(table.c.name))]
