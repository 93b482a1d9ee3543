"""Tortuosity of membranes from descriptions of them, in place of solving for it.

250 membranes to learn from and 50 to predict, as in the published study: 180 to 250 points, one axis
stretched by 0.5 to 1, radius 2.8 voxels of a cube of 200; here of 128 voxels with everything in proportion.
The factor along x, mean over random divisions of 300 membranes. `tieline` learns it from all descriptions
by a Gaussian process, `tieline:porosity` from the porosity alone, `ridge` is scikit-learn's linear
regression of all descriptions, and `mean` predicts the mean; `tieline:encoder` is a Gaussian process on the
latent variables of texture of the network of `volume_vae`. 20, 50, 100, 250: the study's networks, learned
from so many of the 250, a head on the encoder of `volume_vae`: `network:frozen` with the encoder kept as it
was learned without labels, `network:texture` with its latent variables of texture alone, `network:scratch`
with one that is learned from the labelled too. p_value: of a paired t-test that a network errs as that from
scratch does; wins: in how many divisions it errs less. The encoder is learned first, which takes minutes, or
taken from the file that `keep` names, where `volume_vae` kept it.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import xarray as xr
from scipy.stats import ttest_rel
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import transfer_networks, volume_vae
from benchmarks.membranes import membranes
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from benchmarks.transfer_networks import Seen
from tieline.features.volumes import describe, tortuosity
from tieline.models.gaussian_process import GaussianProcess
from tieline.worlds import membrane_plan

CASES = ("all", "20", "50", "100", "250")
METHODS = ("networks",)
SEEDS = (0, 20)
N_ALL, N_TRAINING, SIZE = 300, 250, 128
RADIUS = 2.8 * SIZE / 200
Ask = Callable[[Seen, Seen, int], tuple[np.ndarray, np.ndarray]]
Predict = Callable[[xr.Dataset, xr.Dataset], np.ndarray]


def run(options: Options) -> Iterator[Row]:
    """Run the case."""
    table, shares, costs = _labelled()
    seeds = range(options.first_seed, options.first_seed + options.n_seeds)
    if options.methods in ("all", "networks"):
        yield from _networks(table, shares, seeds, options)
    if options.wants("all"):
        yield from _simple(table, costs, seeds, options)


def _simple(table: xr.Dataset, costs: list, seeds: range, options: Options) -> Iterator[Row]:
    """What needs no network."""
    for method, metric, value in costs:
        yield Row("transfer", "all", method, metric, value / N_ALL, value)
    design = [str(n) for n in table if n != "tortuosity" and np.ptp(table[n].values) > 0]
    methods: dict[str, Predict] = {
        "tieline": lambda train, test: _process(train, test, design),
        "tieline:porosity": lambda train, test: _process(train, test, ["porosity"]),
        "ridge": lambda train, test: _ridge(train, test, design),
        "mean": lambda train, test: np.full(len(test.specimen), float(train["tortuosity"].mean())),
    }
    for method, predict in methods.items():
        if options.methods in ("all", "tieline" if method.startswith("tieline") else "peers"):
            yield from _repeats(table, method, predict, seeds)


def _labelled() -> tuple[xr.Dataset, np.ndarray, list[tuple[str, str, float]]]:
    """Descriptions and factors of all membranes, their blocks (specimen, x, y, z), and what they cost."""
    plan = membrane_plan(N_ALL, n_points=(180, 250), radius=RADIUS, seed=5)
    described, factors, describing, labelling = [], [], 0.0, 0.0
    shares = np.empty((N_ALL, *[volume_vae.EDGE] * 3), np.float32)
    for i in range(N_ALL):
        made = membranes(plan.isel(specimen=[i]), SIZE)
        volume = made["volume"][0]
        shares[i] = volume_vae.shares_of(made)[0]
        numbers, seconds = timed(describe, volume)
        factor, more = timed(tortuosity, volume, "x")
        described.append(numbers)
        factors.append(float(factor))
        describing, labelling = describing + seconds, labelling + more
    table = xr.concat(described, "specimen").assign_coords(specimen=plan["specimen"])
    table["tortuosity"] = ("specimen", np.array(factors), {"role": "property", "units": "1"})
    costs = [
        ("solver", "cpu_seconds_a_label", labelling),
        ("tieline", "cpu_seconds_a_description", describing),
    ]
    return table, shares, costs


def _networks(table: xr.Dataset, shares: np.ndarray, seeds: range, options: Options) -> Iterator[Row]:
    """The study's networks, and the house's way with their encoder."""
    posterior, _ = volume_vae.train(0, options.keep)
    seen = transfer_networks.see(posterior, shares, table["tortuosity"].values)
    n_texture = posterior.shape.n_texture
    if options.wants("all"):
        columns = {f"latent_{i}": ("specimen", seen.latent[:, i]) for i in range(n_texture)}
        latent = xr.Dataset(columns).assign(tortuosity=table["tortuosity"])
        yield from _repeats(latent, "tieline:encoder", lambda a, b: _process(a, b, list(columns)), seeds)
    ways: dict[str, Ask] = {
        "network:frozen": partial(transfer_networks.frozen, n_read=seen.latent.shape[1]),
        "network:texture": partial(transfer_networks.frozen, n_read=n_texture),
        "network:scratch": partial(transfer_networks.scratch, posterior),
    }
    for case in filter(options.wants, CASES[1:]):
        errors = {}
        for method, ask in ways.items():
            errors[method], rows = _asked(case, method, ask, seen, seeds)
            yield from rows
        scratch = errors.pop("network:scratch")
        for method, frozen in errors.items():
            yield Row("transfer", case, method, "wins", float((frozen < scratch).sum()), 0.0)
            if len(seeds) > 1:
                yield Row("transfer", case, method, "p_value", float(ttest_rel(frozen, scratch).pvalue), 0.0)


def _asked(case: str, method: str, ask: Ask, seen: Seen, seeds: range) -> tuple[np.ndarray, list[Row]]:
    """Errors of a network in each division, learned from as many labels as the case says."""
    found: dict[str, list[float]] = {"mse": [], "mse_training": [], "r2": []}
    taken = 0.0
    for seed in seeds:
        learned, asked = _division(seed)
        train, test = seen.of(learned[: int(case)]), seen.of(asked)
        both, seconds = timed(ask, train, test, seed)
        taken += seconds / len(seeds)
        found["mse_training"].append(float(np.mean((both[0] - train.value) ** 2)))
        found["mse"].append(float(np.mean((both[1] - test.value) ** 2)))
        found["r2"].append(1 - found["mse"][-1] / float(test.value.var()))
    means = {metric: float(np.mean(values)) for metric, values in found.items()}
    means["mse_sd"] = float(np.std(found["mse"]))
    return np.array(found["mse"]), [Row("transfer", case, method, m, v, taken) for m, v in means.items()]


def _division(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from, and rows to predict."""
    order = np.random.default_rng(seed).permutation(N_ALL)
    return order[:N_TRAINING], order[N_TRAINING:]


def _repeats(table: xr.Dataset, method: str, predict: Predict, seeds: range) -> Iterator[Row]:
    errors, shares, taken = [], [], 0.0
    for seed in seeds:
        train, test = (table.isel(specimen=rows) for rows in _division(seed))
        predicted, seconds = timed(predict, train, test)
        true = test["tortuosity"].values
        errors.append(np.mean((predicted - true) ** 2))
        shares.append(1 - errors[-1] / true.var())
        taken += seconds / len(seeds)
        yield Row("transfer", "repeats", method, f"mse_{seed}", float(errors[-1]), seconds)
    yield Row("transfer", "all", method, "mse", float(np.mean(errors)), taken)
    yield Row("transfer", "all", method, "r2", float(np.mean(shares)), taken)


def _process(train: xr.Dataset, test: xr.Dataset, design: list[str]) -> np.ndarray:
    return GaussianProcess(design, "tortuosity").fit(train, seed=0).predict(test)["tortuosity"].values


def _ridge(train: xr.Dataset, test: xr.Dataset, design: list[str]) -> np.ndarray:
    x, new = (np.stack([d[name].values for name in design], 1) for d in (train, test))
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-6, 2, 9)))
    return model.fit(x, train["tortuosity"].values).predict(new)
