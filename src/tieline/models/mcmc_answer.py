"""What the chains say of any place: every draw is a map with its functions, and all draws count alike.

Two shares guard against a joint model that does not fit. `fit.trust` is the probability that properties
help to predict left-out labels: what is missing from one stays with the map of the labels alone. And a
property that ignores phases keeps the weight that its experts of a single phase earned in leave-one-out
prediction.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from tieline.models.arrays import Array, Indices
from tieline.models.expert_mixture import truncated
from tieline.models.experts import Expert
from tieline.models.fusion import Fusion
from tieline.models.gate_mixture import settings_at
from tieline.models.mcmc import Sample
from tieline.models.observations import UNLIKELY, Observations, updated, value_evidence
from tieline.models.pathwise import draw_phases, draw_property

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
        blocks = [self._predict(x[i : i + BLOCK]) for i in range(0, max(len(x), 1), BLOCK)]
        properties = [
            (np.concatenate([b[1][j][0] for b in blocks]), np.vstack([b[1][j][1] for b in blocks]))
            for j in range(self.seen.y.shape[1])
        ]
        return np.vstack([b[0] for b in blocks]), properties

    def draws(self, x: Array, n: int, rng: np.random.Generator) -> tuple[Indices, Array]:
        """Joint draws: phase (draw, place) and noise-free properties (draw, place, property)."""
        sample = self.sample
        chosen = [sample.draws[i] for i in rng.permutation(np.arange(n) % len(sample.draws))]
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

        Every draw predicts a row from the other rows' values. As it was drawn with the row in sight, it
        counts by one over the density that it gives to what the row says.

        Source: Vehtari et al. (2016), arXiv:1412.7461, section 3; weights truncated as by Ionides (2008).
        """
        seen, sample, n_phases = self.seen, self.sample, self.fit.n_phases
        plain = self.fit.plain_gates.probabilities(seen.x)
        plain[seen.labelled] = self.fit.plain_gates.cavity_probabilities(int(seen.labelled.sum()))
        nodes = np.zeros((1, n_phases - 1))
        shape = (len(sample.draws), *seen.label.shape)
        unlabelled, label_density = np.empty(shape), np.empty(shape[:2])
        unmeasured = np.empty(shape)
        moments = np.empty((*shape, 2, seen.y.shape[1]))
        density = np.zeros((*shape, seen.y.shape[1]))
        for s, draw in enumerate(sample.draws):
            trust = self.fit.trust
            map_ = trust * draw.probabilities(sample.pivots, seen.x, nodes) + (1 - trust) * plain
            for j, column in enumerate(sample.columns):
                own = ~np.isnan(seen.y[:, j])
                expert = draw.expert(j, column)
                mean, variance = expert.leave_one_out(column.x, n_phases, column.instrument)
                variance = variance + expert.noise + column.error[:, None]
                moments[s, own, :, 0, j], moments[s, own, :, 1, j] = mean, variance
                density[s, own, :, j] = value_evidence(column.y, mean, variance)[0]
            settings = settings_at(draw.theta, seen.x.shape[1])
            given = seen.label_evidence(settings.label_error)
            unlabelled[s] = updated(map_, density[s].sum(2))
            label_density[s] = _log_sum(np.log(unlabelled[s] + 1e-12) + given)
            unmeasured[s] = updated(map_, given)
        probability = np.einsum("sn,snk->nk", _weights(label_density), unlabelled)
        mean, variance = np.full(seen.y.shape, np.nan), np.full(seen.y.shape, np.nan)
        for j in range(seen.y.shape[1]):
            own = ~np.isnan(seen.y[:, j])
            p = unmeasured[:, own]
            weight = _weights(_log_sum(np.log(p + 1e-12) + density[..., j][:, own]))
            m, v = moments[..., 0, j][:, own], moments[..., 1, j][:, own]
            mean[own, j] = np.einsum("sn,snk,snk->n", weight, p, m)
            second = np.einsum("sn,snk,snk->n", weight, p, v + m**2)
            variance[own, j] = np.maximum(second - mean[own, j] ** 2, 1e-12)
        return probability, mean, variance

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

    def _predict(self, x: Array) -> tuple[Array, list[tuple[Array, Array]]]:
        sample, n, n_phases = self.sample, len(self.sample.draws), self.fit.n_phases
        normals = np.random.default_rng(0).standard_normal((n, N_OPEN, n_phases - 1))
        probability = np.stack(
            [d.probabilities(sample.pivots, x, z) for d, z in zip(sample.draws, normals, strict=True)]
        )
        if self.fit.trust < 1:
            plain = self.fit.plain_gates.probabilities(x)
            probability = self.fit.trust * probability + (1 - self.fit.trust) * plain
        return probability.mean(0), [self._property(j, x, probability) for j in range(len(sample.columns))]

    def _property(self, j: int, x: Array, probability: Array) -> tuple[Array, Array]:
        """Mean (place) and variance parts (place, 4) from phase probabilities (draw, place, K)."""
        experts, weights = zip(*self.experts(j), strict=True)
        average, n = probability.mean(0), len(probability)
        means, parts = np.empty((len(experts), len(x))), np.zeros((len(x), 4))
        for i, (expert, weight) in enumerate(zip(experts, weights, strict=True)):
            p = probability[i] if i < n else average
            mean, variance = expert.predict_where(x, p > UNLIKELY)
            means[i] = (p * mean).sum(1)
            parts[:, 0] += weight * expert.noise
            parts[:, 1] += weight * (p * variance).sum(1)
            parts[:, 2] += weight * (p * (mean - means[i][:, None]) ** 2).sum(1)
        answer = np.array(weights) @ means
        parts[:, 3] = np.array(weights) @ (means - answer) ** 2
        return answer, parts


def _log_sum(values: Array) -> Array:
    """Log of the sum of exponentials over phases, the last axis."""
    return np.asarray(logsumexp(values, axis=-1))


def _weights(log_density: Array) -> Array:
    """Importance weights (draw, row) that undo the rows' own log densities (draw, row)."""
    raw = np.exp(log_density.min(0) - log_density)
    return np.stack([truncated(column / column.sum()) for column in raw.T], axis=1)
