"""A file on disk: found, read once, and known by its checksum."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from tieline.errors import SchemaError, did_you_mean

LARGEST_FILE = 500_000_000  # bytes; a table of specimens is far smaller


@dataclass(frozen=True)
class Source:
    """The bytes of one file.

    Attributes:
        path: where it lies.
        data: its bytes.
    """

    path: Path
    data: bytes

    @property
    def name(self) -> str:
        """Name of the file, without its folder."""
        return self.path.name

    @property
    def sha256(self) -> str:
        """Checksum of the bytes, as 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def existing(path: str | os.PathLike[str]) -> Path:
    """Make sure that a path exists.

    Raises:
        SchemaError: it does not; the message names the nearest sibling.
    """
    place = Path(path).expanduser()
    if place.exists():
        return place
    folder = place.parent
    if not folder.is_dir():
        raise SchemaError(
            f"There is no folder '{folder}'.",
            found="no such folder.",
            hint="check the path, or give the full one.",
        )
    siblings = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    found = f"{', '.join(siblings[:8])}{' ...' if len(siblings) > 8 else ''} in the folder."
    raise SchemaError(
        f"There is no file '{place.name}'.",
        found=f"{found} {did_you_mean(place.name, siblings)}".strip() if siblings else "an empty folder.",
        hint="check the spelling and the ending of the name.",
    )


def open_source(path: Path) -> Source:
    """Read a file whole.

    Raises:
        SchemaError: it cannot be opened, or is too large for a table.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise SchemaError(
                f"'{path.name}' is too large for a table of specimens.",
                found=f"{size / 1e6:.0f} MB.",
                hint="export the table alone, without images or raw spectra.",
            )
        return Source(path, path.read_bytes())
    except OSError as error:
        raise SchemaError(
            f"'{path.name}' cannot be opened.",
            found=f"{error.strerror}.",
            hint="check the file and your rights.",
        ) from error
