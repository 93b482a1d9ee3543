"""Files of a campaign that are named by what is in them: a change of any byte shows."""

import os
from pathlib import Path
from uuid import uuid4

import xarray as xr

from tieline.campaign.store.seal import sha256_of
from tieline.errors import TielineError
from tieline.schema import open_netcdf, save_netcdf


def keep_netcdf(data: xr.Dataset | xr.DataTree, folder: Path) -> str:
    """Write data into a folder under the SHA-256 of the file.

    Returns:
        The checksum.
    """
    folder.mkdir(exist_ok=True)
    return adopt(save_netcdf(data, folder / f".{uuid4().hex}.nc"), folder)


def adopt(file: Path, folder: Path, digest: str = "") -> str:
    """Move a file into a folder under its SHA-256, which is returned, and worked out if it is not known."""
    folder.mkdir(exist_ok=True)
    digest = digest or sha256_of(file)
    kept = folder / f"{digest}{file.suffix}"
    file.replace(kept)
    _sync(folder)
    return digest


def kept_netcdf(folder: Path, digest: str) -> Path:
    """The file of a checksum.

    Raises:
        TielineError: it is gone.
    """
    file = folder / f"{digest}.nc"
    if not file.is_file():
        raise TielineError(
            f"A file of the campaign is gone: {folder.name}/{file.name}.",
            hint="put it back from a backup; tieline verify lists all that is missing",
        )
    return file


def read_kept(folder: Path, digest: str) -> xr.Dataset | xr.DataTree:
    """Read the file of a checksum."""
    return open_netcdf(kept_netcdf(folder, digest))


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder, by its path in there."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {p.relative_to(folder).as_posix(): sha256_of(p) for p in files}


def _sync(folder: Path) -> None:
    """Let the names in a folder survive a loss of power, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
