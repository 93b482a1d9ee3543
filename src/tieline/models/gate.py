"""The gate: which phase is where, as a softmax of Gaussian processes.

Every place has K latent values u_k(x), softmax of which are the probabilities of the K phases. A latent is
a share, a quadratic trend (free energies are smooth, so boundaries between phases tend to be low-order
curves) and a Matern-5/2 process for the rest, all with Gaussian priors; what is known about the phase of a
row, a label or the message of its properties, is a log likelihood (row, phase). They are written as
u = G η Tᵀ with G the low-rank root of the kernel matrix, T the K - 1 contrasts that a softmax can see
and η standard normal, so that one Newton step costs the rank cubed whatever the number of rows.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dtrtri  # pyright: ignore[reportAttributeAccessIssue]

from tieline.models.arrays import Array
from tieline.models.kernels import matern52, pivoted_root, squared_distance
from tieline.models.random_features import RandomFunctions
from tieline.models.sites import Sites, covariances, inverse_of, propagate, quadratic_forms

NEGLIGIBLE = (
    0.03  # variance of log odds, against the 3.3 of a logistic variable: left out of the low-rank root
)
MOST_LATENTS = 600  # rank times contrasts: the cost of a sweep grows with its square times the rows
SHARE = 1.0  # prior standard deviation of the log odds of a phase's overall share
OFFSET = 0.5  # the trend's constant, as a share of its slopes: boundaries need not pass the centre


@dataclass(frozen=True)
class GateSettings:
    """Hyperparameters of the map.

    Attributes:
        amplitude: prior standard deviation of the Matern part, log odds.
        trend: prior standard deviation of the trend's coefficients on a design scaled to [-1, 1], log odds.
        lengthscale: (d), in units of the design scaled to [0, 1].
        label_error: probability (label set) that a label of each set is wrong and may name any phase.
    """

    amplitude: float
    trend: float
    lengthscale: Array
    label_error: Array

    def kernel(self, a: Array, b: Array) -> Array:
        """Prior covariance (n, m) of a latent between rows of `a` and of `b`."""
        smooth = self.amplitude**2 * matern52(squared_distance(a, b, self.lengthscale))
        dot = (2 * a - 1) @ (2 * b - 1).T
        return SHARE**2 + self.trend**2 * (OFFSET**2 + dot + dot**2) + smooth

    def variance(self, a: Array) -> Array:
        """Prior variance (n) of a latent at the rows of `a`."""
        square = ((2 * a - 1) ** 2).sum(1)
        return SHARE**2 + self.trend**2 * (OFFSET**2 + square + square**2) + self.amplitude**2

    def draw(self, a: Array, n_draws: int, n_latents: int, rng: np.random.Generator) -> Array:
        """Prior draws of latents at the rows of `a`: (row, draw, latent)."""
        centred = 2 * a - 1
        i, j = np.triu_indices(a.shape[1])
        # (z·z')² has one feature for each pair of dimensions, the mixed ones counting twice.
        square = centred[:, i] * centred[:, j] * np.where(i == j, 1.0, np.sqrt(2))
        share, offset = (np.full((len(a), 1), size) for size in (SHARE, self.trend * OFFSET))
        features = np.hstack([share, offset, self.trend * centred, self.trend * square])
        latent = np.empty((len(a), n_draws, n_latents))
        for m in range(n_latents):
            smooth = RandomFunctions.draw("matern52", a.shape[1], n_draws, rng).at(a / self.lengthscale)
            latent[:, :, m] = self.amplitude * smooth
            latent[:, :, m] += features @ rng.standard_normal((features.shape[1], n_draws))
        return latent


@dataclass(frozen=True)
class Gate:
    """The posterior of the phase map for one setting of its hyperparameters.

    Attributes:
        settings: the hyperparameters.
        pivots: places (rank, d) that carry the low-rank root.
        sites: the Gaussian posterior.
    """

    settings: GateSettings
    pivots: Array
    sites: Sites

    @property
    def n_phases(self) -> int:
        """Number of phases K."""
        return self.sites.mode.shape[1] + 1

    def whiten(self, values: Array) -> Array:
        """Whitened latents (rank, ...) that take the given values (rank, ...) at the pivots."""
        return solve_triangular(self._root, values, lower=True)

    def features(self, x: Array) -> Array:
        """Low-rank root (place, rank) of the prior covariance at `x`."""
        return dtrmm(1.0, self._inverse_root, self.settings.kernel(x, self.pivots).T, lower=1).T

    def latent(self, x: Array) -> tuple[Array, Array]:
        """Mean (place, K - 1) and covariance (place, K - 1, K - 1) of the latent contrasts at `x`."""
        features = self.features(x)
        left = np.maximum(self.settings.variance(x) - (features**2).sum(1), 0.0)
        covariance = covariances(features, self._forms) + left[:, None, None] * np.eye(self.n_phases - 1)
        return features @ self.sites.mode, covariance

    @cached_property
    def _root(self) -> Array:
        return np.linalg.cholesky(jittered(self.settings.kernel(self.pivots, self.pivots)))

    @cached_property
    def _inverse_root(self) -> Array:
        """Inverse (rank, rank) of the root at the pivots: a product with it is faster than solving."""
        return dtrtri(self._root, lower=1)[0]

    @cached_property
    def _forms(self) -> Array:
        """Quadratic forms (K - 1, K - 1, rank, rank) of the covariance of the whitened latents."""
        return quadratic_forms(inverse_of(self.sites.root), self.n_phases - 1)

    def cavity(self) -> tuple[Array, Array]:
        """Latent moments at each training row as if its own information had not been given."""
        return self.sites.cavity_mean, self.sites.cavity_covariance


@cache
def contrasts(n_phases: int) -> Array:
    """Orthogonal contrasts T (K, K - 1) that sum to zero; every u_k = (T c)_k has unit variance."""
    centre = np.eye(n_phases) - 1 / n_phases
    basis = np.linalg.qr(centre[:, :-1])[0] if n_phases > 1 else np.zeros((1, 0))
    return basis * np.sqrt(n_phases / max(n_phases - 1, 1))


def fit_gate(
    x: Array,
    evidence: Array,
    settings: GateSettings,
    normals: Array,
    *,
    n_sweeps: int,
    start: "Gate | None" = None,
    hopeless: float = -np.inf,
) -> Gate:
    """Condition the phase map on what is known of every row.

    Args:
        x: scaled design (row, d).
        evidence: log likelihood of each phase given what is known of the row (row, K).
        settings: hyperparameters.
        normals: standard normals (draw, K - 1) for integration, of exact zero mean and unit covariance.
        n_sweeps: most sweeps of expectation propagation.
        start: gate of the same rows to start from, best of a similar setting.
        hopeless: log evidence below which the sweeps may end early.
    """
    max_rank = MOST_LATENTS // max(evidence.shape[1] - 1, 1)
    g, rows = pivoted_root(settings.kernel, settings.variance(x), x, max_rank, NEGLIGIBLE)
    variance = settings.variance(x)
    sites = None if start is None else _rescaled(start, x, variance)
    t = contrasts(evidence.shape[1])
    sites = propagate(g, variance, t, evidence, normals, sites, n_sweeps, hopeless)
    return Gate(settings, x[rows], sites)


def probabilities(mean: Array, covariance: Array, normals: Array) -> Array:
    """Average softmax over Gaussian latents: (place, K) from contrasts (place, K - 1).

    Args:
        mean: (place, K - 1).
        covariance: (place, K - 1, K - 1).
        normals: standard normal draws (draw, K - 1), common to all places.
    """
    n, c = mean.shape
    t = contrasts(c + 1)
    # Phases first, places last: sums over the few phases are then whole-array additions.
    centre = t @ mean.T
    spread = np.tensordot(np.linalg.cholesky(covariance + 1e-10 * np.eye(c)), t, (1, 1))
    spread = np.ascontiguousarray(spread.transpose(1, 2, 0)).reshape(c, -1)
    total = np.zeros((c + 1, n))
    for z in normals:
        u = centre + (z @ spread).reshape(c + 1, n)
        u -= u.max(0)
        np.exp(u, out=u)
        u /= u.sum(0)
        total += u
    return total.T / len(normals)


def _rescaled(gate: Gate, x: Array, variance: Array) -> tuple[Array, Array]:
    """Shift and precision of a gate's sites, brought to another prior variance (row).

    Of a sharp map the labels tell signs, not sizes: latents, and with them the sites, grow with the prior.
    """
    ratio = np.sqrt(gate.settings.variance(x) / variance)
    return gate.sites.shift * ratio[:, None], gate.sites.precision * ratio[:, None, None] ** 2


def jittered(matrix: Array) -> Array:
    """A covariance matrix that rounding cannot make indefinite."""
    return matrix + 1e-9 * matrix.diagonal().max() * np.eye(len(matrix))
