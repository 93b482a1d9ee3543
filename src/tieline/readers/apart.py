"""Files from elsewhere, read by a process of their own: previews, records, spectra, volumes."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr

from tieline.errors import SchemaError, TielineError
from tieline.readers.load import load
from tieline.readers.preview import preview
from tieline.readers.process import Lost, apart, ask, lost_files, refused
from tieline.readers.spectra import load_spectra
from tieline.readers.volumes import volume
from tieline.schema import open_netcdf, save_netcdf


def previewed_apart(
    place: Path, columns: Mapping[str, Any] | None = None, sheet: str | None = None
) -> list[dict[str, Any]]:
    """Preview a file as `tieline.readers.preview.preview` does, one row a column; None is what is not known.

    Raises:
        SchemaError: it cannot be read, or not within time and memory.
    """
    return apart(_previewed, place, dict(columns) if columns else None, sheet)


def survive_apart(place: Path, sheet: str | None = None) -> None:
    """See that a file or folder does no harm when it is loaded; what else is wrong with it, loading tells.

    Raises:
        SchemaError: it takes too much time or memory, or the process that reads it dies.
    """
    try:
        ask(_survived, place, sheet)
    except Lost as lost:
        if not place.is_dir():
            raise refused(place, lost.found) from lost
        files = sorted(file for file in place.rglob("*") if file.is_file())
        with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
            for i, found in lost_files(_outcomes, files, Path(folder)):
                raise refused(files[i], found) from lost
        raise SchemaError(
            f"{len(files)} files cannot be read at once, though each can alone.",
            found=lost.found,
            hint="drop fewer at once",
        ) from lost


def outcomes_apart(places: Sequence[Path]) -> list[str]:
    """What comes of each file.

    Returns:
        `read`, the kind of error that it is refused with, or why the process that read it was lost.
    """
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        lost = dict(lost_files(_outcomes, places, Path(folder)))
        return [lost.get(i) or (Path(folder) / f"{i}.done").read_text() for i in range(len(places))]


def spectra_apart(places: Sequence[Path]) -> list[xr.Dataset]:
    """Read files of spectra as `tieline.readers.spectra.load_spectra` does.

    Raises:
        SchemaError: one cannot be read, or not within time and memory; the message names it.
    """
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        for i, found in lost_files(_wrote_spectra, places, Path(folder)):
            raise refused(places[i], found)
        return [_opened(Path(folder), i) for i in range(len(places))]


def volume_apart(place: Path, voxel_size: float, units: str) -> xr.DataArray:
    """Read a scan as `tieline.readers.volumes.volume` does.

    Raises:
        SchemaError: it cannot be read, or not within time and memory.
        UnitError: the unit is unknown.
    """
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        apart(_wrote_volume, place, folder, voxel_size, units)
        return _opened(Path(folder), 0)["volume"]


def _opened(folder: Path, number: int) -> xr.Dataset:
    """What a process of its own made of a file; it comes back as a file of ours."""
    made = open_netcdf(folder / f"{number}.nc")
    assert isinstance(made, xr.Dataset)  # the process writes nothing else
    return made


def _wrote_spectra(_: Path, folder: str, first: int, places: list[str]) -> None:
    for i, place in enumerate(places, start=first):
        save_netcdf(load_spectra(place), Path(folder) / f"{i}.nc")
        (Path(folder) / f"{i}.done").touch()


def _wrote_volume(place: Path, folder: str, voxel_size: float, units: str) -> None:
    save_netcdf(volume(place, voxel_size=voxel_size, units=units).to_dataset(), Path(folder) / "0.nc")


def _previewed(place: Path, columns: dict[str, Any] | None, sheet: str | None) -> list[dict[str, Any]]:
    table = preview(place, columns=columns, sheet=sheet)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _survived(place: Path, sheet: str | None) -> None:
    with suppress(TielineError):
        load(place, sheet=sheet)


def _outcomes(_: Path, folder: str, first: int, places: list[str]) -> None:
    for i, place in enumerate(places, start=first):
        try:
            load(place, remember=False)
            outcome = "read"
        except TielineError as error:
            outcome = type(error).__name__
        except MemoryError:  # as `answer` has it, where one file is read
            outcome = "SchemaError"
        (Path(folder) / f"{i}.done").write_text(outcome)
