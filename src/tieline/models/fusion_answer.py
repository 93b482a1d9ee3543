"""What a fused map and its experts say of any place: phases, properties, joint draws."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.experts import LEVEL, Expert
from tieline.models.fusion import Fusion
from tieline.models.gate import Gate, contrasts
from tieline.models.observations import Observations, label_evidence, updated
from tieline.models.random_features import RandomFunctions

UNLIKELY = 1e-4  # probability of a phase below which a property's value in it is not asked for
BLOCK = 4096  # places answered at a time, so that memory does not grow with their number


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
        phase = np.zeros((n, len(x)), dtype=np.intp)
        values = np.zeros((n, len(x), len(self.fit.experts)))
        for gate, which in self._draw_gates(n, rng):
            phase[which] = _draw_phases(gate, x, int(which.sum()), rng)
        for j, mixture in enumerate(self.fit.experts):
            nodes = rng.choice(len(mixture.weights), n, p=mixture.weights)
            for node in np.unique(nodes):
                own = nodes == node
                values[own, :, j] = _draw_property(mixture.experts[node], x, phase[own], rng)
        return phase, values

    def leave_one_out(self) -> tuple[Array, Array, Array]:
        """Phase probabilities (row, K) without the row's label; means and variances (row, property)."""
        seen, n_phases, fit = self.seen, self.fit.n_phases, self.fit
        # What both maps say of each row without its own label and values, weighted as in `predict`.
        joint = fit.gates.cavity_probabilities(len(seen.x))
        plain = fit.plain_gates.probabilities(seen.x)
        plain[seen.labelled] = fit.plain_gates.cavity_probabilities(int(seen.labelled.sum()))
        given = label_evidence(seen.label, fit.gates.settings.label_error)
        unlabelled = fit.trust * updated(joint, fit.message) + (1 - fit.trust) * plain
        unmeasured = fit.trust * updated(joint, given) + (1 - fit.trust) * updated(plain, given)
        mean, variance = np.full(seen.y.shape, np.nan), np.full(seen.y.shape, np.nan)
        for j, mixture in enumerate(self.fit.experts):
            own = ~np.isnan(seen.y[:, j])
            first, second = np.zeros(own.sum()), np.zeros(own.sum())
            for expert, w in zip(mixture.experts, mixture.weights, strict=True):
                m, v = expert.leave_one_out(seen.x[own], n_phases)
                first += w * (unmeasured[own] * m).sum(1)
                second += w * (unmeasured[own] * (v + expert.noise + m**2)).sum(1)
            mean[own, j] = first
            variance[own, j] = np.maximum(second - first**2, 1e-12) + seen.error[own, j]
        return unlabelled, mean, variance

    def _draw_gates(self, n: int, rng: np.random.Generator) -> Iterator[tuple[Gate, Mask]]:
        """Gates with the draws (draw) that each of them makes."""
        gates, weights = self.fit.maps.gates, self.fit.maps.weights
        if not gates:
            return
        nodes = rng.choice(len(gates), n, p=weights)
        for node in np.unique(nodes):
            yield gates[node], nodes == node

    def _property(self, j: int, x: Array, probability: Array) -> tuple[Array, Array]:
        mixture = self.fit.experts[j]
        possible = probability > UNLIKELY
        probability = np.where(possible, probability, 0.0)
        probability /= probability.sum(1, keepdims=True)
        mean = np.zeros((len(mixture.weights), *probability.shape))
        variance = np.zeros_like(mean)
        for h, expert in enumerate(mixture.experts):
            for k, here in enumerate(possible.T):
                mean[h, here, k], variance[h, here, k] = expert.predict(x[here], k)
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


def _draw_phases(gate: Gate, x: Array, n: int, rng: np.random.Generator) -> Indices:
    """Joint draws (draw, place) of the phase: prior maps corrected to the posterior at the pivots."""
    c, rank, t = gate.n_phases - 1, len(gate.pivots), contrasts(gate.n_phases)
    prior = gate.settings.draw(np.vstack([gate.pivots, x]), n, c, rng)
    whitened = gate.whiten(prior[:rank].reshape(rank, n * c)).reshape(rank, n, c)
    noise = solve_triangular(gate.sites.root.T, rng.standard_normal((rank * c, n)), lower=False)
    wanted = gate.sites.mode[:, None, :] + noise.reshape(rank, c, n).transpose(0, 2, 1)
    features = gate.features(x)
    latent = prior[rank:] + np.tensordot(features, wanted - whitened, 1)
    # One Gumbel variable a draw and phase, common to all places, turns odds into a phase without speckle.
    odds = latent @ t.T + rng.gumbel(size=(1, n, gate.n_phases))
    return odds.argmax(2).T


def _draw_property(expert: Expert, x: Array, phase: Indices, rng: np.random.Generator) -> Array:
    """Joint draws (draw, place) of the noise-free property, given the phase (draw, place)."""
    layout, pairs = expert.layout, expert.pairs
    length, trend, stretch, level, amplitude, factor, noise = layout.split(expert.theta)
    n, d = len(phase), x.shape[1]
    both = np.vstack([pairs.x, x])
    shared = np.sqrt(LEVEL) * rng.standard_normal(n)
    shared = shared + trend * RandomFunctions.draw(layout.kernel, d, n, rng).at(both / (stretch * length))
    own = []
    for k in range(layout.n_phases):
        smooth = RandomFunctions.draw(layout.kernel, d, n, rng).at(both / (factor[k] * length))
        own.append(level * rng.standard_normal(n) + amplitude[k] * smooth)
    at_pairs = shared[: len(pairs.y)] + np.stack(own)[pairs.phase, np.arange(len(pairs.y))]
    error = np.sqrt((noise + pairs.error) / pairs.weight)[:, None] * rng.standard_normal(at_pairs.shape)
    solved = cho_solve((expert.root, True), pairs.y[:, None] - at_pairs - error)
    answer = np.empty(phase.shape)
    for k in range(layout.n_phases):
        value = shared[len(pairs.y) :] + own[k][len(pairs.y) :] + expert.cross(x, k).T @ solved
        answer = np.where(np.minimum(phase, layout.n_phases - 1) == k, value.T, answer)
    return answer
