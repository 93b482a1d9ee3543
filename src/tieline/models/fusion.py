"""Fuse labels and properties: which phase every measured specimen belongs to, and what each phase does.

Alternates two halves. Given the map, each property's expert says by leave-one-out how well a measurement
fits every phase; given these messages, the gate redraws the map. A row's own message never returns to it
(the cavity), experts start from the hard map of the labels, and messages are annealed, since otherwise one
expert of short lengthscale explains everything.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from tieline.models.arrays import Array
from tieline.models.expert_mixture import ExpertMixture, average_experts, confidence, fitness
from tieline.models.experts import Expert, Layout, Pairs, fit_expert
from tieline.models.gate import Gate, GateSettings, fit_gate, probabilities
from tieline.models.gate_mixture import (
    LIGHTEST,
    Focus,
    GateMixture,
    average_gates,
    whitened_normals,
)
from tieline.models.observations import Observations, updated

ANNEALING = (0.5, 0.25, 0.1)  # extra noise, standardised, of the first passes
MOST_PASSES = 9
HARD_PASSES = 2  # passes that start from the hard map with the experts' prior settings
QUICK_STEPS = 15  # of an expert's optimiser within a pass; it starts from the last pass
MOST_GATES, FEWEST_GATES = 20, 5  # settings of the gate in each round of its average
SIZE = (
    220.0  # over the root of rows times contrasts: a large map is dear and leaves less doubt about settings
)
N_SWEEPS = 5  # of expectation propagation
BLUNDER = 0.02  # share of labels taken to be wrong when maps are compared: one label must not decide
HOPELESS = 10.0  # nats below the wanted score at which a rehearsal ends
FEWEST_HELD = 3.0  # rows in its last phase, below which it ends
SETTLED = 0.01  # largest change of a membership that counts as none


@dataclass(frozen=True)
class Fusion:
    """The fitted map and experts.

    Attributes:
        gates: the map from labels and properties, averaged over its hyperparameters.
        plain_gates: the map from the labels alone.
        trust: weight of the first against the second, by how they predict left-out labels.
        experts: for each property.
        membership: probability (row, K) of each phase, all data considered.
        message: log likelihood (row, K) of the row's properties in each phase, 0 in the likeliest one.
        message_scale: what was taken from the message to make it so (row).
        n_passes: passes of the alternation.
        change: largest change of a membership in the last pass.
    """

    gates: GateMixture
    plain_gates: GateMixture
    trust: float
    experts: tuple[ExpertMixture, ...]
    membership: Array
    message: Array
    message_scale: Array
    n_passes: int
    change: float

    @property
    def n_phases(self) -> int:
        """Number of phases K."""
        return self.membership.shape[1]

    @property
    def maps(self) -> GateMixture:
        """All maps, joint and plain, by their share of the answer; those of next to no share left out."""
        gates = self.gates.gates + self.plain_gates.gates
        weights = np.concatenate(
            [self.trust * self.gates.weights, (1 - self.trust) * self.plain_gates.weights]
        )
        kept = np.flatnonzero(weights >= LIGHTEST / 2)
        chosen = tuple(gates[i] for i in kept)
        return GateMixture(chosen, weights[kept] / weights[kept].sum(), self.n_phases, self.gates.focus)

    def probabilities(self, x: Array) -> Array:
        """Probability (place, K) of each phase at the scaled design `x`."""
        return self.maps.probabilities(x)


@dataclass(frozen=True)
class Beliefs:
    """Where the alternation stands after a pass.

    Attributes:
        membership: (row, K).
        regular: probability (row, K, property) that a measurement is no gross error.
        message: (row, K), as in `Fusion`.
        message_scale: (row).
        thetas: hyperparameters of each property's expert, None before they are first fitted.
    """

    membership: Array
    regular: Array
    message: Array
    message_scale: Array
    thetas: tuple[Array | None, ...]


@dataclass(frozen=True)
class Draft:
    """Map and experts that agree, at the best hyperparameters so far; `finish` averages over them.

    Attributes:
        plain_gates: the map from the labels alone.
        focus: where hyperparameters of the map are likely.
        settings: of the map.
        gate: the map given labels and properties; None where there is one phase only.
        prior: probability (row, K) of each phase from all other rows.
        beliefs: memberships, messages and the experts' hyperparameters.
        n_passes: passes of the alternation.
        change: largest change of a membership in the last pass.
    """

    plain_gates: GateMixture
    focus: Focus
    settings: GateSettings
    gate: Gate | None
    prior: Array
    beliefs: Beliefs
    n_passes: int
    change: float

    def log_score(self, seen: Observations) -> float:
        """Log density of labels and properties, each row's predicted from all other rows, nats."""
        return _log_score(seen, self.prior, self.beliefs, self.settings)


@dataclass(frozen=True)
class Rehearsal:
    """What a draft would come to at given settings of the map.

    Attributes:
        membership: probability (row, K) of each phase.
        log_score: as of a `Draft`.
    """

    membership: Array
    log_score: float


def fuse(seen: Observations) -> Fusion:
    """Fit map and experts to each other, starting from the map of the labels alone."""
    return finish(seen, draft(seen))


def draft(seen: Observations, start: Array | None = None) -> Draft:
    """Alternate between map and experts until the memberships settle.

    Args:
        seen: labels and properties.
        start: a first membership (row, K); the map of the labels alone if not given.
    """
    known = seen.rows(seen.labelled)
    plain = average_gates(known, np.zeros_like(known.label), n_nodes=_n_gates(known))
    gates, settings, gate, change, n_passes = plain, plain.settings, None, 0.0, 0
    prior = plain.probabilities(seen.x) if start is None else start
    beliefs = _first_beliefs(seen, prior, settings)
    if np.isnan(seen.y).all():
        return Draft(plain, gates.focus, settings, gate, prior, beliefs, n_passes, change)
    for n_passes in range(1, MOST_PASSES + 1):
        beliefs = _listen(seen, beliefs, n_passes)
        if n_passes == HARD_PASSES + 1:
            # By now the properties have shown boundaries that labels alone could not: choose settings anew.
            n_nodes = _n_gates(seen) // 2
            gates = average_gates(seen, beliefs.message, n_nodes=n_nodes, focus=gates.focus, start=gate)
            settings = gates.settings
        gate, prior, beliefs, change = _redraw(seen, beliefs, settings, gate)
        if _is_settled(n_passes, change):
            break
    return Draft(plain, gates.focus, settings, gate, prior, beliefs, n_passes, change)


def rehearse(seen: Observations, start: Array, settings: GateSettings, wanted: float) -> Rehearsal | None:
    """Alternate as `draft` does, but at fixed settings of the map, which is what makes a draft dear.

    Args:
        seen: labels and properties.
        start: a first membership (row, K).
        settings: of the map.
        wanted: log score that it should reach.

    Returns:
        Where it ends; None once the last phase is all but empty or the score too far from what is wanted.
    """
    beliefs, gate, log_score = _first_beliefs(seen, start, settings), None, -np.inf
    for n_pass in range(1, MOST_PASSES + 1):
        beliefs = _listen(seen, beliefs, n_pass)
        gate, prior, beliefs, change = _redraw(seen, beliefs, settings, gate)
        log_score = _log_score(seen, prior, beliefs, settings)
        is_far = n_pass > len(ANNEALING) and log_score < wanted - HOPELESS
        if is_far or beliefs.membership[:, -1].sum() < FEWEST_HELD:
            return None
        if _is_settled(n_pass, change):
            break
    return Rehearsal(beliefs.membership, log_score)


def finish(seen: Observations, found: Draft, *, trust: float | None = None) -> Fusion:
    """Average a draft over the hyperparameters of the map and of every expert.

    Args:
        seen: labels and properties.
        found: the draft.
        trust: weight of the joint map; by how it predicts left-out labels if not given.
    """
    beliefs, plain, n = found.beliefs, found.plain_gates, len(seen.x)
    gates, experts = plain, ()
    if found.n_passes:
        n_nodes = _n_gates(seen)
        gates = average_gates(seen, beliefs.message, n_nodes=n_nodes, focus=found.focus, start=found.gate)
        cavity = gates.cavity_probabilities(n)
        errors = gates.settings.label_error
        trust = _trust(plain, cavity, seen, beliefs.message, errors) if trust is None else trust
        beliefs = replace(beliefs, membership=_posterior(cavity, seen, beliefs.message, gates.settings))
        prior = _posterior(cavity, seen, np.zeros_like(cavity), gates.settings)
        experts = tuple(_average_property(seen, beliefs, prior, j) for j in range(seen.y.shape[1]))
    return Fusion(
        gates=gates,
        plain_gates=plain,
        trust=1.0 if trust is None else trust,
        experts=experts,
        membership=beliefs.membership,
        message=beliefs.message,
        message_scale=beliefs.message_scale,
        n_passes=found.n_passes,
        change=found.change,
    )


def _first_beliefs(seen: Observations, prior: Array, settings: GateSettings) -> Beliefs:
    """Memberships from labels and a first map (row, K); nothing is known of the properties yet."""
    n, n_phases = seen.label.shape
    return Beliefs(
        membership=_posterior(prior, seen, np.zeros((n, n_phases)), settings),
        regular=np.ones((n, n_phases, seen.y.shape[1])),
        message=np.zeros((n, n_phases)),
        message_scale=np.zeros(n),
        thetas=(None,) * seen.y.shape[1],
    )


def _is_settled(n_pass: int, change: float) -> bool:
    return n_pass > max(HARD_PASSES, len(ANNEALING)) and change < SETTLED


def _listen(seen: Observations, beliefs: Beliefs, n_pass: int) -> Beliefs:
    """Refit every expert to the memberships, and hear how well each phase explains each row."""
    n, n_phases = beliefs.membership.shape
    is_hard = n_pass <= HARD_PASSES
    used = np.eye(n_phases)[beliefs.membership.argmax(1)] if is_hard else beliefs.membership
    extra = ANNEALING[n_pass - 1] if n_pass <= len(ANNEALING) else 0.0
    message, regular, thetas = np.zeros((n, n_phases)), beliefs.regular.copy(), list(beliefs.thetas)
    for j in range(seen.y.shape[1]):
        own = ~np.isnan(seen.y[:, j])
        x, y, error = seen.x[own], seen.y[own, j], seen.error[own, j] + extra**2
        instrument = seen.instruments_at(own)
        layout = Layout(seen.x.shape[1], n_phases, "rbf", has_offsets=instrument is not None)
        pairs = Pairs.of(x, y, error, (used * regular[:, :, j])[own], instrument)
        if is_hard:
            expert = Expert.at(layout, layout.prior()[0], pairs)
        else:
            expert = fit_expert(layout, pairs, thetas[j], max_steps=QUICK_STEPS)
            thetas[j] = expert.theta
        density, regular[own, :, j] = fitness(expert, x, y, error, n_phases, instrument)
        message[own] += density
    scale = message.max(1)
    return Beliefs(beliefs.membership, regular, message - scale[:, None], scale, tuple(thetas))


def _redraw(
    seen: Observations, beliefs: Beliefs, settings: GateSettings, start: Gate | None
) -> tuple[Gate | None, Array, Beliefs, float]:
    """Fit the map to labels and messages, and the memberships to the map.

    Returns:
        The map, each row's probabilities (row, K) from all other rows, the beliefs with their new
        memberships, and the largest change of one.
    """
    n_phases = seen.label.shape[1]
    gate, prior = None, np.ones((len(seen.x), 1))
    if n_phases > 1:
        normals = whitened_normals(n_phases - 1)
        evidence = seen.label_evidence(settings.label_error) + beliefs.message
        gate = fit_gate(seen.x, evidence, settings, normals, n_sweeps=N_SWEEPS, start=start)
        prior = probabilities(*gate.cavity(), normals)
    membership = _posterior(prior, seen, beliefs.message, settings)
    change = float(np.abs(membership - beliefs.membership).max())
    return gate, prior, replace(beliefs, membership=membership), change


def _log_score(seen: Observations, prior: Array, beliefs: Beliefs, settings: GateSettings) -> float:
    evidence = seen.label_evidence(settings.label_error) + beliefs.message
    density = np.asarray(logsumexp(np.log(prior + 1e-12) + evidence, axis=1))
    return float((density + beliefs.message_scale).sum())


def _posterior(prior: Array, seen: Observations, message: Array, settings: GateSettings) -> Array:
    evidence = seen.label_evidence(settings.label_error) + message
    return updated(prior, evidence)


def _trust(plain: GateMixture, cavity: Array, seen: Observations, message: Array, errors: Array) -> float:
    """Probability that properties help to predict left-out labels: a joint map must not lose to its part.

    Of several label sets, each is taken to err by so much more than the best as its error rate (set) says.
    """
    labelled = seen.labelled
    n = int(labelled.sum())
    if n == 0:
        return 1.0
    joint = updated(cavity[labelled], message[labelled])
    density = np.exp(seen.rows(labelled).label_evidence(BLUNDER + errors - errors.min()))
    gain = np.log((density * joint).sum(1)) - np.log((density * plain.cavity_probabilities(n)).sum(1))
    return confidence(gain)


def _average_property(seen: Observations, beliefs: Beliefs, prior: Array, j: int) -> ExpertMixture:
    own = ~np.isnan(seen.y[:, j])
    membership = (beliefs.membership * beliefs.regular[:, :, j])[own]
    return average_experts(
        seen.x[own],
        seen.y[own, j],
        seen.error[own, j],
        membership,
        prior[own],
        beliefs.thetas[j],
        seen.instruments_at(own),
    )


def _n_gates(seen: Observations) -> int:
    size = max(seen.label.shape[0] * (seen.label.shape[1] - 1), 1)
    return int(np.clip(SIZE / np.sqrt(size), FEWEST_GATES, MOST_GATES))
