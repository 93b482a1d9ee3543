"""What was measured, as the plain arrays that engines read."""

from dataclasses import dataclass, replace

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
        further: labels (row, K) of every further label set, which has an error rate of its own.
        instrument: number of the instrument of each row's properties (row), the reference being 0; None where
            one instrument measured them all.
    """

    x: Array
    label: Array
    y: Array
    error: Array
    further: tuple[Array, ...] = ()
    instrument: Indices | None = None

    @property
    def labels(self) -> tuple[Array, ...]:
        """The labels (row, K) of each label set."""
        return (self.label, *self.further)

    @property
    def labelled(self) -> Mask:
        """Which rows have a label of any set (row)."""
        return np.any([has_label(label) for label in self.labels], axis=0)

    @property
    def label_counts(self) -> Array:
        """How many labels each phase has (K), all sets together."""
        return np.sum([np.nansum(label, axis=0) for label in self.labels], axis=0)

    def rows(self, which: Mask | Indices) -> "Observations":
        """Some of the rows."""
        further = tuple(label[which] for label in self.further)
        instrument = self.instruments_at(which)
        return Observations(
            self.x[which], self.label[which], self.y[which], self.error[which], further, instrument
        )

    def instruments_at(self, which: Mask | Indices) -> Indices | None:
        """The instruments of some rows, if there are several."""
        return None if self.instrument is None else self.instrument[which]

    def with_phases(self, n_phases: int) -> "Observations":
        """The same with as many phases more as are missing, which no label names."""
        first, *further = (_widened(label, n_phases) for label in self.labels)
        return replace(self, label=first, further=tuple(further))

    def without_labels(self, n_phases: int) -> "Observations":
        """The same with that many phases, and no label."""
        return replace(self, label=np.full((len(self.x), n_phases), np.nan), further=())

    def label_evidence(self, error: Array) -> Array:
        """Log likelihood (row, K) of the labels of all sets, given the error rate of each (set)."""
        errors = np.broadcast_to(error, len(self.labels))
        return np.sum([label_evidence(*pair) for pair in zip(self.labels, errors, strict=True)], axis=0)


def has_label(label: Array) -> Mask:
    """Which rows have a label (row), from label probabilities (row, K)."""
    return np.asarray(~np.isnan(label).any(axis=1))


def _widened(label: Array, n_phases: int) -> Array:
    wide = np.hstack([label, np.zeros((len(label), n_phases - label.shape[1]))])
    wide[~has_label(label)] = np.nan
    return wide


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
