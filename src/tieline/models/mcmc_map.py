"""The phase map as a Markov chain moves it: in coordinates that fast inference has already straightened.

For any setting θ of the map's hyperparameters, the sites of expectation propagation give a Gaussian
N(m, (S Sᵀ)⁻¹) of the whitened latents η. A chain moves q and ξ, of which θ = c + R q and
η = m(θ) + 1.15 S(θ)⁻ᵀ ξ. Both are nearly standard normal and nearly independent under the exact posterior,
which the sites only stand in for: what they get wrong, the likelihood ratio of every move puts right.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtrs  # pyright: ignore[reportAttributeAccessIssue]

from tieline.models.arrays import Array, Indices
from tieline.models.gate import GateSettings, contrasts, jittered
from tieline.models.gate_mixture import Focus, GateMixture, settings_at
from tieline.models.observations import Observations
from tieline.models.sites import precision_of

INFLATION = 1.15  # of the Gaussian's spread, so that its tails cover the posterior's


@dataclass(frozen=True)
class Reference:
    """What fast inference knows of the map.

    Attributes:
        pivots: places (rank, d) that carry the low-rank root, whatever the hyperparameters.
        focus: the hyperparameters' posterior.
        shift: of the sites (row, K - 1).
        precision: of the sites (row, K - 1, K - 1).
        variance: prior variance of a latent (row) under the settings of the sites.
    """

    pivots: Array
    focus: Focus
    shift: Array
    precision: Array
    variance: Array

    @classmethod
    def of(cls, gates: GateMixture, x: Array) -> "Reference":
        """From the map that was averaged over its hyperparameters at the rows `x` (row, d)."""
        if not gates.gates:
            return cls(x[:0], gates.focus, np.zeros((len(x), 0)), np.zeros((len(x), 0, 0)), np.ones(len(x)))
        best = gates.gates[0]
        widest = max(gates.gates, key=lambda gate: len(gate.pivots))
        variance = best.settings.variance(x)
        return cls(widest.pivots, gates.focus, best.sites.shift, best.sites.precision, variance)

    def settings(self, q: Array, seen: Observations) -> tuple[Array, GateSettings, float]:
        """Hyperparameters at their coordinates `q`: logarithms, the same in words, and log prior density."""
        theta = self.focus.centre + self.focus.root @ q
        log_prior = float(_prior(seen.x.shape[1], len(seen.labels)).log_density(theta[None])[0])
        return theta, settings_at(theta, seen.x.shape[1]), log_prior


@dataclass(frozen=True)
class Frame:
    """The straightened coordinates at one setting of the hyperparameters.

    Attributes:
        theta: logarithms of the hyperparameters.
        settings: the same in words.
        log_density: log prior of θ, and log volume of the step from ξ to η, up to a constant.
        features: low-rank root (row, rank) of the prior covariance at the rows.
        mode: mean of η (rank, K - 1).
        root: lower Cholesky factor of the precision of η.ravel().
        evidence: log likelihood (row, K) of each row's label.
    """

    theta: Array
    settings: GateSettings
    log_density: float
    features: Array
    mode: Array
    root: Array
    evidence: Array

    @classmethod
    def at(cls, q: Array, reference: Reference, seen: Observations) -> "Frame":
        """The frame at the hyperparameters' coordinates `q`.

        Raises:
            LinAlgError: the settings are so extreme that a covariance cannot be factorised.
        """
        theta, settings, log_prior = reference.settings(q, seen)
        evidence = seen.label_evidence(settings.label_error)
        rank, c = len(reference.pivots), reference.shift.shape[1]
        if rank == 0:
            return cls(
                theta,
                settings,
                log_prior,
                np.zeros((len(seen.x), 0)),
                np.zeros((0, c)),
                np.zeros((0, 0)),
                evidence,
            )
        features = features_at(settings, reference.pivots, seen.x)
        # Latents of a sharp map, and with them the sites, grow with the prior.
        ratio = np.sqrt(reference.variance / settings.variance(seen.x))
        precision = precision_of(features, reference.precision * ratio[:, None, None] ** 2)
        root = cholesky(precision)
        shift = (features.T @ (reference.shift * ratio[:, None])).ravel()
        mode = triangular(root, triangular(root, shift), transposed=True).reshape(rank, c)
        volume = -np.log(root.diagonal()).sum()
        return cls(theta, settings, log_prior + float(volume), features, mode, root, evidence)

    def whitened_latents(self, xi: Array) -> Array:
        """η (rank, K - 1) at coordinates ξ (rank (K - 1))."""
        return self.mode + self.steps(xi[None])[0]

    def steps(self, by: Array) -> Array:
        """How η changes (step, rank, K - 1) when ξ changes by (step, rank (K - 1))."""
        if by.size == 0:
            return np.zeros((len(by), *self.mode.shape))
        return INFLATION * triangular(self.root, by.T, transposed=True).T.reshape(-1, *self.mode.shape)

    def directions(self, rows: Indices, contrast: Array) -> Array:
        """Where the reference varies most in one contrast (step, K - 1) of one row's latents (step).

        Returns:
            Unit vectors in ξ (step, rank (K - 1)).
        """
        by = self.features[rows][:, :, None] * contrast[:, None, :]
        v = triangular(self.root, by.reshape(len(rows), -1).T).T
        return v / np.sqrt((v**2).sum(1))[:, None]

    def latents(self, eta: Array) -> Array:
        """Log odds u (..., row, K), up to a constant a row, of whitened latents η (..., rank, K - 1)."""
        return self.features @ (eta @ contrasts(self.evidence.shape[1]).T)


@cache
def _prior(d: int, n_sets: int) -> Focus:
    return Focus.prior(d, n_sets)


def features_at(settings: GateSettings, pivots: Array, x: Array) -> Array:
    """Low-rank root (place, rank) of the prior covariance at the scaled design `x`."""
    root = cholesky(jittered(settings.kernel(pivots, pivots)))
    return triangular(root, settings.kernel(pivots, x)).T


def cholesky(matrix: Array) -> Array:
    """Lower Cholesky factor of a symmetric matrix, in its place; the upper half stays as it was.

    Raises:
        LinAlgError: the matrix is not positive definite.
    """
    root, failed = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    return root


def triangular(root: Array, b: Array, *, transposed: bool = False) -> Array:
    """Solve with a lower triangular matrix, or its transpose; checks of finiteness would cost more."""
    return dtrtrs(root, b, lower=1, trans=int(transposed))[0]
