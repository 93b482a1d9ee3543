"""The most probable hyperparameters of a Gaussian process, and what it then says of any place."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.blas import dtrmm, dtrsm  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtrtri  # pyright: ignore[reportAttributeAccessIssue]
from scipy.optimize import minimize

from tieline.models.arrays import Array
from tieline.models.gaussian_kernel import (
    LEAST_NOISE,
    LEVEL,
    SHARED_LEVEL,
    Entries,
    Hyperparameters,
    Shape,
)
from tieline.models.kernels import KERNELS, squared_distance

ENOUGH = 400  # entries that settle hyperparameters; more would cost the cube and change little
MOST_STEPS = 60  # of the optimiser, from one start; few problems need half of them
TOLERANCE = 1e-5  # relative change of the log posterior at which the optimiser ends
LENGTHSCALES = (0.0, -1.0, -2.0, -3.0)  # their logarithms where it may start, relative to the prior's middle
NOISES = (0.0, -3.0)  # the same of the noise
REACH = 6.0  # standard deviations of the prior beyond which no parameter is sought: exp would overflow
FIRST_RESIDUAL = 0.1  # what outputs share in the residual at first: at zero its gradient would vanish
AT_A_TIME = 100_000  # covariances of places with entries that are worked out together: they stay in the cache
IMPROBABLE = 1e10  # returned where a covariance matrix is not positive definite


@dataclass(frozen=True, eq=False)
class GaussianFit:
    """A Gaussian process given its hyperparameters and what was measured.

    Attributes:
        entries: what was measured.
        hyper: the hyperparameters.
    """

    entries: Entries
    hyper: Hyperparameters

    @cached_property
    def root(self) -> Array:
        """Lower Cholesky factor (entry, entry) of the covariance of the entries, noise included."""
        entries, hyper = self.entries, self.hyper
        output, campaign = entries.output, entries.campaign
        covariance = hyper.function.value(squared_distance(entries.x, entries.x, hyper.lengthscale))
        covariance *= hyper.signal[np.ix_(output, output)] * hyper.alike[np.ix_(campaign, campaign)]
        covariance += _levels(entries)
        covariance += np.equal.outer(entries.row, entries.row) * hyper.residual[np.ix_(output, output)]
        np.fill_diagonal(covariance, covariance.diagonal() + entries.variance)
        root, info = dpotrf(covariance, lower=1, clean=1)
        if info:
            raise LinAlgError("the covariance of the measurements is not positive definite")
        return root

    @cached_property
    def inverse_root(self) -> Array:
        """Inverse (entry, entry) of the root: multiplying by it takes half as long as solving."""
        return dtrtri(self.root, lower=1)[0]

    @cached_property
    def weights(self) -> Array:
        """Inverse covariance times the values (entry)."""
        return self.solve(self.entries.y)

    def solve(self, values: Array) -> Array:
        """Inverse covariance of the entries times values (entry, ...)."""
        return dpotrs(self.root, values, lower=1)[0]

    def moments(self, x: Array, weights: Array) -> tuple[Array, Array]:
        """Mean and variance (place) of a weighted sum of the noise-free outputs.

        Args:
            x: places (place, coordinate), scaled.
            weights: of each output (output).
        """
        mean, told = np.empty(len(x)), np.empty(len(x))
        step = max(AT_A_TIME // len(self.entries.y), 1)
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            mean[part], half = self._halves(x[part], weights, is_for_many=len(x) > len(self.entries.y))
            told[part] = np.einsum("ep,ep->p", half, half)
        return mean, self.left_of(told, weights)

    def halves(self, x: Array, weights: Array) -> tuple[Array, Array]:
        """Mean (place), and the inverse root times the covariance of entries with places (entry, place).

        Args:
            x: places (place, coordinate), scaled.
            weights: of each output (output).
        """
        return self._halves(x, weights, is_for_many=len(x) > len(self.entries.y))

    def _halves(self, x: Array, weights: Array, *, is_for_many: bool) -> tuple[Array, Array]:
        """`halves`, for so many places altogether that inverting the root pays, or for few."""
        covariance = self.hyper.between(x, weights, self.entries)
        mean = covariance @ self.weights
        product, root = (dtrmm, self.inverse_root) if is_for_many else (dtrsm, self.root)
        # Transposed it is in Fortran's order, so nothing is copied.
        return mean, product(1.0, root, covariance.T, lower=1, overwrite_b=1)

    def left_of(self, told: Array, weights: Array) -> Array:
        """The variance (place) that is left of the prior one, never quite nothing."""
        prior = self.hyper.variance(weights)
        return np.maximum(prior - told, LEAST_NOISE**2 * prior)

    def noise(self, weights: Array) -> float:
        """Variance of the noise of one measurement of a weighted sum of outputs."""
        return float(weights @ self.hyper.residual @ weights)

    def leave_one_out(self) -> tuple[Array, Array]:
        """Mean and variance of every entry, noise included, predicted from all others (entry).

        Source: Rasmussen & Williams (2006), eq. 5.12.
        """
        inverse = dpotri(self.root, lower=1)[0].diagonal()
        return self.entries.y - self.weights / inverse, 1 / inverse


def fit_hyperparameters(entries: Entries, shape: Shape) -> Array:
    """Find the parameter vector of largest posterior density, from the best of several starts.

    Args:
        entries: what was measured.
        shape: which hyperparameters there are.
    """
    entries = settling_entries(entries)
    objective = Objective(entries, shape)
    mean, sd = shape.priors()
    starts = sorted(_starts(entries, shape), key=lambda theta: objective(theta)[0])
    # Several outputs may go together or not: that makes modes, of which a start finds one.
    n_runs = len(starts) if shape.n_outputs > 1 else 1
    runs = [
        minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=np.column_stack([mean - REACH * sd, mean + REACH * sd]),
            options={"maxiter": MOST_STEPS * shape.n_outputs, "ftol": TOLERANCE},
        )
        for start in starts[:n_runs]
    ]
    return min(runs, key=lambda run: run.fun).x


def settling_entries(entries: Entries) -> Entries:
    """The entries of as many rows as settle hyperparameters: of many rows, some drawn once and for all."""
    if len(entries.y) <= ENOUGH:
        return entries
    rows = np.unique(entries.row)
    n_kept = max(int(ENOUGH * len(rows) / len(entries.y)), 1)
    return entries.where(np.isin(entries.row, np.random.default_rng(0).permutation(rows)[:n_kept]))


def _starts(entries: Entries, shape: Shape) -> Iterator[Array]:
    """Several lengthscales and noises; outputs that go together as they do in the data."""
    parts = shape.split(shape.priors()[0])
    if shape.n_factors:
        parts[1] = _first_factors(entries, shape).ravel()
        parts[4] = parts[4] + FIRST_RESIDUAL
    for lengthscale in LENGTHSCALES:
        for noise in NOISES:
            yield np.concatenate([parts[0] + lengthscale, *parts[1:3], parts[3] + noise, *parts[4:]])


def _first_factors(entries: Entries, shape: Shape) -> Array:
    """W (output, factor) from how outputs correlate over the rows where two of them were measured."""
    values = np.full((int(entries.row.max()) + 1, shape.n_outputs), np.nan)
    values[entries.row, entries.output] = entries.y
    correlation = np.eye(shape.n_outputs)
    for p in range(shape.n_outputs):
        for q in range(p):
            both = np.isfinite(values[:, p] * values[:, q])
            if both.sum() > 2:
                correlation[p, q] = correlation[q, p] = 0.8 * np.clip(
                    np.nanmean(values[both, p] * values[both, q]), -1, 1
                )
    size, direction = np.linalg.eigh(correlation)
    leading = np.argsort(-size)[: shape.n_factors]
    factors = direction[:, leading] * np.sqrt(np.maximum(size[leading], 0.01))
    return 0.7 * factors + 0.05 * np.eye(*factors.shape)  # never zero, where its gradient would vanish


class Objective:
    """Negative log posterior density of the parameters, and its gradient.

    Args:
        entries: what was measured.
        shape: which hyperparameters there are.
    """

    def __init__(self, entries: Entries, shape: Shape) -> None:
        """Work out everything that does not change with the parameters."""
        self.entries, self.shape = entries, shape
        self.prior_mean, self.prior_sd = shape.priors()
        n = len(entries.y)
        grouped = np.zeros((shape.n_groups, n, n))
        for group, column in zip(shape.group, entries.x.T, strict=True):
            grouped[group] += np.square(np.subtract.outer(column, column))
        self.apart = grouped.reshape(shape.n_groups, n * n)
        self.levels = _levels(entries)
        self.same_row = None
        if len(np.unique(entries.row)) < n:
            self.same_row = np.equal.outer(entries.row, entries.row)
        self.of_output = np.eye(shape.n_outputs)[entries.output]
        self.of_campaign = np.eye(shape.n_campaigns)[entries.campaign]
        self.constant = 0.5 * n * np.log(2 * np.pi)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """The value, nats, and its gradient."""
        shape, entries = self.shape, self.entries
        hyper, n = shape.at(theta), len(self.entries.y)
        log_l, w, log_b, log_r, u, _ = shape.split(theta)
        inverse_square = np.exp(-2 * log_l)
        r2 = (inverse_square @ self.apart).reshape(n, n)
        k, slope = KERNELS[shape.kernel].both(r2)
        signal = self._spread(hyper.signal, self.of_output)
        alike = self._spread(hyper.alike, self.of_campaign)
        scale = signal * alike
        covariance = scale * k
        covariance += self.levels
        if self.same_row is None:
            diagonal = hyper.residual.diagonal()[entries.output]
        else:
            covariance += self.same_row * self._spread(hyper.residual, self.of_output)
            diagonal = 0.0
        covariance.flat[:: n + 1] += diagonal + entries.variance
        root, info = dpotrf(covariance, lower=1, clean=1)
        if info:
            return IMPROBABLE, np.zeros_like(theta)
        alpha = dpotrs(root, entries.y, lower=1)[0]
        inverse = dpotri(root, lower=1)[0]
        value = 0.5 * entries.y @ alpha + np.log(root.diagonal()).sum() + self.constant
        # dpotri fills one triangle and leaves the other at zero.
        g = inverse + inverse.T
        g.flat[:: n + 1] *= 0.5
        g -= alpha[:, None] * alpha
        g *= 0.5
        by_signal = g * k
        parts = [
            -2 * inverse_square * (self.apart @ (g * slope * scale).ravel()),
            *self._by_outputs(by_signal * alike, g, w, log_b, log_r, u),
            self._by_campaigns(by_signal * signal, hyper.alike[0, 1:], hyper.alike),
        ]
        away = (theta - self.prior_mean) / self.prior_sd
        return value + 0.5 * away @ away, np.concatenate(parts) + away / self.prior_sd

    def _spread(self, matrix: Array, member: Array) -> Array:
        """A matrix of outputs or campaigns spread over pairs of entries; one number where there is one."""
        return matrix if len(matrix) == 1 else member @ matrix @ member.T

    def _by_outputs(
        self, by_signal: Array, g: Array, w: Array, log_b: Array, log_r: Array, u: Array
    ) -> list[Array]:
        """Derivatives by W, log diag B, log diag R and U."""
        member = self.of_output
        single = self.shape.n_outputs == 1
        of_signal = by_signal.sum(keepdims=True) if single else member.T @ by_signal @ member
        by_w = 2 * of_signal @ w.reshape(len(of_signal), -1)
        if self.same_row is None:
            of_residual = np.diag(g.diagonal() @ member)
        else:
            of_residual = member.T @ (g * self.same_row) @ member
        by_u = 2 * of_residual @ u if u.size else u
        return [
            by_w.ravel(),
            of_signal.diagonal() * np.exp(log_b),
            of_residual.diagonal() * np.exp(log_r),
            by_u,
        ]

    def _by_campaigns(self, by_alike: Array, related: Array, alike: Array) -> Array:
        """Derivatives by the logit of every earlier campaign's relatedness."""
        if not related.size:
            return related
        table = self.of_campaign.T @ by_alike @ self.of_campaign
        np.fill_diagonal(table, 0.0)
        return (2 * table @ np.concatenate([[1.0], related]))[1:] * related * (1 - related)


def _levels(entries: Entries) -> Array:
    """Covariance (entry, entry) of the levels of outputs."""
    same_output = np.equal.outer(entries.output, entries.output)
    same_campaign = np.equal.outer(entries.campaign, entries.campaign)
    return LEVEL * same_output * np.where(same_campaign, 1.0, SHARED_LEVEL)
