"""Tortuosity of membranes from descriptions of them, in place of solving for it.

250 membranes to learn from and 50 to predict, as in the published study: 180 to 250 points, one axis
stretched by 0.5 to 1, radius 2.8 voxels of a cube of 200; here of 128 voxels with everything in proportion.
The factor along x, mean over random divisions of 300 membranes. `tieline` learns it from all descriptions
by a Gaussian process, `tieline:porosity` from the porosity alone, `ridge` is scikit-learn's linear
regression of all descriptions, and `mean` predicts the mean.
"""

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.features.volumes import describe, tortuosity
from tieline.models.gaussian_process import GaussianProcess
from tieline.worlds import membrane, membrane_plan

CASES = ("all",)
SEEDS = (0, 20)
N_ALL, N_TRAINING, SIZE = 300, 250, 128
RADIUS = 2.8 * SIZE / 200
Predict = Callable[[xr.Dataset, xr.Dataset], np.ndarray]


def run(options: Options) -> Iterator[Row]:
    """Run the case."""
    (table, describing), labelling = _labelled()
    yield Row("transfer", "all", "solver", "cpu_seconds_a_label", labelling / N_ALL, labelling)
    yield Row("transfer", "all", "tieline", "cpu_seconds_a_description", describing / N_ALL, describing)
    design = [str(n) for n in table if n != "tortuosity" and table[n].std() > 0]
    methods: dict[str, Predict] = {
        "tieline": lambda train, test: _process(train, test, design),
        "tieline:porosity": lambda train, test: _process(train, test, ["porosity"]),
        "ridge": lambda train, test: _ridge(train, test, design),
        "mean": lambda train, test: np.full(len(test.specimen), float(train["tortuosity"].mean())),
    }
    for method, predict in methods.items():
        if options.methods in ("all", "tieline" if method.startswith("tieline") else "peers"):
            yield from _repeats(
                table, method, predict, range(options.first_seed, options.first_seed + options.n_seeds)
            )


def _labelled() -> tuple[tuple[xr.Dataset, float], float]:
    """Descriptions and factors of all membranes, and what they cost."""
    plan = membrane_plan(N_ALL, n_points=(180, 250), radius=RADIUS, seed=5)
    described, factors, describing, labelling = [], [], 0.0, 0.0
    for i in range(N_ALL):
        stretch = [plan[f"stretch_{axis}"].values[i].item() for axis in "xyz"]
        made = membrane(
            plan["n_points"].values[i].item(), stretch, RADIUS, SIZE, plan["seed"].values[i].item()
        )
        numbers, seconds = timed(describe, made)
        factor, more = timed(tortuosity, made, "x")
        described.append(numbers)
        factors.append(float(factor))
        describing, labelling = describing + seconds, labelling + more
    table = xr.concat(described, "specimen").assign_coords(specimen=plan["specimen"])
    table["tortuosity"] = ("specimen", np.array(factors), {"role": "property", "units": "1"})
    return (table, describing), labelling


def _repeats(table: xr.Dataset, method: str, predict: Predict, seeds: range) -> Iterator[Row]:
    errors, shares, taken = [], [], 0.0
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(N_ALL)
        train, test = (table.isel(specimen=part) for part in (order[:N_TRAINING], order[N_TRAINING:]))
        predicted, seconds = timed(predict, train, test)
        true = test["tortuosity"].values
        errors.append(np.mean((predicted - true) ** 2))
        shares.append(1 - errors[-1] / true.var())
        taken += seconds / len(seeds)
    yield Row("transfer", "all", method, "mse", float(np.mean(errors)), taken)
    yield Row("transfer", "all", method, "r2", float(np.mean(shares)), taken)


def _process(train: xr.Dataset, test: xr.Dataset, design: list[str]) -> np.ndarray:
    return GaussianProcess(design, "tortuosity").fit(train, seed=0).predict(test)["tortuosity"].values


def _ridge(train: xr.Dataset, test: xr.Dataset, design: list[str]) -> np.ndarray:
    x, new = (np.stack([d[name].values for name in design], 1) for d in (train, test))
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-6, 2, 9)))
    return model.fit(x, train["tortuosity"].values).predict(new)
