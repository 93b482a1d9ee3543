"""Several properties as one Gaussian process over compositions, for thousands of rows.

With the covariance K ⊗ B + 1 ⊗ R of `coregionalisation`, properties mixed into latents are independent, and
latents of equal ratio share a Cholesky factor. Where labels are missing, the exact posterior mean follows
from a conjugate-gradient solution that these factors precondition; the missing labels are then filled with
their expectation, after which the same algebra holds. Standard errors of values add to the diagonal, which
the same solution takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri  # pyright: ignore[reportAttributeAccessIssue]
from scipy.sparse.linalg import LinearOperator, cg

from tieline.errors import NotConverged
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.composition_basis import Basis
from tieline.models.composition_folds import N_FOLDS, deal, same_labels
from tieline.models.coregionalisation import ENOUGH_ROWS, Coupling, fit_coupling, fit_lengths
from tieline.models.laplace_kernel import WIDEST, laplace, reach_of

MOST_ROWS = 4500  # that the process learns from; its cost grows with their cube
TOLERANCE = 1e-5  # of the conjugate gradients, relative
MOST_JOINT = 2000  # places that are drawn jointly without approximation
MOST_HALVED = 3  # times that lengths are halved
NUGGET = 1e-6  # keeps covariances of single precision positive definite


class Answer(NamedTuple):
    """What a field says of places.

    Attributes:
        mean: expected values of order one (place, property).
        reach: how little is known of a function there (place, property): 0 all, 1 nothing beyond the prior.
    """

    mean: Array
    reach: Array


@dataclass(frozen=True, eq=False)
class CompositionField:
    """A Gaussian process of several properties, given values.

    Attributes:
        lengths: of each group of coordinates (group).
        coupling: how properties go together.
        x: places that it learned from (row, coordinate), divided by lengths.
        basis: of values, in coefficients that it learns.
        seen: which coefficients were there (row, coefficient).
        variance: their squared standard errors (row, coefficient).
        alpha: weights of the rows (row, coefficient): the mean at x' is k(x', x) alpha B.
    """

    lengths: Array
    coupling: Coupling
    x: Array
    basis: Basis
    seen: Mask
    variance: Array
    alpha: Array

    def answer(self, x: Array) -> Answer:
        """Expected values, and how little is known, at places divided by lengths."""
        weights = self.alpha @ self.coupling.signal
        mean, reach = np.empty((len(x), weights.shape[1])), np.empty((len(x), weights.shape[1]))
        block = max(1, WIDEST // len(self.x))
        for start in range(0, len(x), block):
            part = slice(start, start + block)
            k = laplace(x[part], self.x)
            mean[part] = k @ weights
            for columns, rows, noise in label_groups(self):
                reach[part, columns] = reach_of(x[part], self.x[rows], noise, k[:, rows])[:, None]
        return self.outward(mean, reach)

    @property
    def noise(self) -> Array:
        """Variance at one specimen (property)."""
        return self.basis.spread(self.coupling.residual.diagonal())

    def outward(self, mean: Array, reach: Array) -> Answer:
        """What is said of coefficients (place, coefficient), as said of values."""
        signal = self.coupling.signal.diagonal()
        return Answer(self.basis.outward(mean), self.basis.spread(signal * reach) / self.basis.spread(signal))

    def labels(self) -> Array:
        """Expected coefficients (row, coefficient) of the rows that it learned from, free of their errors."""
        k = laplace(self.x, self.x)
        return k @ self.alpha @ self.coupling.signal + self.alpha @ self.coupling.residual

    def draws(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        """Standardised functions (draw, place, property), correlated over places and properties.

        Beyond `MOST_JOINT` places a draw is exact at that many of them; the others follow from these, each
        with a remainder of its own.
        """
        sd = np.sqrt(np.diag(self.coupling.signal))
        across = np.linalg.cholesky(self.coupling.signal / np.outer(sd, sd) + 1e-9 * np.eye(len(sd)))
        noise = rng.standard_normal((n, len(x), len(sd))) @ across.T
        pivots = np.sort(rng.permutation(len(x))[:MOST_JOINT])
        rest = np.setdiff1d(np.arange(len(x)), pivots)
        drawn = np.empty_like(noise)
        for columns, rows, root in self._roots:
            at_pivots, at_rest = x[pivots], x[rest]
            half = solve_triangular(root, laplace(self.x[rows], at_pivots), lower=True)
            among = laplace(at_pivots, at_pivots) - half.T @ half + NUGGET * np.eye(len(pivots))
            joint = np.linalg.cholesky(among)
            drawn[:, pivots[:, None], columns] = np.einsum(
                "ij,njp->nip", joint, noise[:, pivots[:, None], columns]
            )
            drawn[:, pivots[:, None], columns] /= np.sqrt(among.diagonal())[:, None]
            if len(rest):
                other = solve_triangular(root, laplace(self.x[rows], at_rest), lower=True)
                cross = solve_triangular(joint, laplace(at_pivots, at_rest) - half.T @ other, lower=True)
                left = np.maximum(1 - (other**2).sum(0), NUGGET)
                own = np.sqrt(np.maximum(left - (cross**2).sum(0), 0.0))
                shared = np.einsum("ji,njp->nip", cross, noise[:, pivots[:, None], columns])
                value = shared + own[:, None] * noise[:, rest[:, None], columns]
                drawn[:, rest[:, None], columns] = value / np.sqrt(left)[:, None]
        # Coefficients are added up in proportion to their signal, for a function of unit variance again.
        size = sd[:, None] * self.basis.weights
        variance = np.einsum("ip,ij,jp->p", size, across @ across.T, size)
        return drawn @ (size / np.sqrt(variance))

    @cached_property
    def _roots(self) -> list[tuple[Indices, Indices, Array]]:
        """Properties with the same labels: their numbers, the rows, and the Cholesky factor of these rows."""
        return [
            (
                columns,
                rows,
                np.linalg.cholesky(laplace(self.x[rows], self.x[rows]) + np.diag(noise)),
            )
            for columns, rows, noise in label_groups(self)
        ]


def label_groups(field: CompositionField) -> list[tuple[Indices, Indices, Array]]:
    """Coefficients known on the same rows: numbers, rows, and the noise of these relative to the signal."""
    signal = field.coupling.signal.diagonal()
    noise = field.coupling.residual.diagonal() / signal
    return [
        (
            columns,
            rows,
            np.exp(np.log(noise[columns]).mean())
            + (field.variance[np.ix_(rows, columns)] / signal[columns]).mean(1),
        )
        for columns, rows in same_labels(field.seen)
    ]


def fit_field(
    x: Array,
    y: Array,
    variance: Array,
    group: Indices,
    first: Array,
    seed: int,
    basis: Basis,
    material: Indices | None = None,
) -> tuple[CompositionField, Indices]:
    """Learn a field from values of order one.

    Args:
        x: places (row, coordinate), not divided by lengths.
        y: values (row, property), NaN where missing.
        variance: their squared standard errors (row, property).
        group: of each coordinate.
        first: lengths to begin with.
        seed: of the choice of rows, where there are too many.
        basis: of the values, in coefficients that are learned.
        material: of each row (row), to try shorter lengths where materials are many; otherwise lengths are
            those of the likelihood.

    Returns:
        The field, and the rows that it learned from.
    """
    y, variance = basis.inward(y), basis.variance(variance)
    lengths, coupling = fit_lengths(x, y, variance, group, first, seed)
    rows = _representative(y, seed)
    x, y, variance = x[rows] / lengths[group], y[rows], variance[rows]
    k = laplace(x, x)
    if material is not None and len(rows) > ENOUGH_ROWS:
        number = np.unique(material[rows], return_inverse=True)[1].ravel()
        left_out = np.flatnonzero(deal(number, N_FOLDS, np.random.default_rng(seed))[number] == 0)
        factor, k, coupling = _shortened(k, y, variance, coupling, left_out, seed)
        lengths, x = lengths * factor, x / factor
    alpha = _Solver(k, coupling).alpha(y, variance)
    return CompositionField(lengths, coupling, x, basis, np.isfinite(y), variance, alpha), rows


def _shortened(
    k: Array, y: Array, variance: Array, coupling: Coupling, left_out: Indices, seed: int
) -> tuple[float, Array, Coupling]:
    """Halve all lengths, once or more, if rows that are left out are predicted better by it.

    The likelihood finds lengths on a few hundred rows. Among thousands a place has nearer neighbours, which
    know more of it than the likelihood of so few allows them to. Shorter lengths must gain more than a
    standard error over those taken so far.

    Args:
        k: covariance of the rows (row, row).
        y: coefficients (row, coefficient), NaN where missing.
        variance: their squared standard errors (row, coefficient).
        coupling: of coefficients.
        left_out: rows that are predicted from the others.
        seed: of the choice of rows that covariances are found on.

    Returns:
        By what lengths are multiplied, and `k` and `coupling` with these.
    """
    best = (1.0, k, coupling)
    errors = _errors_of(k, coupling, y, variance, left_out)
    for halved in range(1, MOST_HALVED + 1):
        k = k**2
        coupling = fit_coupling(k, y, variance, seed)
        found = _errors_of(k, coupling, y, variance, left_out)
        saved = errors - found
        if saved.mean() > saved.std() / np.sqrt(len(saved)):
            best, errors = (0.5**halved, k, coupling), found
    return best


def _errors_of(k: Array, coupling: Coupling, y: Array, variance: Array, left_out: Indices) -> Array:
    """Mean absolute error of each row that has labels (row), predicted from those not left out."""
    others = np.setdiff1d(np.arange(len(y)), left_out)
    solver = _Solver(k[np.ix_(others, others)], coupling)
    alpha = solver.alpha(y[others], variance[others])
    mean = k[np.ix_(left_out, others)] @ alpha @ coupling.signal
    has_some = np.isfinite(y[left_out]).any(1)
    return np.nanmean(np.abs(y[left_out] - mean)[has_some], axis=1)


def leave_out(field: CompositionField, y: Array, parts: Sequence[Sequence[Indices]]) -> list[Answer]:
    """Predict each part of the rows from the others, hyperparameters being those of all.

    Args:
        field: fitted to these rows.
        y: its values (row, property), NaN where missing.
        parts: for each way of leaving out, the rows of each part.

    Returns:
        For each way, what is said of every row.
    """
    k, y = laplace(field.x, field.x), field.basis.inward(y)
    means = _means_of_others(field, k, y, parts)
    reaches = [np.empty_like(y) for _ in parts]
    for columns, labelled, noise in label_groups(field):
        for reach, way in zip(reaches, parts, strict=True):
            for rows in way:
                is_other = ~np.isin(labelled, rows)
                others = labelled[is_other]
                known = reach_of(field.x[rows], field.x[others], noise[is_other], k[np.ix_(rows, others)])
                reach[np.ix_(rows, columns)] = known[:, None]
    return [field.outward(mean, reach) for mean, reach in zip(means, reaches, strict=True)]


def _means_of_others(
    field: CompositionField, k: Array, y: Array, parts: Sequence[Sequence[Indices]]
) -> list[Array]:
    """Expected values of each row, given the other parts, for each way (row, property)."""
    coupling, n = field.coupling, len(k)
    if field.variance.any():  # rows are not alike, so that each part has an equation of its own
        solver, means = _Solver(k, coupling), [np.empty_like(y) for _ in parts]
        for mean, way in zip(means, parts, strict=True):
            for rows in way:
                others = y.copy()
                others[rows] = np.nan
                mean[rows] = k[rows] @ solver.alpha(others, field.variance) @ coupling.signal
        return means
    latent = np.linalg.solve(coupling.mixing, np.where(np.isfinite(y), y, field.labels()).T).T
    means = [np.empty_like(latent) for _ in parts]
    for ratio in np.unique(coupling.ratio):
        same = np.flatnonzero(coupling.ratio == ratio)
        inverse = _inverse(ratio * k + np.eye(n))
        pull = inverse @ latent[:, same]
        for mean, way in zip(means, parts, strict=True):
            for rows in way:
                block = np.linalg.solve(inverse[np.ix_(rows, rows)], pull[rows])
                mean[np.ix_(rows, same)] = latent[np.ix_(rows, same)] - block
    return [mean @ coupling.mixing.T for mean in means]


def _representative(y: Array, seed: int) -> Indices:
    """Rows to learn from, if there are too many: every property keeps its share, rare labels first."""
    if len(y) <= MOST_ROWS:
        return np.arange(len(y))
    rarity = (np.isfinite(y) / np.isfinite(y).sum(0)).sum(1)
    # Drawing by the largest of u^(1/w) is drawing without replacement in proportion to w.
    key = np.random.default_rng(seed).random(len(y)) ** (1 / (rarity / rarity.max()))
    return np.sort(np.argsort(-key)[:MOST_ROWS])


def _inverse(matrix: Array) -> Array:
    root, _ = cho_factor(matrix, lower=True, overwrite_a=True)
    inverse, info = dpotri(root, lower=1, overwrite_c=1)
    if info:
        raise NotConverged("A covariance matrix could not be inverted.", hint="remove near-duplicate rows")
    lower = np.tril(inverse)
    return lower + np.tril(lower, -1).T


class _Solver:
    """Solve with K ⊗ B + 1 ⊗ R, for all labels or for those that are there."""

    def __init__(self, k: Array, coupling: Coupling) -> None:
        """Factor the matrix of each ratio once."""
        self.k, self.coupling = k, coupling
        self.factors = {r: cho_factor(r * k + np.eye(len(k)), lower=True) for r in np.unique(coupling.ratio)}

    def alpha(self, y: Array, variance: Array) -> Array:
        """Weights (row, property) of values with standard errors, zero where they are missing."""
        seen = np.isfinite(y)
        if seen.all() and not variance.any():
            return self.complete(y)
        size = int(seen.sum())

        def spread(v: Array) -> Array:
            whole = np.zeros(y.shape)
            whole[seen] = v
            return whole

        def apply(v: Array) -> Array:
            whole = spread(v)
            shared = self.k @ whole @ self.coupling.signal + whole @ self.coupling.residual
            return (shared + variance * whole)[seen]

        def undo(v: Array) -> Array:
            return self.complete(spread(v))[seen]

        shape = (size, size)
        # The stubs of scipy know the class that a shape makes, and not how it is made.
        system = LinearOperator(shape, matvec=apply, dtype=float)  # pyright: ignore[reportCallIssue]
        guess = LinearOperator(shape, matvec=undo, dtype=float)  # pyright: ignore[reportCallIssue]
        found, info = cg(system, y[seen], rtol=TOLERANCE, maxiter=500, M=guess)
        if info:
            raise NotConverged(
                "The values of some properties could not be reconciled.",
                found=f"no solution after {info} steps",
                hint="leave out properties with very few values",
            )
        return spread(found)

    def complete(self, y: Array) -> Array:
        """The same where every label is there."""
        latent = np.linalg.solve(self.coupling.mixing, y.T).T
        for ratio, factor in self.factors.items():
            same = self.coupling.ratio == ratio
            latent[:, same] = cho_solve(factor, latent[:, same])
        return np.linalg.solve(self.coupling.mixing.T, latent.T).T
