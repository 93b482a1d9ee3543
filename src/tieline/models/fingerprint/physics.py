"""The laws of physics that a modality of `Fingerprint` can follow in every cluster.

A law is fitted to a few mean curves with weights (see `laws`): linear ones exactly, those with one rate or
knot by searching it with everything else solved for, others by least squares from where they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import legendre
from scipy.interpolate import BSpline
from scipy.optimize import least_squares as nonlinear_least_squares

from tieline.errors import SchemaError
from tieline.models.arrays import Array
from tieline.models.fingerprint.laws import Law, best_rate, least_squares, weighted_squares

N_NEWTON = 60  # steps until a stress is found; each is safe, thirty are usual
LEAST_EXPONENT, GREATEST_EXPONENT = 0.02, 8.0  # of a power law
GREATEST_HARDENING = 60.0  # exponent of Ramberg and Osgood


@dataclass(frozen=True)
class Line:
    """A straight line.

    Args:
        through_origin: without an intercept.
    """

    through_origin: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return ("slope",) if self.through_origin else ("slope", "intercept")

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        return np.stack([grid] if self.through_origin else [grid, np.ones_like(grid)], axis=1)


@dataclass(frozen=True)
class Polynomial:
    """A polynomial, in Legendre's terms over the range of the grid so that a high degree does no harm.

    Args:
        degree: highest power.
    """

    degree: int = 2

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(f"legendre_{i}" for i in range(self.degree + 1))

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        return legendre.legvander(2 * _unit(grid) - 1, self.degree)


@dataclass(frozen=True)
class Fourier:
    """A periodic curve.

    Args:
        n_harmonics: sines and cosines.
        period: in the unit of the grid; the range of the grid if not given.
    """

    n_harmonics: int = 2
    period: float | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        waves = (f"{wave}_{i + 1}" for i in range(self.n_harmonics) for wave in ("cosine", "sine"))
        return ("mean", *waves)

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        angle = 2 * np.pi * (_unit(grid) if self.period is None else grid / self.period)
        waves = [wave(i * angle) for i in range(1, self.n_harmonics + 1) for wave in (np.cos, np.sin)]
        return np.stack([np.ones_like(grid), *waves], axis=1)


@dataclass(frozen=True)
class Spline:
    """A smooth curve of no particular form: a cubic spline with equal intervals.

    Args:
        n_intervals: between knots.
    """

    n_intervals: int = 5

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(f"spline_{i}" for i in range(self.n_intervals + 3))

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        knots = np.linspace(0, 1, self.n_intervals + 1)
        knots = np.concatenate([np.zeros(3), knots, np.ones(3)])
        return BSpline.design_matrix(_unit(grid), knots, 3).toarray()


@dataclass(frozen=True)
class Features:
    """A sum of given functions, each with a factor of its own in every cluster.

    Args:
        functions: of the grid (point), each giving (point).
        parameters: names of the factors.
    """

    functions: tuple[Callable[[Array], Array], ...]
    parameters: tuple[str, ...]

    def features(self, grid: Array) -> Array:
        """What the parameters multiply (point, parameter)."""
        return np.stack([np.broadcast_to(f(grid), grid.shape) for f in self.functions], axis=1)


@dataclass(frozen=True)
class PowerLaw:
    """factor * t^exponent, with an offset if wanted.

    Args:
        has_offset: whether a constant is added.
    """

    has_offset: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return ("factor", "exponent", "offset") if self.has_offset else ("factor", "exponent")

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point)."""
        offset = parameter[:, [2]] if self.has_offset else 0.0
        return parameter[:, [0]] * _power(grid, parameter[:, 1]) + offset

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters of least squares (cluster, parameter); the exponent is searched."""
        if grid.min() < 0:
            raise SchemaError("A power law needs a coordinate that is not negative.", found=f"{grid.min():g}")

        def features(exponent: Array) -> Array:
            power = _power(grid, exponent)
            return np.stack([power, np.ones_like(power)] if self.has_offset else [power], axis=2)

        tried = np.geomspace(LEAST_EXPONENT, GREATEST_EXPONENT, 80)
        exponent, others = best_rate(features, tried, mean, weight)
        return np.insert(others, 1, exponent, axis=1)


@dataclass(frozen=True)
class Voce:
    """Hardening that saturates: initial + gain * (1 - exp(-rate * t))."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return ("initial", "gain", "rate")

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point)."""
        initial, gain, rate = parameter.T[:, :, None]
        return initial - gain * np.expm1(-rate * (grid - grid.min()))

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters of least squares (cluster, parameter); the rate is searched."""
        along = grid - grid.min()

        def features(rate: Array) -> Array:
            gain = -np.expm1(-rate[:, None] * along)
            return np.stack([np.ones_like(gain), gain], axis=2)

        rate, others = best_rate(features, np.geomspace(0.1, 300, 80) / np.ptp(grid), mean, weight)
        return np.column_stack([others, rate])


@dataclass(frozen=True)
class Bilinear:
    """Elastic, then plastic: a line through the origin up to a knot, and another one from there."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return ("stiffness", "hardening", "yield_point")

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point)."""
        stiffness, hardening, knot = parameter.T[:, :, None]
        return stiffness * np.minimum(grid, knot) + hardening * np.maximum(grid - knot, 0)

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters of least squares (cluster, parameter): the knot is exact, at a point or between two."""
        return np.stack([_bilinear(grid, y, w) for y, w in zip(mean, weight, strict=True)])


@dataclass(frozen=True)
class RambergOsgood:
    """Stress of strain, elastic and plastic at once: strain = s / stiffness + (s / strength)^exponent."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return ("stiffness", "strength", "exponent")

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point), by Newton's method from above, where it cannot miss."""
        stiffness, strength, exponent = np.maximum(parameter, 1e-300).T[:, :, None]
        strain = np.abs(grid)
        stress = np.minimum(stiffness * strain, strength * strain ** (1 / exponent))
        for _ in range(N_NEWTON):
            plastic = (stress / strength) ** exponent
            slope = 1 / stiffness + exponent * plastic / np.maximum(stress, 1e-300)
            stress = np.maximum(stress - (stress / stiffness + plastic - strain) / slope, 0)
        return np.sign(grid) * stress

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters of least squares (cluster, parameter), from where they were."""
        if start is None:
            first = np.argsort(np.abs(grid))[: max(3, len(grid) // 8)]
            stiffness = (mean[:, first] @ grid[first]) / max((grid[first] ** 2).sum(), 1e-300)
            top = np.abs(mean).max(1)
            start = np.column_stack([np.maximum(stiffness, 1e-9 * top), 1.5 * top, np.full(len(mean), 6.0)])

        def bounded(logarithm: Array) -> Array:
            parameter = np.exp(np.clip(logarithm, -50, 50))
            parameter[:, 2] = np.clip(parameter[:, 2], 1, GREATEST_HARDENING)
            return parameter

        def curve(grid: Array, logarithm: Array) -> Array:
            return self.curve(grid, bounded(logarithm[None]))[0]

        return bounded(_nonlinear(curve, grid, mean, weight, np.log(np.maximum(start, 1e-300))))


@dataclass(frozen=True)
class Formula:
    """A law of your own.

    Args:
        function: of the grid (point) and the parameters (parameter), giving a smooth curve (point).
        start: parameters to begin with.
        parameters: their names.
    """

    function: Callable[[Array, Array], Array] | None
    start: tuple[float, ...]
    parameters: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.start) != len(self.parameters):
            raise SchemaError(
                "A formula has a name and a start for every parameter.",
                found=f"{len(self.parameters)} names and {len(self.start)} starts",
            )

    def curve(self, grid: Array, parameter: Array) -> Array:
        """The curves (cluster, point)."""
        function = self._known()
        return np.stack([np.broadcast_to(function(grid, p), grid.shape) for p in parameter]).astype(float)

    def fit(self, grid: Array, mean: Array, weight: Array, start: Array | None) -> Array:
        """Parameters of least squares (cluster, parameter), from where they were."""
        if start is None:
            start = np.tile(np.asarray(self.start, float), (len(mean), 1))
        return _nonlinear(self._known(), grid, mean, weight, start)

    def _known(self) -> Callable[[Array, Array], Array]:
        if self.function is None:
            raise SchemaError(
                "A formula from a file has lost its function, and cannot be fitted again.",
                hint="give the function anew: tl.physics.Formula(function, start, parameters)",
            )
        return self.function


def storable(law: Law) -> Law:
    """The same law for a file, in which functions cannot stand: it cannot be fitted again."""
    if isinstance(law, Features):
        return replace(law, functions=())
    return replace(law, function=None) if isinstance(law, Formula) else law


def _unit(grid: Array) -> Array:
    return (grid - grid.min()) / np.ptp(grid)


def _power(grid: Array, exponent: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.exp(exponent[:, None] * np.log(grid))


def _bilinear(grid: Array, mean: Array, weight: Array) -> Array:
    """Stiffness, hardening and knot of one curve.

    Between two points of the grid, the best knot is where a line through the origin to the left meets a free
    line to the right; if they meet elsewhere, the best knot is one of the two points.
    """
    order = np.argsort(grid)
    t, y, w = grid[order], mean[order], weight[order]
    left = [np.cumsum(a)[:-1] for a in (w * t * t, w * t * y)]
    right = [np.cumsum(a[::-1])[::-1][1:] for a in (w, w * t, w * t * t, w * y, w * t * y)]
    n, st, stt, sy, sty = right
    with np.errstate(divide="ignore", invalid="ignore"):
        stiffness = left[1] / left[0]
        hardening = (n * sty - st * sy) / (n * stt - st**2)
        meet = (sy - hardening * st) / n / (stiffness - hardening)
        knots = np.where((meet > t[:-1]) & (meet < t[1:]), meet, np.nan)
    knots = np.concatenate([knots[np.isfinite(knots)], t[1:][t[1:] > 0]])
    features = np.stack([np.minimum(t, knots[:, None]), np.maximum(t - knots[:, None], 0)], axis=2)
    ys, ws = np.broadcast_to(y, features.shape[:2]), np.broadcast_to(w, features.shape[:2])
    slopes = least_squares(features, ys, ws)
    best = int(np.argmin(weighted_squares(features, slopes, ys, ws)))
    return np.array([*slopes[best], knots[best]])


def _nonlinear(
    function: Callable[[Array, Array], Array], grid: Array, mean: Array, weight: Array, start: Array
) -> Array:
    """Parameters of least squares for each cluster, one after the other."""
    found = []
    for y, w, first in zip(mean, weight, start, strict=True):
        root = np.sqrt(w / max(w.max(), 1e-300))
        scale = max(float(np.abs(y).max()), 1e-300)

        def residual(p: Array, y: Array = y, root: Array = root, scale: float = scale) -> Array:
            return np.nan_to_num(
                root * (np.asarray(function(grid, p), float) - y) / scale, nan=1e6, posinf=1e6
            )

        found.append(nonlinear_least_squares(residual, first, x_scale=np.abs(first) + 1e-3, max_nfev=200).x)
    return np.array(found)


LAWS: Sequence[type] = (
    Bilinear, Features, Formula, Fourier, Line, Polynomial, PowerLaw, RambergOsgood, Spline, Voce,
)  # fmt: skip
