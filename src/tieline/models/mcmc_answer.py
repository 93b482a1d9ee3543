"""What the chains say of any place: every draw is a map with its functions, and all draws count alike.

Two shares guard against a joint model that does not fit. `fit.trust` is the probability that properties
help to predict left-out labels: what is missing from one stays with the map of the labels alone. And a
property that ignores phases keeps the weight that its experts of a single phase earned in leave-one-out
prediction.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.expert_mixture import truncated
from tieline.models.experts import Expert
from tieline.models.fusion import Fusion
from tieline.models.gate_mixture import settings_at
from tieline.models.interpolated_expert import interpolated
from tieline.models.mcmc import Sample
from tieline.models.mcmc_property import Column
from tieline.models.observations import UNLIKELY, Observations, updated, value_evidence
from tieline.models.pathwise import draw_phases, draw_property
from tieline.models.sites import log_sum

BLOCK = 1024  # places answered at a time, so that memory does not grow with their number
N_OPEN = 4  # normals a draw for what its pivots leave open of the map


@dataclass(frozen=True)
class SampledAnswer:
    """Answers of the chains, in scaled units.

    Attributes:
        sample: the draws.
        fit: fast inference, which the chains started from.
        seen: what was measured.
    """

    sample: Sample
    fit: Fusion
    seen: Observations

    def predict(self, x: Array) -> tuple[Array, list[tuple[Array, Array]]]:
        """Phase probabilities (place, K); of each property, mean (place) and variance parts (place, 4)."""
        sample, n, n_phases = self.sample, len(self.sample.draws), self.fit.n_phases
        normals = np.random.default_rng(0).standard_normal((n, N_OPEN, n_phases - 1))
        blocks = [slice(i, i + BLOCK) for i in range(0, max(len(x), 1), BLOCK)]
        plain = np.vstack([self.fit.plain_gates.probabilities(x[block]) for block in blocks])
        tallies = [Tally.empty(len(x), n_phases) for _ in sample.columns]
        average = np.zeros((len(x), n_phases))
        for draw, z in zip(sample.draws, normals, strict=True):
            own = np.vstack([draw.probabilities(sample.pivots, x[block], z) for block in blocks])
            probability = self.fit.trust * own + (1 - self.fit.trust) * plain
            average += probability / n
            for j, column in enumerate(sample.columns):
                share = (1 - self._blind(j)[1].sum()) / n
                tallies[j].add(draw.expert(j, column), share, x, probability)
        for j, tally in enumerate(tallies):
            for expert, weight in zip(*self._blind(j), strict=True):
                tally.add(expert, float(weight), x, average)
        return average, [tally.answer() for tally in tallies]

    def draws(self, x: Array, n: int, rng: np.random.Generator) -> tuple[Indices, Array]:
        """Joint draws: phase (draw, place) and noise-free properties (draw, place, property)."""
        sample = self.sample
        order = rng.permutation(len(sample.draws))  # of all chains
        chosen = [sample.draws[order[i % len(order)]] for i in range(n)]
        phase = np.stack([draw.phases(sample.pivots, x, rng) for draw in chosen])
        plain = rng.random(n) >= self.fit.trust
        phase[plain] = draw_phases(self.fit.plain_gates, x, int(plain.sum()), rng)
        values = np.zeros((n, len(x), self.seen.y.shape[1]))
        for j, column in enumerate(sample.columns):
            blind, weights = self._blind(j)
            for i, draw in enumerate(chosen):
                is_blind = rng.random() < weights.sum()
                expert = (
                    blind[int(rng.choice(len(blind), p=weights / weights.sum()))]
                    if is_blind
                    else draw.expert(j, column)
                )
                values[i, :, j] = draw_property(expert, x, phase[[i]], rng)[0]
        return phase, values

    def leave_one_out(self) -> tuple[Array, Array, Array]:
        """Phase probabilities (row, K) without the row's label; means and variances (row, property).

        Values are predicted without any of the row's values. Every draw predicts a row from the other rows.
        As it was drawn with the row in sight, it counts by one over the density that it gives to what the row
        says.

        Source: Vehtari et al. (2016), arXiv:1412.7461, section 3; weights truncated as by Ionides (2008).
        """
        seen, sample, n_phases = self.seen, self.sample, self.fit.n_phases
        nodes = np.zeros((1, n_phases - 1))
        shape = (len(sample.draws), *seen.label.shape)
        unlabelled, unmeasured = np.empty(shape), np.empty(shape)
        label_density, value_density = np.empty(shape[:2]), np.empty(shape[:2])
        moments = np.zeros((*shape, 2, seen.y.shape[1]))
        for s, draw in enumerate(sample.draws):
            map_ = draw.probabilities(sample.pivots, seen.x, nodes)
            given = seen.label_evidence(settings_at(draw.theta, seen.x.shape[1]).label_error)
            density = np.zeros(seen.label.shape)
            for j, column in enumerate(sample.columns):
                own = ~np.isnan(seen.y[:, j])
                mean, variance = _left_out(draw.expert(j, column), column, n_phases)
                moments[s, own, :, 0, j], moments[s, own, :, 1, j] = mean, variance
                density[own] += value_evidence(column.y, mean, variance)[0]
            unlabelled[s], unmeasured[s] = updated(map_, density), updated(map_, given)
            label_density[s] = log_sum(np.log(unlabelled[s] + 1e-12) + given)
            value_density[s] = log_sum(np.log(unmeasured[s] + 1e-12) + density)
        plain = self.fit.plain_gates.probabilities(seen.x)
        plain[seen.labelled] = self.fit.plain_gates.cavity_probabilities(int(seen.labelled.sum()))
        joint = np.einsum("sn,snk->nk", _weights(label_density), unlabelled)
        probability = self.fit.trust * joint + (1 - self.fit.trust) * plain
        given = seen.label_evidence(self.label_errors()[0].mean(0))
        phases = self.fit.trust * unmeasured + (1 - self.fit.trust) * updated(plain, given)
        return probability, *self._left_out_values(phases, moments, _weights(value_density))

    def _left_out_values(self, phases: Array, moments: Array, weight: Array) -> tuple[Array, Array]:
        """Means and variances (row, property) from what every draw says without the row's values.

        Args:
            phases: probability (draw, row, K).
            moments: mean and variance (draw, row, K, 2, property) of a measurement in each phase.
            weight: of each draw (draw, row).
        """
        seen = self.seen
        mean, variance = np.full(seen.y.shape, np.nan), np.full(seen.y.shape, np.nan)
        for j, column in enumerate(self.sample.columns):
            own = ~np.isnan(seen.y[:, j])
            w, p = weight[:, own], phases[:, own]
            m, v = moments[..., 0, j][:, own], moments[..., 1, j][:, own]
            experts, shares = self._blind(j)
            first = (1 - shares.sum()) * np.einsum("sn,snk,snk->n", w, p, m)
            second = (1 - shares.sum()) * np.einsum("sn,snk,snk->n", w, p, v + m**2)
            for expert, share in zip(experts, shares, strict=True):
                m, v = (part[:, 0] for part in _left_out(expert, column, self.fit.n_phases))
                first += share * m
                second += share * (v + m**2)
            mean[own, j], variance[own, j] = first, np.maximum(second - first**2, 1e-12)
        return mean, variance

    def label_errors(self) -> tuple[Array, Array]:
        """Error rates (draw, label set) of labels, and the weight of each draw."""
        draws, d = self.sample.draws, self.seen.x.shape[1]
        errors = np.array([settings_at(draw.theta, d).label_error for draw in draws])
        return errors, np.full(len(draws), 1 / len(draws))

    def experts(self, j: int) -> list[tuple[Expert, float]]:
        """Experts of property j and their weights: one of each draw, then those that know of one phase."""
        blind, blind_weights = self._blind(j)
        column, n = self.sample.columns[j], len(self.sample.draws)
        experts = [draw.expert(j, column) for draw in self.sample.draws] + list(blind)
        weights = np.concatenate([np.full(n, (1 - blind_weights.sum()) / n), blind_weights])
        return list(zip(experts, weights, strict=True))

    def _blind(self, j: int) -> tuple[tuple[Expert, ...], Array]:
        """Experts of property j that know of one phase only, where there are more, and their weights."""
        mixture = self.fit.experts[j]
        which = [i for i, e in enumerate(mixture.experts) if e.layout.n_phases < self.fit.n_phases]
        return tuple(mixture.experts[i] for i in which), mixture.weights[which]


@dataclass(frozen=True)
class Tally:
    """Weighted sums over draws from which a property's mean and the parts of its variance follow.

    Attributes:
        noise: (1).
        within: variance within phases (place).
        sums: of weight times 1, mean and mean squared in each phase (3, place, K).
    """

    noise: Array
    within: Array
    sums: Array

    @classmethod
    def empty(cls, n_places: int, n_phases: int) -> "Tally":
        """Nothing added yet."""
        return cls(np.zeros(1), np.zeros(n_places), np.zeros((3, n_places, n_phases)))

    def add(self, expert: Expert, weight: float, x: Array, probability: Array) -> None:
        """Add an expert's answer at `x` (place, d), given the probability of each phase (place, K)."""
        p = np.where(probability > UNLIKELY, probability, 0.0)
        p /= p.sum(1, keepdims=True)
        self.noise[0] += weight * expert.noise
        asked = interpolated(expert)
        for i in range(0, len(x), BLOCK):
            here = slice(i, i + BLOCK)
            mean, variance = asked.predict_where(x[here], p[here] > 0)
            own = weight * p[here]
            self.within[here] += (own * variance).sum(1)
            self.sums[:, here] += own * np.stack([np.ones_like(mean), mean, mean**2])

    def answer(self) -> tuple[Array, Array]:
        """Mean (place), and variance (place, 4) by noise, within, between phases, between hyperparameters."""
        share, first, second = self.sums
        answer = first.sum(1)
        central = first / np.maximum(share, 1e-300)
        between_phases = (share * (central - answer[:, None]) ** 2).sum(1)
        between_draws = np.maximum(second - first * central, 0.0).sum(1)
        noise = np.full(len(answer), self.noise[0])
        return answer, np.stack([noise, self.within, between_phases, between_draws], axis=1)


def _left_out(expert: Expert, column: Column, n_phases: int) -> tuple[Array, Array]:
    """Mean and variance (value, K) of every measurement in each phase, had it not been made."""
    mean, variance = expert.leave_one_out(column.x, n_phases, column.instrument)
    return mean, variance + expert.noise + column.error[:, None]


def _weights(log_density: Array) -> Array:
    """Importance weights (draw, row) that undo the rows' own log densities (draw, row)."""
    raw = np.exp(log_density.min(0) - log_density)
    return np.stack([truncated(column / column.sum()) for column in raw.T], axis=1)
