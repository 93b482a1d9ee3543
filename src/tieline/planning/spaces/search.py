"""The place of a space where a score is highest, found by zooming: no gradient is asked for."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.planning.spaces.space import Space

Score = Callable[[xr.Dataset], xr.DataArray | np.ndarray]  # places -> the higher the better (specimen)

FIRST_WIDTH = 0.3  # share of each range in which one looks first
# Each round looks at several widths at once: (times the width, around so many of the best places, by what the
# width is multiplied if the best new place was found so).
LOOKS = ((2.0, 8, 1.5), (1.0, 4, 1.0), (0.3, 2, 0.5))
NARROWER = 0.5  # if a round brought nothing better
N_CENTRES = max(n_centres for _, n_centres, _ in LOOKS)


def search(
    space: Space,
    score: Score,
    *,
    n_best: int = 1,
    n_candidates: int = 2000,
    rounds: int = 12,
    n_nearby: int = 500,
    seed: int = 0,
) -> xr.Dataset:
    """Find the places of a space where a score is highest.

    First `n_candidates` places cover the space. Then each round scores `n_nearby` neighbours of the best
    places so far at several widths, and goes on with the width that helped, or a smaller one if none did. So
    about `n_candidates + rounds * n_nearby` places are scored at most. A finite space of up to `n_candidates`
    places is scored whole, and the answer is exact.

    Args:
        space: what could be made.
        score: takes places and returns one number for each (specimen); -inf where it must not be.
        n_best: how many places to return.
        n_candidates: places that cover the space.
        rounds: of zooming; 0 is none.
        n_nearby: places to score in each round.
        seed: of the places; the same seed gives the same answer.

    Returns:
        (specimen): the best places, best first, with their `score`; `attrs["n_scored"]` is how many were
        scored in all.

    Raises:
        TielineError: a score is NaN, or not one number a place.
    """
    places = space.candidates(n_candidates, seed=seed)
    best = _ranked(places, _scored(score, places), max(n_best, N_CENTRES))
    n_scored, width = places.sizes["specimen"], FIRST_WIDTH
    is_whole = n_scored < n_candidates or n_scored == space.n_places
    seeds = np.random.default_rng(seed).integers(2**31, size=(rounds, len(LOOKS)))
    for near_seeds in [] if is_whole else seeds.tolist():
        looks = _neighbours(space, best.drop_vars("score"), width, n_nearby, near_seeds)
        nearby = _joined(looks)
        if nearby.sizes["specimen"] == 0:
            break
        scores = _scored(score, nearby)
        n_scored += scores.size
        width = min(width * _factor(looks, scores, float(best["score"][0])), 1.0)
        both = _joined([best.drop_vars("score"), nearby])
        best = _ranked(both, np.concatenate([best["score"].values, scores]), max(n_best, N_CENTRES))
    best = best.isel(specimen=slice(n_best))
    return best.assign_coords(specimen=np.arange(best.sizes["specimen"])).assign_attrs(n_scored=n_scored)


def _neighbours(space: Space, best: xr.Dataset, width: float, n: int, seeds: list[int]) -> list[xr.Dataset]:
    """Look around the best places, wide and narrow."""
    looks = []
    for (times, n_centres, _), seed in zip(LOOKS, seeds, strict=True):
        centres = best.isel(specimen=slice(n_centres))
        looks.append(space.near(centres, min(times * width, 1.0), -(-n // len(LOOKS)), seed=seed))
    return looks


def _factor(looks: list[xr.Dataset], scores: np.ndarray, highest: float) -> float:
    """Tell how the width changes: towards the look that brought the best place."""
    if scores.max() <= highest:
        return NARROWER
    ends = np.cumsum([look.sizes["specimen"] for look in looks])
    return LOOKS[int(np.searchsorted(ends, scores.argmax(), side="right"))][2]


def _joined(parts: list[xr.Dataset]) -> xr.Dataset:
    return xr.concat(parts, dim="specimen", combine_attrs="override", join="override")


def _scored(score: Score, places: xr.Dataset) -> np.ndarray:
    scores = np.asarray(score(places), dtype=float)
    if scores.shape != (places.sizes["specimen"],) or np.isnan(scores).any():
        raise TielineError(
            "A score must be one number for every place.",
            found=f"{np.isnan(scores).sum()} NaN, shape {scores.shape} for {places.sizes['specimen']} places",
            hint="-inf for places that must not be chosen",
        )
    return scores


def _ranked(places: xr.Dataset, scores: np.ndarray, n: int) -> xr.Dataset:
    """Keep the n best places, best first; of equals the earlier."""
    rows = np.argsort(-scores, kind="stable")[:n]
    return places.isel(specimen=rows).assign(score=("specimen", scores[rows]))
