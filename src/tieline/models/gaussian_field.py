"""The exact joint Gaussian distribution of a function over places, and draws from it."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array
from tieline.models.gaussian_average import GaussianAverage
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import LEVEL, SHARED_LEVEL
from tieline.models.kernels import JITTER, squared_distance


@dataclass(frozen=True, eq=False)
class GaussianField:
    """A weighted sum of noise-free outputs over places, by one fit, in the user's units.

    Attributes:
        fit: the process.
        x: places (place, coordinate), scaled.
        weights: of each standardised output (output).
        mean: expected value (place).
        variance: of it (place).
        half: what covariances need (entry, place); None where only mean and variance are asked for.
    """

    fit: GaussianFit
    x: Array
    weights: Array
    mean: Array
    variance: Array
    half: Array | None

    @classmethod
    def of(cls, fit: GaussianFit, x: Array, weights: Array, constant: float) -> "GaussianField":
        """Work out mean, variance, and what covariances need."""
        mean, half = fit.halves(x, weights)
        variance = fit.left_of(np.einsum("ep,ep->p", half, half), weights)
        return cls(fit, x, weights, mean + constant, variance, half)

    @classmethod
    def rough(cls, fit: GaussianFit, x: Array, weights: Array, constant: float) -> "GaussianField":
        """Work out mean and variance alone, for a first look at very many places."""
        mean, variance = fit.moments(x, weights)
        return cls(fit, x, weights, mean + constant, variance, None)

    @property
    def noise(self) -> float:
        """Variance of the noise of one measurement."""
        return self.fit.noise(self.weights)

    @property
    def prior_variance(self) -> float:
        """Variance at any place before anything was measured."""
        return self.fit.hyper.variance(self.weights)

    def alike(self, i: int) -> Array:
        """Correlation of the smooth part at all places with place i, before any data (place)."""
        hyper = self.fit.hyper
        here = squared_distance(self.x, self.x[i : i + 1], hyper.lengthscale)
        return hyper.function.value(here)[:, 0]

    def column(self, i: int) -> Array:
        """Covariance of all places with place i (place)."""
        return self.covariance(slice(i, i + 1))[:, 0]

    def covariance(self, of: slice = slice(None)) -> Array:
        """Covariance of all places with some, or with all (place, place)."""
        assert self.half is not None  # of a rough field nobody asks
        return self.fit.hyper.among(self.x, self.x[of], self.weights) - self.half.T @ self.half[:, of]


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
