"""The best of a million compositions: seconds on the clock with two threads, and peak memory.

Six elements, 200 simulated alloys to learn from; candidates come in tables of 20,000. Each model is asked in
a process of its own. The ensemble is five ways that answer together; extra trees are those of a `Learner`.
"""

import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import xarray as xr

from benchmarks.tasks import Row
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.learner import Learner
from tieline.planning.goals import Maximize
from tieline.planning.screen import screen

N_CANDIDATES, PART, N_KNOWN = 1_000_000, 20_000, 200
ELEMENTS = ["Al", "Co", "Cr", "Fe", "Ni", "Ti"]
MODELS = {
    "tieline": GaussianProcess(["composition"], "hardness"),
    "tieline:extra_trees": Learner("composition", "hardness"),
    "tieline:ensemble": Learner("composition", "hardness", uncertainty="ensemble"),
}


def screened(n: int = N_CANDIDATES) -> Iterator[Row]:
    """Time every model."""
    for method in MODELS:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            elapsed, cpu, peak = alone.submit(measure, method, n).result()
        for metric, value in (("elapsed_seconds", elapsed), ("cpu_seconds", cpu), ("peak_mb", peak)):
            yield Row("workflow", "screen", method, metric, value, cpu)


def measure(method: str, n: int) -> tuple[float, float, float]:
    """Seconds on the clock and of the processor, and megabytes at most."""
    posterior = MODELS[method].fit(alloys(N_KNOWN, 0), seed=0)
    posterior.predict(alloys(5, 1))  # what is fitted when it is first asked is paid before
    start, cpu = time.perf_counter(), time.process_time()
    candidates = (alloys(PART, 2 + k).drop_vars("hardness") for k in range(n // PART))
    with ThreadPoolExecutor(2) as threads:
        screen(posterior, candidates, Maximize("hardness"), n=10, executor=threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - start, time.process_time() - cpu
    return *seconds, peak / (1e6 if sys.platform == "darwin" else 1e3)


def alloys(n: int, seed: int) -> xr.Dataset:
    """Alloys with a hardness that depends on four of six elements."""
    rng = np.random.default_rng(seed)
    x = rng.dirichlet(np.ones(len(ELEMENTS)), n)
    hardness = 300 + 400 * x[:, 0] - 200 * x[:, 4] + 800 * x[:, 1] * x[:, 5] + 10 * rng.standard_normal(n)
    return xr.Dataset(
        {
            "composition": (("specimen", "element"), x, {"role": "synthesis", "units": "1"}),
            "hardness": ("specimen", hardness, {"role": "property", "units": "HV"}),
        },
        {"specimen": np.arange(n), "element": ELEMENTS},
    )
