"""What the posterior believes about the places that a choice is made among."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.models.posterior import Posterior
from tieline.planning.acquisition import shared_information
from tieline.planning.goals import (
    Goal,
    LearnLevelSet,
    LearnPhaseMap,
    Maximize,
    Minimize,
    Pareto,
    PropertyGoal,
    map_terms,
    map_weight,
    property_terms,
    utility_of,
)
from tieline.planning.pool import design_names, is_complete, join, place_names

N_DRAWS = 512  # 4 MB for 1000 places; the Monte-Carlo error of a phase's probability is then at most 0.022
N_PLACES = 1000  # information costs places times references times draws; more candidates are narrowed first
N_INCUMBENTS = 64  # measured places among which the best so far is sought, those of highest expected utility
N_REFERENCE = 400  # places that stand for the whole map


@dataclass(frozen=True)
class Beliefs:
    """Joint draws over the candidates, the places that are pending, and the best measured ones.

    Attributes:
        candidates (candidate): rows of the pool, after narrowing.
        worth: of each property in the goal, what it adds to the utility (draw, place). Places are
            candidates, then pending, then incumbents.
        information (place, reference): nats shared with places spread over the whole pool, for candidates
            and pending; None if the goal does not ask.
        objectives (draw, place, objective): what is to be compromised between, larger is better; None unless
            the goal is `Pareto`.
        reference (objective): from which volume is counted; NaN for the worst measured.
        open_phase (draw, place): the sampled phase, for candidates and pending.
        values: of each property of the model (draw, place), for candidates and pending, in its own unit.
        notes: what was left out.
    """

    candidates: np.ndarray
    worth: Mapping[str, np.ndarray]
    information: np.ndarray | None
    objectives: np.ndarray | None
    reference: np.ndarray | None
    open_phase: np.ndarray
    values: Mapping[str, np.ndarray]
    notes: tuple[str, ...]

    @property
    def phase(self) -> np.ndarray:
        """The sampled phase (draw, candidate)."""
        return self.open_phase[:, : len(self.candidates)]

    @property
    def utility(self) -> np.ndarray | None:
        """What the properties in the goal are worth together (draw, place); None if the goal has none."""
        return sum(self.worth.values(), np.zeros(1)) if self.worth else None

    @property
    def n_pending(self) -> int:
        """How many places are pending."""
        return self.open_phase.shape[1] - len(self.candidates)

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
    needs_all: bool = False,
    seed: int = 0,
) -> Beliefs:
    """Ask the posterior everything that a choice needs, once.

    Args:
        posterior: what was learned.
        pool (specimen): design of the candidates, checked.
        pending (specimen): design of the places under way, checked; may have no rows.
        goal: what to look for.
        at_least: candidates to keep, however many there are.
        needs_all: whether only places where all properties of the goal were measured can be the best so far;
            otherwise one of them is enough.
        seed: of the joint draws.
    """
    candidates, notes = _narrow(posterior, pool, goal, max(N_PLACES, at_least))
    kept = pool.isel(specimen=candidates)
    incumbents = _incumbents(posterior, goal, np.all if needs_all else np.any)
    reference = _reference(candidates, pool.sizes["specimen"]) if map_terms(goal) else candidates[:0]
    extra = np.setdiff1d(reference, candidates)  # most are candidates too, and need no draws of their own
    places = join(kept, pending, incumbents, pool.isel(specimen=extra))
    draws = posterior.functions(places, n=N_DRAWS, seed=seed)
    phase = _drawn_phase(draws)
    n_kept = kept.sizes["specimen"]
    n_open, n_worth = n_kept + pending.sizes["specimen"], phase.shape[1] - len(extra)
    worth, information, objectives, volume_from = {}, None, None, None
    if isinstance(goal, Pareto):
        starts = zip(goal.parts, np.array(goal.reference, float), strict=True)
        volume_from = np.array([utility_of(part, start) for part, start in starts])
        objectives = _objectives(goal, draws.isel(specimen=slice(n_worth)))
        if (objectives.mean(0) <= volume_from).any(1).all():
            notes = (*notes, "No place is expected to pass the reference: those nearest to it are chosen.")
    elif property_terms(goal):
        worth = goal_worth(goal, draws.isel(specimen=slice(n_worth)), slice(0, n_kept))
    if map_terms(goal):
        column = {row: i for i, row in enumerate(candidates)}
        column |= {row: n_worth + i for i, row in enumerate(extra)}
        told = [column[row] for row in reference]
        shares = [weight * _shared(kind, draws, phase, n_open, told) for weight, kind in map_terms(goal)]
        information = np.sum(shares, axis=0) / map_weight(goal)
    names = [str(name) for name in draws["property"].values]
    values = {
        name: draws.sel(property=name).transpose("draw", "specimen").values[:, :n_open] for name in names
    }
    open_phase = phase[:, :n_open]
    return Beliefs(candidates, worth, information, objectives, volume_from, open_phase, values, notes)


def _drawn_phase(draws: xr.DataArray) -> np.ndarray:
    """The phase (draw, specimen) of every draw; 0 everywhere if the model knows no phases."""
    if "phase_draw" not in draws.coords:
        return np.zeros((draws.sizes["draw"], draws.sizes["specimen"]), dtype=int)
    return draws["phase_draw"].transpose("draw", "specimen").values.astype(int)


def measurement_noise(posterior: Posterior, places: xr.Dataset) -> dict[str, np.ndarray]:
    """Standard deviation (specimen) with which one measurement scatters, of each property in its own unit."""
    predicted = posterior.predict(places)
    return {
        name: np.sqrt(predicted[f"{name}_variance"].sel(part="noise").values)
        for name in posterior.model.properties
    }


def _reference(candidates: np.ndarray, n_pool: int) -> np.ndarray:
    """Rows of the pool that stand for the whole map: the candidates, or of a large pool every so many."""
    if n_pool <= N_REFERENCE:
        return candidates
    return np.arange(0, n_pool, -(-n_pool // N_REFERENCE))


def _shared(
    kind: LearnPhaseMap | LearnLevelSet, draws: xr.DataArray, phase: np.ndarray, n_open: int, told: list[int]
) -> np.ndarray:
    """Information (place, reference) about a map of phases, or of where a property is above a level."""
    drawn, n_kinds = phase, int(phase.max()) + 1
    if isinstance(kind, LearnLevelSet):
        above = draws.sel(property=kind.name).transpose("draw", "specimen").values > kind.level
        drawn, n_kinds = above.astype(int), 2
    return shared_information(drawn[:, :n_open], drawn[:, told], n_kinds)


def _objectives(goal: Pareto, draws: xr.DataArray) -> np.ndarray:
    """What is to be compromised between (draw, place, objective), larger is better."""
    return np.stack(
        [utility_of(p, draws.sel(property=p.name).transpose("draw", "specimen").values) for p in goal.parts],
        -1,
    )


def _noise_free_variance(predicted: xr.Dataset, name: str) -> np.ndarray:
    parts = predicted[f"{name}_variance"]
    return parts.sel(part=parts["part"] != "noise").sum("part").values


def goal_worth(goal: Goal, draws: xr.DataArray, pool: slice) -> dict[str, np.ndarray]:
    """What each property in a goal is worth, larger is better; the utility is their sum.

    A single property keeps its unit. In a sum each part is divided by the spread of its expected utility over
    the pool.

    Args:
        goal: with at least one property in it.
        draws (draw, specimen, property): noise-free values.
        pool: which of the places are candidates.

    Returns:
        (draw, specimen) of each property.
    """
    parts = property_terms(goal)
    found: dict[str, np.ndarray] = {}
    for weight, part in parts:
        worth = utility_of(part, draws.sel(property=part.name).transpose("draw", "specimen").values)
        if len(parts) > 1:
            worth = weight * worth / (worth[:, pool].mean(0).std() or 1.0)
        found[part.name] = found.get(part.name, 0) + worth
    return found


def _optimistic(goal: Goal, predicted: xr.Dataset) -> np.ndarray:
    """Score places one by one, (specimen, part): two sd better than expected, or the entropy of the phase."""
    scores = []
    for _, part in (*property_terms(goal), *map_terms(goal)):
        if isinstance(part, PropertyGoal):
            sd = np.sqrt(_noise_free_variance(predicted, part.name))
            mean = predicted[part.name].values
            ahead = {Maximize: mean + 2 * sd, Minimize: 2 * sd - mean}
            scores.append(ahead[type(part)] if type(part) in ahead else 2 * sd + utility_of(part, mean))
        elif isinstance(part, LearnLevelSet):
            sd = np.sqrt(_noise_free_variance(predicted, part.name))
            scores.append(-np.abs(predicted[part.name].values - part.level) / np.maximum(sd, 1e-300))
        elif "phase_entropy" in predicted:
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


def _incumbents(posterior: Posterior, goal: Goal, enough: Callable[..., np.ndarray]) -> xr.Dataset:
    """Find the distinct places where the goal's properties were measured, the best ones if they are many."""
    table = posterior.results
    design = table[design_names(posterior)].reset_coords(drop=True)
    parts = property_terms(goal)
    if not parts:
        return design.isel(specimen=slice(0))
    measured = enough([np.isfinite(table[part.name].values) for _, part in parts], axis=0)
    complete = is_complete(design)
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
