"""How a membrane was made, read off its structure: the four targets of the published study, and unseen ones.

300 membranes of 100 voxels an edge, with 40 to 220 points, radii of 2.6 to 6 voxels and stretched axes, are
described, and Gaussian processes learn the recipe from the descriptions. A, B, C, D: the published targets,
the median error over unseen seeds, each from one membrane; 300 generations serve all targets. unseen: 100
membranes of other seeds with two stretched axes: coverage of the 90 % intervals; how often the axis that is
not stretched is found where both others are below 0.95 (both_axes), and the strongest where the next one is
0.03 away (strongest_axis); and 100 with one stretched axis: how often it is found where its factor is below
0.95 (direction).
"""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from benchmarks.membranes import made
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.features.volumes import describe, read_recipe, write_recipe
from tieline.features.volumes.recipe import RECIPE, SIZES, STRETCHES
from tieline.models.gaussian_process import GaussianProcess
from tieline.worlds import membrane_plan

CASES = ("A", "B", "C", "D", "unseen")
TARGETS = {
    "A": (100, 3.4, 1.0, 0.75, 1.0),
    "B": (180, 3.4, 1.0, 0.75, 1.0),
    "C": (180, 5.4, 1.0, 0.75, 1.0),
    "D": (180, 3.4, 0.65, 0.55, 1.0),
}
SEEDS = (1000, 20)
SIZE, N_TRAINING, N_UNSEEN = 100, 300, 100
RANGES = {"n_points": (40, 220), "radius": (2.6, 6.0), "n_stretched": 2}
SETTINGS = (*SIZES, *STRETCHES)


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    if options.methods == "peers":
        return
    training = membrane_plan(N_TRAINING, seed=1, **RANGES)
    described, making = timed(_describe, training)
    design = [str(name) for name in described if np.ptp(described[name].values) > 0]
    table = write_recipe(training.merge(described))
    models, learning = timed(_learn, table, design)
    yield Row("inverse", "all", "tieline", "cpu_seconds", making + learning, making + learning)
    for case in filter(options.wants, TARGETS):
        yield from _target(case, models, range(options.first_seed, options.first_seed + options.n_seeds))
    if options.wants("unseen"):
        yield from _unseen(models, options.first_seed)


def _describe(plan: xr.Dataset) -> xr.Dataset:
    """Make the membranes of a plan and describe them (specimen)."""
    described = [describe(volume) for volume in made(plan, SIZE)]
    return xr.concat(described, "specimen").assign_coords(specimen=plan["specimen"])


def _learn(table: xr.Dataset, design: list[str]) -> list:
    return [GaussianProcess(design, name).fit(table, seed=0) for name in RECIPE]


def _read(models: list, described: xr.Dataset) -> xr.Dataset:
    return read_recipe(xr.merge([model.predict(described) for model in models], compat="override"))


def _target(case: str, models: list, seeds: range) -> Iterator[Row]:
    """Errors of the recipe of one target, each seed a membrane of its own."""
    plan = xr.Dataset(
        {
            name: ("specimen", np.full(len(seeds), value))
            for name, value in zip(SETTINGS, TARGETS[case], strict=True)
        },
        {"specimen": np.arange(len(seeds))},
    ).assign(seed=("specimen", np.array(seeds)), n_points=("specimen", np.full(len(seeds), TARGETS[case][0])))
    described = _describe(plan)
    found, seconds = timed(_read, models, described)
    for name in SIZES:
        error = float(np.median(np.abs(found[name] / plan[name] - 1)))
        yield Row("inverse", case, "tieline", f"relative_error_{name}", error, seconds)
    error = float(np.median([np.abs(found[name] - plan[name]).values for name in STRETCHES]))
    yield Row("inverse", case, "tieline", "error_stretch", error, seconds)


def _unseen(models: list, seed: int) -> Iterator[Row]:
    """Coverage and direction on membranes of other seeds."""
    plan = membrane_plan(N_UNSEEN, seed=seed, **RANGES)
    found, seconds = timed(_read, models, _describe(plan))
    for name in SETTINGS:
        inside = (plan[name] >= found[f"{name}_low"]) & (plan[name] <= found[f"{name}_high"])
        yield Row("inverse", "unseen", "tieline", f"coverage_90_{name}", float(inside.mean()), seconds)
    true, told = (np.stack([d[name].values for name in STRETCHES], 1) for d in (plan, found))
    ordered = np.sort(true, 1)
    is_clear = (ordered[:, 0] < 0.95) & (ordered[:, 1] - ordered[:, 0] >= 0.03)
    right = (true.argmin(1) == told.argmin(1))[is_clear].mean()
    yield Row("inverse", "unseen", "tieline", "strongest_axis", float(right), seconds)
    both = (ordered[:, 1] < 0.95) & (true.argmax(1) == told.argmax(1))
    share = both.sum() / (ordered[:, 1] < 0.95).sum()
    yield Row("inverse", "unseen", "tieline", "both_axes", float(share), seconds)
    plan = membrane_plan(N_UNSEEN, seed=seed, **{**RANGES, "n_stretched": 1})
    found, seconds = timed(_read, models, _describe(plan))
    true, told = (np.stack([d[name].values for name in STRETCHES], 1) for d in (plan, found))
    right = (true.argmin(1) == told.argmin(1))[true.min(1) < 0.95].mean()
    yield Row("inverse", "unseen", "tieline", "direction", float(right), seconds)
