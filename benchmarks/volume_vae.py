"""Membranes in a few latent variables, beside the principal components of their voxels.

2,000 membranes of 64 voxels an edge to learn from: 40 to 170 points, one axis stretched by 0.5 to 1, a radius
that gives the published porosities (4.5 voxels of a cube of 200, in proportion); read in 32
blocks an edge. 300 of other seeds to be given back: `nll` is the -log probability of their blocks in nats a
volume, `explained` the share of the variance within a volume, `porosity_error` the mean absolute error.
`pca` has as many components as the network has latent variables; its answers, which are no probabilities, are
cut at the bounds that serve the held-out tenth best. `pca:views` learns from as many volumes again, shifted,
mirrored and turned. direction: how often the stretched axis is found where its factor is below 0.95; with two
stretched axes (both_axes), the one left alone. `describe` learns it from descriptions of the voxels, all
others from their own numbers, each by a Gaussian process from 1,000 volumes; `:nearest` is the study's way.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from sklearn.decomposition import PCA

from benchmarks.membranes import membranes, planned, share_right, share_right_of_two
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.features.volumes import describe
from tieline.features.volumes.recipe import RECIPE
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.posterior_file import load_posterior
from tieline.models.volumes.autoencoder import VolumeAutoencoder
from tieline.models.volumes.posterior import VolumePosterior
from tieline.models.volumes.training import view

CASES = ("32",)
SEEDS = (0, 1)
N_TRAINING, N_TEST, N_LABELLED = 2000, 300, 1000
SIZE, EDGE, RADIUS, N_EPOCHS = 64, 32, 4.5, 10
PROPERTIES = ("porosity", *(name for name in RECIPE if name != "log_radius"))  # they have one radius
BOUNDS = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.08)
ELBOW = 0.9  # of what the bound gains between the first epoch and the best


def run(options: Options) -> Iterator[Row]:
    """Run the case; with `keep`, training goes on from that file, and the posterior is kept beside it."""
    if not options.wants("32"):
        return
    seed = options.first_seed
    tests = [
        membranes(planned(N_TEST, 13 + 2 * seed + k, SIZE, radius=RADIUS, n_stretched=k + 1), SIZE)
        for k in range(2)
    ]
    if options.methods in ("all", "tieline"):
        posterior, rows = train(seed, options.keep)
        yield from rows
        yield from _judge_network(posterior, tests)
    if options.methods in ("all", "peers"):
        yield from _judge_components(training_set(seed), tests, seed)
    if options.methods == "all":
        yield from _judge_descriptions(training_set(seed), tests)


@cache
def training_set(seed: int) -> xr.Dataset:
    """The membranes to learn from."""
    return membranes(planned(N_TRAINING, 11 + seed, SIZE, radius=RADIUS), SIZE)


def train(seed: int, keep: Path | None) -> tuple[VolumePosterior, list[Row]]:
    """Train the network, or take it from a file where it was kept."""
    if keep is not None and keep.is_file():
        posterior = load_posterior(keep)
        assert isinstance(posterior, VolumePosterior)
        return posterior, []
    model = VolumeAutoencoder(properties=PROPERTIES, size=EDGE, n_epochs=N_EPOCHS)
    checkpoint = None if keep is None else keep.with_suffix(".h5")
    posterior, seconds = timed(model.fit, training_set(seed), seed=seed, checkpoint=checkpoint)
    if keep is not None:
        posterior.save(keep)
    bound = posterior.course["validation"].values
    reached = bound <= bound[0] - ELBOW * (bound[0] - bound.min())
    rows = {
        "cpu_seconds": seconds,
        "epochs": len(bound),
        "epochs_to_the_elbow": int(reached.argmax()) + 1,
    }
    return posterior, [Row("volume_vae", "32", "tieline", m, v, seconds) for m, v in rows.items()]


def _judge_network(posterior: VolumePosterior, tests: list[xr.Dataset]) -> Iterator[Row]:
    given_back, seconds = timed(posterior.reconstruct, tests[0])
    yield from _voxel_rows("tieline", shares_of(tests[0]), given_back.values, seconds)
    for metric, test, judge in zip(
        ("direction", "both_axes"), tests, (share_right, share_right_of_two), strict=True
    ):
        found, taken = timed(posterior.predict, test)
        nearest = xr.Dataset({name: found[f"{name}_nearest"] for name in PROPERTIES})
        yield Row("volume_vae", "32", "tieline", metric, judge(found, test), taken)
        yield Row("volume_vae", "32", "tieline:nearest", metric, judge(nearest, test), taken)
        if metric == "direction":
            for name in ("porosity", "log_n_points", "log_stretch_x"):
                yield Row("volume_vae", "32", "tieline", f"r2_{name}", _r2(found[name], test[name]), taken)
                inside = (test[name] >= found[f"{name}_low"]) & (test[name] <= found[f"{name}_high"])
                yield Row("volume_vae", "32", "tieline", f"coverage_90_{name}", float(inside.mean()), taken)


def _judge_components(training: xr.Dataset, tests: list[xr.Dataset], seed: int) -> Iterator[Row]:
    model = VolumeAutoencoder()
    n_components = model.layout + model.texture
    shares = shares_of(training)
    rng = np.random.default_rng(seed)
    is_held_out = np.arange(len(shares)) >= 0.9 * len(shares)
    varied = np.concatenate([view(shares[i : i + 50], model.views, rng) for i in range(0, len(shares), 50)])
    for method, more in (("pca", shares[:0]), ("pca:views", varied)):
        learned = np.concatenate([shares[~is_held_out], more]).reshape(-1, EDGE**3)
        pca, seconds = timed(PCA(n_components, svd_solver="randomized", random_state=seed).fit, learned)
        held = shares[is_held_out]
        given_back = _given_back(pca, held)
        bound = min(BOUNDS, key=lambda b: float(np.mean(_nll(held, _cut(given_back, b)))))
        answer = _cut(_given_back(pca, shares_of(tests[0])), bound)
        yield Row("volume_vae", "32", method, "cpu_seconds", seconds, seconds)
        yield from _voxel_rows(method, shares_of(tests[0]), answer, seconds)
        numbers = [pca.transform(s.reshape(len(s), -1)) for s in (shares, *map(shares_of, tests))]
        yield from _direction_rows(method, numbers, training, tests)


def _judge_descriptions(training: xr.Dataset, tests: list[xr.Dataset]) -> Iterator[Row]:
    def numbers(table: xr.Dataset) -> np.ndarray:
        described = [describe(volume) for volume in table["volume"]]
        return np.array([[float(d[name]) for name in described[0]] for d in described])

    few = training.isel(specimen=slice(N_LABELLED))
    tables = [numbers(table) for table in (few, *tests)]
    varying = np.ptp(tables[0], axis=0) > 0
    yield from _direction_rows("describe", [t[:, varying] for t in tables], few, tests)


def _direction_rows(
    method: str, numbers: list[np.ndarray], training: xr.Dataset, tests: list[xr.Dataset]
) -> Iterator[Row]:
    """Find the stretch from numbers by Gaussian processes: of the training set, then of each test."""
    names = [f"number_{i}" for i in range(numbers[0].shape[1])]
    columns = [xr.Dataset({n: ("specimen", c) for n, c in zip(names, t.T, strict=True)}) for t in numbers]
    few = columns[0].isel(specimen=slice(N_LABELLED))
    targets = [name for name in RECIPE if name.startswith("log_stretch")]
    learned = {}
    for name in targets:
        known = ("specimen", training[name].values[:N_LABELLED], {"units": "1"})
        learned[name] = GaussianProcess(names, name).fit(few.assign({name: known}))
    judges = (("direction", share_right), ("both_axes", share_right_of_two))
    for (metric, judge), asked, test in zip(judges, columns[1:], tests, strict=True):
        found = xr.Dataset({name: learned[name].predict(asked)[name] for name in targets})
        yield Row("volume_vae", "32", method, metric, judge(found, test), 0.0)


def _voxel_rows(method: str, shares: np.ndarray, answer: np.ndarray, seconds: float) -> Iterator[Row]:
    mean = shares.mean((1, 2, 3), keepdims=True)
    explained = 1 - np.sum((answer - shares) ** 2) / np.sum((shares - mean) ** 2)
    off = np.abs(answer.mean((1, 2, 3)) - mean.ravel())
    probable = np.clip(answer, 1e-7, 1 - 1e-7)
    figures = {"nll": np.mean(_nll(shares, probable)), "explained": explained, "porosity_error": off.mean()}
    for metric, value in figures.items():
        yield Row("volume_vae", "32", method, metric, float(value), seconds)


def _nll(shares: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """-log probability (specimen) of blocks that are part solid by their shares, nats."""
    return -(shares * np.log(answer) + (1 - shares) * np.log1p(-answer)).sum((1, 2, 3), dtype=float)


def _cut(answer: np.ndarray, bound: float) -> np.ndarray:
    return np.clip(answer, bound, 1 - bound)


def _given_back(pca: PCA, shares: np.ndarray) -> np.ndarray:
    flat = shares.reshape(len(shares), -1)
    return pca.inverse_transform(pca.transform(flat)).reshape(shares.shape)


def shares_of(table: xr.Dataset) -> np.ndarray:
    """Share of solid in every block (specimen, x, y, z)."""
    values = table["volume"].values
    factor = values.shape[1] // EDGE
    blocks = values.reshape(len(values), *[EDGE, factor] * 3)
    return blocks.mean((2, 4, 6), dtype=np.float32)


def _r2(found: xr.DataArray, true: xr.DataArray) -> float:
    return float(1 - np.mean((found.values - true.values) ** 2) / true.values.var())
