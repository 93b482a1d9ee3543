"""Scores of predictions, each a plain function of arrays.

Phases are compared by their labels, whatever the order in which a method lists them.
Probabilities are (specimen, phase) and `labels` (phase) names their columns. A true label that a
method does not list has probability zero there.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

PROBABILITY_FLOOR = 1e-12  # keeps the log loss finite where a method excluded the truth


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Give the share of labels that are right.

    Args:
        truth (specimen): the true labels.
        predicted (specimen): the most likely labels.

    Returns:
        In [0, 1]; equal to the micro-averaged F1 score.
    """
    return float(np.mean(np.asarray(truth) == np.asarray(predicted)))


def log_loss(truth: ArrayLike, probability: ArrayLike, labels: ArrayLike) -> float:
    """Give the mean negative log probability of the true label.

    Args:
        truth (specimen): the true labels.
        probability (specimen, phase): predicted, rows sum to one.
        labels (phase): the label of each column.

    Returns:
        nat, 0 is perfect. Probabilities below 1e-12 count as 1e-12.
    """
    right = (_is_true(truth, labels) * np.asarray(probability)).sum(axis=1)
    return float(-np.log(np.maximum(right, PROBABILITY_FLOOR)).mean())


def brier(truth: ArrayLike, probability: ArrayLike, labels: ArrayLike) -> float:
    """Give the mean squared distance between the probabilities and the truth.

    Args:
        truth (specimen): the true labels.
        probability (specimen, phase): predicted, rows sum to one.
        labels (phase): the label of each column.

    Returns:
        In [0, 2], 0 is perfect: the sum over phases, so twice the usual two-class score.

    Source:
        Brier (1950), Monthly Weather Review 78, 1, in its original form of several classes.
    """
    is_true = _is_true(truth, labels)
    is_listed = is_true.any(axis=1)
    distance = ((np.asarray(probability) - is_true) ** 2).sum(axis=1)
    return float((distance + ~is_listed).mean())


def _is_true(truth: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Mark each specimen's true label (specimen, phase); compared as text."""
    return np.asarray(truth).astype(str)[:, None] == np.asarray(labels).astype(str)


def r2(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Give the share of the truth's variance that a prediction explains.

    Args:
        truth (specimen): any unit, not constant.
        predicted (specimen): same unit.

    Returns:
        At most 1; below 0 where the mean of the truth would have predicted better.
    """
    true = np.asarray(truth, dtype=float)
    return float(1 - ((true - np.asarray(predicted)) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def rmse(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Give the root mean squared error.

    Args:
        truth (specimen): any unit.
        predicted (specimen): same unit.

    Returns:
        In that unit.
    """
    return float(np.sqrt(np.mean((np.asarray(truth, dtype=float) - np.asarray(predicted)) ** 2)))


def crps_gaussian(truth: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> float:
    """Give the mean continuous ranked probability score of normal predictions.

    It rewards a prediction that is both near and rightly sure; for a sure one it is the mean
    absolute error.

    Args:
        truth (specimen): a measurement, any unit.
        mean (specimen): same unit.
        sd (specimen): same unit, positive.

    Returns:
        In that unit, 0 is perfect.

    Source:
        Gneiting & Raftery (2007), eq. 21, doi:10.1198/016214506000001437; smaller is better here.
    """
    width = np.asarray(sd, dtype=float)
    z = (np.asarray(truth, dtype=float) - np.asarray(mean)) / width
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return float(np.mean(width * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))))


def coverage(truth: ArrayLike, mean: ArrayLike, sd: ArrayLike, level: float) -> float:
    """Give the share of truths inside the central interval of normal predictions.

    Args:
        truth (specimen): any unit.
        mean (specimen): same unit.
        sd (specimen): same unit.
        level: what the interval promises, in (0, 1); 0.95 is mean +- 1.96 sd.

    Returns:
        In [0, 1]; near `level` when the predictions are honest.
    """
    half_width = ndtri(0.5 + level / 2) * np.asarray(sd)
    return float(np.mean(np.abs(np.asarray(truth) - np.asarray(mean)) <= half_width))


def paired_difference(ours: ArrayLike, theirs: ArrayLike) -> tuple[float, float]:
    """Compare two methods that were scored on the same worlds.

    Args:
        ours (world): scores of one method.
        theirs (world): scores of the other, in the same order.

    Returns:
        The mean of ours minus theirs, and its standard error (NaN for a single world).
    """
    difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    n_worlds = len(difference)
    error = difference.std(ddof=1) / np.sqrt(n_worlds) if n_worlds > 1 else np.nan
    return float(difference.mean()), float(error)


def clustered_error(values: ArrayLike, group: ArrayLike) -> float:
    """Give the standard error of a mean whose values belong together in groups.

    Args:
        values (row): what is averaged.
        group (row): number or name of the group of each.

    Returns:
        In the unit of the values; NaN for a single group.

    Source: Liang & Zeger (1986), doi:10.1093/biomet/73.1.13, for a mean.
    """
    each = np.asarray(values, float)
    at = np.unique(group, return_inverse=True)[1]
    n_groups = at.max() + 1
    if n_groups < 2:
        return float("nan")
    sums = np.bincount(at, each - each.mean())
    return float(np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(each))
