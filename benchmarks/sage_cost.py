"""What fitting and predicting cost as data and grids grow.

prediction: CPU seconds to predict 1,000 to 100,000 places from 200 specimens, and the slope of their
logarithms (1 is linear). line: 300 specimens on a line. large: 1,000 specimens, 8 phases and 3 properties
in the plane, fitted and predicted. growth: 50 to 2,000 specimens, 4 phases and 1 property in the plane,
fitted and predicted at 1,000 places. scale: 2,000 specimens, 12 phases and 3 properties in the plane,
and 100,000 places predicted from them.

Where memory is reported, every method has a process of its own and the peak is that of the whole process.
Beside `large` and `growth` runs scikit-learn's regression of the properties, and beside `growth` its
classification of the labels. That of the 8 phases of `large` would take more than ten minutes and is left
out, as are the peers of `scale`.
"""

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import get_context

import numpy as np

from benchmarks import peers
from benchmarks.methods import ask_tieline, timed
from benchmarks.tasks import Options, Row, Task
from tieline.worlds import World, phase_map

CASES = ("prediction", "line", "large", "growth", "scale")
GRIDS = (1_000, 4_000, 16_000, 100_000)
SIZES = (50, 100, 200, 500, 1_000, 2_000)

LARGE = {"n_phases": 8, "n_specimens": 1_000, "n_properties": 3, "n_grid": 1_000}
GROWTH = {"n_phases": 4, "n_grid": 1_000}
SCALE = {"n_phases": 12, "n_specimens": 2_000, "n_properties": 3, "n_grid": 100_000}

Number = tuple[str, str, float, float]
Settings = Mapping[str, int]


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    measured = {
        "prediction": _prediction,
        "line": _line,
        "large": _large,
        "growth": _growth,
        "scale": _scale,
    }
    for case in filter(options.wants, CASES):
        for method, metric, value, seconds in measured[case](options.methods):
            yield Row("sage_cost", case, method, metric, value, seconds)


def _prediction(methods: str) -> Iterator[Number]:
    """Predict ever larger grids with one posterior."""
    if methods == "peers":
        return
    worlds = {n: _plane({"n_phases": 4, "n_specimens": 200, "n_grid": n}) for n in GRIDS}
    posterior, fit_seconds = timed(_fit, worlds[GRIDS[0]])
    yield "tieline", "fit_cpu_seconds", fit_seconds, fit_seconds
    posterior.predict(worlds[GRIDS[0]].grid)  # the first call also pays for whatever is prepared once
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
    """Fit and predict a large campaign, each method in a fresh process."""
    for method, function in {"tieline": _tieline, "gpr": _gpr}.items():
        if _is_wanted(method, methods):
            seconds, peak_mb = _in_own_process(function, LARGE)
            yield method, "cpu_seconds", seconds, seconds
            yield method, "peak_mb", peak_mb, seconds


def _growth(methods: str) -> Iterator[Number]:
    """Fit and predict ever more specimens, each method and size in a fresh process."""
    for n in SIZES:
        for method, function in {"tieline": _tieline, "gpr": _gpr, "gpc": _gpc}.items():
            if _is_wanted(method, methods):
                seconds, peak_mb = _in_own_process(function, {**GROWTH, "n_specimens": n})
                yield method, f"cpu_seconds_{n}", seconds, seconds
                yield method, f"peak_mb_{n}", peak_mb, seconds


def _scale(methods: str) -> Iterator[Number]:
    """Fit the largest campaign and predict a fine grid, in a fresh process."""
    if methods == "peers":
        return
    fit_seconds, predict_seconds, peak_mb = _in_own_process(_fit_then_predict, SCALE)
    seconds = fit_seconds + predict_seconds
    yield "tieline", "fit_cpu_seconds", fit_seconds, seconds
    yield "tieline", f"cpu_seconds_{SCALE['n_grid']}", predict_seconds, seconds
    yield "tieline", "peak_mb", peak_mb, seconds


def _is_wanted(method: str, methods: str) -> bool:
    return methods == "all" or (methods == "tieline") == (method == "tieline")


def _in_own_process(
    function: Callable[[Settings], tuple[float, ...]], settings: Settings
) -> tuple[float, ...]:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (settings,))


def _tieline(settings: Settings) -> tuple[float, float]:
    """CPU seconds and peak memory of a fit and its prediction."""
    _, seconds = timed(ask_tieline, _task(_plane(settings)))
    return seconds, _peak_mb()


def _gpr(settings: Settings) -> tuple[float, float]:
    """CPU seconds and peak memory of scikit-learn's regression of every property."""
    world = _plane(settings)
    seconds = sum(timed(peers.regress, _seen(world, name))[1] for name in world.properties)
    return seconds, _peak_mb()


def _gpc(settings: Settings) -> tuple[float, float]:
    """CPU seconds and peak memory of scikit-learn's classification of the labels."""
    world = _plane(settings)
    _, seconds = timed(peers.classify, _seen(world, world.properties[0]))
    return seconds, _peak_mb()


def _fit_then_predict(settings: Settings) -> tuple[float, float, float]:
    """CPU seconds of the fit and of the prediction, and the peak memory of both."""
    world = _plane(settings)
    posterior, fit_seconds = timed(_fit, world)
    _, predict_seconds = timed(posterior.predict, world.grid)
    return fit_seconds, predict_seconds, _peak_mb()


def _fit(world: World):
    from tieline.models.phase_property import PhaseProperty

    model = PhaseProperty(design=world.design, phase="phase", properties=world.properties)
    return model.fit(world.table, seed=0)


def _plane(settings: Settings) -> World:
    return phase_map(0, n_dimensions=2, **settings)


def _seen(world: World, name: str) -> peers.Seen:
    return peers.seen_by_peers(world.table, world.grid, world.design, name)


def _task(world: World) -> Task:
    return Task(world.table, world.grid, world.truth(world.grid), world.design, world.properties)


def _peak_mb() -> float:
    """Give the most memory that this process ever held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # bytes there, KiB on Linux
