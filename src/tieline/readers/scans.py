"""Stacks of TIFF images in a folder -> the node /volumes of a record."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr

from tieline.errors import SchemaError
from tieline.readers.volumes import ENDINGS, volume
from tieline.schema.memory import require_memory
from tieline.schema.volumes import shape_text
from tieline.schema.wording import name_some

DEFAULT_UNITS = "µm"
COPIES = 2  # held at once: the scans one by one, and as one array


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan of a specimen.

    Attributes:
        specimen: identity, at first the name of the file or the folder.
        volume (x, y, z): grey values.
        path: of the stack, or of the folder of its slices.
    """

    specimen: object
    volume: xr.DataArray
    path: Path


def is_scan(path: Path) -> bool:
    """Whether a file is a stack of TIFF images by its ending."""
    return path.is_file() and path.suffix.lower() in ENDINGS


def find_scans(folder: Path) -> list[Path]:
    """List the scans of a folder: stacks in it, and folders in it that hold TIFF files.

    A folder whose TIFF files are single images is one scan itself.
    """
    loose = sorted(p for p in folder.iterdir() if is_scan(p))
    within = sorted(p for p in folder.iterdir() if p.is_dir() and any(map(is_scan, p.iterdir())))
    if len(loose) > 1 and not within and all(_n_pages(p) == 1 for p in loose):
        return [folder]
    return [*loose, *within]


def read_scans(places: Sequence[Path], voxel_size: float, units: str | None) -> list[Scan]:
    """Read scans, each named like its file or folder.

    Raises:
        SchemaError: one cannot be read, or they differ in shape.
        TielineError: the memory does not suffice.
    """
    scans: list[Scan] = []
    for place in places:
        read = volume(place, voxel_size=voxel_size, units=units or DEFAULT_UNITS)
        if not scans:
            work = f"{len(places)} scans of {shape_text(read.shape)} voxels"
            require_memory(
                COPIES * float(read.nbytes) * len(places),
                work,
                hint="read them one by one: tl.readers.volume",
            )
        scans.append(Scan(place.stem if place.is_file() else place.name, read, place))
    first = scans[0].volume
    others = [
        f"{scan.specimen}: {shape_text(scan.volume.shape)}, {scan.volume.dtype}"
        for scan in scans
        if scan.volume.shape != first.shape or scan.volume.dtype != first.dtype
    ]
    if others:
        raise SchemaError(
            "The scans of one record have one shape and one number format.",
            found=f"{scans[0].specimen}: {shape_text(first.shape)}, {first.dtype}; {name_some(others)}",
            hint="read them one by one with tl.readers.volume, and crop them to one size",
        )
    return scans


def stack_scans(scans: Sequence[Scan]) -> xr.Dataset:
    """Put scans side by side: volume (measurement, x, y, z), and the coordinate `specimen`."""
    stacked = xr.concat([scan.volume for scan in scans], "measurement", combine_attrs="drop_conflicts")
    return xr.Dataset({"volume": stacked}).assign_coords(
        specimen=("measurement", np.array([scan.specimen for scan in scans]))
    )


def require_voxel_size(place: Path, voxel_size: float | None) -> float:
    """Give the voxel size that was said.

    Raises:
        SchemaError: none was said.
    """
    if voxel_size is None:
        raise SchemaError(
            f"'{place.name}' is a scan, and a scan needs the size of its voxels.",
            hint='as the instrument says: tl.load(path, voxel_size=150, voxel_units="nm")',
        )
    return voxel_size


def checksum(place: Path) -> str:
    """SHA-256 of a scan: of the file, or of the names and checksums of all files of its folder."""
    if place.is_file():
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(p for p in place.iterdir() if is_scan(p))
    return hashlib.sha256("".join(f"{checksum(p)}  {p.name}\n" for p in files).encode()).hexdigest()


def _n_pages(file: Path) -> int:
    try:
        with tifffile.TiffFile(file) as tiff:
            return len(tiff.pages)
    except (tifffile.TiffFileError, ValueError, IndexError, OSError):
        return 0  # refused with its name when it is read
