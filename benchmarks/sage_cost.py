"""What fitting and predicting cost as data and grids grow.

prediction: CPU seconds to predict 1,000, 4,000 and 16,000 places, and the slope of their logarithms
(1 is linear). line: 300 specimens on a line. large: 1,000 specimens, 8 phases, 3 properties in the
plane, fitted and predicted in a process of its own, whose peak memory is reported. Beside `large`
runs scikit-learn's regression of the three properties; its classification of 8 phases would take more
than ten minutes and is left out.
"""

import resource
import sys
from collections.abc import Iterator
from multiprocessing import get_context

import numpy as np

from benchmarks import peers
from benchmarks.methods import ask_tieline, timed
from benchmarks.tasks import Options, Row, Task
from tieline.worlds import World, phase_map

CASES = ("prediction", "line", "large")
GRIDS = (1_000, 4_000, 16_000)


def run(options: Options) -> Iterator[Row]:
    """Run the three cases."""
    measured = {"prediction": _prediction, "line": _line, "large": _large}
    for case in filter(options.wants, CASES):
        for method, metric, value, seconds in measured[case](options.methods):
            yield Row("sage_cost", case, method, metric, value, seconds)


Number = tuple[str, str, float, float]


def _prediction(methods: str) -> Iterator[Number]:
    """Predict ever larger grids with one posterior."""
    if methods == "peers":
        return
    from tieline.models.phase_property import PhaseProperty

    worlds = {n: phase_map(0, n_dimensions=2, n_phases=4, n_specimens=200, n_grid=n) for n in GRIDS}
    world = worlds[GRIDS[0]]
    model = PhaseProperty(design=world.design, phase="phase", properties=world.properties)
    posterior, fit_seconds = timed(model.fit, world.table, seed=0)
    yield "tieline", "fit_cpu_seconds", fit_seconds, fit_seconds
    posterior.predict(world.grid)  # the first call also pays for whatever is prepared once
    taken = [timed(posterior.predict, worlds[n].grid)[1] for n in GRIDS]
    for n, seconds in zip(GRIDS, taken, strict=True):
        yield "tieline", f"cpu_seconds_{n}", seconds, seconds
    slope = float(np.polyfit(np.log(GRIDS), np.log(taken), 1)[0])
    yield "tieline", "slope", slope, sum(taken)


def _line(methods: str) -> Iterator[Number]:
    """Fit and predict 300 specimens on a line."""
    if methods == "peers":
        return
    world = phase_map(0, n_dimensions=1, n_phases=4, n_specimens=300)
    _, seconds = timed(ask_tieline, _task(world))
    yield "tieline", "cpu_seconds", seconds, seconds


def _large(methods: str) -> Iterator[Number]:
    """Fit and predict the largest case, each method in a fresh process."""
    for method, function in {"tieline": _large_tieline, "gpr": _large_gpr}.items():
        if methods == "all" or (methods == "tieline") == (method == "tieline"):
            with get_context("spawn").Pool(1) as pool:
                seconds, peak_mb = pool.apply(function)
            yield method, "cpu_seconds", seconds, seconds
            yield method, "peak_mb", peak_mb, seconds


def _large_world() -> World:
    return phase_map(0, n_dimensions=2, n_phases=8, n_specimens=1000, n_properties=3, n_grid=1000)


def _large_tieline() -> tuple[float, float]:
    _, seconds = timed(ask_tieline, _task(_large_world()))
    return seconds, _peak_mb()


def _large_gpr() -> tuple[float, float]:
    world = _large_world()
    total = 0.0
    for name in world.properties:
        seen = peers.seen_by_peers(world.table, world.grid, world.design, name)
        total += timed(peers.regress, seen)[1]
    return total, _peak_mb()


def _task(world: World) -> Task:
    return Task(world.table, world.grid, world.truth(world.grid), world.design, world.properties)


def _peak_mb() -> float:
    """Give the most memory that this process ever held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # bytes there, KiB on Linux
