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
from collections.abc import Callable, Mapping, Sequence
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
    _apart(_survived, place, sheet)


def outcomes_apart(places: Sequence[Path]) -> list[str]:
    """What comes of each file: `read`, or the kind of error that it is refused with."""
    return _apart(_outcomes, places[0], [str(place) for place in places], n_files=len(places))


def spectra_apart(places: Sequence[Path]) -> list[xr.Dataset]:
    """Read files of spectra as `tieline.readers.spectra.load_spectra` does.

    Raises:
        SchemaError: one cannot be read, or not all within time and memory.
    """
    return _opened_apart(_wrote_spectra, places, [str(place) for place in places])


def volume_apart(place: Path, voxel_size: float, units: str) -> xr.DataArray:
    """Read a scan as `tieline.readers.volumes.volume` does.

    Raises:
        SchemaError: it cannot be read, or not within time and memory.
        UnitError: the unit is unknown.
    """
    (scan,) = _opened_apart(_wrote_volume, [place], voxel_size, units)
    return scan["volume"]


def _opened_apart(work: Callable[..., Any], places: Sequence[Path], *about: Any) -> list[xr.Dataset]:
    """What a process of its own made of files; it comes back as files of ours."""
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        n = _apart(work, places[0], folder, *about, n_files=len(places))
        made = []
        for i in range(n):
            one = open_netcdf(Path(folder) / f"{i}.nc")
            assert isinstance(one, xr.Dataset)  # the process writes nothing else
            made.append(one)
    return made


def _wrote_spectra(_: Path, folder: str, places: list[str]) -> int:
    for i, place in enumerate(places):
        save_netcdf(load_spectra(place), Path(folder) / f"{i}.nc")
    return len(places)


def _wrote_volume(place: Path, folder: str, voxel_size: float, units: str) -> int:
    save_netcdf(volume(place, voxel_size=voxel_size, units=units).to_dataset(), Path(folder) / "0.nc")
    return 1


def _previewed(place: Path, columns: dict[str, Any] | None, sheet: str | None) -> list[dict[str, Any]]:
    table = preview(place, columns=columns, sheet=sheet)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def _survived(place: Path, sheet: str | None) -> None:
    with suppress(TielineError):
        load(place, sheet=sheet)


def _outcomes(_: Path, places: list[str]) -> list[str]:
    found = []
    for place in places:
        try:
            load(place, remember=False)
            found.append("read")
        except TielineError as error:
            found.append(type(error).__name__)
        except MemoryError:  # as `answer` has it, where one file is read
            found.append("SchemaError")
    return found


def _apart(work: Callable[..., Any], place: Path, *about: Any, n_files: int = 1) -> Any:
    """Let a process of its own do some work on a file, or on so many with it, and return its answer.

    Not multiprocessing, which would run the script of whoever asks once more, and speak pickle.
    """
    asked = {
        "path": sys.path,
        "work": [work.__module__, work.__name__],
        "place": str(place),
        "about": about,
        "n_files": n_files,
    }
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=PIPE, stdout=PIPE) as process:
        try:
            said, _ = process.communicate(json.dumps(asked).encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise _refused(place, f"it takes more than {PATIENCE:g} s", n_files) from error
    if not said:
        is_late = os.name != "nt" and process.returncode == -signal.SIGXCPU
        found = f"it takes more than {SECONDS} s" if is_late else "the process that read it died"
        raise _refused(place, found, n_files)
    answer = json.loads(said)
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["what"], found=answer["found"], hint=answer["hint"])
    return answer["answer"]


def _refused(place: Path, found: str, n_files: int) -> SchemaError:
    if n_files == 1:
        hint = "open it in the program that wrote it, and export the table alone"
        return SchemaError(f"'{place.name}' cannot be read.", found=found, hint=hint)
    return SchemaError(
        f"One of {n_files} files cannot be read.", found=found, hint="send fewer at once, to see which it is"
    )


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
        refused = _refused(place, f"it needs more than {MEMORY >> 30} GB of memory", asked["n_files"])
        said = {"error": "SchemaError", **three_clauses(refused)}
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
