"""Regression on pseudo-mixtures: weighted sums of two pure spectra, with the weights to be learned.

A published R2 of 0.999 came from mixtures whose test set was made of the same 60 spectra as the training set.
Here spots are split before anything is mixed, so that the reported R2 and the intervals are those of new
spots.

Peaks are divided by their mean over the references and by the sum of all of them: peaks then count alike, and
the dose does not matter. On these a linear regression is enough.

Source: Zhao, KIT (2024), section 4.3.4. Departs from it: the split, and a ridge regression that fits in a
file.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array

N_TRAIN, N_TEST = 4000, 2000
HELD_OUT = 0.25  # of the spots, or groups of spots, of each compound
FEW_COUNTS = 20.0  # added to the mean, so that nearly empty peaks stay small
RIDGE = 100.0  # in units of the variance of a relative peak


@dataclass(frozen=True)
class Regression:
    """A fitted ridge regression, as numbers.

    Attributes:
        scale (channel): counts that a peak is divided by.
        coefficient (compound, channel): of relative peaks.
        intercept (compound): share where all relative peaks are zero.
        error (2, compound): quantiles of truth minus prediction on mixtures of held-out spots.
        r2: on these mixtures.
        r2_leaking: on mixtures of the spots that were learned from.
    """

    scale: Array
    coefficient: Array
    intercept: Array
    error: Array
    r2: float
    r2_leaking: float

    def share(self, counts: Array) -> Array:
        """Shares (spectrum, compound), not negative and of sum one."""
        return _closed(_relative(counts, self.scale) @ self.coefficient.T + self.intercept)


def learn_regression(
    counts: Array, label: np.ndarray, group: np.ndarray, level: float, seed: int
) -> Regression:
    """Mix spectra of pure compounds, and learn to tell the weights.

    Args:
        counts (spectrum, channel): of pure compounds.
        label (spectrum): which compound.
        group (spectrum): what is held out together: a spot, or a condition.
        level: probability of the intervals.
        seed: of splits and weights.
    """
    rng = np.random.default_rng(seed)
    is_held = _held_out(rng, label, group)
    error, r2, r2_leaking = np.zeros((2, len(np.unique(label)))), np.nan, np.nan
    if is_held.any():
        scale, coefficient, intercept, r2_leaking = _fit(rng, counts[~is_held], label[~is_held])
        mixed, wanted = pseudo_mixtures(rng, counts[is_held], label[is_held], N_TEST)
        told = _closed(_relative(mixed, scale) @ coefficient.T + intercept)
        r2 = _r2(wanted, told)
        error = np.quantile(wanted - told, [(1 - level) / 2, (1 + level) / 2], axis=0)
    scale, coefficient, intercept, r2_all = _fit(rng, counts, label)
    leaking = r2_all if np.isnan(r2_leaking) else r2_leaking
    return Regression(scale, coefficient, intercept, error, float(r2), float(leaking))


def has_several_groups(label: np.ndarray, group: np.ndarray) -> bool:
    """Whether every compound has at least two groups, so that one can be held out."""
    return all(len(np.unique(group[label == compound])) > 1 for compound in np.unique(label))


def pseudo_mixtures(
    rng: np.random.Generator, counts: Array, label: np.ndarray, n: int
) -> tuple[Array, Array]:
    """Mix two random spectra of different compounds with random weights.

    Returns:
        Spectra (mixture, channel) and shares (mixture, compound).
    """
    compounds, number = np.unique(label, return_inverse=True)
    first = rng.integers(len(counts), size=n)
    of_others = [np.flatnonzero(number != k) for k in range(len(compounds))]
    second = np.array([rng.choice(of_others[number[i]]) for i in first])
    weight = rng.random((n, 1))
    share = np.zeros((n, len(compounds)))
    share[np.arange(n), number[first]] = weight[:, 0]
    share[np.arange(n), number[second]] = 1 - weight[:, 0]
    return weight * counts[first] + (1 - weight) * counts[second], share


def _held_out(rng: np.random.Generator, label: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Choose groups of every compound; none, if some compound has a single one."""
    held = np.zeros(len(label), dtype=bool)
    if not has_several_groups(label, group):
        return held
    for compound in np.unique(label):
        own = np.unique(group[label == compound])
        chosen = rng.choice(own, max(1, round(HELD_OUT * len(own))), replace=False)
        held |= (label == compound) & np.isin(group, chosen)
    return held


def _fit(rng: np.random.Generator, counts: Array, label: np.ndarray) -> tuple[Array, Array, Array, float]:
    """Ridge regression by its normal equations; the last answer is R2 on mixtures of the same spectra."""
    scale = counts.mean(0) + FEW_COUNTS
    mixed, wanted = pseudo_mixtures(rng, counts, label, N_TRAIN)
    x = _relative(mixed, scale)
    centre = x - x.mean(0)
    normal = centre.T @ centre + RIDGE * x.var(0).mean() * np.eye(x.shape[1])
    solved = np.linalg.solve(normal, centre.T @ (wanted - wanted.mean(0)))
    coefficient = np.ascontiguousarray(solved.T)  # as a file gives it back, to the last bit of products
    intercept = wanted.mean(0) - coefficient @ x.mean(0)
    again, known = pseudo_mixtures(rng, counts, label, N_TEST)
    told = _closed(_relative(again, scale) @ coefficient.T + intercept)
    return scale, coefficient, intercept, _r2(known, told)


def _relative(counts: Array, scale: Array) -> Array:
    relative = counts / scale
    mean = np.nanmean(relative, axis=1, keepdims=True)
    return np.where(np.isfinite(relative), relative / np.maximum(mean, 1e-12), 1.0)


def _closed(share: Array) -> Array:
    positive = np.maximum(share, 0)
    return positive / np.maximum(positive.sum(1, keepdims=True), 1e-12)


def _r2(wanted: Array, told: Array) -> float:
    """Coefficient of determination, the mean over compounds."""
    return float(np.mean(1 - ((wanted - told) ** 2).sum(0) / ((wanted - wanted.mean(0)) ** 2).sum(0)))
