"""The exact joint Gaussian distribution of a function over places, and draws from it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tieline.models.arrays import Array
from tieline.models.gaussian_average import GaussianAverage
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import LEVEL, SHARED_LEVEL
from tieline.models.kernels import JITTER, squared_distance


@dataclass(frozen=True, eq=False)
class GaussianField:
    """A weighted sum of noise-free outputs over places, in the user's units.

    Fits of several hyperparameters are replaced by the Gaussian of the same mean and covariance.

    Attributes:
        average: the processes.
        x: places (place, coordinate), scaled.
        weights: of each standardised output (output).
        means: expected value by each fit (fit, place).
        halves: from each fit (entry, place); none where only mean and variance are asked for.
        mean: expected value (place).
        variance: of it (place).
    """

    average: GaussianAverage
    x: Array
    weights: Array
    means: Array
    halves: tuple[Array, ...]
    mean: Array
    variance: Array

    @classmethod
    def of(cls, average: GaussianAverage, x: Array, weights: Array, constant: float) -> "GaussianField":
        """Work out means, variances, and what covariances need."""
        means, halves = zip(*(fit.halves(x, weights) for fit in average.fits), strict=True)
        told = [np.einsum("ep,ep->p", half, half) for half in halves]
        variances = [fit.left_of(t, weights) for fit, t in zip(average.fits, told, strict=True)]
        return cls._mixed(average, x, weights, constant, np.stack(means), np.stack(variances), halves)

    @classmethod
    def rough(cls, average: GaussianAverage, x: Array, weights: Array, constant: float) -> "GaussianField":
        """Work out means and variances by the most probable fit alone, for a first look at many places."""
        mean, variance = average.fits[0].moments(x, weights)
        return cls._mixed(average.leading, x, weights, constant, mean[None], variance[None], ())

    @classmethod
    def _mixed(
        cls,
        average: GaussianAverage,
        x: Array,
        weights: Array,
        constant: float,
        means: Array,
        variances: Array,
        halves: tuple[Array, ...],
    ) -> "GaussianField":
        mean = average.shares @ means
        variance = average.shares @ (variances + (means - mean) ** 2)
        return cls(average, x, weights, means, halves, mean + constant, variance)

    @property
    def noise(self) -> float:
        """Variance of the noise of one measurement."""
        return self.average.noise(self.weights)

    @property
    def prior_variance(self) -> float:
        """Variance at any place before anything was measured."""
        return float(self.average.shares @ [fit.hyper.variance(self.weights) for fit in self.average.fits])

    @cached_property
    def _disagreement(self) -> Array:
        """What each fit expects more than their average (fit, place)."""
        return self.means - self.average.shares @ self.means

    def alike(self, i: int) -> Array:
        """Correlation of the smooth part at all places with place i, before any data (place)."""
        here = self.x[i : i + 1]
        each = [
            fit.hyper.function.value(squared_distance(self.x, here, fit.hyper.lengthscale))[:, 0]
            for fit in self.average.fits
        ]
        return self.average.shares @ each

    def column(self, i: int) -> Array:
        """Covariance of all places with place i (place)."""
        return self.covariance(slice(i, i + 1))[:, 0]

    def covariance(self, of: slice = slice(None)) -> Array:
        """Covariance of all places with some, or with all (place, place)."""
        apart = self._disagreement
        total = np.einsum("f,fp,fq->pq", self.average.shares, apart, apart[:, of])
        for share, fit, halves in zip(self.average.shares, self.average.fits, self.halves, strict=True):
            prior = fit.hyper.among(self.x, self.x[of], self.weights)
            total += share * (prior - halves.T @ halves[:, of])
        return total


def draw_from_average(average: GaussianAverage, x: Array, n: int, rng: np.random.Generator) -> Array:
    """Draw all noise-free outputs jointly, each draw from one of the fits: (draw, place, output)."""
    counts = rng.multinomial(n, average.shares)
    parts = [draw_functions(f, x, k, rng) for f, k in zip(average.fits, counts, strict=True) if k]
    return rng.permutation(np.concatenate(parts))


def draw_functions(fit: GaussianFit, x: Array, n: int, rng: np.random.Generator) -> Array:
    """Draw all noise-free outputs jointly: (draw, place, output), standardised.

    A draw from the prior over places and entries is moved by what its simulated measurements lack.

    Source: Matheron's rule; Wilson et al. (2020), doi:10.48550/arXiv.2002.09309, eq. 13.
    """
    hyper, entries = fit.hyper, fit.entries
    n_outputs, n_campaigns = len(hyper.signal), len(hyper.alike)
    places, at = np.unique(np.vstack([x, entries.x]), axis=0, return_inverse=True)
    here, there = np.split(at.reshape(-1), [len(x)])
    k = hyper.function.value(squared_distance(places, places, hyper.lengthscale))
    k.flat[:: len(k) + 1] += JITTER
    smooth = np.linalg.cholesky(k) @ rng.standard_normal((n, len(places), n_outputs * n_campaigns))
    # Independent functions become those of every output in every campaign.
    mix = np.linalg.cholesky(np.kron(hyper.alike + JITTER * np.eye(n_campaigns), hyper.signal))
    functions = (smooth @ mix.T).reshape(n, len(places), n_campaigns, n_outputs)
    functions += _levels(n, n_outputs, n_campaigns, rng)[:, None]
    residual = rng.standard_normal((n, int(entries.row.max()) + 1, n_outputs))
    residual = residual @ np.linalg.cholesky(hyper.residual).T
    simulated = functions[:, there, entries.campaign, entries.output]
    simulated += residual[:, entries.row, entries.output]
    simulated += np.sqrt(entries.variance) * rng.standard_normal(simulated.shape)
    pull = fit.solve((entries.y - simulated).T)
    moved = np.stack([hyper.between(x, only, entries) @ pull for only in np.eye(n_outputs)], axis=-1)
    return functions[:, here, 0] + moved.transpose(1, 0, 2)


def _levels(n: int, n_outputs: int, n_campaigns: int, rng: np.random.Generator) -> Array:
    """Levels (draw, campaign, output) of every output, partly shared by campaigns."""
    shared = rng.standard_normal((n, 1, n_outputs))
    own = rng.standard_normal((n, n_campaigns, n_outputs))
    return np.sqrt(LEVEL) * (np.sqrt(SHARED_LEVEL) * shared + np.sqrt(1 - SHARED_LEVEL) * own)
