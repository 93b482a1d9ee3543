"""How soon twenty clients are answered that ask for a place each: in one process, or over HTTP.

They ask as a busy laboratory does: some proposals have been asked for since the fit, and lines of further
ones are chosen in the background.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd

import tieline as tl
from benchmarks.reliability_robots import free_port, served, start
from tieline.campaign.ahead import FIRST
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.service.serving import TURN

INPUTS = ("temperature", "pressure", "time")
N_SPECIMENS, N_CANDIDATES = 1000, 2000
N_CLIENTS, N_QUESTIONS = 20, 25
PAUSE = (0.5, 1.5)  # seconds between two questions of one client
N_AHEAD = 256


def ask_case(
    place: Path,
    *,
    n_specimens: int = N_SPECIMENS,
    n_candidates: int = N_CANDIDATES,
    n_clients: int = N_CLIENTS,
    n_questions: int = N_QUESTIONS,
) -> dict[str, float]:
    """Fit, and let the clients ask in one process."""
    begun, usual = time.perf_counter(), sys.getswitchinterval()
    fitted(place, n_specimens, n_candidates)
    with Campaign.open(place / "lab", ahead=min(N_AHEAD, n_candidates // 4)) as campaign:
        sys.setswitchinterval(TURN)  # as `tieline serve` does

        def ask(i: int) -> str:
            return str(campaign.ask(1, by=f"client-{i}")["proposal"].values[0])

        for _ in range(min(FIRST, n_candidates // 10)):
            ask(0)
        while any(thread.name == "choosing ahead" for thread in threading.enumerate()):
            time.sleep(0.1)
        waits, names = let_ask([ask] * n_clients, n_questions)
        sys.setswitchinterval(usual)
    return found(place, waits, names) | {"seconds": time.perf_counter() - begun}


def ask_http_case(
    place: Path,
    *,
    n_specimens: int = N_SPECIMENS,
    n_candidates: int = N_CANDIDATES,
    n_clients: int = N_CLIENTS,
    n_questions: int = N_QUESTIONS,
) -> dict[str, float]:
    """Fit, serve the campaign from a process of its own, and let the clients ask over HTTP."""
    begun, port = time.perf_counter(), free_port()
    fitted(place, n_specimens, n_candidates)
    service = start(served, place / "lab", port)
    labs = [tl.connect(f"http://127.0.0.1:{port}", by=f"client-{i}") for i in range(n_clients)]
    for _ in range(min(FIRST, n_candidates // 10)):
        labs[0].ask()
    time.sleep(PAUSE[1] * 5)  # for the line that this began
    asks = [lambda _, lab=lab: lab.ask()[0].name for lab in labs]
    waits, names = let_ask(asks, n_questions)
    for lab in labs:
        lab.close()
    service.kill()
    service.join()
    return found(place, waits, names) | {"seconds": time.perf_counter() - begun}


def let_ask(clients: list[Callable[[int], str]], n_questions: int) -> tuple[list[float], list[str]]:
    """Let clients ask at once; returns how long each answer took, in seconds, and whom it named."""
    waits: list[float] = []
    names: list[str] = []

    def client(i: int) -> None:
        rng = np.random.default_rng(i)
        for _ in range(n_questions):
            time.sleep(rng.uniform(*PAUSE))
            asked = time.perf_counter()
            name = clients[i](i)
            waits.append(time.perf_counter() - asked)
            names.append(name)

    threads = [Thread(target=client, args=(i,)) for i in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, names


def found(place: Path, waits: list[float], names: list[str]) -> dict[str, float]:
    """What was measured, and how many places or names were given twice."""
    with Campaign.open(place / "lab") as campaign:
        listed = campaign.proposals()
    places = set(zip(*(listed[name].values.tolist() for name in INPUTS), strict=True))
    told = 1000 * np.array(waits)
    return {
        "duplicates": len(names) - len(set(names)) + listed.sizes["specimen"] - len(places),
        "p50_ms": float(np.quantile(told, 0.5)),
        "p95_ms": float(np.quantile(told, 0.95)),
    }


def fitted(place: Path, n_specimens: int, n_candidates: int) -> None:
    """Make a campaign with a fit and a pool."""
    rng = np.random.default_rng(0)
    settings = Settings("lab", model="GaussianProcess", goal="maximize:hardness", pool="pool.csv")
    with Campaign.create(place / "lab", settings) as campaign:
        x = rng.random((n_specimens, len(INPUTS)))
        sheet = pd.DataFrame(x, columns=list(INPUTS))
        noise = 0.05 * rng.standard_normal(n_specimens)
        sheet["hardness (GPa)"] = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 - x[:, 2] * x[:, 0] + noise
        sheet.to_csv(place / "results.csv", index=False)
        pool = pd.DataFrame(rng.random((n_candidates, len(INPUTS))), columns=list(INPUTS))
        pool.to_csv(place / "lab" / "pool.csv", index=False)
        campaign.import_file(place / "results.csv")
        campaign.fit()
