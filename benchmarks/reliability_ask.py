"""How soon twenty clients are answered that ask one process for a place each."""

import time
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings

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
    """Fit, and let the clients ask."""
    begun = time.perf_counter()
    fitted(place, n_specimens, n_candidates)
    waits: list[float] = []
    names: list[str] = []
    with Campaign.open(place / "lab", ahead=min(N_AHEAD, n_candidates // 4)) as campaign:
        campaign.ask(1)  # the first answer after a start waits for the first choice

        def client(i: int) -> None:
            rng = np.random.default_rng(i)
            for _ in range(n_questions):
                time.sleep(rng.uniform(*PAUSE))
                asked = time.perf_counter()
                answer = campaign.ask(1, by=f"client-{i}")
                waits.append(time.perf_counter() - asked)
                names.append(str(answer["proposal"].values[0]))

        threads = [Thread(target=client, args=(i,)) for i in range(n_clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        listed = campaign.proposals()
        places = set(zip(*(listed[name].values.tolist() for name in INPUTS), strict=True))
    told = 1000 * np.array(waits)
    return {
        "duplicates": len(names) - len(set(names)) + listed.sizes["specimen"] - len(places),
        "p50_ms": float(np.quantile(told, 0.5)),
        "p95_ms": float(np.quantile(told, 0.95)),
        "seconds": time.perf_counter() - begun,
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
