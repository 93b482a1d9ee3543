"""ToF-SIMS: simulated lithium compounds as in the published study, and real Ru alloys across primary ions.

`simulated`, `matrix_effect`: worlds of `tieline.worlds.tofsims`, each method's mean over all of them: 5
compounds with 12 spots, 30 mixtures of two; with `matrix_effect` yields vary by a log-normal factor of sd
0.5. `pairs` is the share of mixtures whose two largest shares are the right compounds, `mae` that of shares
(all five compounds), `ions` the fewest and `ions_mean` the mean number of planted ions among the first 15 of
the four compounds with any. `held_out_spots`: regression on pseudo-mixtures whose spots were split before
mixing (`r2`), and beside it the split after mixing (`r2_leaking`). `ru_alloys`: 120 raw negative spectra of
six alloys, one of four primary ions held out at a time; peaks below 120 u, as bins of 0.05 u (peers) or
integrated around whole masses (ours). `tieline:nested` chooses the classifier for each
held-out ion by the other three.

Worlds 1000 and up are for the reported figure. Develop on others: --first-seed 0.

Source: Zhao, KIT (2024), section 4.3. Alloys: github.com/Oscar-Laurent/ToF-SIMS_Article at c609bc65, MIT.
"""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.optimize import nnls
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline

import tieline as tl
from benchmarks.tasks import Options, Row, data_folder, no_data
from tieline.evaluation.classifiers import compare_classifiers, further_classifiers, study_classifiers
from tieline.evaluation.folds import grouped_folds
from tieline.features.spectra import PeakScaling, integrate, whole_masses
from tieline.insight.characteristic_ions import characteristic_ions
from tieline.models.pseudo_mixtures import pseudo_mixtures
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.worlds import SpectralWorld

CASES = ("simulated", "matrix_effect", "held_out_spots", "ru_alloys")
SEEDS = (1000, 20)
METHODS = ("unmixing", "probabilities", "pseudo_mixtures")
HIGHEST = 120.0  # u, as in the study


def run(options: Options) -> Iterator[Row]:
    """Run every case that was asked for."""
    seeds = range(options.first_seed, options.first_seed + options.n_seeds)
    for case in filter(options.wants, CASES):
        if case == "ru_alloys":
            folder = data_folder()
            yield from _ru_alloys(folder, options) if folder else [no_data("tofsims", case)]
        elif case == "held_out_spots":
            yield from _mean(case, [_held_out(seed, options) for seed in seeds])
        else:
            effect = 0.5 if case == "matrix_effect" else 0.0
            yield from _mean(case, [_simulated(seed, effect, options) for seed in seeds])


def _mean(case: str, worlds: list[dict[str, dict[str, float]]]) -> Iterator[Row]:
    """Each method's mean over worlds; of `ions` the fewest."""
    for method in worlds[0]:
        seconds = float(np.mean([w[method]["seconds"] for w in worlds]))
        for metric in (m for m in worlds[0][method] if m != "seconds"):
            values = [w[method][metric] for w in worlds]
            value = min(values) if metric == "ions" else float(np.mean(values))
            yield Row("tofsims", case, method, metric, value, seconds)


def _simulated(seed: int, effect: float, options: Options) -> dict[str, dict[str, float]]:
    world = tl.worlds.tofsims(seed, matrix_effect=effect)
    found: dict[str, dict[str, float]] = {}
    if options.methods in ("all", "tieline"):
        found |= _ours(world, effect)
    if options.methods in ("all", "peers"):
        found |= _peers(world)
    return found


def _ours(world: SpectralWorld, effect: float) -> dict[str, dict[str, float]]:
    found = {}
    for method in METHODS:
        start = time.process_time()
        model = tl.SpectralComposition(method=method, matrix_effect=effect)
        posterior = model.fit(world.references)
        answer = posterior.predict(world.unknowns)
        name = "tieline" if method == METHODS[0] else f"tieline:{method}"
        scores = _shares(answer["share"].values, world) | {"seconds": time.process_time() - start}
        if method != "probabilities":
            truth = world.truth["share"]
            held = (answer["share_low"] <= truth) & (truth <= answer["share_high"])
            scores |= {
                "coverage_90": float(held.mean()),
                "coverage_90_present": float(held.values[truth > 0].mean()),
            }
        found[name] = scores
        if method == METHODS[0]:
            found |= {"tieline:specificity": _ions(posterior, world, "specificity")}
            found |= {"tieline:coefficient": _ions(posterior, world, "coefficient")}
    start = time.process_time()
    compared = compare_classifiers(world.references, study_classifiers(), world.unknowns)
    total = time.process_time() - start
    for name in compared["classifier"].values:
        one = compared.sel(classifier=name)
        scores = _shares(one["class_probability"].values, world)
        found[f"tieline:{name}"] = {
            "accuracy": float(one["accuracy"]),
            **scores,
            "seconds": float(one["seconds"]),
        }
    found["tieline:all_classifiers"] = {"cpu_seconds": total, "seconds": total}
    return found


def _ions(posterior: SpectralPosterior, world: SpectralWorld, by: str) -> dict[str, float]:
    start = time.process_time()
    listed = characteristic_ions(posterior, by=by, n_bootstraps=1)["mz"]
    right = [
        len(set(listed.sel(compound=c).values) & set(world.characteristic(c)))
        for c in posterior.compounds
        if world.characteristic(c)
    ]
    return {"ions": min(right), "ions_mean": float(np.mean(right)), "seconds": time.process_time() - start}


def _peers(world: SpectralWorld) -> dict[str, dict[str, float]]:
    """Non-negative least squares against mean pure spectra, as it stands and with relative weights."""
    counts, label = world.references["area"].values, world.references["reference"].values
    pure = np.stack([counts[label == c].mean(0) for c in world.truth["compound"].values])
    found = {}
    for name, weight in {"nnls": 1.0, "nnls_relative": 1 / (counts.mean(0) + 20)}.items():
        start = time.process_time()
        amount = np.array([nnls((pure * weight).T, row * weight)[0] for row in world.unknowns["area"].values])
        share = amount / amount.sum(1, keepdims=True)
        found[name] = _shares(share, world) | {"seconds": time.process_time() - start}
    return found


def _shares(share: np.ndarray, world: SpectralWorld) -> dict[str, float]:
    truth = world.truth["share"].values
    largest = zip(np.argsort(-share, axis=1)[:, :2].tolist(), truth, strict=True)
    pairs = [set(pair) == set(np.flatnonzero(wanted)) for pair, wanted in largest]
    return {"mae": float(np.abs(share - truth).mean()), "pairs": float(np.mean(pairs))}


def _held_out(seed: int, options: Options) -> dict[str, dict[str, float]]:
    """Regression on pseudo-mixtures: ours, and two of the study's models on plain peak areas."""
    world = tl.worlds.tofsims(seed, n_mixtures=1)
    found: dict[str, dict[str, float]] = {}
    if options.methods in ("all", "tieline"):
        start = time.process_time()
        learned = tl.SpectralComposition(method="pseudo_mixtures").fit(world.references, seed=seed).regression
        assert learned is not None
        scores = {"r2": learned.r2, "r2_leaking": learned.r2_leaking}
        found["tieline"] = scores | {"seconds": time.process_time() - start}
    if options.methods in ("all", "peers"):
        rng = np.random.default_rng(seed)
        counts, label = world.references["area"].values, world.references["reference"].values
        is_held = np.tile(np.arange(12) >= 9, 5)
        train = pseudo_mixtures(rng, counts[~is_held], label[~is_held], 2000)
        tests = {"r2": (counts[is_held], label[is_held]), "r2_leaking": (counts[~is_held], label[~is_held])}
        asked = {name: pseudo_mixtures(rng, *pure, 1000) for name, pure in tests.items()}
        models = {"linear": LinearRegression(), "random_forest": RandomForestRegressor(30, random_state=0)}
        for name, model in models.items():
            start = time.process_time()
            model.fit(*train)
            scores = {
                metric: float(r2_score(share, model.predict(x))) for metric, (x, share) in asked.items()
            }
            found[name] = scores | {"seconds": time.process_time() - start}
    return found


def _ru_alloys(folder: Path, options: Options) -> Iterator[Row]:
    """Accuracy with one primary ion held out at a time."""
    spectra, alloy, ion = alloys(folder)
    folds = grouped_folds(alloy, ion, n_folds=0)
    said = {"reference": ("specimen", alloy), "ion": ("specimen", ion)}
    if options.methods in ("all", "tieline"):
        start = time.process_time()
        whole = integrate(spectra, whole_masses(spectra, highest=HIGHEST))
        used = time.process_time() - start
        table = xr.Dataset({"area": whole, **said})
        models = further_classifiers() | {"logistic_regression": LogisticRegression(max_iter=3000)}
        steps = ("total_count", "log", "standard")
        found = compare_classifiers(table, models, group="ion", folds=folds, scaling=steps)
        for name in models:
            one = found.sel(classifier=name)
            method = "tieline" if name == "discriminant" else f"tieline:{name}"
            seconds = used + float(one["seconds"])
            yield Row("tofsims", "ru_alloys", method, "accuracy", float(one["accuracy"]), seconds)
        yield _nested(table, models, steps)
    if options.methods in ("all", "peers"):
        bins = spectra[:, (spectra["mz"] < HIGHEST).values & (spectra.max("specimen") >= 100).values]
        table = xr.Dataset({"area": bins.drop_attrs(), **said})
        peers = {
            "logistic_regression": (LogisticRegression(max_iter=3000), ("min_max",)),
            "extra_trees": (ExtraTreesClassifier(200, random_state=0), ("total_count", "log")),
        }
        for name, (model, steps) in peers.items():
            found = compare_classifiers(table, {name: model}, folds=folds, scaling=steps)
            seconds = float(found["seconds"][0])
            yield Row("tofsims", "ru_alloys", name, "accuracy", float(found["accuracy"][0]), seconds)


def _nested(table: xr.Dataset, models: Mapping[str, ClassifierMixin], steps: tuple[str, ...]) -> Row:
    """Accuracy when the classifier is chosen without the ion that it is tested on.

    For each held-out ion the one that tells alloys best from one of the other ions, learned with the rest.
    """
    start = time.process_time()
    alloy, ion = table["reference"].values, table["ion"].values
    right = 0.0
    for train, test in grouped_folds(alloy, ion, n_folds=0):
        inner = table.isel(specimen=train)
        folds = grouped_folds(alloy[train], ion[train], n_folds=0)
        tried = compare_classifiers(inner, models, group="ion", folds=folds, scaling=steps)
        best = str(tried["classifier"].values[int(tried["accuracy"].argmax("classifier"))])
        with_one = make_pipeline(*(PeakScaling(step) for step in steps), clone(models[best]))
        told = with_one.fit(table["area"].values[train], alloy[train]).predict(table["area"].values[test])
        right += float((told == alloy[test]).sum())
    seconds = time.process_time() - start
    return Row("tofsims", "ru_alloys", "tieline:nested", "accuracy", right / len(alloy), seconds)


def alloys(folder: Path) -> tuple[xr.DataArray, np.ndarray, np.ndarray]:
    """Raw spectra (specimen, mz), alloys and primary ions, of the six alloys measured with all four ions."""
    stored = np.load(folder / "spectra" / "tofsims_hea_N_binned_0p05u.npz")
    parts = [re.fullmatch(r"N_(.+)_(Bi[^_]+)_\d+", name) for name in stored["ids"].tolist()]
    alloy, ion = (np.array([part[i] if part else "" for part in parts]) for i in (1, 2))
    counted = {a: (alloy == a).sum() for a in np.unique(alloy)}
    kept = np.array([counted[a] == 20 for a in alloy])
    spectra = xr.DataArray(
        stored["counts"][kept].astype(float),
        dims=("specimen", "mz"),
        coords={"specimen": stored["ids"][kept], "mz": stored["mz_left"] + 0.025},
    )
    return spectra, alloy[kept], ion[kept]
