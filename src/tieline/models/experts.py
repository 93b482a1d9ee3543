"""The expert: one property as a smooth function in every phase, with what the phases share learned.

In phase k a property is level + f_0(x) + c_k + f_k(x): a trend f_0 common to all phases, a constant c_k
and a smooth function f_k of its own. The marginal likelihood weighs these, so phases that behave alike
lend each other strength and phases that do not are kept apart. A measurement whose phase is uncertain
enters once for each phase it may belong to, its noise variance divided by that probability, which is the
exact collapsed bound of a mixture of Gaussian processes given its memberships.

Source: after Kusne et al. (2024), doi:10.1039/D4DD00048J, and Lázaro-Gredilla et al. (2012),
doi:10.1016/j.patcog.2011.10.004. Departs from them: the functions are integrated out, phases share a trend.
"""

from dataclasses import dataclass, fields
from functools import cache, cached_property

import numpy as np
from scipy.linalg import cho_solve
from scipy.linalg.blas import dtrmm  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dtrtri  # pyright: ignore[reportAttributeAccessIssue]
from scipy.optimize import minimize

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.kernels import KERNELS, Kernel, squared_distance
from tieline.models.sites import inverse_of

LEVEL = 1.0  # prior variance of the overall level; outputs are standardised
LEAST_WEIGHT = 0.02  # memberships below this carry no information worth a row
ENOUGH = 300  # pairs that settle hyperparameters; more would cost the cube and change little
OFFSETS = np.log(0.3), 1.0  # mean and sd of the logarithm of the spread of instruments' offsets
LEAST_NOISE = 1e-4  # standardised; a millionth of a per cent of the variance, keeps Cholesky alive


@dataclass(frozen=True)
class Layout:
    """Where each hyperparameter stands in the vector of their logarithms, and its prior.

    Order: lengthscale of each design dimension (d); the trend's amplitude and its lengthscale factor; spread
    of the phases' levels; amplitude common to the phases; each phase's amplitude factor (K) and
    lengthscale factor (K); noise; and, if values come from several instruments, the spread of offsets.
    """

    n_dimensions: int
    n_phases: int
    kernel: str = "matern52"
    has_offsets: bool = False

    @property
    def k(self) -> Kernel:
        """The covariance function."""
        return KERNELS[self.kernel]

    @property
    def size(self) -> int:
        """Number of hyperparameters."""
        return self.n_dimensions + 5 + 2 * self.n_phases + self.has_offsets

    def prior(self) -> tuple[Array, Array]:
        """Mean and standard deviation of the normal priors on the logarithms."""
        return _prior(self.n_dimensions, self.n_phases, int(self.has_offsets))

    def split(self, theta: Array) -> tuple[Array, float, float, float, Array, Array, float]:
        """Lengthscales, trend amplitude and factor, levels' spread, amplitudes, factors, noise variance."""
        d, k = self.n_dimensions, self.n_phases
        value = np.exp(theta)
        amplitude = value[d + 3] * value[d + 4 : d + 4 + k]
        factor = value[d + 4 + k : d + 4 + 2 * k]
        noise = value[d + 4 + 2 * k] ** 2 + LEAST_NOISE**2
        return value[:d], value[d], value[d + 1], value[d + 2], amplitude, factor, noise

    def offset_variance(self, theta: Array) -> float:
        """Prior variance of what an instrument other than the reference adds to every value."""
        return float(np.exp(2 * theta[-1])) if self.has_offsets else 0.0

    def rearranged(self, theta: Array, phases: Indices) -> Array:
        """The vector for other phases (phase): these by number; new ones, as the prior is, from K up."""
        first, last = self.n_dimensions + 4, self.n_dimensions + 4 + 2 * self.n_phases
        own = np.append(theta[first:last].reshape(2, self.n_phases), np.zeros((2, 1)), axis=1)
        return np.r_[theta[:first], own[:, np.minimum(phases, self.n_phases)].ravel(), theta[last:]]


@cache
def _prior(d: int, k: int, n_offsets: int) -> tuple[Array, Array]:
    mean = np.r_[
        np.full(d, np.log(0.4 * np.sqrt(d))),
        np.log(0.3),
        0.3,
        np.log(0.7),
        np.log(0.5),
        np.zeros(2 * k),
        np.log(0.03),
        np.full(n_offsets, OFFSETS[0]),
    ]
    deviation = np.r_[np.full(d, 0.6), 1.0, 0.4, 0.7, 0.6, np.full(k, 0.4), np.full(k, 0.35), 2.0]
    deviation = np.append(deviation, np.full(n_offsets, OFFSETS[1]))
    return mean, deviation


@dataclass(frozen=True)
class Pairs:
    """The (measurement, phase) pairs that carry weight, sorted by phase.

    Attributes:
        x: scaled design (pair, d).
        y: standardised values (pair).
        error: squared standard error of each measurement (pair).
        weight: membership (pair), in (0, 1].
        phase: integer phase (pair), ascending.
        row: which measurement (pair).
        instrument: number of the instrument of each measurement (pair), the reference being 0.
    """

    x: Array
    y: Array
    error: Array
    weight: Array
    phase: Indices
    row: Indices
    instrument: Indices

    @classmethod
    def of(
        cls, x: Array, y: Array, error: Array, membership: Array, instrument: Indices | None = None
    ) -> "Pairs":
        """Keep the pairs whose membership (measurement, K) is worth a row; without `instrument` it is one."""
        phase, row = np.nonzero(membership.T > LEAST_WEIGHT)
        own = np.zeros_like(row) if instrument is None else instrument[row]
        return cls(x[row], y[row], error[row], membership[row, phase], phase, row, own)

    def thinned(self, most: int) -> "Pairs":
        """Every n-th pair, at most `most` of them, all phases alike."""
        s = slice(None, None, max(-(-len(self.y) // most), 1))
        return Pairs(*(getattr(self, field.name)[s] for field in fields(self)))

    def block(self, k: int) -> slice:
        """The pairs of phase k."""
        return slice(int(np.searchsorted(self.phase, k)), int(np.searchsorted(self.phase, k, side="right")))


@dataclass(frozen=True)
class Expert:
    """A property's Gaussian process at one setting of its hyperparameters.

    Attributes:
        layout: meaning of `theta`.
        theta: logarithms of the hyperparameters.
        pairs: what it was fitted to.
        root: lower Cholesky factor of the pairs' covariance.
        alpha: that covariance's inverse times the values (pair).
    """

    layout: Layout
    theta: Array
    pairs: Pairs
    root: Array
    alpha: Array

    @classmethod
    def at(cls, layout: Layout, theta: Array, pairs: Pairs) -> "Expert":
        """Condition on the pairs at these hyperparameters."""
        covariance = _covariance(layout, theta, pairs)
        root = np.linalg.cholesky(covariance)
        return cls(layout, theta, pairs, root, cho_solve((root, True), pairs.y))

    @property
    def noise(self) -> float:
        """Noise variance, standardised."""
        return self.layout.split(self.theta)[-1]

    def known(self, k: int) -> int:
        """The phase as this expert knows it: one that knows of a single phase takes all for that one."""
        return min(k, self.layout.n_phases - 1)

    def cross(self, x: Array, k: int) -> Array:
        """Covariance (pair, place) between the pairs and the property's value in phase k at `x`."""
        covariance = self._common(x)
        covariance[self.pairs.block(self.known(k))] += self.own(x, k)
        return covariance

    def variance(self, k: int) -> float:
        """Prior variance of the property's value in phase k."""
        _, trend, _, level, amplitude, _, _ = self.layout.split(self.theta)
        return LEVEL + trend**2 + level**2 + amplitude[self.known(k)] ** 2

    def trend(self, x: Array, places: Array) -> Array:
        """Covariance (n, m) of the trend that all phases share, between the rows of `x` and of `places`."""
        length, trend, stretch, _, _, _, _ = self.layout.split(self.theta)
        return trend**2 * self.layout.k.value(squared_distance(x, places, stretch * length))

    def own(self, x: Array, k: int) -> Array:
        """What covariance (pair of the phase, place) there is besides where the property is in phase k."""
        k = self.known(k)
        length, _, _, level, amplitude, factor, _ = self.layout.split(self.theta)
        r2 = squared_distance(x, self.pairs.x[self.pairs.block(k)], factor[k] * length)
        return (level**2 + amplitude[k] ** 2 * self.layout.k.value(r2)).T

    def predict(self, x: Array, k: int) -> tuple[Array, Array]:
        """Mean and variance (place) of the noise-free property in phase k."""
        asked = np.tile(np.arange(k + 1) == k, (len(x), 1))
        mean, variance = self.predict_where(x, asked)
        return mean[:, k], variance[:, k]

    def predict_where(self, x: Array, asked: Mask) -> tuple[Array, Array]:
        """Mean and variance (place, K) of the noise-free property, in the phases asked for (place, K).

        What the phases have in common is solved once for each place; a phase adds only what is its own.
        """
        common = self._common(x).T
        half = dtrmm(1.0, self._inverse_root, common.T, lower=1).T
        level, explained = common @ self.alpha, np.einsum("np,np->n", half, half)
        mean, variance = np.zeros(asked.shape), np.zeros(asked.shape)
        known = np.minimum(np.arange(asked.shape[1]), self.layout.n_phases - 1)
        for k in np.unique(known):
            here, own = np.flatnonzero(asked[:, known == k].any(1)), self.pairs.block(k)
            mine = self.own(x[here], k).T
            more = mine @ self._inverse_root[own.start :, own].T
            both = 2 * half[here, own.start :] + more
            left = self.variance(k) - explained[here] - np.einsum("np,np->n", both, more)
            where = np.ix_(here, known == k)
            mean[where] = (level[here] + mine @ self.alpha[own])[:, None]
            variance[where] = np.maximum(left, 1e-12)[:, None]
        return mean, variance

    def leave_one_out(
        self, x: Array, n_phases: int, instrument: Indices | None = None
    ) -> tuple[Array, Array]:
        """Mean and variance (measurement, K) in every phase had the measurement at each x not been made.

        They are those of a measurement with the same instrument (measurement), the reference if not given.

        Source: the block form of Rasmussen & Williams (2006), eq. 5.12.
        """
        precision, row, m = inverse_of(self.root), self.pairs.row, len(x)
        apart = row[:, None] != np.arange(m)
        instrument = np.zeros(m, dtype=np.intp) if instrument is None else instrument
        offset = self.layout.offset_variance(self.theta)
        common = (self._common(x) + offset * share_offset(self.pairs.instrument, instrument)) * apart
        solved = precision @ common
        level, explained = common.T @ self.alpha, (common * solved).sum(0)
        mean, variance = np.empty((m, self.layout.n_phases)), np.empty((m, self.layout.n_phases))
        at_pairs = np.empty((len(row), self.layout.n_phases))
        for k in range(self.layout.n_phases):
            own = self.pairs.block(k)
            mine = self.own(x, k) * apart[own]
            mean[:, k] = level + mine.T @ self.alpha[own]
            more = 2 * solved[own] + precision[own, own] @ mine
            prior = self.variance(k) + offset * (instrument > 0)
            variance[:, k] = prior - explained - (mine * more).sum(0)
            at_pairs[:, k] = solved[np.arange(len(row)), row] + (precision[:, own] * mine[:, row].T).sum(1)
        count, by_row = np.bincount(row, minlength=m), np.argsort(row, kind="stable")
        for n in np.unique(count[count > 0]):  # measurements of as many pairs are solved together
            rows = np.flatnonzero(count == n)
            pairs = by_row[count[row[by_row]] == n].reshape(-1, n)
            pull = np.linalg.solve(precision[pairs[:, :, None], pairs[:, None, :]], at_pairs[pairs])
            mean[rows] -= np.einsum("rp,rpk->rk", self.alpha[pairs], pull)
            variance[rows] += (pull * at_pairs[pairs]).sum(1)
        known = np.minimum(np.arange(n_phases), self.layout.n_phases - 1)
        return mean[:, known], np.maximum(variance, 1e-12)[:, known]

    def offsets(self, n_instruments: int) -> tuple[Array, Array]:
        """Mean and variance (instrument) of what each instrument adds, for the reference nothing."""
        prior = self.layout.offset_variance(self.theta)
        cross = prior * share_offset(self.pairs.instrument, np.arange(n_instruments))
        explained = ((self._inverse_root @ cross) ** 2).sum(0)
        return cross.T @ self.alpha, prior * (np.arange(n_instruments) > 0) - explained

    @cached_property
    def _inverse_root(self) -> Array:
        """Inverse (pair, pair) of `root`: a product with it is faster than solving."""
        return dtrtri(self.root, lower=1)[0]

    def _common(self, x: Array) -> Array:
        """Covariance (pair, place) with the property at `x` that does not depend on its phase."""
        return (LEVEL + self.trend(x, self.pairs.x)).T


def share_offset(a: Indices, b: Indices) -> Mask:
    """Which values (n, m) have the same offset: of one instrument (n), (m), other than the reference."""
    return (a[:, None] == b) & (b > 0)


def fit_expert(layout: Layout, pairs: Pairs, start: Array | None = None, max_steps: int = 60) -> Expert:
    """Find the hyperparameters of highest posterior density by L-BFGS with exact gradients."""
    mean, deviation = layout.prior()
    start = mean if start is None else start
    some = pairs.thinned(ENOUGH)
    bounds = list(zip(mean - 4 * deviation, mean + 4 * deviation, strict=True))
    result = minimize(
        lambda theta: _negative(layout, theta, some),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": max_steps},
    )
    return Expert.at(layout, result.x, pairs)


def hyperparameter_nodes(expert: Expert, normals: Array) -> tuple[Array, Array]:
    """Spread settings around the best one, with importance weights.

    Args:
        expert: the setting of highest posterior density.
        normals: standard normal draws (node, hyperparameter); the first should be zero.

    Returns:
        Settings (node, hyperparameter) and the logarithms of their weights (node), up to a constant
        that is the same for every kernel, so that kernels can be compared.
    """
    layout, pairs = expert.layout, expert.pairs.thinned(ENOUGH)
    spread, volume = spread_of(expert)
    thetas = expert.theta + normals @ spread.T
    score = np.array([-_negative(layout, t, pairs)[0] for t in thetas]) + 0.5 * (normals**2).sum(1)
    return thetas, score + volume


def spread_of(expert: Expert) -> tuple[Array, float]:
    """Laplace's normal around an expert of highest posterior density.

    Returns:
        A root (hyperparameter, hyperparameter) of its covariance, and the logarithm of its determinant.
    """
    layout, theta, pairs = expert.layout, expert.theta, expert.pairs.thinned(ENOUGH)
    step = 0.05  # in the logarithm: large against rounding, small against the priors
    curvature = np.empty((layout.size, layout.size))
    for i in range(layout.size):
        shift = step * (np.arange(layout.size) == i)
        up, down = _negative(layout, theta + shift, pairs)[1], _negative(layout, theta - shift, pairs)[1]
        curvature[i] = (up - down) / (2 * step)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    # No direction is wider than its prior: the priors' precision is part of the curvature.
    values = np.maximum(values, 1 / layout.prior()[1].max() ** 2)
    return vectors / np.sqrt(values), float(-0.5 * np.log(values).sum())


def _covariance(layout: Layout, theta: Array, pairs: Pairs) -> Array:
    length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
    covariance = LEVEL + trend**2 * layout.k.value(squared_distance(pairs.x, pairs.x, stretch * length))
    for k in range(layout.n_phases):
        own = pairs.block(k)
        r2 = squared_distance(pairs.x[own], pairs.x[own], factor[k] * length)
        covariance[own, own] += level**2 + amplitude[k] ** 2 * layout.k.value(r2)
    if layout.has_offsets:
        covariance += layout.offset_variance(theta) * share_offset(pairs.instrument, pairs.instrument)
    covariance[np.diag_indices_from(covariance)] += (noise + pairs.error) / pairs.weight
    return covariance


def _negative(layout: Layout, theta: Array, pairs: Pairs) -> tuple[float, Array]:
    """Negative log posterior density of the hyperparameters, and its gradient."""
    d, n_phases = layout.n_dimensions, layout.n_phases
    length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
    try:
        root = np.linalg.cholesky(_covariance(layout, theta, pairs))
    except np.linalg.LinAlgError:
        return 1e10, np.zeros(layout.size)
    alpha = cho_solve((root, True), pairs.y)
    total = noise + pairs.error
    value = -0.5 * pairs.y @ alpha - np.log(np.diag(root)).sum()
    # Completes the collapsed bound: a pair of weight w counts w, not one, towards the noise.
    value += 0.5 * ((1 - pairs.weight) * np.log(total)).sum()
    w = 0.5 * (np.outer(alpha, alpha) - inverse_of(root))

    gradient = np.zeros(layout.size)
    everything = slice(0, len(alpha))
    slope = _kernel_slopes(layout.k, pairs, everything, stretch * length, trend, w)
    gradient[:d] += slope[1]
    gradient[d], gradient[d + 1] = slope[0], slope[1].sum()
    for k in range(n_phases):
        own = pairs.block(k)
        if own.start == own.stop:
            continue
        slope = _kernel_slopes(layout.k, pairs, own, factor[k] * length, amplitude[k], w)
        gradient[:d] += slope[1]
        gradient[d + 2] += 2 * level**2 * w[own, own].sum()
        gradient[d + 3] += slope[0]
        gradient[d + 4 + k], gradient[d + 4 + n_phases + k] = slope[0], slope[1].sum()
    by_noise = np.diag(w) / pairs.weight + 0.5 * (1 - pairs.weight) / total
    at_noise = d + 4 + 2 * n_phases
    gradient[at_noise] = by_noise.sum() * 2 * np.exp(2 * theta[at_noise])
    if layout.has_offsets:
        alike = share_offset(pairs.instrument, pairs.instrument)
        gradient[-1] = 2 * layout.offset_variance(theta) * w[alike].sum()

    mean, deviation = layout.prior()
    z = (theta - mean) / deviation
    return -(value - 0.5 * z @ z), -(gradient - z / deviation)


def _kernel_slopes(
    kernel: Kernel, pairs: Pairs, own: slice, length: Array, amplitude: float, w: Array
) -> tuple[float, Array]:
    """Derivatives of the log likelihood by log amplitude and by each log lengthscale (d)."""
    x = pairs.x[own] / length
    r2 = squared_distance(x, x, np.ones(x.shape[1]))
    by_amplitude = 2 * amplitude**2 * (w[own, own] * kernel.value(r2)).sum()
    pull = -2 * amplitude**2 * w[own, own] * kernel.slope(r2)
    # Σ_ij pull_ij (x_i - x_j)² by expanding the square: no (n, n, d) array is needed.
    by_length = 2 * (pull.sum(1) @ x**2) - 2 * (x * (pull @ x)).sum(0)
    return by_amplitude, by_length
