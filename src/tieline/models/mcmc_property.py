"""A property as a Markov chain sees it: its functions integrated out, the phases of its values given.

Given hard phases, values of one phase share that phase's function and all share the trend, so their
likelihood is one multivariate normal, exact. The chain moves the logarithms θ of the hyperparameters as
θ = centre + root z, with centre and root from Laplace's method at the phases that fast inference found.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.expert_mixture import fitness
from tieline.models.experts import (
    LEAST_NOISE,
    LEVEL,
    Expert,
    Layout,
    Pairs,
    fit_expert,
    share_offset,
    spread_of,
)
from tieline.models.kernels import KERNELS, squared_distance
from tieline.models.mcmc_map import cholesky, triangular
from tieline.models.observations import OUTLIER_SPREAD
from tieline.models.sites import inverse_of

INFLATION = 1.2  # of Laplace's spread, so that its tails cover the posterior's
LEAST_SUSPICION = 0.02  # of being a gross error, when values are chosen for a change of mind


@dataclass(frozen=True)
class Setting:
    """Hyperparameters of one property, and the covariances they make of its values.

    Attributes:
        kernel: number of the kernel.
        theta: logarithms of the hyperparameters.
        log_prior: of θ, up to a constant.
        shared: covariance (value, value) of what all phases share, with noise.
        own: covariance (K, value, value) of what each phase adds for its own values.
    """

    kernel: int
    theta: Array
    log_prior: float
    shared: Array
    own: Array


@dataclass(frozen=True)
class Column:
    """The values of one property, and normals that its hyperparameters follow nearly.

    Attributes:
        rows: which of the rows with any property have this one.
        x: scaled design (value, d).
        y: standardised values (value).
        error: their squared standard errors (value).
        layouts: of the hyperparameters, one for each kernel.
        centres: of the normals, one (hyperparameter) for each kernel.
        roots: of their covariances (hyperparameter, hyperparameter), inflated.
        log_volumes: logarithms of the roots' determinants.
        suspicion: how often each value is asked whether it is a gross error (value), summing to one.
        instrument: number of each value's instrument (value), the reference being 0; None where it is one.
    """

    rows: Indices
    x: Array
    y: Array
    error: Array
    layouts: tuple[Layout, ...]
    centres: tuple[Array, ...]
    roots: tuple[Array, ...]
    log_volumes: tuple[float, ...]
    suspicion: Array
    instrument: Indices | None

    @classmethod
    def of(
        cls,
        rows: Indices,
        x: Array,
        y: Array,
        error: Array,
        membership: Array,
        instrument: Indices | None = None,
    ) -> "Column":
        """From the values' places and the probability (value, K) of each phase."""
        n_phases = membership.shape[1]
        hard = np.eye(n_phases)[membership.argmax(1)]
        pairs = Pairs.of(x, y, error, hard, instrument)
        layouts = [Layout(x.shape[1], n_phases, kernel, instrument is not None) for kernel in KERNELS]
        best = [fit_expert(layout, pairs) for layout in layouts]
        spreads = [spread_of(expert) for expert in best]
        n_hyperparameters = len(best[0].theta)
        doubt = 1 - (fitness(best[0], x, y, error, n_phases, instrument)[1] * membership).sum(1)
        suspicion = np.clip(doubt, LEAST_SUSPICION, 0.5)
        return cls(
            rows,
            x,
            y,
            error,
            tuple(expert.layout for expert in best),
            tuple(expert.theta for expert in best),
            tuple(INFLATION * root for root, _ in spreads),
            tuple(volume + n_hyperparameters * np.log(INFLATION) for _, volume in spreads),
            suspicion / suspicion.sum(),
            instrument,
        )

    def at(self, kernel: int, z: Array) -> Setting:
        """The setting at coordinates `z` of a kernel's normal."""
        layout, theta = self.layouts[kernel], self.centres[kernel] + self.roots[kernel] @ z
        mean, deviation = layout.prior()
        log_prior = -0.5 * float((((theta - mean) / deviation) ** 2).sum())
        length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
        r2 = squared_distance(self.x, self.x, length)
        shared = LEVEL + trend**2 * layout.k.value(r2 / stretch**2)
        if self.instrument is not None:
            shared += layout.offset_variance(theta) * share_offset(self.instrument, self.instrument)
        shared[np.diag_indices_from(shared)] += noise + self.error
        own = [level**2 + a**2 * layout.k.value(r2 / f**2) for a, f in zip(amplitude, factor, strict=True)]
        return Setting(kernel, theta, log_prior, shared, np.stack(own))

    def log_likelihood(self, setting: Setting, phase: Indices, regular: Mask) -> float:
        """Log density of the values given their phases (value), and which are no gross errors (value)."""
        try:
            root = cholesky(self.covariance(setting, phase, regular))
        except np.linalg.LinAlgError:
            return -np.inf
        return log_normal(root, self.y)

    def covariance(self, setting: Setting, phase: Indices, regular: Mask) -> Array:
        """Covariance (value, value) of the values given their phases, and which are no gross errors."""
        alike = phase[:, None] == phase
        covariance = setting.shared + setting.own[phase, np.arange(len(phase))] * alike
        if not regular.all():
            covariance *= regular[:, None] & regular
            gross = np.flatnonzero(~regular)
            covariance[gross, gross] = OUTLIER_SPREAD**2
        return covariance

    def expert(self, kernel: int, theta: Array, phase: Indices, regular: Mask) -> Expert:
        """The expert of these hyperparameters and phases (value), from the regular values alone."""
        layout = self.layouts[kernel]
        membership = np.eye(layout.n_phases)[phase] * regular[:, None]
        return Expert.at(layout, theta, Pairs.of(self.x, self.y, self.error, membership, self.instrument))


class Values:
    """All values as they judge the phases of their rows, while experts and gross errors stay."""

    def __init__(self, columns: tuple[Column, ...], settings: list[Setting], regular: list[Mask]) -> None:
        self.parts = list(zip(columns, settings, regular, strict=True))
        self.known: dict[bytes, float] = {}  # a boundary goes to and fro over the same few rows

    def log_density(self, phase: Indices) -> float:
        """Log density of all values given the phase of each row with any (row)."""
        key = phase.tobytes()
        if key not in self.known:
            self.known[key] = sum(
                column.log_likelihood(setting, phase[column.rows], own) for column, setting, own in self.parts
            )
        return self.known[key]


class LeftOut:
    """How well each value fits each phase, all others given.

    With data almost free of noise its answers suffer from rounding: they are good enough to propose phases.
    """

    def __init__(self, column: Column, setting: Setting, phase: Indices, regular: Mask) -> None:
        self.column, self.setting, self.regular = column, setting, regular
        root = cholesky(column.covariance(setting, phase, regular))
        self.log_likelihood = log_normal(root, column.y)
        self.precision = inverse_of(root)
        self.weighted = self.precision @ column.y
        self.membership = np.eye(len(setting.own))[phase] * regular[:, None]

    def log_density(self, i: int) -> Array:
        """Log density (K) of value i in each phase, up to a constant.

        Source: Rasmussen & Williams (2006), eq. 5.12.
        """
        setting, row = self.setting, self.precision[i]
        if not self.regular[i]:
            return np.zeros(len(setting.own))
        cross = setting.shared[i][:, None] * self.regular[:, None] + setting.own[:, i].T * self.membership
        cross[i] = 0.0
        along = row @ cross / row[i]
        solved = self.precision @ cross - row[:, None] * along
        mean = self.weighted @ cross - self.weighted[i] * along
        prior = setting.shared[i, i] + setting.own[:, i, i]
        variance = np.maximum(prior - (cross * solved).sum(0), LEAST_NOISE**2)
        return -0.5 * ((self.column.y[i] - mean) ** 2 / variance + np.log(variance))


def log_normal(root: Array, y: Array) -> float:
    """Log normal density of `y` (value), up to a constant, from the root of its covariance."""
    whitened = triangular(root, y)
    return float(-0.5 * whitened @ whitened - np.log(root.diagonal()).sum())
