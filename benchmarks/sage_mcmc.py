"""The full posterior by Markov chains: how far it converges, what it costs, and what it gains over "fast".

2a, 2b and fegapd are the published tasks of `sage_2d` and `fegapd`, space is one simulated world of 300
specimens in three dimensions with four phases. R-hat and the least effective number of draws are over
watched predictions: phase probabilities, and mean and spread of the property, half-way between specimens.
`nuts` is NumPyro on a smooth blend of the phases' functions, watched at the same places. worlds are fresh
ones in two and three dimensions, each answered by both engines; `crps_minus_tieline:fast` and the like are
paired. In worlds the chains end after 500 sweeps, converged or not; `--keep FILE` appends every world to
FILE and does not run again what stands there.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks import fegapd, sage_2d
from benchmarks.kept import keep_world, kept_worlds
from benchmarks.methods import Answer, timed
from benchmarks.nuts import nuts_rows
from benchmarks.sage_seeds import Scores, summary_rows, world_scores
from benchmarks.scoring import phase_scores, property_scores
from benchmarks.tasks import Options, Row, Task, data_folder, no_data
from tieline.models.phase_posterior import PhasePosterior
from tieline.models.phase_property import PhaseProperty
from tieline.worlds import World, phase_map

SEEDS = (1000, 30)  # of the worlds that are reported
CASES = ("2a", "2b", "fegapd", "space", "worlds")
WORLD_SWEEPS = 500  # of each chain in a world: thirty worlds must end within an hour
ENGINES = {"tieline": "mcmc", "tieline:fast": "fast"}


def run(options: Options) -> Iterator[Row]:
    """Run all cases."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if case == "worlds":
            yield from _worlds(options)
        elif case == "space":
            yield from _task_rows(case, _space(), options.methods)
        elif folder is None:
            yield no_data("sage_mcmc", case)
        else:
            yield from _task_rows(case, _published(folder, case), options.methods)


def _published(folder: Path, case: str) -> Task:
    return fegapd.task(folder) if case == "fegapd" else sage_2d.task(folder, case)


def _space() -> Task:
    world = phase_map(0, n_dimensions=3, n_phases=4, n_specimens=300)
    return Task(world.table, world.grid, world.truth(world.grid), world.design, world.properties)


def _task_rows(case: str, task: Task, methods: str) -> Iterator[Row]:
    """Score both engines and NumPyro on one task, and say how well the chains converged."""
    if methods != "tieline":
        yield from nuts_rows("sage_mcmc", case, task)
    if methods == "peers":
        return
    for method, inference in ENGINES.items():
        posterior, fit_seconds = timed(_fit, task, inference)
        prediction, predict_seconds = timed(posterior.predict, task.grid)
        numbers = phase_scores(task.truth, prediction) | property_scores(task, prediction)
        if inference == "mcmc":
            numbers |= _convergence(posterior, fit_seconds)
        for metric, value in numbers.items():
            yield Row("sage_mcmc", case, method, metric, value, fit_seconds + predict_seconds)


def _fit(task: Task, inference: str) -> PhasePosterior:
    model = PhaseProperty(
        design=task.design,
        phase="phase",
        properties=list(task.properties),
        inference=inference,
        **task.settings,
    )
    return model.fit(task.table, seed=0)


def _convergence(posterior: PhasePosterior, seconds: float) -> dict[str, float]:
    found = posterior.diagnose()
    least = min(float(found["ess_bulk_min"]), float(found["ess_tail_min"]))
    return {
        "rhat_max": float(found["rhat_max"]),
        "ess_bulk_min": float(found["ess_bulk_min"]),
        "ess_tail_min": float(found["ess_tail_min"]),
        "sweeps": float(found["n_sweeps"]),
        "ess_per_second": least / seconds,
    }


def _worlds(options: Options) -> Iterator[Row]:
    """Compare the engines on fresh worlds in two and three dimensions; a line has its exact engine."""
    if options.methods == "peers":
        return
    known = kept_worlds(options.keep, "worlds")
    for seed in range(options.first_seed, options.first_seed + options.n_seeds):
        if seed not in known:
            known[seed] = {"case": "worlds", "seed": seed, "scores": world_row(seed)}
            keep_world(options.keep, known[seed])
    yield from summary_rows("worlds", [world["scores"] for world in known.values()], "sage_mcmc")


def world_row(seed: int) -> dict[str, Scores]:
    """Let both engines answer a world in the plane (even seeds) or in space (odd ones)."""
    world = phase_map(seed, n_dimensions=2 + seed % 2)
    return {method: _world_scores(world, inference) for method, inference in ENGINES.items()}


def _world_scores(world: World, inference: str) -> Scores:
    model = PhaseProperty(world.design, "phase", "property", inference=inference, n_sweeps=WORLD_SWEEPS)
    posterior, fit_seconds = timed(model.fit, world.table, seed=0)
    prediction, predict_seconds = timed(posterior.predict, world.grid)
    answer = Answer(inference, prediction, fit_seconds + predict_seconds)
    chains = {}
    if inference == "mcmc":
        found = posterior.diagnose()
        chains = {"rhat_max": float(found["rhat_max"]), "ess_bulk_min": float(found["ess_bulk_min"])}
    return {**world_scores(world, answer), **chains}
