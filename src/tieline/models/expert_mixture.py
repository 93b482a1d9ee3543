"""One property's experts, averaged over their hyperparameters and kernels, and over whether phases matter."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from tieline.models.arrays import Array, Indices
from tieline.models.experts import ENOUGH, Expert, Layout, Pairs, fit_expert, hyperparameter_nodes
from tieline.models.gate_mixture import LIGHTEST, standard_normals, truncated
from tieline.models.interpolated_expert import InterpolatedExpert, interpolated
from tieline.models.kernels import KERNELS
from tieline.models.observations import value_evidence

N_EXPERTS = 12  # settings per kernel
FEWEST_COMPARED = 5  # left-out values or labels; fewer cannot tell two models apart


@dataclass(frozen=True)
class ExpertMixture:
    """Experts at several settings, with weights that sum to one; some may know of one phase only."""

    experts: tuple[Expert, ...]
    weights: Array

    @property
    def best(self) -> Expert:
        """The expert of largest weight."""
        return self.experts[int(np.argmax(self.weights))]

    @cached_property
    def at_places(self) -> tuple[Expert | InterpolatedExpert, ...]:
        """The experts as they are asked about many places."""
        return tuple(interpolated(expert) for expert in self.experts)


def average_experts(
    x: Array,
    y: Array,
    error: Array,
    membership: Array,
    prior: Array,
    start: Array | None,
    instrument: Indices | None = None,
) -> ExpertMixture:
    """Average a property over hyperparameters, and over experts that know of phases and experts that do not.

    A property may change little from phase to phase, or its memberships may be unclear; then one smooth
    function for all predicts it better. The two kinds are weighted by how they predict left-out values.

    Args:
        x: scaled design (row, d).
        y: standardised values (row).
        error: squared standard errors (row).
        membership: probability (row, K) that the value is a regular one of the phase.
        prior: probability (row, K) of each phase without the value itself.
        start: hyperparameters to start from.
        instrument: number of each value's instrument (row), the reference being 0; None where there is one.
    """
    n_phases, has_offsets = membership.shape[1], instrument is not None
    pairs = Pairs.of(x, y, error, membership, instrument)
    joint = _average(Layout(x.shape[1], n_phases, has_offsets=has_offsets), pairs, start)
    if n_phases == 1:
        return joint
    alone = Pairs.of(x, y, error, membership.sum(1, keepdims=True), instrument)
    blind = _average(Layout(x.shape[1], 1, has_offsets=has_offsets), alone, None)
    scores = [_log_score(mixture.best, x, y, error, prior, instrument) for mixture in (joint, blind)]
    share = confidence(scores[0] - scores[1])
    weights = np.concatenate([share * joint.weights, (1 - share) * blind.weights])
    kept = np.flatnonzero(weights >= LIGHTEST / 2)
    experts = joint.experts + blind.experts
    return ExpertMixture(tuple(experts[i] for i in kept), weights[kept] / weights[kept].sum())


def fitness(
    expert: Expert, x: Array, y: Array, error: Array, n_phases: int, instrument: Indices | None = None
) -> tuple[Array, Array]:
    """Log density (row, K) of each left-out value in each phase, and the probability it is no gross error."""
    mean, variance = expert.leave_one_out(x, n_phases, instrument)
    return value_evidence(y, mean, variance + expert.noise + error[:, None])


def confidence(gain: Array) -> float:
    """Probability that one model predicts better than another, from differences (case) in log score.

    Their sum is compared with its standard error, as in Yao et al. (2018), doi:10.1214/17-BA1091.
    """
    if len(gain) < FEWEST_COMPARED:
        return 1.0
    return float(norm.cdf(gain.sum() / max(gain.std() * np.sqrt(len(gain)), 1e-9)))


def _log_score(
    expert: Expert, x: Array, y: Array, error: Array, prior: Array, instrument: Indices | None
) -> Array:
    density, _ = fitness(expert, x, y, error, prior.shape[1], instrument)
    return np.asarray(logsumexp(density + np.log(prior + 1e-12), axis=1))


def _average(layout: Layout, pairs: Pairs, start: Array | None) -> ExpertMixture:
    """Fit every kernel, spread settings around each, and weigh all by evidence."""
    thetas, layouts, scores = [], [], []
    # Much data leaves little doubt about hyperparameters, and makes every setting dear.
    n_nodes = N_EXPERTS if len(pairs.y) <= ENOUGH else N_EXPERTS // 3
    normals = standard_normals(n_nodes, layout.size, seed=3)
    normals[0] = 0.0
    for kernel in KERNELS:
        own = replace(layout, kernel=kernel)
        theta, score = hyperparameter_nodes(fit_expert(own, pairs, start), normals)
        thetas += list(theta)
        layouts += [own] * len(theta)
        scores += list(score)
    share = truncated(softmax(np.array(scores)))
    kept = np.flatnonzero(share >= LIGHTEST)
    experts = tuple(Expert.at(layouts[i], thetas[i], pairs) for i in kept)
    return ExpertMixture(experts, share[kept] / share[kept].sum())
