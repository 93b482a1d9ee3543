"""Which pure compound a spectrum is of: logistic regression on scaled peaks, the way of the study.

Every peak is brought to 0 to 1 by the range that it has in the pure spectra, and cut off there: a peak that
an unknown has three times as strongly as any reference would decide alone ("maximum truncation").

Source: Zhao, KIT (2024), section 4.3.3; Zhao et al. (2023), doi:10.1021/acsami.3c09643.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from tieline.models.arrays import Array

STRENGTH = 1.0  # C of the study's model, scikit-learn's default
N_BOOTSTRAPS = 40  # resampled sets of references behind an interval


@dataclass(frozen=True)
class ClassRule:
    """A fitted logistic regression, as numbers.

    Attributes:
        low (channel): the least count of a pure spectrum.
        width (channel): how far the most lies above; 1 where it is the same.
        coefficient (compound, channel): of scaled counts.
        intercept (compound): logarithm of odds where all peaks have their least.
    """

    low: Array
    width: Array
    coefficient: Array
    intercept: Array

    def scaled(self, counts: Array) -> Array:
        """Counts (spectrum, channel) between 0 and 1; unmeasured channels at the middle of the references."""
        inside = np.clip((counts - self.low) / self.width, 0, 1)
        return np.where(np.isfinite(inside), inside, 0.5)

    def probability(self, counts: Array) -> Array:
        """Probability (spectrum, compound) that each pure compound would be taken for the spectrum's."""
        return softmax(self.scaled(counts) @ self.coefficient.T + self.intercept, axis=1)


def learn_classes(counts: Array, label: np.ndarray) -> ClassRule:
    """Fit to spectra (spectrum, channel) of pure compounds."""
    from sklearn.linear_model import LogisticRegression

    low, most = counts.min(0), counts.max(0)
    width = np.where(most > low, most - low, 1.0)
    fitted = LogisticRegression(C=STRENGTH, max_iter=2000).fit((counts - low) / width, label)
    coefficient, intercept = fitted.coef_, fitted.intercept_
    if len(coefficient) == 1:  # of two compounds scikit-learn keeps the difference only
        coefficient = np.concatenate([-coefficient, coefficient]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return ClassRule(low, width, np.ascontiguousarray(coefficient), np.ascontiguousarray(intercept))


def resampled(counts: Array, label: np.ndarray, seed: int) -> list[ClassRule]:
    """Fit to references drawn again and again with replacement, each compound as often as it was."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(label == compound) for compound in np.unique(label)]
    draws = (np.concatenate([rng.choice(row, len(row)) for row in rows]) for _ in range(N_BOOTSTRAPS))
    return [learn_classes(counts[draw], label[draw]) for draw in draws]
