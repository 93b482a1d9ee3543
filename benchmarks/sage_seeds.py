"""Fresh simulated worlds from `tieline.worlds.phase_map`, each method's mean over all of them.

Settings are whatever the generator draws: one to three axes, two to five phases, 20 to 120
specimens, noise, gaps, wrong labels and outliers. Phases and `r2` are scored against the noise-free
truth on 512 held-out places; `crps` and `coverage_90` against fresh measurements there, with the
world's noise but no outliers. `crps` is in units of the property's sd in that world. Rows
`accuracy_minus_gpc` and the like are the mean paired difference over worlds, ours minus a peer's,
with its standard error in `accuracy_minus_gpc_se`.

Worlds 1000 and up are for the reported figure, scored once. Develop on others: --first-seed 0.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.methods import Answer, answers
from benchmarks.scoring import phase_scores
from benchmarks.tasks import Options, Row, Task
from tieline.evaluation import scores
from tieline.worlds import World, phase_map

CASES = ("all", "line", "plane", "space")
SEEDS = (1000, 30)  # the first world, and how many
Scores = Mapping[str, float]


def run(options: Options) -> Iterator[Row]:
    """Run all methods on all worlds, then report means and paired differences."""
    by_world = []
    for seed in range(options.first_seed, options.first_seed + options.n_seeds):
        world = phase_map(seed)
        if options.case in (None, "all", CASES[world.settings["n_dimensions"]]):
            found = {answer.method: world_scores(world, answer) for answer in _answers(world, options)}
            by_world.append((CASES[world.settings["n_dimensions"]], found))
    for case in filter(options.wants, CASES):
        chosen = [found for kind, found in by_world if case in ("all", kind)]
        if chosen:
            yield from summary_rows(case, chosen)


def _answers(world: World, options: Options) -> Iterator[Answer]:
    """Ask every method about a world."""
    truth = world.truth(world.grid)
    yield from answers(Task(world.table, world.grid, truth, world.design), options.methods)


def world_scores(world: World, answer: Answer) -> Scores:
    """Score one answer; includes `seconds`."""
    prediction, truth = answer.prediction, world.truth(world.grid)
    found = {"seconds": answer.seconds} | phase_scores(truth, prediction)
    if "property" not in prediction:
        return found
    true, mean, sd = (
        part.values for part in (truth["property"], prediction["property"], prediction["property_sd"])
    )
    noise = np.random.default_rng([world.settings["seed"], 1]).standard_normal(len(true))
    fresh = true + world.settings["noise_sd"]["property"] * noise
    return found | {
        "r2": scores.r2(true, mean),
        "crps": scores.crps_gaussian(fresh, mean, sd) / true.std(),
        "coverage_90": scores.coverage(fresh, mean, sd, 0.9),
    }


def summary_rows(case: str, worlds: list[dict[str, Scores]], benchmark: str = "sage_seeds") -> Iterator[Row]:
    """Average every method over worlds, and compare ours with each peer world by world."""
    seconds = {method: float(np.mean([world[method]["seconds"] for world in worlds])) for method in worlds[0]}
    for method, first in worlds[0].items():
        for metric in [name for name in first if name != "seconds"]:
            mean = float(np.mean([world[method][metric] for world in worlds]))
            yield Row(benchmark, case, method, metric, mean, seconds[method])
    if "tieline" not in worlds[0]:
        return
    for peer in [method for method in worlds[0] if method != "tieline"]:
        for metric in [name for name in worlds[0][peer] if name not in ("seconds", "coverage_90")]:
            ours, theirs = ([world[method][metric] for world in worlds] for method in ("tieline", peer))
            mean, error = scores.paired_difference(ours, theirs)
            yield Row(benchmark, case, "tieline", f"{metric}_minus_{peer}", mean, seconds["tieline"])
            yield Row(benchmark, case, "tieline", f"{metric}_minus_{peer}_se", error, seconds["tieline"])
