"""Phases and properties as a smooth blend, written for NumPyro.

A property is Σ_k w_k(x) f_k(x), w the softmax of the map's log odds: two specimens share a function as far as
they share a phase. Given w it is one Gaussian process, which is integrated out. The map is a share, a
quadratic trend and a Matern-5/2 process on the sines of lowest frequency on a box. Priors are tieline's.

Source:
    Solin & Särkkä (2020), doi:10.1007/s11222-019-09886-w, for the sines and their prior.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.linalg import solve_triangular
from scipy.special import gammaln

from tieline.models.experts import LEAST_NOISE, LEVEL, Layout
from tieline.models.fusion import Fusion
from tieline.models.gate import OFFSET, SHARE, GateSettings, contrasts
from tieline.models.gate_mixture import Focus
from tieline.models.observations import Observations
from tieline.models.sites import precision_of

N_SINES, KEPT = 9, 0.6  # along each axis; share of their products that is kept
# Half-width of the box over that of all places. Sines vanish on its faces, so near the outermost places the
# process varies less than its prior says, the more the longer it is; a wider box would need more sines.
BOX = 1.3
SCATTER = 0.3  # of the starts, in standard deviations of the prior, or of the map's fast posterior
NU = 2.5  # smoothness of the Matern process
JITTER = 1e-8  # variances are of order 1

Arrays = dict[str, Any]  # by the name of what is sampled
Weighed = tuple[Any, Any]  # places (place, d), and weights of the phases there (place, K)


@dataclass(frozen=True, eq=False)
class Sines:
    """The map's features: of a box around the centre of the unit box, with its half-width.

    `frequency` (sine, d) is that of each product of sines, along each axis.
    """

    half: float
    frequency: np.ndarray

    @classmethod
    def over(cls, x: np.ndarray) -> "Sines":
        """The sines of lowest frequency on a box around all places (place, d)."""
        half, d = BOX * float(np.abs(x - 0.5).max()), x.shape[1]
        numbers = np.stack(np.meshgrid(*[np.arange(1, N_SINES + 1)] * d, indexing="ij"), -1).reshape(-1, d)
        n_kept = len(numbers) if d == 1 else int(KEPT * len(numbers))
        lowest = np.argsort((numbers**2).sum(1), kind="stable")[:n_kept]
        return cls(half, numbers[lowest] * np.pi / (2 * half))

    def features(self, theta: Any, x: np.ndarray) -> Any:
        """Features (place, feature) of which standard normal weights make the map's prior."""
        d, z, (i, j) = x.shape[1], 2 * x - 1, np.triu_indices(x.shape[1])
        square = z[:, i] * z[:, j] * np.where(i == j, 1.0, np.sqrt(2))
        trend = np.hstack([np.full((len(x), 1), OFFSET), z, square])
        sines = np.sin((x[:, None] - 0.5 + self.half) * self.frequency).prod(2) / self.half ** (d / 2)
        length = jnp.exp(theta[2] + (theta[4:] if d > 1 else jnp.zeros(1)))
        spectrum = d * np.log(2) + d / 2 * np.log(np.pi) + gammaln(NU + d / 2) - gammaln(NU)
        spectrum += NU * np.log(2 * NU) + jnp.log(length).sum()
        spectrum -= (NU + d / 2) * jnp.log(2 * NU + ((self.frequency * length) ** 2).sum(1))
        smooth = sines * jnp.exp(theta[0] + spectrum / 2)  # halved in the exponent, nothing underflows
        return jnp.hstack([jnp.full((len(x), 1), SHARE), jnp.exp(theta[1]) * trend, smooth])


@dataclass(frozen=True, eq=False)
class Property:
    """The values `y` of one property, standardised, in the rows `own`, with squared errors, at places `x`."""

    layout: Layout
    own: np.ndarray
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray

    def covariance(self, z: Any, a: Weighed, b: Weighed) -> Any:
        """Prior covariance (place, place) of the blend."""
        value, d, n_phases = self._values(z), self.x.shape[1], self.layout.n_phases
        amplitude = value[d + 3] * value[d + 4 : d + 4 + n_phases]
        factor = value[d + 4 + n_phases : d + 4 + 2 * n_phases]
        r2 = (((a[0][:, None] - b[0]) / value[:d]) ** 2).sum(2)
        total = LEVEL + value[d] ** 2 * self._kernel(r2 / value[d + 1] ** 2)
        for k in range(n_phases):
            own = value[d + 2] ** 2 + amplitude[k] ** 2 * self._kernel(r2 / factor[k] ** 2)
            total += a[1][:, k, None] * b[1][:, k] * own
        return total

    def root(self, z: Any, weight: Any) -> Any:
        """Cholesky factor of the covariance of the values, from weights of all rows (row, K)."""
        known = self.x, weight[self.own]
        return jnp.linalg.cholesky(
            self.covariance(z, known, known) + jnp.diag(self.error + self._noise(z) + JITTER)
        )

    def moments(self, z: Any, weight: Any, places: Weighed) -> tuple[Any, Any]:
        """Mean and variance (place) of new values, from weights of all rows (row, K)."""

        def prior(x: Any, w: Any) -> Any:
            return self.covariance(z, (x[None], w[None]), (x[None], w[None]))[0, 0]

        root = self.root(z, weight)
        cross = solve_triangular(root, self.covariance(z, (self.x, weight[self.own]), places), lower=True)
        left = jnp.maximum(jax.vmap(prior)(*places) - (cross**2).sum(0), 0.0)
        return cross.T @ solve_triangular(root, self.y, lower=True), left + self._noise(z)

    def _values(self, z: Any) -> Any:
        mean, deviation = self.layout.prior()
        return jnp.exp(mean + deviation * z)

    def _noise(self, z: Any) -> Any:
        return self._values(z)[-1] ** 2 + LEAST_NOISE**2

    def _kernel(self, r2: Any) -> Any:
        s = jnp.sqrt(5 * r2 + 1e-12)  # the root of zero has no slope
        return jnp.exp(-0.5 * r2) if self.layout.kernel == "rbf" else (1 + s + s**2 / 3) * jnp.exp(-s)


@dataclass(frozen=True, eq=False)
class Blend:
    """The model, all hyperparameters in units of their priors.

    Attributes:
        seen: what was measured.
        sines: features of the map.
        properties: with the kernels that fast inference prefers.
        centre: the map's weights (feature and contrast) as fast inference expects them.
        spread: root of their covariance, by which chains move in coordinates that are nearly standard normal.
    """

    seen: Observations
    sines: Sines
    properties: tuple[Property, ...]
    centre: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, seen: Observations, fit: Fusion, grid: np.ndarray) -> "Blend":
        """From fast inference, for the places of a scaled grid (place, d)."""
        best, sines, properties = fit.gates.gates[0], Sines.over(np.vstack([seen.x, grid])), []
        for y, error, mixture in zip(seen.y.T, seen.error.T, fit.experts, strict=True):
            layout, own = Layout(seen.x.shape[1], fit.n_phases, mixture.best.layout.kernel), ~np.isnan(y)
            properties.append(Property(layout, own, seen.x[own], y[own], error[own]))
        features = np.asarray(sines.features(_logarithms(best.settings), seen.x))
        precision = precision_of(features, best.sites.precision)
        centre = np.linalg.solve(precision, (features.T @ best.sites.shift).ravel())
        return cls(seen, sines, tuple(properties), centre, np.linalg.inv(np.linalg.cholesky(precision)).T)

    def starts(self, fit: Fusion, n_chains: int, rng: np.random.Generator) -> Arrays:
        """Starts (chain, coordinate) around what fast inference found."""
        mean, deviation = _map_prior(self.seen.x.shape[1])
        found = {"map": (_logarithms(fit.gates.settings) - mean) / deviation, "weights": 0 * self.centre}
        for j, (property_, mixture) in enumerate(zip(self.properties, fit.experts, strict=True)):
            mean, deviation = property_.layout.prior()
            alike = [e.theta for e in mixture.experts if e.layout == property_.layout]
            found[f"property_{j}"] = ((alike or [mean])[0] - mean) / deviation
        return {name: at + SCATTER * rng.standard_normal((n_chains, len(at))) for name, at in found.items()}

    def program(self) -> None:
        """The model as NumPyro reads it."""
        seen, (mean, deviation) = self.seen, _map_prior(self.seen.x.shape[1])
        anywhere = dist.ImproperUniform(dist.constraints.real_vector, (), self.centre.shape)
        draw = {"map": _standard_normal("map", len(mean)), "weights": numpyro.sample("weights", anywhere)}
        numpyro.factor("weights_prior", -0.5 * (self._map_weights(draw) ** 2).sum())
        weight, label = self.weights(draw, seen.x), seen.label[seen.labelled]
        error = jnp.minimum(jnp.exp(mean[3] + deviation[3] * draw["map"][3]), 0.3)
        named = (weight[seen.labelled] * label).sum(1)
        numpyro.factor("labels", jnp.log((1 - error) * named + error / label.shape[1]).sum())
        for j, property_ in enumerate(self.properties):
            z = _standard_normal(f"property_{j}", property_.layout.size)
            values = dist.MultivariateNormal(scale_tril=property_.root(z, weight))
            numpyro.sample(f"values_{j}", values, obs=property_.y)

    def weights(self, draw: Arrays, x: np.ndarray) -> Any:
        """Weight (place, K) of each phase's function, which is also its probability."""
        mean, deviation = _map_prior(x.shape[1])
        t = contrasts(self.seen.label.shape[1])
        features = self.sines.features(mean + deviation * draw["map"], x)
        return jax.nn.softmax(features @ self._map_weights(draw).reshape(-1, t.shape[1]) @ t.T)

    def answers(self, draws: Arrays, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of every draw: weights (draw, place, K), new values' mean and variance (draw, place, property)."""

        def answer(draw: Arrays) -> tuple[Any, ...]:
            known, here = self.weights(draw, self.seen.x), self.weights(draw, x)
            parts = [
                p.moments(draw[f"property_{j}"], known, (x, here)) for j, p in enumerate(self.properties)
            ]
            return here, *(jnp.stack(part, axis=1) for part in zip(*parts, strict=True))

        weight, mean, variance = jax.lax.map(answer, draws)
        return np.asarray(weight), np.asarray(mean), np.asarray(variance)

    def _map_weights(self, draw: Arrays) -> Any:
        return self.centre + self.spread @ draw["weights"]


def _standard_normal(name: str, size: int) -> Any:
    return numpyro.sample(name, dist.Normal(jnp.zeros(size), 1.0).to_event(1))


def _map_prior(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the logarithms of the map's hyperparameters."""
    prior = Focus.prior(d)
    return prior.centre, prior.root.diagonal()


def _logarithms(settings: GateSettings) -> np.ndarray:
    """The logarithms that `settings_at` would read."""
    length = np.log(settings.lengthscale)
    sizes = np.log([settings.amplitude, settings.trend, np.exp(length.mean()), *settings.label_error])
    return np.r_[sizes, length - length.mean()] if len(length) > 1 else sizes
