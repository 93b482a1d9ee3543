"""How wide a band must be to hold a whole spectrum: learned from spectra that were left out.

The band has the shape of the intervals between the 1st and the 99th percentile of every bin. By which factor
it must be wider or narrower to hold all bins of a left-out spectrum has a distribution over spectra; its 90 %
quantile, taken as in split conformal prediction, is the factor of new spectra.

Source: Diquigiovanni, Fontana & Vantini (2022), doi:10.1016/j.jmva.2021.104879, for bands of whole functions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.composition_basis import Span
from tieline.models.stacking import FEWEST, KNOWN, NEW, SCORES, Guesses, Stack

LEVEL = 0.90
LEAST = 0.05  # half width at a factor of one, of values of order one: bins that hardly vary may vary a little


class Edges(NamedTuple):
    """Residuals of one bin over their expected size: the median, and the ends at a factor of one (place)."""

    middle: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, stack: Stack, p: int, about: Array, spread: Array, size: Array, regime: Indices) -> "Edges":
        """The edges, given mean and standard deviation of normal scores and the size of residuals (place)."""
        scores = about[:, None] + spread[:, None] * np.array([0.0, SCORES[0], SCORES[-1]])
        middle, low, high = stack.residual_of(p, scores, regime).T
        least = LEAST / size
        return cls(middle, np.minimum(low, middle - least), np.maximum(high, middle + least))

    def factor(self, residual: Array) -> Array:
        """By which factor the band must be wider to hold a residual; NaN stays."""
        off = residual - self.middle
        return np.where(off > 0, off / (self.high - self.middle), off / (self.low - self.middle))

    def band(self, factor: Array) -> Array:
        """Residuals (place, side) at the ends of a band."""
        ends = (self.middle + factor * (end - self.middle) for end in (self.low, self.high))
        return np.stack(list(ends), -1)


def fit_bands(
    stack: Stack,
    y: Array,
    variance: Array,
    ways: Sequence[Guesses],
    regimes: Indices,
    spans: Sequence[Span],
) -> Array:
    """Factors (regime, property) at which 90 % of left-out spectra lie within their bands.

    Args:
        stack: how guesses become a distribution.
        y: values of order one (row, column), NaN where missing.
        variance: their squared standard errors (row, column).
        ways: guesses of each row from the others, for each way of leaving out.
        regimes: of each (way, row).
        spans: columns of each property.
    """
    factors = [
        _factors(stack, y, variance, guess, regime) for guess, regime in zip(ways, regimes, strict=True)
    ]
    return np.array(
        [[_bound(_largest(factors, regimes, kind, span)) for span in spans] for kind in (KNOWN, NEW)]
    )


def _factors(stack: Stack, y: Array, variance: Array, guess: Guesses, regime: Indices) -> Array:
    """The factor that every bin of a left-out spectrum needs (row, column)."""
    size = np.sqrt(stack.variances(guess, regime).sum(0) + variance)
    residual = (y - stack.mean(guess, regime)) / size
    found = np.empty_like(residual)
    zero = np.zeros(len(y))
    for p in range(y.shape[1]):
        found[:, p] = Edges.of(stack, p, zero, zero + 1, size[:, p], regime).factor(residual[:, p])
    return found


def _largest(factors: Sequence[Array], regimes: Indices, kind: int, span: Span) -> Array:
    """The factor of every spectrum in a regime; of all of them where these are too few."""
    of_all = np.concatenate([np.nan_to_num(each[:, span.columns]).max(1) for each in factors])
    seen = np.concatenate([np.isfinite(each[:, span.columns]).any(1) for each in factors])
    chosen = of_all[seen & (regimes.ravel() == kind)]
    return chosen if len(chosen) >= FEWEST else of_all[seen]


def _bound(largest: Array) -> float:
    order = np.sort(largest)
    return float(order[min(int(np.ceil((len(order) + 1) * LEVEL)), len(order)) - 1])
