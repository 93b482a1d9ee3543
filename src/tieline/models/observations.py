"""What was measured, as the plain arrays that engines read."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from scipy.stats import norm

from tieline.models.arrays import Array, Indices, Mask

UNLIKELY = 1e-4  # probability of a phase below which a property's value in it is not asked for
OUTLIER_SHARE = 0.01  # prior probability that a measurement is a gross error
OUTLIER_SPREAD = 3.0  # standard deviation of gross errors, in standard deviations of the property


@dataclass(frozen=True)
class Observations:
    """Labels and properties of the same rows, any of them missing.

    Attributes:
        x: design scaled to the unit box (row, d).
        label: probability of each phase (row, K); NaN where unlabelled.
        y: standardised properties (row, property); NaN where unmeasured.
        error: their squared standard errors (row, property), standardised.
    """

    x: Array
    label: Array
    y: Array
    error: Array

    @property
    def labelled(self) -> Mask:
        """Which rows have a label (row)."""
        return np.asarray(~np.isnan(self.label).any(axis=1))

    def rows(self, which: Mask | Indices) -> "Observations":
        """Some of the rows."""
        return Observations(self.x[which], self.label[which], self.y[which], self.error[which])


def label_evidence(label: Array, error: float) -> Array:
    """Log likelihood (row, K) of label probabilities (row, K); rows of NaN say nothing.

    Args:
        label: probability of each phase, one-hot for a plain label.
        error: probability that a label is wrong, in which case it may be any.
    """
    evidence = np.log((1 - error) * label + error / label.shape[1])
    return np.where(np.isnan(label), 0.0, evidence)


def value_evidence(y: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Log density (row, K) of values (row) in each phase, and the probability of no gross error.

    Args:
        y: values.
        mean: predicted in each phase (row, K).
        variance: of a measurement there (row, K).
    """
    regular = np.log1p(-OUTLIER_SHARE) + norm.logpdf(y[:, None], mean, np.sqrt(variance))
    gross = np.log(OUTLIER_SHARE) + norm.logpdf(y, 0.0, OUTLIER_SPREAD)[:, None]
    both = np.logaddexp(regular, gross)
    return both, np.exp(regular - both)


def updated(prior: Array, evidence: Array) -> Array:
    """Probabilities (row, K) once a log likelihood (row, K) is known."""
    return softmax(np.log(prior + 1e-12) + evidence, axis=1)
