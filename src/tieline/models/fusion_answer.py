"""What a fused map and its experts say of any place: phases, properties, joint draws."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.experts import Expert
from tieline.models.fusion import Fusion
from tieline.models.observations import UNLIKELY, Observations, updated
from tieline.models.pathwise import draw_phases, draw_property

BLOCK = 512  # places answered at a time: their matrices fit the cache, and memory does not grow with them


@dataclass(frozen=True)
class FusionAnswer:
    """Answers of a fusion, in scaled units.

    Attributes:
        fit: map and experts.
        seen: what they were fitted to.
    """

    fit: Fusion
    seen: Observations

    def probabilities(self, x: Array) -> Array:
        """Probability (place, K) of each phase."""
        return np.vstack([self.fit.probabilities(block) for block in _blocks(x)])

    def predict(self, x: Array) -> tuple[Array, list[tuple[Array, Array]]]:
        """Phase probabilities (place, K); of each property, mean (place) and variance parts (place, 4)."""
        probability = self.probabilities(x)
        weights = _blocks(probability)
        answers = [
            [self._property(j, *pair) for pair in zip(_blocks(x), weights, strict=True)]
            for j in range(len(self.fit.experts))
        ]
        joined = [(np.concatenate([a[0] for a in b]), np.vstack([a[1] for a in b])) for b in answers]
        return probability, joined

    def draws(self, x: Array, n: int, rng: np.random.Generator) -> tuple[Indices, Array]:
        """Joint draws: phase (draw, place) and noise-free properties (draw, place, property)."""
        phase = draw_phases(self.fit.maps, x, n, rng)
        values = np.zeros((n, len(x), len(self.fit.experts)))
        for j, mixture in enumerate(self.fit.experts):
            nodes = rng.choice(len(mixture.weights), n, p=mixture.weights)
            for node in np.unique(nodes):
                own = nodes == node
                values[own, :, j] = draw_property(mixture.experts[node], x, phase[own], rng)
        return phase, values

    def leave_one_out(self) -> tuple[Array, Array, Array]:
        """Phase probabilities (row, K) without the row's label; means and variances (row, property)."""
        seen, n_phases, fit = self.seen, self.fit.n_phases, self.fit
        # What both maps say of each row without its own label and values, weighted as in `predict`.
        joint = fit.gates.cavity_probabilities(len(seen.x))
        plain = fit.plain_gates.probabilities(seen.x)
        plain[seen.labelled] = fit.plain_gates.cavity_probabilities(int(seen.labelled.sum()))
        given = seen.label_evidence(fit.gates.settings.label_error)
        unlabelled = fit.trust * updated(joint, fit.message) + (1 - fit.trust) * plain
        unmeasured = fit.trust * updated(joint, given) + (1 - fit.trust) * updated(plain, given)
        mean, variance = np.full(seen.y.shape, np.nan), np.full(seen.y.shape, np.nan)
        for j, mixture in enumerate(self.fit.experts):
            own = ~np.isnan(seen.y[:, j])
            first, second = np.zeros(own.sum()), np.zeros(own.sum())
            for expert, w in zip(mixture.experts, mixture.weights, strict=True):
                m, v = expert.leave_one_out(seen.x[own], n_phases, seen.instruments_at(own))
                first += w * (unmeasured[own] * m).sum(1)
                second += w * (unmeasured[own] * (v + expert.noise + m**2)).sum(1)
            mean[own, j] = first
            variance[own, j] = np.maximum(second - first**2, 1e-12) + seen.error[own, j]
        return unlabelled, mean, variance

    def label_errors(self) -> tuple[Array, Array]:
        """Error rates (setting, label set) of labels, and the weight of each setting."""
        maps = self.fit.maps
        return np.array([gate.settings.label_error for gate in maps.gates]), maps.weights

    def experts(self, j: int) -> list[tuple[Expert, float]]:
        """Experts of property j and their weights."""
        mixture = self.fit.experts[j]
        return list(zip(mixture.experts, mixture.weights, strict=True))

    def _property(self, j: int, x: Array, probability: Array) -> tuple[Array, Array]:
        mixture = self.fit.experts[j]
        possible = probability > UNLIKELY
        probability = np.where(possible, probability, 0.0)
        probability /= probability.sum(1, keepdims=True)
        mean = np.zeros((len(mixture.weights), *probability.shape))
        variance = np.zeros_like(mean)
        for h, expert in enumerate(mixture.at_places):
            mean[h], variance[h] = expert.predict_where(x, possible)
        w = mixture.weights
        central = np.tensordot(w, mean, 1)
        answer = (probability * central).sum(1)
        noise = w @ np.array([expert.noise for expert in mixture.experts])
        parts = [
            np.full(len(x), noise),
            (probability * np.tensordot(w, variance, 1)).sum(1),
            (probability * (central - answer[:, None]) ** 2).sum(1),
            (probability * np.tensordot(w, (mean - central) ** 2, 1)).sum(1),
        ]
        return answer, np.stack(parts, axis=1)


def _blocks(x: Array) -> list[Array]:
    return [x[i : i + BLOCK] for i in range(0, max(len(x), 1), BLOCK)]
