"""Which settings may have made a structure: what others look like, number by number, read backwards.

The numbers of a structure are brought to their principal components, and a Gaussian process learns each from
the settings, scatter between seeds included. Settings are then as likely as the numbers that were found.
"""

from dataclasses import replace

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_process import GaussianProcess
from tieline.planning.spaces.inputs import Levels, Numeric
from tieline.planning.spaces.space import Space

MOST_COMPONENTS = 8
N_PLACES = 3000  # that are compared in each round
N_ROUNDS = 4  # after the first, each closer
FAR = 12.0  # nats below the likeliest place, beyond which a place is left out of the next round
FEWEST = 20  # places that the next round covers at least
MARGIN = 0.1  # of a range, by which the next round reaches beyond them
SMALLEST = 1e-9  # part of a range that still counts as one
SUMMARY = (0.5, 0.05, 0.95)  # quantiles: the answer, and the ends of the central 90 %


def likely_settings(seen: xr.Dataset, off: np.ndarray, space: Space, seed: int) -> np.ndarray:
    """Find the settings at which structures look like the target.

    Args:
        seen (specimen): settings that were tried.
        off (specimen, number): by how much the numbers of each structure differ from those of the target.
        space: of the settings, numbers all of them; all of it counts as equally likely before.
        seed: of the places that are compared.

    Returns:
        (3, setting): medians, and the ends of the central 90 %.

    Raises:
        NotIdentified: the numbers do not vary.
    """
    numbers = require_numbers(space)
    processes = _learn(seen[space.names], off, seed)
    places = space.candidates(N_PLACES, seed=seed)
    likelihood = _log_likelihood(processes, places)
    for _ in range(N_ROUNDS):
        near = _nearest_to_likeliest(likelihood)
        ends = [(places[i.name].values[near].min(), places[i.name].values[near].max()) for i in numbers]
        narrowed = [_narrowed(i, *both) for i, both in zip(numbers, ends, strict=True)]
        places = Space(narrowed, space.constraints).candidates(N_PLACES, seed=seed)
        likelihood = _log_likelihood(processes, places)
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    return np.stack([_quantiles(places[name].values.astype(float), weight) for name in space.names], 1)


def require_numbers(space: Space) -> list[Numeric | Levels]:
    """Give the inputs of a space all of which are numbers.

    Raises:
        SchemaError: one is not.
    """
    others = [i.name for i in space.inputs if not isinstance(i, Numeric | Levels)]
    if others:
        raise SchemaError(
            "Inverse design searches settings that are numbers.",
            found=", ".join(others),
            hint="tl.Numeric or tl.Levels; one search for each category",
        )
    return [i for i in space.inputs if isinstance(i, Numeric | Levels)]


def _learn(settings: xr.Dataset, off: np.ndarray, seed: int) -> list[GaussianPosterior]:
    """One process for each principal component of the numbers; the target is at zero in all of them."""
    if not np.ptp(off, axis=0).any():
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


def _nearest_to_likeliest(likelihood: np.ndarray) -> np.ndarray:
    """Rows that are worth a closer look."""
    n_near = max(FEWEST, int((likelihood > likelihood.max() - FAR).sum()))
    return np.argsort(likelihood)[::-1][:n_near]


def _narrowed(number: Numeric | Levels, low: float, high: float) -> Numeric | Levels:
    """The part of an input from a little below one value to a little above another."""
    reach = MARGIN * (high - low)
    if isinstance(number, Levels):
        return replace(number, levels=[v for v in number.levels if low - reach <= v <= high + reach])
    low, high = max(low - reach, number.low), min(high + reach, number.high)
    if number.step is not None:
        ends = np.array(
            [np.floor((low - number.low) / number.step), np.ceil((high - number.low) / number.step)]
        )
        low, high = number.low + ends * number.step
        high = min(high, number.high)
    if high - low < (number.step or SMALLEST * (number.high - number.low)):
        return Levels(number.name, [low], number.units, number.role)
    return replace(number, low=float(low), high=float(high))


def _quantiles(column: np.ndarray, weight: np.ndarray) -> np.ndarray:
    order = np.argsort(column)
    return np.interp(SUMMARY, np.cumsum(weight[order]), column[order])
