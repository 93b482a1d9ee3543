"""Exports on disk: a folder or a .zip, whole or not at all, the same campaign always in the same bytes."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tieline.errors import TielineError

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the time that every member of a .zip bears; the format knows none before
READABLE = 0o644 << 16  # rights of a member, where the format keeps them


@contextmanager
def whole(path: Path, *, replace: bool) -> Iterator[Path]:
    """A folder to write into, which becomes the one of that path, or a .zip of it, once all went well.

    Raises:
        TielineError: something is there already, or the folder above is not.
    """
    _refuse_taken(path, replace=replace)
    draft = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        draft.mkdir()
        yield draft
        finished = draft
        if path.suffix.lower() == ".zip":
            finished = draft.with_name(f"{draft.name}.zip")
            _pack(draft, finished)
        _put(finished, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        draft.with_name(f"{draft.name}.zip").unlink(missing_ok=True)


def _refuse_taken(path: Path, *, replace: bool) -> None:
    if not path.parent.is_dir():
        raise TielineError(f"There is no folder '{path.parent}'.", hint="create it first")
    is_empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not is_empty and not replace:
        raise TielineError(
            f"'{path}' is there already.",
            found="a folder with files in it" if path.is_dir() else "a file",
            hint="another name, or --replace; in Python replace=True",
        )
    if (path / "campaign.toml").is_file() and not (path / "events.jsonl").is_file():
        raise TielineError(f"'{path}' is the folder of a campaign.", hint="export to another one")


def _put(finished: Path, path: Path) -> None:
    """Move a finished export to its place; what was there goes only once that is done."""
    if finished.is_file() and not path.is_dir():
        finished.replace(path)
        return
    earlier = path.with_name(f".{path.name}.{uuid4().hex}.earlier")
    if path.exists():
        path.replace(earlier)
    try:
        finished.replace(path)
    except OSError:
        if earlier.exists():
            earlier.replace(path)
        raise
    if earlier.is_dir():
        shutil.rmtree(earlier)
    else:
        earlier.unlink(missing_ok=True)


def _pack(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(member.relative_to(folder).as_posix(), EARLIEST)
            entry.external_attr = READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            with member.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
