"""Which settings may have made a structure: what others look like, number by number, read backwards.

The numbers of a structure are brought to their principal components, and a Gaussian process learns each from
the settings, scatter between seeds included. Settings are then as likely as the numbers that were found.
"""

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_process import GaussianProcess
from tieline.planning.spaces.space import Space

MOST_COMPONENTS = 8
N_PLACES = 3000  # that are compared in each round
N_ROUNDS = 4  # after the first, each closer
FAR = 12.0  # nats below the likeliest place, beyond which a place is left out of the next round
FEWEST = 20  # places that the next round covers at least
MARGIN = 0.1  # of a range, by which the next round reaches beyond them
SUMMARY = (0.5, 0.05, 0.95)  # quantiles: the answer, and the ends of the central 90 %


def likely_settings(seen: xr.Dataset, off: np.ndarray, space: Space, seed: int) -> np.ndarray:
    """Find the settings at which structures look like the target.

    Args:
        seen (specimen): settings that were tried.
        off (specimen, number): by how much the numbers of each structure differ from those of the target.
        space: of the settings; all of it counts as equally likely before.
        seed: of the places that are compared.

    Returns:
        (3, setting): medians, and the ends of the central 90 %.

    Raises:
        NotIdentified: the numbers do not vary.
    """
    names = space.names
    processes = _learn(seen[names], off, seed)
    cover = space.candidates(N_PLACES, seed=seed)
    values = np.stack([cover[name].values.astype(float) for name in names], 1)
    lowest, highest = values.min(0), values.max(0)
    likelihood = _log_likelihood(processes, cover)
    rng = np.random.default_rng(seed)
    for _ in range(N_ROUNDS):
        low, high = _box(values, likelihood, lowest, highest)
        closer = rng.uniform(low, high, (N_PLACES, len(names)))
        allowed = space.contains(space.snap(_places(closer, names)))
        if not allowed.any():
            break  # constraints leave nothing of the box: what was compared before has to do
        values = closer[allowed]
        likelihood = _log_likelihood(processes, _places(values, names))
    weight = np.exp(likelihood - likelihood.max())
    return np.stack([_quantiles(column, weight / weight.sum()) for column in values.T], 1)


def _learn(settings: xr.Dataset, off: np.ndarray, seed: int) -> list[GaussianPosterior]:
    """One process for each principal component of the numbers; the target is at zero in all of them."""
    if not (off.std(0) > 0).any():
        raise NotIdentified(
            "All structures look the same, whatever their settings.",
            found=f"{off.shape[1]} numbers that do not vary over {len(off)} structures",
            hint="embed should give numbers that say how structures differ",
        )
    _, sizes, axes = np.linalg.svd(off - off.mean(0), full_matrices=False)
    n = min(MOST_COMPONENTS, int((sizes > sizes.max() * 1e-6).sum()))
    score = off @ axes[:n].T
    design = [str(name) for name in settings]
    return [
        GaussianProcess(design, "score").fit(settings.assign(score=("specimen", column)), seed=seed)
        for column in score.T
    ]


def _log_likelihood(processes: list[GaussianPosterior], places: xr.Dataset) -> np.ndarray:
    total = np.zeros(places.sizes["specimen"])
    for process in processes:
        answer = process.predict(places)
        mean, sd = answer["score"].values, answer["score_sd"].values
        total += -0.5 * (mean / sd) ** 2 - np.log(sd)
    return total


def _box(
    values: np.ndarray, likelihood: np.ndarray, lowest: np.ndarray, highest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The least and greatest settings that are worth another look."""
    order = np.argsort(likelihood)[::-1]
    n_near = max(FEWEST, int((likelihood > likelihood.max() - FAR).sum()))
    kept = values[order[:n_near]]
    low, high = kept.min(0), kept.max(0)
    reach = MARGIN * (high - low)
    return np.maximum(low - reach, lowest), np.minimum(high + reach, highest)


def _places(values: np.ndarray, names: list[str]) -> xr.Dataset:
    return xr.Dataset({name: ("specimen", column) for name, column in zip(names, values.T, strict=True)})


def _quantiles(column: np.ndarray, weight: np.ndarray) -> np.ndarray:
    order = np.argsort(column)
    return np.interp(SUMMARY, np.cumsum(weight[order]), column[order])
