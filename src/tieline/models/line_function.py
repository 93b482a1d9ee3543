"""What a property does within one region of a line: a function averaged over its settings."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from tieline.models.arrays import Array
from tieline.models.line_fit import Stretches
from tieline.models.random_features import RandomFunctions
from tieline.models.segments import LEVEL, Settings

ENOUGH = 0.99  # of the probability of a region's settings: the rest is left out


class Measured(NamedTuple):
    """The measurements of a property from `first` up to, not including, `last`, and which noise they have."""

    first: int
    last: int
    noise: int


@dataclass(frozen=True)
class RegionFunction:
    """The functions of a region at its likely settings, conditioned on what was measured there.

    Attributes:
        share: probability of each setting (setting).
        settings: their hyperparameters.
        x: places of the measurements (measurement).
        y: standardised values (measurement).
        scatter: variance of noise and standard error (measurement).
        whitener: inverse of the lower Cholesky factor of the covariance (setting, measurement, measurement).
        alpha: inverse covariance times the values (setting, measurement).
    """

    share: Array
    settings: Settings
    x: Array
    y: Array
    scatter: Array
    whitener: Array
    alpha: Array

    @classmethod
    def of(cls, part: Stretches, measured: Measured, settings: Settings) -> "RegionFunction":
        """Condition on some of a property's measurements."""
        own = slice(measured.first, measured.last)
        score = part.evidence[measured.noise, :, measured.first, measured.last] + settings.log_weight
        share = softmax(score)
        order = np.argsort(-share, kind="stable")
        kept = order[: int(np.searchsorted(np.cumsum(share[order]), ENOUGH)) + 1]
        chosen, x, y = settings.keep(kept), part.x[own], part.y[own]
        scatter = part.noise[measured.noise] ** 2 + part.error[own]
        whitener = np.linalg.inv(np.linalg.cholesky(chosen.covariance(x, x) + np.diag(scatter)))
        alpha = np.einsum("hki,hk->hi", whitener, whitener @ y)
        return cls(share[kept] / share[kept].sum(), chosen, x, y, scatter, whitener, alpha)

    def predict(self, x: Array) -> tuple[Array, Array, Array]:
        """Mean, variance within settings and variance between them (place)."""
        cross = self.settings.covariance(self.x, x)
        mean = np.einsum("hip,hi->hp", cross, self.alpha)
        known = ((self.whitener @ cross) ** 2).sum(1)
        variance = np.maximum(LEVEL + self.settings.amplitude[:, None] ** 2 - known, 1e-12)
        average = self.share @ mean
        return average, self.share @ variance, self.share @ (mean - average) ** 2

    def leave_one_out(self) -> tuple[Array, Array]:
        """First and second moment (measurement) of each value given the others."""
        variance = 1 / (self.whitener**2).sum(1)
        mean = self.y - self.alpha * variance
        return self.share @ mean, self.share @ (mean**2 + variance)

    def draw(self, x: Array, rng: np.random.Generator) -> Array:
        """One of the functions, at places (place)."""
        h = rng.choice(len(self.share), p=self.share)
        setting = self.settings.keep(np.array([h]))
        functions = RandomFunctions.draw(setting.kernel[0], 1, 1, rng)
        level = np.sqrt(LEVEL) * rng.standard_normal()
        places = np.concatenate([self.x, x])[:, None] / setting.lengthscale[0]
        prior = level + setting.amplitude[0] * functions.at(places)[:, 0]
        seen, asked = np.split(prior, [len(self.x)])
        residual = self.y - seen - np.sqrt(self.scatter) * rng.standard_normal(len(self.y))
        solved = self.whitener[h].T @ (self.whitener[h] @ residual)
        return asked + setting.covariance(x, self.x)[0] @ solved
