"""Choose what to make or measure next."""

from typing import Literal, get_args

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, TielineError, did_you_mean
from tieline.models.posterior import Posterior
from tieline.planning.acquisition import information_gain, log_improvement_of_draws, upper_confidence_bound
from tieline.planning.beliefs import Beliefs, form_beliefs
from tieline.planning.goals import Goal, map_weight, property_terms, write_goal
from tieline.planning.pool import check_pool, join, place_names
from tieline.planning.reason import outlook, reasons

Acquisition = Literal["log_ei", "ucb", "thompson"]


def propose(
    posterior: Posterior,
    pool: xr.Dataset,
    goal: Goal,
    n: int = 1,
    *,
    acquisition: Acquisition = "log_ei",
    pending: xr.Dataset | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Propose the rows of a pool that serve a goal best, as a batch.

    The batch is chosen one by one, each as if the earlier ones and those pending had been measured: five
    proposals are five different bets, not five neighbours. No place is proposed twice, and none that is
    pending.

    Args:
        posterior: what a model learned.
        pool (specimen): the places one could go to, with the model's design variables. Further columns are
            kept.
        goal: `Maximize`, `Minimize`, `Target`, `LearnPhaseMap`, or a weighted sum of them.
        n: how many to propose, from 1 to the number of different places in the pool.
        acquisition: how a place is scored for the properties in the goal. `log_ei`, the expected improvement
            over the best so far, finds the best in few tries; `ucb`, 1.96 sd above the mean, explores a
            little more; `thompson` takes the best place of another draw each time. The phase map is always
            scored by the information that a label would give.
        pending (specimen): places under way, with the design variables; treated as already chosen.
        seed: of the joint draws.

    Returns:
        (specimen): rows of the pool in the order of choice, with `candidate` (row of the pool), `value`
        (score when it was chosen), `reason`, the predicted mean and sd of each property in the goal (in place
        of a column of the pool of the same name), `most_likely_phase` and `phase_entropy`. `attrs["notes"]`
        says what was left out.

    Raises:
        SchemaError: the pool or the pending places cannot be predicted, or the model lacks a property of the
            goal.
        NotIdentified: the goal asks for a phase map and nothing about it is uncertain.
        TielineError: more proposals than different places.
    """
    _check_goal(posterior, goal, acquisition)
    design = check_pool(posterior, pool)
    under_way = _under_way(posterior, design, pending)
    open_rows = _open_rows(design, under_way, n)
    beliefs = form_beliefs(posterior, design.isel(specimen=open_rows), under_way, goal, at_least=n, seed=seed)
    chosen, values, told = _choose(beliefs, goal, n, acquisition)
    rows = open_rows[beliefs.candidates[chosen]]
    predicted = posterior.predict(design.isel(specimen=rows))
    columns = {"candidate": rows, "value": values, "reason": reasons(goal, predicted, posterior.table, told)}
    proposals = pool.isel(specimen=rows).drop_vars(list(columns), errors="ignore")
    keep = [name for _, part in property_terms(goal) for name in (part.name, f"{part.name}_sd")]
    for name in (*keep, "most_likely_phase", "phase_entropy"):
        proposals[name] = predicted[name].variable
    proposals = proposals.assign({name: ("specimen", column) for name, column in columns.items()})
    notes = [*beliefs.notes, *outlook(goal, predicted, posterior.table)]
    about = {"goal": write_goal(goal), "acquisition": acquisition, "seed": seed, "notes": notes}
    return proposals.assign_attrs(about)


def _check_goal(posterior: Posterior, goal: Goal, acquisition: str) -> None:
    if not isinstance(goal, Goal):
        raise TielineError("This is not a goal.", found=repr(goal), hint='tl.Maximize("strength")')
    if acquisition not in get_args(Acquisition):
        guess = did_you_mean(acquisition, get_args(Acquisition))
        raise TielineError(
            f"There is no acquisition '{acquisition}'. {guess}".strip(),
            hint=" or ".join(get_args(Acquisition)),
        )
    known = list(posterior.model.properties)
    for _, part in property_terms(goal):
        if part.name not in known:
            raise SchemaError(
                f"The goal asks for '{part.name}', which this model did not learn.",
                found=f"{', '.join(known) or 'no property'}. {did_you_mean(part.name, known)}".strip(),
                hint="name one of these, or fit the model with the property",
            )


def _under_way(posterior: Posterior, design: xr.Dataset, pending: xr.Dataset | None) -> xr.Dataset:
    """Reduce pending places to their design; no rows when there are none."""
    if pending is None or pending.sizes.get("specimen") == 0:
        return design.isel(specimen=slice(0))
    return check_pool(posterior, pending, called="pending places")


def _open_rows(design: xr.Dataset, pending: xr.Dataset, n: int) -> np.ndarray:
    """List the rows of the pool that are not pending, and see that n different places are among them."""
    names = place_names(join(design, pending))
    n_pool = design.sizes["specimen"]
    rows = np.flatnonzero(~np.isin(names[:n_pool], names[n_pool:]))
    n_different = len(np.unique(names[rows]))
    if n < 1 or n > n_different:
        aside = (
            f" that {'is' if n_different == 1 else 'are'} not pending" if pending.sizes["specimen"] else ""
        )
        raise TielineError(
            f"Cannot propose {n} different places.",
            found=f"a pool of {n_pool} rows with {n_different} different places{aside}",
            hint=f"n from 1 to {n_different}" if n_different else "a larger pool",
        )
    return rows


def _choose(
    beliefs: Beliefs, goal: Goal, n: int, acquisition: Acquisition
) -> tuple[list[int], np.ndarray, np.ndarray | None]:
    """Choose greedily: candidates, scores, and which share of what is unknown about the map each tells."""
    if beliefs.information is not None and not beliefs.information.any() and beliefs.utility is None:
        raise NotIdentified(
            "There is nothing to learn about the phase map.",
            found="one phase, or a map that is certain all over the pool",
            hint="a model with phase labels, a wider pool, or a goal that asks for a property",
        )
    chosen: list[int] = []
    values, told = np.zeros(n), np.zeros(n)
    for step in range(n):
        score, gain = _scores(beliefs, goal, acquisition, chosen)
        score[chosen] = -np.inf
        best = int(np.argmax(score))
        values[step] = score[best]
        told[step] = 0 if gain is None else gain[best]
        chosen.append(best)
    if beliefs.information is None:
        return chosen, values, None
    unknown = beliefs.information[: len(beliefs.candidates)].max(0).mean()
    return chosen, values, told / unknown if unknown > 0 else told


def _scores(
    beliefs: Beliefs, goal: Goal, acquisition: Acquisition, chosen: list[int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Score every candidate, given what was chosen so far; and the information each gives about the map."""
    settled = beliefs.pending + chosen
    n_candidates = len(beliefs.candidates)
    gain = score = None
    if beliefs.information is not None:
        gain = information_gain(beliefs.information[:n_candidates], beliefs.information[settled])
    if beliefs.utility is not None:
        score = _property_scores(beliefs, beliefs.utility, acquisition, settled, len(chosen))
    if score is None or gain is None:
        only = score if gain is None else gain
        assert only is not None  # a goal has at least one part
        return only.copy(), gain
    share = _share_of_best(np.exp(score - score.max()) if acquisition == "log_ei" else score)
    weight = sum(w for w, _ in property_terms(goal))
    return weight * share + map_weight(goal) * _share_of_best(gain), gain


def _property_scores(
    beliefs: Beliefs, utility: np.ndarray, acquisition: Acquisition, settled: list[int], n_chosen: int
) -> np.ndarray:
    n_candidates = len(beliefs.candidates)
    candidates = utility[:, :n_candidates]
    if acquisition == "ucb":
        return upper_confidence_bound(candidates, utility[:, settled])
    if acquisition == "thompson":
        return candidates[n_chosen % len(candidates)]
    measured = list(range(n_candidates + beliefs.n_pending, utility.shape[1]))
    rivals = utility[:, measured + settled]
    # With nothing measured yet there is no best so far: beat an average place instead.
    best = rivals.max(1) if rivals.shape[1] else candidates.mean(1)
    return log_improvement_of_draws(candidates, best, beliefs.phase)


def _share_of_best(score: np.ndarray) -> np.ndarray:
    """Bring scores to a scale where the worst place has 0 and the best 1."""
    span = np.ptp(score)
    return (score - score.min()) / span if span > 0 else np.zeros_like(score)
