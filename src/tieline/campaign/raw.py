"""Files as they came: raw/ holds a folder for every import, which is never changed."""

import hashlib
import shutil
from pathlib import Path
from uuid import uuid4

from tieline.readers.mapping import mapping_path

N_DIGITS = 12  # of the corrections' checksum: enough to tell the readings of one file apart


def name_import(source: Path, checksum: str) -> str:
    """Name an import by what was read: another file or another correction is another name.

    Args:
        source: the file or folder.
        checksum: SHA-256 of its data.

    Returns:
        The checksum; where columns were corrected, some digits of the corrections' checksum after it.
    """
    corrections = hashlib.sha256()
    places = _corrections(source)
    for place in places:
        corrections.update(place.read_bytes())
    return f"{checksum}-{corrections.hexdigest()[:N_DIGITS]}" if places else checksum


def is_same_file(one: str, other: str) -> bool:
    """Tell whether two imports are readings of the same data."""
    return one.partition("-")[0] == other.partition("-")[0]


def keep(source: Path, kept: Path) -> str:
    """Copy a file or folder, with the corrections that lie beside it, whole or not at all.

    Args:
        source: the file or folder.
        kept: the import's folder in raw/; nothing is done where it exists.

    Returns:
        The name of the file or folder in there.
    """
    if kept.exists():
        names = (p.name for p in kept.iterdir() if not p.name.endswith(".columns.toml"))
        return next(name for name in names if not name.startswith("."))
    partial = kept.with_name(f".{uuid4().hex}.partial")
    partial.mkdir(parents=True)
    for item in (source, mapping_path(source)):
        if item.is_dir():
            shutil.copytree(item, partial / item.name)
        elif item.is_file():
            shutil.copy2(item, partial / item.name)
    try:
        partial.replace(kept)
    except OSError:
        shutil.rmtree(partial)
        if not kept.exists():  # else somebody else has just kept the same file
            raise
    return source.name


def _corrections(source: Path) -> list[Path]:
    """Find the corrections that reading a file takes notice of; those for a folder lie in it."""
    if source.is_dir():
        return sorted(p for depth in ("", "*/") for p in source.glob(f"{depth}*.columns.toml"))
    return [p for p in (mapping_path(source),) if p.is_file()]
