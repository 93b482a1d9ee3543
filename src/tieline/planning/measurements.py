"""Which instrument next: pairs of a place and an instrument, chosen by what they gain per cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tieline.errors import NotIdentified
from tieline.planning.acquisition import (
    improvement_after_label,
    information_gain,
    log_improvement_by_draw,
    log_improvement_of_draws,
    share_told_by_value,
    shared_information,
)
from tieline.planning.beliefs import Beliefs
from tieline.planning.choice import Choice, nothing_to_learn, price_of_improvement, share_of_unknown
from tieline.planning.goals import Goal, map_weight, property_terms
from tieline.planning.instruments import Instruments

Pair = tuple[int, int]  # a place among candidates and pending, and an instrument


def choose_measurements(
    beliefs: Beliefs,
    goal: Goal,
    instruments: Instruments,
    noise: Mapping[str, np.ndarray],
    log_worth: np.ndarray,
    n: int,
    seed: int = 0,
) -> Choice:
    """Choose places and instruments one by one, each as if the earlier ones had been measured.

    Args:
        beliefs: about the candidates, formed of the rows of the pool where something is left.
        goal: what to look for.
        instruments: what can measure, and where.
        noise: standard deviation of a measurement (candidate and pending) of each property with a cost; used
            where the goal asks for the phase map.
        log_worth (candidate): logarithm of a factor on every gain: how probably a specimen can be made.
        n: how many.
        seed: of simulated measurements.

    Raises:
        NotIdentified: no measurement serves the goal.
    """
    n_candidates, n_instruments = len(beliefs.candidates), len(instruments.names)
    gains = _Gains(beliefs, goal, instruments, _told_by_each(beliefs, instruments, noise, seed))
    closed = instruments.is_done[instruments.rows][beliefs.candidates]
    settled = [(n_candidates + int(i), int(m)) for i, m in np.argwhere(instruments.is_pending)]
    pairs: list[Pair] = []
    values, told = np.zeros(n), np.zeros(n)
    for step in range(n):
        gain, unit, about_map = gains.at(closed, settled)
        if not pairs and gain[~closed].max() <= 0 and not gains.may_tell(closed):
            raise _nothing_serves(goal, instruments)
        per_cost = np.where(closed, -1.0, gain * np.exp(log_worth)[:, None] / instruments.costs)
        i, m = divmod(int(np.argmax(per_cost)), n_instruments)
        values[step] = per_cost[i, m] * unit
        told[step] = 0 if about_map is None else about_map[i, m]
        closed[i, m] = True
        pairs.append((i, m))
        settled.append((i, m))
    names = tuple(instruments.names[m] for _, m in pairs)
    return Choice([i for i, _ in pairs], values, share_of_unknown(beliefs, told), names)


def _nothing_serves(goal: Goal, instruments: Instruments) -> NotIdentified:
    wanted = sorted({part.name for _, part in property_terms(goal)})
    if not wanted:
        return nothing_to_learn(goal)
    return NotIdentified(
        "None of these instruments serves the goal where it has not measured yet.",
        found=f"{', '.join(instruments.names)}; the goal is: {goal}",
        hint=f"a cost for {' or '.join(wanted)}, or a pool with places where that was not measured",
    )


def _told_by_each(
    beliefs: Beliefs, instruments: Instruments, noise: Mapping[str, np.ndarray], seed: int
) -> np.ndarray | None:
    """Information (instrument, place, reference), nats, that each instrument shares with the map.

    A value tells of the map through the phase at its own place: what a label there would tell, times the
    share of that phase's uncertainty which the value resolves.
    """
    if beliefs.information is None:
        return None
    told = []
    for name in instruments.names:
        share = np.ones(beliefs.open_phase.shape[1])
        if name not in instruments.label_sets:
            share = share_told_by_value(beliefs.open_phase, beliefs.values[name], noise[name], seed)
        told.append(share[:, None] * beliefs.information)
    return np.stack(told)


@dataclass(frozen=True)
class _Gains:
    """What every pair of candidate and instrument would gain.

    Attributes:
        beliefs: about the candidates.
        goal: what to look for.
        instruments: what can measure.
        told (instrument, place, reference): information about the map; None if the goal does not ask.
    """

    beliefs: Beliefs
    goal: Goal
    instruments: Instruments
    told: np.ndarray | None

    def at(self, closed: np.ndarray, settled: list[Pair]) -> tuple[np.ndarray, float, np.ndarray | None]:
        """Gain (candidate, instrument), the unit it is in, and what of it is about the map, nats.

        For properties alone the unit is the largest gain, so that nothing underflows. In a sum with the map
        the unit is 1: improvements count in spreads of the property, information in nats.

        Args:
            closed (candidate, instrument): not to be proposed.
            settled: what counts as measured.
        """
        about_map = None if self.told is None else self._about_map(settled)
        if not self.beliefs.worth:
            assert about_map is not None  # a goal has at least one part
            return about_map, 1.0, about_map
        log_gain = self._about_properties(closed, settled)
        if about_map is None:
            top = log_gain[~closed].max()
            share = np.exp(log_gain - top) if np.isfinite(top) else np.zeros_like(log_gain)
            return share, float(np.exp(top)), None
        price = price_of_improvement(self.beliefs, self.goal)
        return price * np.exp(log_gain) + map_weight(self.goal) * about_map, 1.0, about_map

    def may_tell(self, closed: np.ndarray) -> bool:
        """Whether an open pair shares any information with the map, under way elsewhere or not."""
        return self.told is not None and bool(self.told[:, : len(closed)][~closed.T].any())

    def _about_map(self, settled: list[Pair]) -> np.ndarray:
        assert self.told is not None
        chosen = np.array([self.told[m, i] for i, m in settled]).reshape(-1, self.told.shape[2])
        n_candidates = len(self.beliefs.candidates)
        return np.stack([information_gain(told[:n_candidates], chosen) for told in self.told], axis=1)

    def _about_properties(self, closed: np.ndarray, settled: list[Pair]) -> np.ndarray:
        """Logarithm of the improvement (candidate, instrument); minus infinity where there is none."""
        beliefs, utility = self.beliefs, self.beliefs.utility
        assert utility is not None
        n_candidates, best = len(beliefs.candidates), self._best(utility, settled)
        log_gain = np.full(closed.shape, -np.inf)
        in_goal = [m for m, name in enumerate(self.instruments.names) if name in beliefs.worth]
        for m in in_goal:
            own = beliefs.worth[self.instruments.names[m]]
            # Other properties of the goal count as they are expected: this instrument does not tell them.
            alone = own + (utility - own).mean(0)
            log_gain[:, m] = log_improvement_of_draws(alone[:, :n_candidates], best, beliefs.phase)
        is_open = ~closed[:, in_goal].all(1)
        labels = [m for m, name in enumerate(self.instruments.names) if name in self.instruments.label_sets]
        if labels and in_goal and is_open.any():
            by_draw = log_improvement_by_draw(utility[:, :n_candidates], best, beliefs.phase)[:, is_open]
            gain = self._by_label(by_draw, [i for i, used in settled if used in labels])
            log_gain[:, labels] = gain[:, None]
        return log_gain

    def _by_label(self, log_improvement: np.ndarray, labelled: list[int]) -> np.ndarray:
        """Logarithm of what a label (candidate) adds to the next improvement, less what others tell of it."""
        phase = self.beliefs.phase
        n_phases, top = int(self.beliefs.open_phase.max()) + 1, log_improvement.max()
        gain = improvement_after_label(np.exp(log_improvement - top), phase, n_phases)
        if labelled:
            probability = np.stack([(phase == k).mean(0) for k in range(n_phases)])
            entropy = -(probability * np.log(np.where(probability > 0, probability, 1))).sum(0)
            shared = shared_information(phase, self.beliefs.open_phase[:, labelled], n_phases).max(1)
            gain *= np.clip(1 - shared / np.where(entropy > 0, entropy, 1), 0, 1)
        with np.errstate(divide="ignore"):  # log 0: a label that changes nothing
            return np.log(gain) + top

    def _best(self, utility: np.ndarray, settled: list[Pair]) -> np.ndarray:
        """The best so far, in each draw, among places where the goal's properties are or will be measured."""
        in_goal = {m for m, name in enumerate(self.instruments.names) if name in self.beliefs.worth}
        used = {i: {m for j, m in settled if j == i} for i in {i for i, _ in settled}}
        n_open = self.beliefs.open_phase.shape[1]
        rivals = utility[:, [*range(n_open, utility.shape[1]), *(i for i in used if in_goal <= used[i])]]
        # With nothing measured yet there is no best so far: beat an average place instead.
        return rivals.max(1) if rivals.shape[1] else utility[:, : len(self.beliefs.candidates)].mean(1)
