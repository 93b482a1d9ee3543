"""Laws of physics as experts: a curve for every cluster, fitted by weighted least squares.

All specimens share a grid, so that the best curve of a cluster depends on its members only through
their weighted mean at every point, and through the weight that stands behind it. A law therefore fits a few
mean curves, however many specimens there are, missing points included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from tieline.models.arrays import Array

if TYPE_CHECKING:
    from tieline.models.fingerprint.population import Curves

LOG_TWO_PI = float(np.log(2 * np.pi))
GOLDEN = 0.5 * (5**0.5 - 1)
N_SECTIONS = 40  # which make an interval smaller by nine digits
RIDGE = 1e-10  # of the mean diagonal: parameters that the data do not tell stay finite


class Law(Protocol):
    """The form of a curve, with parameters of its own in every cluster; it is `Linear` or `Nonlinear` too."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        ...


@runtime_checkable
class Linear(Law, Protocol):
    """A sum of features, each times a parameter."""

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        ...


@runtime_checkable
class Nonlinear(Law, Protocol):
    """Any other form, which knows how to fit itself."""

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point) of parameters (cluster, parameter)."""
        ...

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters (cluster, parameter) of least squares.

        Args:
            grid: (point).
            mean: weighted mean curves (cluster, point).
            weight: behind each of them (cluster, point), not negative.
            start: parameters to improve on, if there are any.
        """
        ...


def fit_law(law: Law, grid: Array, mean: Array, weight: Array, start: Array | None) -> tuple[Array, Array]:
    """Parameters (cluster, parameter) of least squares, and their curves (cluster, point)."""
    if isinstance(law, Linear):
        parameter = least_squares(law.features(grid), mean, weight)
    else:
        assert isinstance(law, Nonlinear)
        parameter = law.fit(grid, mean, weight, start)
    return parameter, curves_of(law, grid, parameter)


def curves_of(law: Law, grid: Array, parameter: Array) -> Array:
    """The curves (cluster, point) of parameters (cluster, parameter)."""
    if isinstance(law, Linear):
        return parameter @ law.features(grid).T
    assert isinstance(law, Nonlinear)
    return law.curve(grid, parameter)


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """A law with its parameters in every cluster.

    Attributes:
        law: its form.
        parameter: (cluster, parameter), in the user's units.
        curve: (cluster, point), in the unit of the modality.
        noise: variance of one point around the curve (cluster).
    """

    law: Law
    parameter: Array
    curve: Array
    noise: Array

    @classmethod
    def of_everything(cls, curves: "Curves", n_clusters: int) -> "FittedLaw":
        """The same curve for all clusters: that of all specimens together."""
        mean, weight = weighted_mean(curves, np.ones((len(curves.values), 1)))
        parameter, curve = fit_law(curves.law, curves.grid, mean, weight, None)
        rest = np.sum(curves.is_seen * (curves.values - curve) ** 2) / max(curves.is_seen.sum(), 1)
        parameter, curve = (np.repeat(a, n_clusters, axis=0) for a in (parameter, curve))
        return cls(curves.law, parameter, curve, np.full(n_clusters, max(rest, curves.least_noise**2)))

    def refit(self, curves: "Curves", responsibility: Array) -> "FittedLaw":
        """M-step: never fits worse than before."""
        mean, weight = weighted_mean(curves, responsibility)
        parameter, curve = fit_law(self.law, curves.grid, mean, weight, self.parameter)
        misfit, before = (np.sum(weight * (mean - c) ** 2, axis=1) for c in (curve, self.curve))
        is_better = (misfit <= before) & np.isfinite(curve).all(1)
        parameter = np.where(is_better[:, None], parameter, self.parameter)
        curve = np.where(is_better[:, None], curve, self.curve)
        count = weight.sum(1)
        noise = np.sum(responsibility * _squares(curves, curve), axis=0) / np.maximum(count, 1e-300)
        noise = np.where(count > 0, np.maximum(noise, curves.least_noise**2), self.noise)
        return FittedLaw(self.law, parameter, curve, noise)

    def log_likelihood(self, curves: "Curves") -> Array:
        """Of every specimen under every cluster (specimen, cluster); 0 where nothing was measured."""
        n_points = curves.is_seen.sum(1, keepdims=True)
        fit = _squares(curves, self.curve) / self.noise
        return -0.5 * curves.trust * (n_points * (np.log(self.noise) + LOG_TWO_PI) + fit)


def weighted_mean(curves: "Curves", responsibility: Array) -> tuple[Array, Array]:
    """Mean curve of every cluster (cluster, point), and the weight behind each point."""
    weight = responsibility.T @ curves.is_seen
    return responsibility.T @ curves.values / np.maximum(weight, 1e-300), weight


def least_squares(features: Array, mean: Array, weight: Array) -> Array:
    """Coefficients (cluster, feature) of weighted least squares.

    Args:
        features: common to all clusters (point, feature), or of each (cluster, point, feature).
        mean: (cluster, point).
        weight: (cluster, point).
    """
    root = np.sqrt(weight / np.maximum(weight.max(1, keepdims=True), 1e-300))
    scaled = root[:, :, None] * features
    size = np.sqrt((scaled**2).sum(1)) + 1e-300  # columns of one size, whatever their unit
    scaled = scaled / size[:, None]
    gram = scaled.transpose(0, 2, 1) @ scaled
    gram += RIDGE * np.eye(features.shape[-1])
    moment = scaled.transpose(0, 2, 1) @ (root * mean)[:, :, None]
    return np.linalg.solve(gram, moment)[:, :, 0] / size


def weighted_squares(features: Array, parameter: Array, mean: Array, weight: Array) -> Array:
    """Weighted sum of squared residuals (cluster) of features (cluster, point, feature)."""
    return (weight * (mean - (features @ parameter[:, :, None])[:, :, 0]) ** 2).sum(1)


def best_rate(
    features: Callable[[Array], Array], tried: Array, mean: Array, weight: Array
) -> tuple[Array, Array]:
    """Search one nonlinear parameter of each cluster, with the linear ones solved for.

    Args:
        features: of rates (cluster) as (cluster, point, feature).
        tried: positive rates, in order, of which the best is refined by golden section.
        mean: (cluster, point).
        weight: (cluster, point).

    Returns:
        Rates (cluster) and linear parameters (cluster, feature).
    """

    def misfit(rate: Array) -> Array:
        phi = features(rate)
        return weighted_squares(phi, least_squares(phi, mean, weight), mean, weight)

    misfits = np.array([misfit(np.full(len(mean), rate)) for rate in tried])
    best = misfits.argmin(0)
    low, high = (np.log(tried[np.clip(best + side, 0, len(tried) - 1)]) for side in (-1, 1))
    for _ in range(N_SECTIONS):
        inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
        is_left = misfit(np.exp(inner[0])) < misfit(np.exp(inner[1]))
        low, high = np.where(is_left, low, inner[0]), np.where(is_left, inner[1], high)
    rate = np.exp(0.5 * (low + high))
    rate = np.where(misfit(rate) <= misfits.min(0), rate, tried[best])
    return rate, least_squares(features(rate), mean, weight)


def _squares(curves: "Curves", curve: Array) -> Array:
    """Sum of squared residuals of every specimen from every cluster's curve (specimen, cluster)."""
    middle = curve.mean(0)  # residuals are small beside values: subtract what all have in common first
    values, apart = curves.is_seen * (curves.values - middle), curve - middle
    squares = (values**2).sum(1)[:, None] - 2 * values @ apart.T + curves.is_seen @ (apart**2).T
    return np.maximum(squares, 0)
