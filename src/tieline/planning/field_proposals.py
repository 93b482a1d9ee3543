"""Proposals from a posterior that is exactly Gaussian, without draws: milliseconds, or a million places."""

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.models.gaussian_field import GaussianField
from tieline.models.posterior import Posterior
from tieline.planning.choice import Choice, weighed
from tieline.planning.field_choice import SCORES, Batch, FieldState, choose_in_field
from tieline.planning.goals import Goal, Maximize, Minimize, property_terms, terms

N_PLACES = 1000  # candidates that are compared jointly; of more, those that score best one by one


@runtime_checkable
class GaussianAnswer(Posterior, Protocol):
    """A posterior whose functions are exactly Gaussian."""

    def scaled(self, design: xr.Dataset) -> np.ndarray:
        """Coordinates (specimen, coordinate) of a design that was checked."""
        ...

    def field(self, x: np.ndarray, weights: Mapping[str, float], *, is_rough: bool = ...) -> GaussianField:
        """The joint distribution of a weighted sum of properties over places (place, coordinate)."""
        ...

    def log_success(self, x: np.ndarray) -> np.ndarray | None:
        """Logarithm of the probability that a specimen can be made at a place; None if none has failed."""
        ...

    def measured(self, names: Collection[str]) -> np.ndarray:
        """The places (place, coordinate) where any of these properties was measured."""
        ...


def is_linear(goal: Goal) -> bool:
    """Whether what a goal is worth is a weighted sum of properties."""
    return all(isinstance(part, Maximize | Minimize) for _, part in terms(goal))


@threadpool_limits.wrap(limits=1, user_api="blas")  # matrices are small: threads would only wait
def choose_by_field(
    posterior: GaussianAnswer,
    design: xr.Dataset,
    pending: xr.Dataset,
    goal: Goal,
    n: int,
    acquisition: str,
    batch: Batch,
    log_worth: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, Choice, tuple[str, ...]]:
    """Choose rows of a pool.

    Args:
        posterior: what was learned.
        design (specimen): distinct candidates, none of them pending.
        pending (specimen): places under way; may have no rows.
        goal: a sum of properties to be large or small.
        n: how many.
        acquisition: name in `SCORES`.
        batch: what is believed of a place once it is chosen.
        log_worth (specimen): logarithm of a factor on every candidate's score.
        seed: of draws, for scores that need them.

    Returns:
        Rows of the design, the choice, and notes.
    """
    x = posterior.scaled(design)
    weights = _weights(posterior, x, goal)
    measured, under_way = posterior.measured(weights), posterior.scaled(pending)
    rows, notes = np.arange(len(x)), ()
    if len(rows) > max(N_PLACES, n):
        rows = _most_promising(posterior, x, measured, weights, acquisition, log_worth, max(N_PLACES, n))
        notes = (
            f"Of {len(x)} places in the pool the {len(rows)} that score best one by one"
            " were compared jointly.",
        )
    field = posterior.field(np.concatenate([x[rows], under_way, measured]), weights)
    state = FieldState.start(field, len(rows), len(measured), batch)
    choice = choose_in_field(state, n, acquisition, log_worth[rows], seed)
    return rows[choice.candidates], choice, notes


def _weights(posterior: GaussianAnswer, x: np.ndarray, goal: Goal) -> dict[str, float]:
    """What one unit of each property is worth: in a sum, per spread of its expectation over the pool."""
    parts = property_terms(goal)
    weights: dict[str, float] = {}
    for weight, part in parts:
        sign = 1.0 if isinstance(part, Maximize) else -1.0
        if len(parts) > 1:
            spread = posterior.field(x, {part.name: 1.0}, is_rough=True).mean.std()
            sign *= weight / (spread or 1.0)
        weights[part.name] = weights.get(part.name, 0.0) + sign
    return weights


def _most_promising(
    posterior: GaussianAnswer,
    x: np.ndarray,
    measured: np.ndarray,
    weights: Mapping[str, float],
    acquisition: str,
    log_worth: np.ndarray,
    n_kept: int,
) -> np.ndarray:
    """Rows of the places that score best one by one, ascending."""
    by_place = acquisition if acquisition in ("log_ei", "pi") else "ucb"
    field = posterior.field(np.concatenate([x, measured]), weights, is_rough=True)
    state = FieldState.start(field, len(x), len(measured)).alone()
    rule = SCORES[by_place]
    score = weighed(
        rule.of(state, np.random.default_rng(0)), log_worth, is_log=rule.is_log, has_zero=rule.has_zero
    )
    return np.sort(np.argpartition(-score, n_kept - 1)[:n_kept])
