"""Spectra as a few coefficients each, for `CompositionProperties`: principal components of their bins.

A property that is one number stays as it is; the bins of a spectrum become coefficients of unit variance, of
which the Gaussian process learns the covariance.

Source: Jolliffe (2002), chapter 2; Little & Rubin (2002), section 11.2, for filling holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array

ENOUGH = 0.5  # share of its bins from which on a spectrum is completed where it has holes
ROUNDS = 4  # of filling holes and learning what the bins have in common
RIDGE = 1e-3  # of the mean variance: keeps the covariance of few spectra invertible


@dataclass(frozen=True)
class Span:
    """The columns of one property.

    Attributes:
        name: of the property.
        start: its first column.
        stop: the one after its last.
        axis: the dimension of a spectrum; "" where the property is one number.
    """

    name: str
    start: int
    stop: int
    axis: str

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, eq=False)
class Basis:
    """Between values (row, property) and what the process learns (row, coefficient).

    Attributes:
        centre: of each property.
        weights: values of each coefficient of one (coefficient, property); rows are orthogonal.
    """

    centre: Array
    weights: Array

    @classmethod
    def plain(cls, n_properties: int) -> "Basis":
        """Every property is its own coefficient."""
        return cls(np.zeros(n_properties), np.eye(n_properties))

    @classmethod
    def of(cls, y: Array, spans: Sequence[Span], n_components: int) -> "Basis":
        """Principal components of every spectrum in completed values (row, property)."""
        centre, blocks = np.zeros(y.shape[1]), []
        for span in spans:
            block = np.zeros((1, y.shape[1]))
            block[0, span.start] = 1.0
            if span.axis:
                whole = y[np.isfinite(y[:, span.start]), span.columns]
                centre[span.columns] = whole.mean(0)
                size, directions = _components(whole - whole.mean(0), n_components)
                block = np.zeros((len(size), y.shape[1]))
                block[:, span.columns] = size[:, None] * directions
            blocks.append(block)
        return cls(centre, np.concatenate(blocks))

    def inward(self, y: Array) -> Array:
        """Coefficients (row, coefficient) of values; NaN where one of them is missing."""
        needed = (self.weights != 0).astype(float)
        lacks = np.isnan(y).astype(float) @ needed.T > 0
        return np.where(lacks, np.nan, np.nan_to_num(y - self.centre) @ self._inverse)

    def variance(self, variance: Array) -> Array:
        """Variances of coefficients (row, coefficient), values being independent."""
        return variance @ self._inverse**2

    def outward(self, coefficients: Array) -> Array:
        """Values (..., property) of coefficients (..., coefficient)."""
        return self.centre + coefficients @ self.weights

    def spread(self, variance: Array) -> Array:
        """Variances of values (row, property), coefficients being independent."""
        return variance @ self.weights**2

    @property
    def _inverse(self) -> Array:
        return self.weights.T / (self.weights**2).sum(1)


def complete(y: Array, spans: Sequence[Span]) -> Array:
    """Fill holes in spectra (row, property); a spectrum that is mostly hole becomes one."""
    found = y.copy()
    for span in spans:
        block = found[:, span.columns]
        if span.axis and np.isnan(block).any():
            share = np.isfinite(block).mean(1)
            block[share < ENOUGH] = np.nan
            rows = np.flatnonzero(share >= ENOUGH)
            block[rows] = _filled(block[rows])
    return found


def _filled(block: Array) -> Array:
    """Expected values of a normal distribution where some are missing, given the others of the row."""
    lacks = np.isnan(block)
    mean = np.nan_to_num(np.nanmean(np.where(lacks.all(0), 0.0, block), axis=0))
    filled = np.where(lacks, mean, block)
    for _ in range(ROUNDS):
        mean, covariance = filled.mean(0), np.cov(filled.T, bias=True)
        covariance += RIDGE * covariance.trace() / len(mean) * np.eye(len(mean))
        for i in np.flatnonzero(lacks.any(1)):
            hole, seen = lacks[i], ~lacks[i]
            across = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, hole)])
            filled[i, hole] = mean[hole] + (block[i, seen] - mean[seen]) @ across
    return filled


def _components(deviations: Array, n: int) -> tuple[Array, Array]:
    """Standard deviations and directions (component, bin) of the largest components, at least one."""
    _, size, directions = np.linalg.svd(deviations, full_matrices=False)
    size = size / np.sqrt(max(len(deviations), 1))
    n = max(1, min(n, int((size > 1e-6 * max(size[0], 1e-300)).sum())))
    return np.where(size[:n] > 0, size[:n], 1.0), directions[:n]
