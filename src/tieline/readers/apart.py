"""Files from elsewhere are read by a process of their own, which has so much time and memory and no more.

What a damaged or hostile file does to a library, it does there. The answer comes back as JSON.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

import xarray as xr

from tieline import errors
from tieline.errors import SchemaError, TielineError, three_clauses
from tieline.readers.load import load
from tieline.readers.preview import preview
from tieline.readers.spectra import load_spectra
from tieline.readers.volumes import volume
from tieline.schema import open_netcdf, save_netcdf

SECONDS = 30  # of work that one file, or one folder, may take
PATIENCE = 120.0  # seconds that one waits for it, as a machine may be busy with other work
MEMORY = 2 << 30  # bytes beside what the libraries take
CHILD = (
    "import json, sys; asked = json.loads(sys.stdin.buffer.read()); sys.path[:] = asked['path']; "
    "from tieline.readers.apart import answer; answer(asked)"
)


def previewed_apart(
    place: Path, columns: Mapping[str, Any] | None = None, sheet: str | None = None
) -> list[dict[str, Any]]:
    """Preview a file as `tieline.readers.preview.preview` does, one row a column; None is what is not known.

    Raises:
        SchemaError: it cannot be read, or not within time and memory.
    """
    return _apart(_previewed, place, dict(columns) if columns else None, sheet)


def survive_apart(place: Path, sheet: str | None = None) -> None:
    """See that a file or folder does no harm when it is loaded; what else is wrong with it, loading tells.

    Raises:
        SchemaError: it takes too much time or memory, or the process that reads it dies.
    """
    try:
        _ask(_survived, place, sheet)
    except _Lost as lost:
        if not place.is_dir():
            raise _refused(place, lost.found) from lost
        files = sorted(file for file in place.rglob("*") if file.is_file())
        with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
            for i, found in _lost_files(_outcomes, files, Path(folder)):
                raise _refused(files[i], found) from lost
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
        lost = dict(_lost_files(_outcomes, places, Path(folder)))
        return [lost.get(i) or (Path(folder) / f"{i}.done").read_text() for i in range(len(places))]


def spectra_apart(places: Sequence[Path]) -> list[xr.Dataset]:
    """Read files of spectra as `tieline.readers.spectra.load_spectra` does.

    Raises:
        SchemaError: one cannot be read, or not within time and memory; the message names it.
    """
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        for i, found in _lost_files(_wrote_spectra, places, Path(folder)):
            raise _refused(places[i], found)
        return [_opened(Path(folder), i) for i in range(len(places))]


def volume_apart(place: Path, voxel_size: float, units: str) -> xr.DataArray:
    """Read a scan as `tieline.readers.volumes.volume` does.

    Raises:
        SchemaError: it cannot be read, or not within time and memory.
        UnitError: the unit is unknown.
    """
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        _apart(_wrote_volume, place, folder, voxel_size, units)
        return _opened(Path(folder), 0)["volume"]


def _lost_files(work: Callable[..., Any], places: Sequence[Path], folder: Path) -> Iterator[tuple[int, str]]:
    """Let a process of its own go through files, and another one go on behind each at which it is lost.

    Args:
        work: takes a file, a folder, the number of the first file, and all of them; in the folder it leaves
            NUMBER.done for each that it is done with.
        places: of the files.
        folder: for what it makes.

    Returns:
        The number of each file that takes too much even alone, and why.
    """
    n_done = 0
    while n_done < len(places):
        try:
            _ask(work, places[n_done], str(folder), n_done, [str(place) for place in places[n_done:]])
            return
        except _Lost:
            n_done = max(n_done, 1 + max((int(done.stem) for done in folder.glob("*.done")), default=-1))
        if n_done < len(places):  # all that went before may have taken most of the time
            try:
                _ask(work, places[n_done], str(folder), n_done, [str(places[n_done])])
            except _Lost as lost:
                yield n_done, lost.found
            n_done += 1


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


class _Lost(Exception):
    """A process of its own took too much, or died."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def _apart(work: Callable[..., Any], place: Path, *about: Any) -> Any:
    """Let a process of its own do some work on a file, and return its answer.

    Raises:
        SchemaError: it takes too much time or memory, or dies.
    """
    try:
        return _ask(work, place, *about)
    except _Lost as lost:
        raise _refused(place, lost.found) from lost


def _ask(work: Callable[..., Any], place: Path, *about: Any) -> Any:
    """Let a process of its own do some work on a file, and on others that are named beside it.

    Not multiprocessing, which would run the script of whoever asks once more, and speak pickle.
    """
    asked = {
        "path": sys.path,
        "work": [work.__module__, work.__name__],
        "place": str(place),
        "about": about,
    }
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=PIPE, stdout=PIPE) as process:
        try:
            said, _ = process.communicate(json.dumps(asked).encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise _Lost(f"it takes more than {PATIENCE:g} s") from error
    if not said:
        is_late = os.name != "nt" and process.returncode == -signal.SIGXCPU
        raise _Lost(f"it takes more than {SECONDS} s" if is_late else "the process that read it died")
    answer = json.loads(said)
    if "lost" in answer:
        raise _Lost(answer["lost"])
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["what"], found=answer["found"], hint=answer["hint"])
    return answer["answer"]


def _refused(place: Path, found: str) -> SchemaError:
    hint = "open it in the program that wrote it, and export the table alone"
    return SchemaError(f"'{place.name}' cannot be read.", found=found, hint=hint)


def answer(asked: Mapping[str, Any]) -> None:
    """In the process of its own: do the work within the limits, and write the answer or the error as JSON."""
    there = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    module, name = asked["work"]
    work, place = getattr(importlib.import_module(module), name), Path(asked["place"])
    _limit()
    try:
        said = {"answer": work(place, *asked["about"])}
    except TielineError as error:
        said = {"error": type(error).__name__, **three_clauses(error)}
    except MemoryError:
        said = {"lost": f"it needs more than {MEMORY >> 30} GB of memory"}
    with there:
        there.write(json.dumps(said, default=lambda value: value.item()).encode())


def _limit() -> None:
    """Take no more memory and time than a file may have, where the system knows limits."""
    if os.name == "nt":
        return
    import resource

    status = Path("/proc/self/statm")
    held = int(status.read_text().split()[0]) * resource.getpagesize() if status.is_file() else 4 << 30
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
