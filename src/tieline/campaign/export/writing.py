"""Exports on disk: a folder or a .zip, whole or not at all, the same campaign always in the same bytes."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tieline.errors import TielineError

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the time that every member of a .zip bears; the format knows none before
DICTIONARY = "dictionary.csv"  # every export has one
READABLE = 0o644 << 16  # rights of a member, where the format keeps them


@contextmanager
def whole(path: Path, *, replace: bool, keeps: Path) -> Iterator[Path]:
    """A folder to write into, which becomes the one of that path, or a .zip of it, once all went well.

    Args:
        path: of the export.
        replace: an earlier export that is there already.
        keeps: a folder that must not be replaced, nor one that it lies in.

    Raises:
        TielineError: something is there already that is not to be replaced, or the folder above is not.
    """
    path = path.resolve()
    _refuse_taken(path, replace=replace, keeps=keeps.resolve())
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


def _refuse_taken(path: Path, *, replace: bool, keeps: Path) -> None:
    if not path.parent.is_dir():
        raise TielineError(f"There is no folder '{path.parent}'.", hint="create it first")
    if path == keeps or path in keeps.parents:
        raise TielineError(
            f"The campaign itself is in '{path}'.", found=str(keeps), hint="export to another folder"
        )
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not replace:
        raise TielineError(
            f"'{path}' is there already.",
            found="a folder with files in it" if path.is_dir() else "a file",
            hint="another name, or --replace; in Python replace=True",
        )
    if not _is_export(path):
        raise TielineError(
            f"'{path}' is no earlier export, so it is not replaced.",
            found="a folder of something else" if path.is_dir() else "a file of another kind",
            hint="another name, or remove it yourself",
        )


def _is_export(path: Path) -> bool:
    """Whether what is there was exported from a campaign, as far as its names say."""
    if path.is_dir():
        return (path / DICTIONARY).is_file()
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return DICTIONARY in archive.namelist()


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
