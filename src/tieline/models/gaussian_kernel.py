"""The covariance of a Gaussian process over places, outputs and campaigns, and its hyperparameters.

Two values y_p(x) and y_q(x') have the covariance

    B[p, q] C[c, c'] k(x, x') + LEVEL [p = q] (C₀ where campaigns differ) + [same row] R[p, q]

where k is a stationary kernel with a lengthscale a coordinate, B says how outputs go together (intrinsic
coregionalisation, B = W Wᵀ + diag), C how far an earlier campaign tells of this one, and R what is left at
one measured row. The level of each output is integrated out.

Source: Álvarez, Rosasco & Lawrence (2012), doi:10.1561/2200000036, section 4.2, for B; Swersky, Snoek & Adams
(2013) for C, of which one number a campaign is learned. Lengthscale priors: `PRIORS`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.kernels import KERNELS, Kernel, squared_distance

LEVEL = 1.0  # prior variance of an output's level; outputs are standardised
SHARED_LEVEL = 0.5  # share of it that campaigns have in common
LEAST_NOISE = 1e-6  # of a standardised output: keeps covariance matrices well conditioned
FACTORS = 2  # columns of W at most


class Normal(NamedTuple):
    """A normal prior of a hyperparameter or of its logarithm."""

    mean: float
    sd: float


# Of logarithms of variances, for standardised outputs; of W and U themselves; of the logit of relatedness.
SIGNAL = Normal(0.0, 1.0)
NOISE = Normal(-4.0, 1.5)
COUPLING = Normal(0.0, 1.0)
RESIDUAL = Normal(0.0, 0.3)
RELATED = Normal(1.0, 1.5)


def lengthscale_prior(n_coordinates: int) -> Normal:
    """Prior of the logarithm of a lengthscale in the unit box, longer where there are more coordinates.

    Source: Hvarfner, Hellsten & Nardi (2024), doi:10.48550/arXiv.2402.02229, eq. 6.
    """
    return Normal(np.sqrt(2) + np.log(n_coordinates) / 2, np.sqrt(3))


@dataclass(frozen=True)
class Entries:
    """Values that were measured, one entry each.

    Attributes:
        x: place (entry, coordinate), scaled.
        output: which property (entry).
        row: which specimen (entry); values of one row share a residual.
        campaign: which campaign (entry); the one that predictions are for is 0.
        y: standardised value (entry).
        variance: its squared standard error (entry).
    """

    x: Array
    output: Indices
    row: Indices
    campaign: Indices
    y: Array
    variance: Array

    def where(self, kept: Indices | Mask) -> "Entries":
        """Some of the entries."""
        return Entries(*(getattr(self, f)[kept] for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class Shape:
    """What hyperparameters a Gaussian process has.

    Attributes:
        group: lengthscale of each coordinate (coordinate): categories of one variable share one.
        n_outputs: properties.
        n_campaigns: with the present one.
        kernel: name in `KERNELS`.
    """

    group: Indices
    n_outputs: int
    n_campaigns: int
    kernel: str

    @property
    def n_groups(self) -> int:
        """How many lengthscales there are."""
        return int(self.group.max()) + 1

    @property
    def n_factors(self) -> int:
        """Columns of W; none for a single output, whose variance the diagonal holds."""
        return min(self.n_outputs, FACTORS) if self.n_outputs > 1 else 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the parts of the parameter vector: log l, W, log diag B, log diag R, U, logit c."""
        p, several = self.n_outputs, self.n_outputs > 1
        return (self.n_groups, p * self.n_factors, p, p, p if several else 0, self.n_campaigns - 1)

    def split(self, theta: Array) -> list[Array]:
        """The parts of a parameter vector."""
        return [theta[part] for part in self._slices]

    @cached_property
    def _slices(self) -> list[slice]:
        ends = np.cumsum(self.sizes).tolist()
        return [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]

    def priors(self) -> tuple[Array, Array]:
        """Mean and standard deviation of every parameter."""
        normals = (lengthscale_prior(self.n_groups), COUPLING, SIGNAL, NOISE, RESIDUAL, RELATED)
        pairs = [np.tile(n, (size, 1)) for n, size in zip(normals, self.sizes, strict=True)]
        mean, sd = np.concatenate(pairs).T
        return mean, sd

    def at(self, theta: Array) -> "Hyperparameters":
        """Hyperparameters of a parameter vector."""
        log_l, w, log_b, log_r, u, logit = self.split(theta)
        signal, residual = np.exp(log_b)[:, None], np.exp(log_r)[:, None] + LEAST_NOISE
        if self.n_outputs > 1:
            w = w.reshape(self.n_outputs, self.n_factors)
            signal = w @ w.T + np.diag(signal[:, 0])
            residual = np.diag(residual[:, 0]) + np.outer(u, u)
        alike = np.ones((1, 1))
        if self.n_campaigns > 1:
            related = np.concatenate([[1.0], 1 / (1 + np.exp(-logit))])
            alike = np.outer(related, related)
            np.fill_diagonal(alike, 1.0)
        return Hyperparameters(np.exp(log_l)[self.group], signal, residual, alike, self.kernel)


@dataclass(frozen=True)
class Hyperparameters:
    """What a covariance needs.

    Attributes:
        lengthscale: of each coordinate (coordinate), scaled.
        signal: B (output, output), standardised.
        residual: R (output, output), standardised.
        alike: C (campaign, campaign), 1 on the diagonal.
        kernel: name in `KERNELS`.
    """

    lengthscale: Array
    signal: Array
    residual: Array
    alike: Array
    kernel: str

    @property
    def function(self) -> Kernel:
        """The kernel."""
        return KERNELS[self.kernel]

    def between(self, x: Array, weights: Array, entries: Entries) -> Array:
        """Covariance (place, entry) of a weighted sum of the outputs of the present campaign with entries.

        Args:
            x: places (place, coordinate).
            weights: of each output (output).
            entries: what was measured.
        """
        covariance = self.function.value(squared_distance(x, entries.x, self.lengthscale))
        covariance *= (weights @ self.signal)[entries.output] * self.alike[0, entries.campaign]
        shared = np.where(entries.campaign == 0, LEVEL, LEVEL * SHARED_LEVEL)
        covariance += weights[entries.output] * shared
        return covariance

    def among(self, a: Array, b: Array, weights: Array) -> Array:
        """Prior covariance (place, place) of a weighted sum of the outputs of the present campaign."""
        k = self.function.value(squared_distance(a, b, self.lengthscale))
        return (weights @ self.signal @ weights) * k + LEVEL * (weights @ weights)

    def variance(self, weights: Array) -> float:
        """Prior variance of a weighted sum of the outputs at any place."""
        return float(weights @ self.signal @ weights + LEVEL * (weights @ weights))
