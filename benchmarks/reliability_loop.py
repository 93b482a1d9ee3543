"""A laboratory that runs by itself while its robot and its service are killed again and again.

The laboratory and the robot are those of examples/robot_lab.py. Whoever was killed is started anew at once.
"""

import signal
import sys
import time
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import sqlalchemy as sa

import tieline as tl
from benchmarks.reliability_robots import free_port, served, start
from tieline.campaign.store import tables

EXAMPLE = Path(__file__).parents[1] / "examples" / "robot_lab.py"
N_EXPERIMENTS, N_KILLS, FIT_EVERY = 40, 100, 8
LONGEST = 1.5  # seconds between two kills
SPEED = 2e5


def loop_case(
    place: Path,
    *,
    n_experiments: int = N_EXPERIMENTS,
    n_kills: int = N_KILLS,
    fit_every: int = FIT_EVERY,
) -> dict[str, float]:
    """Run the loop, and count what was lost, doubled or made in vain."""
    begun, rng = time.perf_counter(), np.random.default_rng(0)
    folder, shelves, port = place / "lab", place / "shelves", free_port()
    tl.Campaign.create(folder, robot_lab().SETTINGS).close()
    work = {"service": (served, folder, port), "robot": (robot, port, shelves, n_experiments, fit_every)}
    processes = {who: start(*about) for who, about in work.items()}
    kills = Counter()
    while processes["robot"].is_alive() or processes["robot"].exitcode != 0:
        processes["robot"].join(float(rng.uniform(0.05, LONGEST)))
        for who in rng.permutation(list(work))[: rng.integers(1, 3)] if kills.total() < n_kills else ():
            if processes[who].is_alive():
                processes[who].kill()
                kills[who] += 1
        for who, process in processes.items():
            if not process.is_alive() and process.exitcode != 0:
                if process.exitcode != -signal.SIGKILL:
                    raise RuntimeError(f"The {who} ended by itself: exit code {process.exitcode}.")
                processes[who] = start(*work[who])
    processes["service"].kill()
    processes["service"].join()
    counts = {f"kills_{who}": float(kills[who]) for who in work}
    return counts | _found(folder, shelves) | {"seconds": time.perf_counter() - begun}


def _found(folder: Path, shelves: Path) -> dict[str, float]:
    with tl.Campaign.open(folder) as campaign:
        while any(fit.state == "running" for fit in campaign.fits()):
            time.sleep(0.2)  # fits outlive the service that began them
        table = tables.measurement
        rows = campaign.store.rows(sa.select(table.c.specimen, table.c.property))
        told = Counter((row.specimen, row.property) for row in rows)
        artifacts = campaign.store.rows(sa.select(tables.artifact.c.specimen))
        told.update((row.specimen, "pattern") for row in artifacts)
        done = campaign.proposals("done")["proposal"].values.tolist()
        failed = campaign.proposals("failed")["proposal"].values.tolist()
        faults = len(campaign.verify())
    wanted = [(name, what) for name in done for what in ("phase", "conductivity", "pattern")]
    annealed = {file.name.partition(".")[0] for file in shelves.glob("*.furnace.json")}
    return {
        "experiments": len(done) + len(failed),
        "lost": sum(pair not in told for pair in wanted),
        "duplicates": sum(count - 1 for count in told.values()),
        "in_vain": len(annealed - {*done, *failed}),
        "faults": faults,
    }


def robot(port: int, shelves: Path, n: int, fit_every: int) -> None:
    """Run experiments until n are over, or until killed."""
    lab = robot_lab()
    with tl.connect(f"http://127.0.0.1:{port}", by="robot") as client:
        lab.run_robot(client, lab.Laboratory(shelves, speed=SPEED), n, fit_every=fit_every)


def robot_lab() -> ModuleType:
    """The example, without its short round."""
    if "robot_lab" not in sys.modules:
        spec = spec_from_file_location("robot_lab", EXAMPLE)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["robot_lab"] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["robot_lab"]
