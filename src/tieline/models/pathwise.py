"""Joint draws of phases and properties at many places: prior functions corrected to what was measured.

Source: Wilson et al. (2020), arXiv:2002.09309.
"""

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from tieline.models.arrays import Array, Indices
from tieline.models.experts import LEVEL, Expert
from tieline.models.gate import Gate, contrasts
from tieline.models.gate_mixture import GateMixture
from tieline.models.random_features import RandomFunctions


def draw_phases(maps: GateMixture, x: Array, n: int, rng: np.random.Generator) -> Indices:
    """Joint draws (draw, place) of the phase from a map that was averaged over its hyperparameters."""
    phase = np.zeros((n, len(x)), dtype=np.intp)
    if maps.gates:
        nodes = rng.choice(len(maps.gates), n, p=maps.weights)
        for node in np.unique(nodes):
            own = nodes == node
            phase[own] = _draw_gate(maps.gates[node], x, int(own.sum()), rng)
    return phase


def separated(latent: Array, rng: np.random.Generator) -> Indices:
    """Phases (draw, place) from latent contrasts (place, draw, K - 1).

    One Gumbel variable a draw and phase, common to all places, turns odds into a phase without speckle.
    """
    odds = latent @ contrasts(latent.shape[2] + 1).T
    return (odds + rng.gumbel(size=(1, *odds.shape[1:]))).argmax(2).T


def _draw_gate(gate: Gate, x: Array, n: int, rng: np.random.Generator) -> Indices:
    """Joint draws (draw, place) of the phase: prior maps corrected to the posterior at the pivots."""
    c, rank = gate.n_phases - 1, len(gate.pivots)
    prior = gate.settings.draw(np.vstack([gate.pivots, x]), n, c, rng)
    whitened = gate.whiten(prior[:rank].reshape(rank, n * c)).reshape(rank, n, c)
    noise = solve_triangular(gate.sites.root.T, rng.standard_normal((rank * c, n)), lower=False)
    wanted = gate.sites.mode[:, None, :] + noise.reshape(rank, c, n).transpose(0, 2, 1)
    features = gate.features(x)
    latent = prior[rank:] + np.tensordot(features, wanted - whitened, 1)
    return separated(latent, rng)


def draw_property(expert: Expert, x: Array, phase: Indices, rng: np.random.Generator) -> Array:
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
    if layout.has_offsets:
        offset = rng.standard_normal((pairs.instrument.max(initial=0) + 1, n))
        offset[0] = 0.0
        at_pairs += np.sqrt(layout.offset_variance(expert.theta)) * offset[pairs.instrument]
    error = np.sqrt((noise + pairs.error) / pairs.weight)[:, None] * rng.standard_normal(at_pairs.shape)
    solved = cho_solve((expert.root, True), pairs.y[:, None] - at_pairs - error)
    answer = np.empty(phase.shape)
    for k in range(layout.n_phases):
        value = shared[len(pairs.y) :] + own[k][len(pairs.y) :] + expert.cross(x, k).T @ solved
        answer = np.where(np.minimum(phase, layout.n_phases - 1) == k, value.T, answer)
    return answer
