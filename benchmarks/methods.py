"""Ask every method the same question, and time it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import xarray as xr

from benchmarks import peers
from benchmarks.tasks import Task

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method predicts on the grid, in the form of a tieline posterior, and its CPU time."""

    method: str
    prediction: xr.Dataset
    seconds: float


def answers(task: Task, methods: str) -> Iterator[Answer]:
    """Let tieline, the peers or all of them answer a task."""
    if methods in ("all", "tieline"):
        yield Answer("tieline", *timed(ask_tieline, task))
    if methods in ("all", "peers"):
        yield from ask_peers(task)


def ask_tieline(task: Task) -> xr.Dataset:
    """Fit `PhaseProperty` as a user would, and predict the grid."""
    from tieline.models.phase_property import PhaseProperty

    model = PhaseProperty(
        design=task.design, phase="phase", properties=list(task.properties), **task.settings
    )
    return model.fit(task.table, seed=0).predict(task.grid)


def ask_peers(task: Task) -> Iterator[Answer]:
    """Run the simple alternatives; what they share is fitted once and counted for each."""
    name = task.properties[0]
    seen = peers.seen_by_peers(task.table, task.grid, task.design, name)
    phase, phase_seconds = timed(peers.classify, seen)
    yield Answer("gpc", _prediction(task, phase=phase), phase_seconds)
    by_axis, by_axis_seconds = timed(peers.classify_by_axis, seen)
    yield Answer("gpc_ard", _prediction(task, phase=by_axis), by_axis_seconds)
    smooth, smooth_seconds = timed(peers.regress, seen)
    yield Answer("gpr", _prediction(task, moments=smooth), smooth_seconds)
    regions, region_seconds = timed(peers.regress_regions, seen, phase)
    seconds = phase_seconds + region_seconds
    hard, mixed = regions.of_most_likely_region(), regions.of_all_regions()
    yield Answer("two_stage", _prediction(task, phase, hard), seconds)
    yield Answer("two_stage_mixture", _prediction(task, phase, mixed), seconds)
    harmonic, harmonic_seconds = timed(peers.propagate_labels, seen)
    regions, region_seconds = timed(peers.regress_regions, seen, harmonic)
    hard = regions.of_most_likely_region()
    yield Answer("harmonic", _prediction(task, harmonic, hard), harmonic_seconds + region_seconds)


def _prediction(
    task: Task, phase: peers.Phases | None = None, moments: peers.Moments | None = None
) -> xr.Dataset:
    """Write a peer's answer as a tieline posterior writes its own."""
    prediction = xr.Dataset(coords={"specimen": task.grid["specimen"]})
    if phase is not None:
        prediction = prediction.assign_coords(phase=phase.labels)
        prediction["phase_probability"] = (("specimen", "phase"), phase.on_grid)
    if moments is not None:
        name = task.properties[0]
        prediction[name] = ("specimen", moments.mean)
        prediction[f"{name}_sd"] = ("specimen", moments.sd)
    return prediction


def timed(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """Call a function; give its result and the CPU seconds it took."""
    start = time.process_time()
    result = function(*args, **kwargs)
    return result, time.process_time() - start
