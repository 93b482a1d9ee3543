"""Choose places one by one, by what measuring everything there would bring."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tieline.errors import NotIdentified
from tieline.planning.acquisition import (
    FLAT,
    information_about_best,
    information_gain,
    knowledge_gradient,
    left_open,
    log_chance_of_draws,
    log_hypervolume_improvement,
    log_improvement_of_draws,
    share_of_wins,
    upper_confidence_bound,
)
from tieline.planning.beliefs import Beliefs
from tieline.planning.goals import Goal, level_terms, map_weight, property_terms

Acquisition = Literal["log_ei", "pi", "ucb", "thompson", "p_best", "lookahead", "information"]
WITHOUT_ZERO = ("ucb", "thompson")  # values of the property, not gains


@dataclass(frozen=True)
class Choice:
    """What was chosen, one entry a proposal.

    Attributes:
        candidates: indices into the candidates.
        values: scores when they were chosen.
        told: share of what is unknown about the map that each tells; None if the goal does not ask.
        instruments: what measures there; empty where every place is measured with all of them.
        n_at_random: how many more were drawn at random, and stand last.
    """

    candidates: list[int]
    values: np.ndarray
    told: np.ndarray | None
    instruments: tuple[str, ...] = ()
    n_at_random: int = 0

    def and_at_random(self, n: int) -> "Choice":
        """The same with some more proposals that were drawn at random and have no score."""
        told = None if self.told is None else np.append(self.told, np.full(n, np.nan))
        values = np.append(self.values, np.full(n, np.nan))
        return replace(self, values=values, told=told, n_at_random=n)


def choose_places(
    beliefs: Beliefs, goal: Goal, n: int, acquisition: Acquisition, log_worth: np.ndarray
) -> Choice:
    """Choose places one by one, each as if the earlier ones had been measured.

    Args:
        beliefs: about the candidates.
        goal: what to look for.
        n: how many.
        acquisition: how the properties in the goal are scored.
        log_worth (candidate): logarithm of a factor on every score.

    Raises:
        NotIdentified: the goal asks for the phase map only, and nothing about it is uncertain.
    """
    asks_only_map = beliefs.utility is None and beliefs.objectives is None
    if asks_only_map and beliefs.information is not None and not beliefs.information.any():
        raise nothing_to_learn(goal)
    chosen: list[int] = []
    values, told = np.zeros(n), np.zeros(n)
    for step in range(n):
        score, gain = _scores(beliefs, goal, acquisition, chosen)
        is_log = beliefs.objectives is not None
        is_log |= acquisition in ("log_ei", "pi") and beliefs.information is None
        has_zero = acquisition not in WITHOUT_ZERO or beliefs.utility is None
        score = weighed(score, log_worth, is_log=is_log, has_zero=has_zero)
        score[chosen] = -np.inf
        best = int(np.argmax(score))
        values[step] = score[best]
        told[step] = 0 if gain is None else gain[best]
        chosen.append(best)
    return Choice(chosen, values, share_of_unknown(beliefs, told))


def weighed(
    score: np.ndarray, log_worth: np.ndarray, *, is_log: bool = False, has_zero: bool = True
) -> np.ndarray:
    """Multiply scores (candidate), or logarithms of scores, by factors whose logarithms are given."""
    if is_log:
        return score + log_worth
    if not log_worth.any():
        return score
    # What has no zero is counted from the least promising place, or a factor would turn signs around.
    return (score if has_zero else score - score.min()) * np.exp(log_worth)


def share_of_unknown(beliefs: Beliefs, told: np.ndarray) -> np.ndarray | None:
    """Divide information about the map (nats) by what all candidates together would tell, if it was asked."""
    if beliefs.information is None:
        return None
    unknown = beliefs.information[: len(beliefs.candidates)].max(0).mean()
    return told / unknown if unknown > 0 else told


def nothing_to_learn(goal: Goal) -> NotIdentified:
    """Say that the map is certain."""
    levels = [f"where {part.name} is above {part.level:g}" for _, part in level_terms(goal)]
    if levels:
        return NotIdentified(
            f"There is nothing to learn about {' and '.join(levels)}.",
            found="it is certain all over the pool",
            hint="a level between the values that are predicted, or a wider pool",
        )
    return NotIdentified(
        "There is nothing to learn about the phase map.",
        found="one phase, or a map that is certain all over the pool",
        hint="a model with phase labels, a wider pool, or a goal that asks for a property",
    )


def _scores(
    beliefs: Beliefs, goal: Goal, acquisition: Acquisition, chosen: list[int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Score every candidate, given what was chosen so far; and the information each gives about the map."""
    settled = beliefs.pending + chosen
    n_candidates = len(beliefs.candidates)
    if beliefs.objectives is not None:
        measured = range(n_candidates + beliefs.n_pending, beliefs.objectives.shape[1])
        rivals = beliefs.objectives[:, [*measured, *settled]]
        own = beliefs.objectives[:, :n_candidates]
        return log_hypervolume_improvement(own, rivals, beliefs.phase, beliefs.reference), None
    gain = score = None
    if beliefs.information is not None:
        gain = information_gain(beliefs.information[:n_candidates], beliefs.information[settled])
    if beliefs.utility is not None:
        score = _property_scores(beliefs, beliefs.utility, acquisition, settled, len(chosen))
    if score is None or gain is None:
        only = score if gain is None else gain
        assert only is not None  # a goal has at least one part
        return only.copy(), gain
    if acquisition == "log_ei":
        return price_of_improvement(beliefs, goal) * np.exp(score) + map_weight(goal) * gain, gain
    weight = sum(w for w, _ in property_terms(goal))
    return weight * _share_of_best(score) + map_weight(goal) * _share_of_best(gain), gain


def price_of_improvement(beliefs: Beliefs, goal: Goal) -> float:
    """The weight of an improvement by one unit of the utility, where a nat about the map has its own weight.

    Improvements count in spreads of the property over the pool, what is unsure included. So the property
    yields to the map once there is little left to be gained, and the map to the property.
    """
    parts, utility = property_terms(goal), beliefs.utility
    assert utility is not None
    if len(parts) > 1:
        return 1.0  # the utility is a sum of weighted spreads already
    return sum(w for w, _ in parts) / (utility[:, : len(beliefs.candidates)].std() or 1.0)


def _property_scores(
    beliefs: Beliefs, utility: np.ndarray, acquisition: Acquisition, settled: list[int], n_chosen: int
) -> np.ndarray:
    n_candidates = len(beliefs.candidates)
    candidates = utility[:, :n_candidates]
    if acquisition == "ucb":
        return upper_confidence_bound(candidates, utility[:, settled])
    if acquisition == "thompson":
        return candidates[n_chosen % len(candidates)]
    if acquisition == "p_best":
        return share_of_wins(utility[:, : n_candidates + beliefs.n_pending], settled)[:n_candidates]
    measured = list(range(n_candidates + beliefs.n_pending, utility.shape[1]))
    rivals = utility[:, measured + settled]
    # With nothing measured yet there is no best so far: beat an average place instead.
    best = rivals.max(1) if rivals.shape[1] else candidates.mean(1)
    if acquisition in ("log_ei", "pi"):
        score = log_improvement_of_draws if acquisition == "log_ei" else log_chance_of_draws
        return score(candidates, best, beliefs.phase)
    mean, left = candidates.mean(0), left_open(candidates, utility[:, settled])
    if acquisition == "lookahead":  # what would be gained by knowing the value there without noise
        return knowledge_gradient(mean, left.T @ left / len(left), 0.0)
    sd = np.maximum(left.std(0), FLAT * max(left.std(), np.finfo(float).tiny))
    return information_about_best(mean, sd, np.maximum(candidates.max(1), best))


def _share_of_best(score: np.ndarray) -> np.ndarray:
    """Bring scores to a scale where the worst place has 0 and the best 1."""
    span = np.ptp(score)
    return (score - score.min()) / span if span > 0 else np.zeros_like(score)
