"""Files of instruments that belong to a specimen: kept by checksum, never under a name from outside."""

import shutil
from pathlib import Path
from uuid import uuid4

from tieline.campaign.files import adopt
from tieline.campaign.store.event import Event
from tieline.campaign.store.store import Store
from tieline.errors import TielineError

LONGEST = 12  # letters of an ending that is kept, so that programs know the file


def attach(
    folder: Path, store: Store, file: Path, *, name: str, specimen: str, proposal: str, by: str, key: str
) -> Event:
    """Keep a copy of a file.

    Args:
        folder: of the campaign.
        store: its store.
        file: what to keep.
        name: what it is called in the record.
        specimen: whose it is; "" for none.
        proposal: the proposal that it belongs to; "" for none.
        by: who does it.
        key: of the request.

    Raises:
        TielineError: there is no such file.
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
    digest = adopt(copy, place)
    content = {"name": name, "sha256": digest, "file": f"{digest}{ending}"}
    content |= {"specimen": specimen, "proposal": proposal}
    return store.write("attached", content, by=by, key=key)
