"""Fuse labels and properties: which phase every measured specimen belongs to, and what each phase does.

Alternates two exact halves. Given the map, each property's expert says by leave-one-out how well a
measurement fits every phase; given these messages, the gate redraws the map. A row's own message never
returns to it (the cavity), experts start from the map of the labels alone, and messages are annealed, since
otherwise one expert of short lengthscale explains everything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from scipy.stats import norm

from tieline.models.experts import (
    Expert,
    Layout,
    Pairs,
    fit_expert,
    hyperparameter_nodes,
)
from tieline.models.kernels import KERNELS
from tieline.models.gate import fit_gate, probabilities
from tieline.models.observations import Observations, label_evidence
from tieline.models.gate_mixture import LIGHTEST, GateMixture, average_gates, standard_normals, whitened_normals

Array = NDArray[np.float64]

OUTLIER_SHARE = 0.01  # prior probability that a measurement is a gross error
OUTLIER_SPREAD = 3.0  # standard deviation of gross errors, in standard deviations of the property
ANNEALING = (0.5, 0.25, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # extra noise, standardised, of each pass
HARD_PASSES = 2  # passes that start from the hard map with the experts' prior settings
N_NODES = 12  # settings per property and kernel
N_SWEEPS = 8  # of expectation propagation
SETTLED = 0.01  # largest change of a membership that counts as none


@dataclass(frozen=True)
class ExpertMixture:
    """One property's experts at several settings, with weights that sum to one."""

    experts: tuple[Expert, ...]
    weights: Array


@dataclass(frozen=True)
class Fusion:
    """The fitted map and experts.

    Attributes:
        gates: the map, averaged over its hyperparameters.
        experts: for each property, (expert, weight) over hyperparameters and kernels.
        membership: probability (row, K) of each phase, all data considered.
        message: log likelihood (row, K) of the row's properties in each phase.
        n_passes: passes of the alternation.
        change: largest change of a membership in the last pass.
    """

    gates: GateMixture
    experts: tuple[ExpertMixture, ...]
    membership: Array
    message: Array
    n_passes: int
    change: float


def fuse(seen: Observations, *, n_nodes: int = 12, max_rank: int = 200, start: Array | None = None) -> Fusion:
    """Fit map and experts to each other. `start` is a first membership (row, K), else the labels' map."""
    n, n_phases = seen.label.shape
    silent = np.zeros((n, n_phases))
    labelled = ~np.isnan(seen.label).any(1)
    measured = ~np.isnan(seen.y)
    labels_only = seen.rows(labelled)
    gates = average_gates(labels_only.x, labels_only.label, silent[labelled], n_nodes=n_nodes // 2, max_rank=max_rank)
    settings = gates.gates[0].settings
    membership = gates.probabilities(seen.x) if start is None else start
    membership = softmax(np.log(membership + 1e-12) + label_evidence(seen.label, settings.label_error), axis=1)
    if not measured.any():
        return Fusion(gates, (), membership, silent, 0, 0.0)

    normals = whitened_normals(n_phases - 1)
    d = seen.x.shape[1]
    thetas: list[Array | None] = [None] * seen.y.shape[1]
    regular = np.where(measured, 1.0, 0.0)[:, None, :] * np.ones((1, n_phases, 1))
    latent = None
    change, passes = 1.0, 0
    for passes, anneal in enumerate(ANNEALING):
        hard = passes < HARD_PASSES
        used = np.eye(n_phases)[membership.argmax(1)] if hard else membership
        message = np.zeros((n, n_phases))
        for j in range(seen.y.shape[1]):
            own = measured[:, j]
            layout = Layout(d, n_phases, "rbf")
            pairs = Pairs.of(seen.x[own], seen.y[own, j], seen.error[own, j] + anneal**2, (used * regular[:, :, j])[own])
            if hard:
                expert = Expert.at(layout, layout.prior()[0], pairs)
            else:
                expert = fit_expert(layout, pairs, thetas[j], max_steps=15)
                thetas[j] = expert.theta
            log_density, keep = _message(expert, seen.x[own], seen.y[own, j], seen.error[own, j] + anneal**2, n_phases)
            message[own] += log_density
            regular[own, :, j] = keep
        message -= message.max(1, keepdims=True)
        gate = fit_gate(
            seen.x, label_evidence(seen.label, settings.label_error) + message, settings, normals,
            max_rank=max_rank, n_sweeps=N_SWEEPS, start=latent,
        )
        latent = gate.sites.mean
        prior = probabilities(*gate.cavity(), normals)
        new = softmax(np.log(prior + 1e-12) + label_evidence(seen.label, settings.label_error) + message, axis=1)
        change = np.abs(new - membership)[measured.any(1)].max()
        membership = new
        if passes == HARD_PASSES + 1:
            gates = average_gates(seen.x, seen.label, message, n_nodes=n_nodes // 2, max_rank=max_rank, start=latent)
            settings = gates.gates[0].settings
        if passes > HARD_PASSES + 2 and change < SETTLED:
            break
    gates = average_gates(seen.x, seen.label, message, n_nodes=n_nodes, max_rank=max_rank, start=latent)
    prior = gates.cavity_probabilities()
    membership = softmax(np.log(prior + 1e-12) + label_evidence(seen.label, settings.label_error) + message, axis=1)
    experts = []
    for j in range(seen.y.shape[1]):
        own = measured[:, j]
        pairs = Pairs.of(seen.x[own], seen.y[own, j], seen.error[own, j], (membership * regular[:, :, j])[own])
        experts.append(_average_experts(d, n_phases, pairs, thetas[j]))
    return Fusion(gates, tuple(experts), membership, message, passes + 1, float(change))


def _average_experts(d: int, n_phases: int, pairs: Pairs, start: Array) -> ExpertMixture:
    """Fit both kernels, spread nodes around each, and weigh all by evidence."""
    thetas, layouts, scores = [], [], []
    for kernel in KERNELS:
        layout = Layout(d, n_phases, kernel)
        expert = fit_expert(layout, pairs, start)
        normals = standard_normals(N_NODES, layout.size, seed=3)
        normals[0] = 0.0
        theta, score = hyperparameter_nodes(expert, normals)
        thetas += list(theta)
        layouts += [layout] * len(theta)
        scores += list(score)
    weight = softmax(np.array(scores))
    # Truncated importance weights (Ionides 2008): no node may outweigh sqrt(n) times the mean.
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    kept = np.flatnonzero(weight >= LIGHTEST * weight.sum())
    experts = tuple(Expert.at(layouts[i], thetas[i], pairs) for i in kept)
    return ExpertMixture(experts, weight[kept] / weight[kept].sum())


def _message(expert: Expert, x: Array, y: Array, error: Array, n_phases: int) -> tuple[Array, Array]:
    """Log density (row, K) of each measurement in each phase, and the probability it is no gross error."""
    mean, variance = expert.leave_one_out(x, n_phases)
    regular = norm.logpdf(y[:, None], mean, np.sqrt(variance + expert.noise + error[:, None]))
    gross = norm.logpdf(y, 0.0, OUTLIER_SPREAD)[:, None]
    both = np.logaddexp(np.log1p(-OUTLIER_SHARE) + regular, np.log(OUTLIER_SHARE) + gross)
    return both, np.exp(np.log1p(-OUTLIER_SHARE) + regular - both)


def predict_property(fusion: Fusion, j: int, x: Array, probability: Array) -> tuple[Array, Array]:
    """Mean (place) and the four parts (place, 4) of the variance of property j at `x`, standardised."""
    mixture, n_phases = fusion.experts[j], probability.shape[1]
    mean = np.zeros((len(mixture.weights), len(x), n_phases))
    variance = np.zeros_like(mean)
    for h, expert in enumerate(mixture.experts):
        for k in range(n_phases):
            mean[h, :, k], variance[h, :, k] = expert.predict(x, k)
    w = mixture.weights
    noise = w @ np.array([e.noise for e in mixture.experts])
    central = np.tensordot(w, mean, 1)
    answer = (probability * central).sum(1)
    parts = np.stack([
        np.full(len(x), noise),
        (probability * np.tensordot(w, variance, 1)).sum(1),
        (probability * (central - answer[:, None]) ** 2).sum(1),
        (probability * np.tensordot(w, (mean - central) ** 2, 1)).sum(1),
    ], axis=1)
    return answer, parts
