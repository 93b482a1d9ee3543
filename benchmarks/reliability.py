"""Whether a campaign loses or doubles anything: under kills, under many writers, and how soon it answers.

`kill`: a robot tells results, each under a key, and fits now and then; it is killed (-9) at random moments
and goes on with the request that nobody acknowledged. `writers_sqlite`, `writers_postgres`: processes ask,
claim and tell at once, and some die with what they have claimed. `ask`: twenty clients of one process ask
for a place each, of 2,000, after a fit to 1,000 specimens. `ask_http`: the same
through the service. `loop`: a simulated laboratory runs 40 experiments
through the service while its robot and the service are killed (-9). `files`: 10,000 damaged and hostile
files before every reader.

There are no peers in this. `seconds` is the wall clock of the case, as is every time: it is what a client
sees, so nothing else should run on the machine.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.reliability_ask import ask_case, ask_http_case
from benchmarks.reliability_files import files_case
from benchmarks.reliability_loop import loop_case
from benchmarks.reliability_robots import LAB, lost_and_doubled, robot, start, tell_until_killed, writer
from benchmarks.reliability_server import postgres
from benchmarks.tasks import Options, Row
from tieline.campaign.campaign import Campaign

CASES = ("kill", "writers_sqlite", "writers_postgres", "ask", "ask_http", "loop", "files")
N_KILLS, N_RECORDS = 200, 1000
N_WRITERS, N_TURNS = 16, 500
N_FILES = 10_000
LONGEST = 0.15  # seconds that a robot lives at most before it is killed


def run(options: Options) -> Iterator[Row]:
    """Run the cases at full size."""
    # A fit that outlived everybody may still be closing its database.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for case in filter(options.wants, CASES):
            place = Path(folder) / case
            place.mkdir()
            if case == "kill":
                found = kill_case(place, N_KILLS, N_RECORDS)
            elif case == "ask":
                found = ask_case(place)
            elif case == "ask_http":
                found = ask_http_case(place)
            elif case == "loop":
                found = loop_case(place)
            elif case == "files":
                found = files_case(place, N_FILES)
            else:
                with database(case, place) as url:
                    found = writers_case(place, N_WRITERS, N_TURNS, url)
            seconds = found.pop("seconds")
            for metric, value in found.items():
                yield Row("reliability", case, "tieline", metric, value, seconds)


@contextmanager
def database(case: str, place: Path) -> Iterator[str | None]:
    """Where the writers write: a file, or a PostgreSQL server of their own."""
    if case == "writers_sqlite":
        yield None
        return
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as url:  # a socket's path is short
        yield url


def kill_case(place: Path, n_kills: int, n_records: int) -> dict[str, float]:
    """Kill a robot again and again; afterwards let it finish."""
    begun, rng = time.perf_counter(), np.random.default_rng(0)
    Campaign.create(place / "lab", LAB).close()
    acknowledged = place / "acknowledged"
    acknowledged.touch()
    reopened, kills = [], 0
    while kills < n_kills and len(acknowledged.read_text().split()) < n_records:
        process = start(robot, place / "lab", acknowledged, n_records)
        process.join(float(rng.uniform(0.01, LONGEST)))
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        opened = time.perf_counter()
        Campaign.open(place / "lab").store.database.close()
        reopened.append(time.perf_counter() - opened)
    tell_until_killed(place / "lab", acknowledged, n_records)
    with Campaign.open(place / "lab") as campaign:
        lost, doubled = lost_and_doubled(campaign, acknowledged.read_text().split())
        faults = len(campaign.verify())
    return {
        "kills": kills,
        "lost": lost,
        "duplicates": doubled,
        "faults": faults,
        "reopen_max_s": max(reopened, default=0.0),
        "seconds": time.perf_counter() - begun,
    }


def writers_case(place: Path, n_writers: int, n_turns: int, url: str | None) -> dict[str, float]:
    """Let processes ask, claim and tell at once; one in four dies with a claim."""
    begun = time.perf_counter()
    Campaign.create(place / "lab", replace(LAB, store=url)).close()
    logs = [place / f"writer-{i}" for i in range(n_writers)]
    processes = [start(writer, place / "lab", log, n_turns, i, i % 4 == 3) for i, log in enumerate(logs)]
    for process in processes:
        process.join()
    texts = [log.read_text().splitlines() for log in logs if log.exists()]
    lines = [line.split() for text in texts for line in text]
    # The first answer of a process waits for its libraries.
    warm = [line.split() for text in texts for line in text[1:]]
    waits = np.array([float(seconds) for kind, seconds, _ in warm if kind != "error"])
    told = [name for kind, _, name in lines if kind == "tell"]
    with Campaign.open(place / "lab") as campaign:
        lost, doubled = lost_and_doubled(campaign, told)
        listed = campaign.proposals()
        places = listed["x"].values.tolist()
        faults = len(campaign.verify())
    return {
        "lost": lost,
        "duplicates": doubled + len(places) - len(set(places)),
        "errors": sum(kind == "error" for kind, _, _ in lines),
        "faults": faults,
        "p95_ms": 1000 * float(np.quantile(waits, 0.95)),
        "p99_ms": 1000 * float(np.quantile(waits, 0.99)),
        "seconds": time.perf_counter() - begun,
    }
