"""What the posterior believes about the places that a choice is made among."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.models.posterior import Posterior
from tieline.planning.acquisition import shared_information
from tieline.planning.goals import (
    Goal,
    LearnPhaseMap,
    Maximize,
    Minimize,
    PropertyGoal,
    property_terms,
    terms,
)
from tieline.planning.pool import design_matrix, design_names, join, place_names

N_DRAWS = 512  # 4 MB for 1000 places; the Monte-Carlo error of a phase's probability is then at most 0.022
N_PLACES = 1000  # information costs places times references times draws; more candidates are narrowed first
N_INCUMBENTS = 64  # measured places among which the best so far is sought, those of highest expected utility
N_REFERENCE = 400  # places that stand for the whole map


@dataclass(frozen=True)
class Beliefs:
    """Joint draws over the candidates, the places that are pending, and the best measured ones.

    Attributes:
        candidates (candidate): rows of the pool, after narrowing.
        phase (draw, candidate): the sampled phase.
        utility (draw, place): what the properties in the goal are worth; None if the goal has none. Places
            are candidates, then pending, then incumbents.
        information (place, reference): nats shared with places spread over the whole pool, for candidates
            and pending; None if the goal does not ask.
        n_pending: how many places are pending.
        notes: what was left out.
    """

    candidates: np.ndarray
    phase: np.ndarray
    utility: np.ndarray | None
    information: np.ndarray | None
    n_pending: int
    notes: tuple[str, ...]

    @property
    def pending(self) -> list[int]:
        """Indices of the pending places."""
        return list(range(len(self.candidates), len(self.candidates) + self.n_pending))


def form_beliefs(
    posterior: Posterior,
    pool: xr.Dataset,
    pending: xr.Dataset,
    goal: Goal,
    *,
    at_least: int = 1,
    seed: int = 0,
) -> Beliefs:
    """Ask the posterior everything that a choice needs, once.

    Args:
        posterior: what was learned.
        pool (specimen): design of the candidates, checked.
        pending (specimen): design of the places under way, checked; may have no rows.
        goal: what to look for.
        at_least: candidates to keep, however many there are.
        seed: of the joint draws.
    """
    candidates, notes = _narrow(posterior, pool, goal, max(N_PLACES, at_least))
    kept = pool.isel(specimen=candidates)
    incumbents = _incumbents(posterior, goal)
    step = -(-pool.sizes["specimen"] // N_REFERENCE)
    reference = pool.isel(specimen=slice(None, None, step) if _asks_for_map(goal) else slice(0))
    draws = posterior.functions(join(kept, pending, incumbents, reference), n=N_DRAWS, seed=seed)
    phase = draws["phase_draw"].transpose("draw", "specimen").values.astype(int)
    n_kept, n_reference = kept.sizes["specimen"], reference.sizes["specimen"]
    n_open, n_worth = n_kept + pending.sizes["specimen"], phase.shape[1] - n_reference
    utility = information = None
    if property_terms(goal):
        utility = goal_utility(goal, draws.isel(specimen=slice(n_worth)), slice(0, n_kept))
    if _asks_for_map(goal):
        information = shared_information(phase[:, :n_open], phase[:, n_worth:], int(phase.max()) + 1)
    return Beliefs(candidates, phase[:, :n_kept], utility, information, pending.sizes["specimen"], notes)


def _asks_for_map(goal: Goal) -> bool:
    return any(isinstance(part, LearnPhaseMap) for _, part in terms(goal))


def _noise_free_variance(predicted: xr.Dataset, name: str) -> np.ndarray:
    parts = predicted[f"{name}_variance"]
    return parts.sel(part=parts["part"] != "noise").sum("part").values


def goal_utility(goal: Goal, draws: xr.DataArray, pool: slice) -> np.ndarray:
    """What the properties in a goal are worth, larger is better.

    A single property keeps its unit. In a sum each part is divided by the spread of its expected utility over
    the pool.

    Args:
        goal: with at least one property in it.
        draws (draw, specimen, property): noise-free values.
        pool: which of the places are candidates.

    Returns:
        (draw, specimen).
    """
    parts = property_terms(goal)
    worth = [
        _worth(part, draws.sel(property=part.name).transpose("draw", "specimen").values) for _, part in parts
    ]
    if len(parts) == 1:
        return worth[0]
    spreads = [w[:, pool].mean(0).std() or 1.0 for w in worth]
    return sum((weight * w / s for (weight, _), w, s in zip(parts, worth, spreads, strict=True)), np.zeros(1))


def _worth(goal: PropertyGoal, values: np.ndarray) -> np.ndarray:
    if isinstance(goal, Maximize):
        return values
    return -values if isinstance(goal, Minimize) else -np.abs(values - goal.value)


def _optimistic(goal: Goal, predicted: xr.Dataset) -> np.ndarray:
    """Score places one by one, (specimen, part): two sd better than expected, or the entropy of the phase."""
    scores = []
    for _, part in terms(goal):
        if isinstance(part, PropertyGoal):
            sd = np.sqrt(_noise_free_variance(predicted, part.name))
            mean = predicted[part.name].values
            ahead = {Maximize: mean + 2 * sd, Minimize: 2 * sd - mean}
            scores.append(ahead[type(part)] if type(part) in ahead else 2 * sd + _worth(part, mean))
        else:
            scores.append(predicted["phase_entropy"].values)
    return np.stack(scores, -1)


def _narrow(
    posterior: Posterior, pool: xr.Dataset, goal: Goal, n_kept: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Keep the candidates that look best by any part of the goal, no place twice."""
    distinct = np.sort(np.unique(place_names(pool), return_index=True)[1])
    if len(distinct) <= n_kept:
        return distinct, ()
    scores = _optimistic(goal, posterior.predict(pool.isel(specimen=distinct)))
    kept = distinct[_first_ranks(scores, n_kept)]
    note = (
        f"Of {len(distinct)} places in the pool the {len(kept)} that look best one by one"
        " (two sd better than expected, or most uncertain phase) were compared jointly."
    )
    return kept, (note,)


def _incumbents(posterior: Posterior, goal: Goal) -> xr.Dataset:
    """Find the distinct places where a property in the goal was measured, the best ones if they are many."""
    table = posterior.table
    design = table[design_names(posterior)].reset_coords(drop=True)
    measured = np.zeros(table.sizes["specimen"], bool)
    for _, part in property_terms(goal):
        measured |= np.isfinite(table[part.name].values)
    complete = np.isfinite(design_matrix(design)).all(1)
    design = design.isel(specimen=np.flatnonzero(measured & complete))
    if design.sizes["specimen"] == 0:
        return design
    design = design.isel(specimen=np.sort(np.unique(place_names(design), return_index=True)[1]))
    if design.sizes["specimen"] <= N_INCUMBENTS:
        return design
    scores = _optimistic(goal, posterior.predict(design))
    return design.isel(specimen=_first_ranks(scores, N_INCUMBENTS))


def _first_ranks(scores: np.ndarray, n_kept: int) -> np.ndarray:
    """Keep the rows of (row, score) that rank highest by any of their scores."""
    ranks = np.argsort(np.argsort(-scores, axis=0), axis=0).min(1)
    return np.sort(np.argsort(ranks, kind="stable")[:n_kept])
