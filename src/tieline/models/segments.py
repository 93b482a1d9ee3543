"""Evidence of every stretch of a line: how well one smooth function explains the points from i to j.

One Cholesky factor of the covariance of all points from i on contains those of every shorter stretch as its
leading blocks, so a start and a setting of the hyperparameters cost one factorisation for all ends.

Source: Fearnhead (2006), doi:10.1007/s11222-006-8450-8, for the recursion that this feeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.kernels import KERNELS, squared_distance

LEVEL = 2.0  # prior variance of a region's level; outputs are standardised


@dataclass(frozen=True)
class Settings:
    """A grid of hyperparameters of the functions on a line, with prior weights.

    Attributes:
        kernel: name of the covariance (setting).
        lengthscale: in units of the scaled line (setting).
        amplitude: standardised (setting).
        log_weight: normalised prior (setting).
    """

    kernel: tuple[str, ...]
    lengthscale: Array
    amplitude: Array
    log_weight: Array

    @classmethod
    def default(cls) -> "Settings":
        """Log-normal priors, lengthscale around a third of the line and amplitude around one half."""
        length, amplitude = np.meshgrid(np.geomspace(0.06, 2.0, 7), np.geomspace(0.1, 3.0, 6), indexing="ij")
        z = (np.log(length / 0.35) / 0.8) ** 2 + (np.log(amplitude / 0.6) / 0.9) ** 2
        names = tuple(KERNELS)
        log_weight = np.tile(-0.5 * z.ravel(), len(names))
        kernels = tuple(name for name in names for _ in range(z.size))
        tiled = np.tile(length.ravel(), len(names)), np.tile(amplitude.ravel(), len(names))
        return cls(kernels, *tiled, log_weight - np.asarray(logsumexp(log_weight)))

    def keep(self, which: Indices) -> "Settings":
        """Some of the settings, their weights as they were."""
        names = tuple(self.kernel[i] for i in which)
        return Settings(names, self.lengthscale[which], self.amplitude[which], self.log_weight[which])

    def covariance(self, a: Array, b: Array) -> Array:
        """Prior covariance (setting, n, m) of a region's function between points of a line."""
        r2 = squared_distance(a[:, None], b[:, None], np.ones(1))
        covariance = np.empty((len(self.kernel), *r2.shape))
        for name in set(self.kernel):
            own = np.array([k == name for k in self.kernel])
            scaled = r2 / self.lengthscale[own, None, None] ** 2
            covariance[own] = LEVEL + self.amplitude[own, None, None] ** 2 * KERNELS[name].value(scaled)
        return covariance


def stretch_evidence(
    x: Array, y: Array, error: Array, noise: float, settings: Settings, starts: Mask
) -> Array:
    """Log evidence (setting, n + 1, n + 1) of the points from i up to, not including, j.

    Args:
        x: places on the scaled line, ascending (n).
        y: standardised values (n).
        error: their squared standard errors (n).
        noise: standard deviation of the measurement noise, standardised.
        settings: hyperparameters to try.
        starts: where a region may begin (n).

    Returns:
        The evidence at [setting, i, j]; 0 for i = j, -inf for i > j and where no region may begin.
    """
    n = len(x)
    evidence = np.full((len(settings.kernel), n + 1, n + 1), -np.inf)
    evidence[:, np.arange(n + 1), np.arange(n + 1)] = 0.0
    covariance = settings.covariance(x, x) + np.diag(noise**2 + error)
    for i in np.flatnonzero(starts):
        # With y as one more row, the last row of the factor is the whitened y: no separate solve.
        bordered = np.empty((len(covariance), n - i + 1, n - i + 1))
        bordered[:, :-1, :-1] = covariance[:, i:, i:]
        bordered[:, -1, :-1] = bordered[:, :-1, -1] = y[i:]
        bordered[:, -1, -1] = y @ y / noise**2 + 1.0
        root = np.linalg.cholesky(bordered)
        scale = np.diagonal(root, axis1=1, axis2=2)[:, :-1]
        terms = -0.5 * root[:, -1, :-1] ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
        evidence[:, i, i + 1 :] = np.cumsum(terms, axis=1)
    return evidence
