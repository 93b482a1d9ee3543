"""A process of its own for work on a file from elsewhere, which has so much time and memory and no more.

What a damaged or hostile file does to a library, it does there. The answer comes back as JSON.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any

from tieline.errors import SchemaError, TielineError, error_told, three_clauses

SECONDS = 30  # of work that one file, or one folder, may take
PATIENCE = 120.0  # seconds that one waits for it, as a machine may be busy with other work
MEMORY = 2 << 30  # bytes beside what the libraries take
DIED = "the process that read it died"
LONGEST = 200  # letters of its last words
CHILD = (
    "import json, sys; asked = json.loads(sys.stdin.buffer.read()); sys.path[:] = asked['path']; "
    "from tieline.readers.process import answer; answer(asked)"
)


class Lost(Exception):
    """A process of its own took too much, or died."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def apart(work: Callable[..., Any], place: Path, *about: Any) -> Any:
    """Let a process of its own do some work on a file, and return its answer.

    Raises:
        SchemaError: it takes too much time or memory, or dies.
    """
    try:
        return ask(work, place, *about)
    except Lost as lost:
        raise refused(place, lost.found) from lost


def ask(work: Callable[..., Any], place: Path, *about: Any) -> Any:
    """Let a process of its own do some work on a file, and on others that are named beside it.

    Not multiprocessing, which would run the script of whoever asks once more, and speak pickle.
    """
    asked = {
        "path": sys.path,
        "work": [work.__module__, work.__name__],
        "place": str(place),
        "about": about,
    }
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        try:
            said, complaints = process.communicate(json.dumps(asked).encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise Lost(f"it takes more than {PATIENCE:g} s") from error
    if not said:
        is_late = os.name != "nt" and process.returncode == -signal.SIGXCPU
        last = complaints.decode(errors="replace").strip().splitlines()[-1:]
        died = ": ".join([DIED, *(word[:LONGEST] for word in last)])
        raise Lost(f"it takes more than {SECONDS} s" if is_late else died)
    answer = json.loads(said)
    if "lost" in answer:
        raise Lost(answer["lost"])
    if "error" in answer:
        raise error_told(answer["error"], answer)
    return answer["answer"]


def lost_files(work: Callable[..., Any], places: Sequence[Path], folder: Path) -> Iterator[tuple[int, str]]:
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
            ask(work, places[n_done], str(folder), n_done, [str(place) for place in places[n_done:]])
            return
        except Lost:
            n_done = max(n_done, 1 + max((int(done.stem) for done in folder.glob("*.done")), default=-1))
        if n_done < len(places):  # all that went before may have taken most of the time
            try:
                ask(work, places[n_done], str(folder), n_done, [str(places[n_done])])
            except Lost as lost:
                yield n_done, lost.found
            n_done += 1


def refused(place: Path, found: str) -> SchemaError:
    """What is raised where the process that read a file was lost."""
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
    for what, most in ((resource.RLIMIT_AS, held + MEMORY), (resource.RLIMIT_CPU, SECONDS + 5)):
        _, hard = resource.getrlimit(what)  # less already, in a process of a process of its own
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (min(most, SECONDS) if what == resource.RLIMIT_CPU else most, most))
