"""A phase map averaged over its hyperparameters, each setting weighted by its evidence."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, softmax
from scipy.stats import norm, qmc

from tieline.models.arrays import Array
from tieline.models.gate import Gate, GateSettings, fit_gate, probabilities
from tieline.models.observations import Observations

# Normal priors (mean, sd) of logarithms: amplitude, trend, common lengthscale; then the error of each label
# set. The lengthscale of each dimension departs from the common one by a factor whose logarithm has the sd
# ANISOTROPY. Amplitudes are large because the boundaries of phases are sharp.
PRIOR = np.log([25.0, 40.0, 0.4]), np.array([1.2, 1.2, 0.6])
ERROR_PRIOR = np.log(0.01), 1.0
SETS_ERROR_PRIOR = np.log(0.03), 1.3  # of several label sets: they are told apart since they may differ
PRIOR_MEAN = np.append(PRIOR[0], ERROR_PRIOR[0])
MOST_ERROR = 0.3  # a single set with more wrong labels could not be told from a map of many small regions
SETS_MOST_ERROR = 0.95  # of one among several, which are compared with each other
ANISOTROPY = 0.35
INFLATION = 1.5  # of the second round's proposal, so that its tails cover the posterior's
HOPELESS = 15.0  # nats below the best evidence so far at which a setting is not worth more sweeps
LIGHTEST = 0.01  # share of the weight below which a setting is dropped
N_NORMALS = 64  # quasi-random latents per place and source: integration error well below .01


@dataclass(frozen=True)
class Focus:
    """Where among the hyperparameters to look: a normal over their logarithms.

    Attributes:
        centre: mean (hyperparameter).
        root: lower Cholesky factor of the covariance.
    """

    centre: Array
    root: Array

    @classmethod
    def prior(cls, d: int, n_sets: int = 1) -> "Focus":
        """The prior, for d design dimensions and some label sets."""
        n_factors = d if d > 1 else 0
        error, spread = ERROR_PRIOR if n_sets == 1 else SETS_ERROR_PRIOR
        deviation = np.r_[PRIOR[1], np.full(n_sets, spread), np.full(n_factors, ANISOTROPY)]
        return cls(np.r_[PRIOR[0], np.full(n_sets, error), np.zeros(n_factors)], np.diag(deviation))

    def narrowed(self, thetas: Array, weight: Array) -> "Focus":
        """A normal around weighted settings (setting, hyperparameter), wide enough for what they miss."""
        centre = weight @ thetas
        apart = thetas - centre
        least = np.diag(0.1 * np.diag(self.root @ self.root.T))
        covariance = INFLATION * (apart.T @ (apart * weight[:, None]) + least)
        return Focus(centre, np.linalg.cholesky(covariance))

    def draw(self, n: int, seed: int) -> Array:
        """Quasi-random settings (n, hyperparameter)."""
        return self.centre + standard_normals(n, len(self.centre), seed) @ self.root.T

    def nearest(self, thetas: Array, theta: Array) -> int:
        """Index of the setting (setting, hyperparameter) most like another one, in units of this normal."""
        return int(np.argmin((solve_triangular(self.root, (thetas - theta).T, lower=True) ** 2).sum(0)))

    def log_density(self, thetas: Array) -> Array:
        """Log density (setting), up to a constant that is the same for every focus."""
        whitened = solve_triangular(self.root, (thetas - self.centre).T, lower=True)
        return -0.5 * (whitened**2).sum(0) - np.log(np.diag(self.root)).sum()


@dataclass(frozen=True)
class GateMixture:
    """Phase maps with weights that sum to one, best first; none where there is one phase only."""

    gates: tuple[Gate, ...]
    weights: Array
    n_phases: int
    focus: Focus

    @property
    def settings(self) -> GateSettings:
        """The best settings, or the prior's where there is one phase only."""
        return self.gates[0].settings if self.gates else settings_at(PRIOR_MEAN, 1)

    def probabilities(self, x: Array) -> Array:
        """Probability (place, K) of each phase at the scaled design `x`."""
        return self._average(len(x), [g.latent(x) for g in self.gates])

    def cavity_probabilities(self, n_rows: int) -> Array:
        """Probability (row, K) at each of `n_rows` training rows without its own label and properties."""
        return self._average(n_rows, [g.cavity() for g in self.gates])

    def _average(self, n: int, moments: list[tuple[Array, Array]]) -> Array:
        if not moments:
            return np.full((n, self.n_phases), 1 / self.n_phases)
        normals = whitened_normals(self.n_phases - 1)
        parts = [w * probabilities(*m, normals) for m, w in zip(moments, self.weights, strict=True)]
        return np.sum(parts, axis=0)


def average_gates(
    seen: Observations,
    message: Array,
    *,
    n_nodes: int,
    n_sweeps: int = 5,
    focus: Focus | None = None,
    start: Gate | None = None,
) -> GateMixture:
    """Average the map over hyperparameters by adaptive importance sampling.

    Half of the settings come from the prior, or from where a similar average ended, the other half from a
    normal fitted to those; all are weighted by evidence times prior over the mixture they came from.

    Source: Cappé et al. (2004), doi:10.1198/106186004X12803.

    Args:
        seen: labels and where they are.
        message: log likelihood (row, K) of the properties measured on the row.
        n_nodes: settings tried in each of the two rounds.
        n_sweeps: most sweeps of expectation propagation for each setting.
        focus: where the first round looks, if not to the prior.
        start: a gate of the same rows to start from, to save sweeps.
    """
    (x, d), n_phases = (seen.x, seen.x.shape[1]), seen.label.shape[1]
    prior = Focus.prior(d, len(seen.labels))
    first = focus or prior
    if n_phases == 1 or len(x) == 0:
        return GateMixture((), np.zeros(0), n_phases, first)
    normals = whitened_normals(n_phases - 1)

    gates: list[Gate] = []
    thetas, sources, hopeless = np.zeros((0, len(prior.centre))), [first], -np.inf
    for n_round in (1, 2):
        for theta in sources[-1].draw(n_nodes, seed=n_round):
            settings = settings_at(theta, d)
            evidence = seen.label_evidence(settings.label_error) + message
            near = gates[prior.nearest(thetas, theta)] if gates else start
            gate = fit_gate(x, evidence, settings, normals, n_sweeps=n_sweeps, start=near, hopeless=hopeless)
            hopeless = max(hopeless, gate.sites.log_evidence - HOPELESS)
            gates, thetas = [*gates, gate], np.vstack([thetas, theta])
        log_posterior = _log_posterior(gates, thetas, prior, sources)
        if n_round == 1:
            # Tempered, since few settings must not decide alone where to look further.
            sources.append(prior.narrowed(thetas, softmax(log_posterior / 2)))
    weight = truncated(softmax(log_posterior))
    narrowed = prior.narrowed(thetas, weight)
    order = np.argsort(-weight, kind="stable")
    order = order[weight[order] >= LIGHTEST]
    return GateMixture(
        tuple(gates[i] for i in order), weight[order] / weight[order].sum(), n_phases, narrowed
    )


def _log_posterior(gates: list[Gate], thetas: Array, prior: Focus, sources: list[Focus]) -> Array:
    """Log importance weights (setting) of settings drawn evenly from several sources."""
    proposal = logsumexp([source.log_density(thetas) for source in sources], axis=0)
    evidence = np.array([gate.sites.log_evidence for gate in gates])
    return evidence + prior.log_density(thetas) - np.asarray(proposal)


def truncated(weight: Array) -> Array:
    """Importance weights of which none is more than sqrt(n) times their mean, summing to one.

    Source: Ionides (2008), doi:10.1198/106186008X320456.
    """
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    return weight / weight.sum()


def standard_normals(n: int, dimension: int, seed: int = 0) -> Array:
    """Quasi-random standard normal draws (n, dimension), the same at every call."""
    if dimension == 0:
        return np.zeros((n, 0))
    return norm.ppf(qmc.Sobol(dimension, rng=seed).random(1 << (n - 1).bit_length())[:n])


def whitened_normals(dimension: int) -> Array:
    """Quasi-random normals (N_NORMALS, dimension) brought to exact zero mean and unit covariance."""
    z = standard_normals(N_NORMALS, dimension)
    if dimension == 0:
        return z
    z = z - z.mean(0)
    return solve_triangular(np.linalg.cholesky(z.T @ z / len(z)), z.T, lower=True).T


def settings_at(theta: Array, d: int) -> GateSettings:
    """Settings from the logarithms (hyperparameter) that a focus draws, for d design dimensions."""
    amplitude, trend, length = np.exp(theta[:3])
    error, factor = np.split(np.exp(theta[3:]), [len(theta) - 3 - (d if d > 1 else 0)])
    most = MOST_ERROR if len(error) == 1 else SETS_MOST_ERROR
    lengthscale = length * (factor if d > 1 else np.ones(1))
    return GateSettings(float(amplitude), float(trend), lengthscale, np.minimum(error, most))
