"""Relative sensitivity factors: how many counts a share of each compound gives in a mixture.

A spot of pure LiH and one of pure Li2O need not count alike in a mixture: yields depend on the matrix.
Mixtures of known composition tell the factors; how much these differ between mixtures is the matrix effect,
which every share of an unknown has to allow for.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array


@dataclass(frozen=True)
class Sensitivity:
    """Factors, and how sure they are.

    Attributes:
        factor (compound): relative; their geometric mean over the compounds that were calibrated is one.
        log_variance (compound): variance of the logarithm of a yield in a new mixture.
        matrix_effect: sd of the logarithm of a yield between mixtures.
        n_mixtures: how many known mixtures it was learned from.
    """

    factor: Array
    log_variance: Array
    matrix_effect: float
    n_mixtures: int = 0


def given(factor: Array, log_variance: Array, matrix_effect: float) -> Sensitivity:
    """Factors that are known, with a matrix effect that is known.

    Args:
        factor (compound): relative sensitivity factors.
        log_variance (compound): from the doses of the references.
        matrix_effect: sd of the logarithm of a yield.
    """
    return Sensitivity(factor, log_variance + matrix_effect**2, matrix_effect)


def calibrate(amount: Array, share: Array, log_variance: Array, least: float) -> Sensitivity:
    """Learn factors from mixtures of known composition.

    The logarithm of a_k / w_k is log f_k plus a constant of each mixture plus the matrix effect.

    Args:
        amount (mixture, compound): as unmixed.
        share (mixture, compound): as known.
        log_variance (compound): from the doses of the references.
        least: matrix effect that is assumed at least.
    """
    row, column = np.nonzero((share > 0) & (amount > 0))
    n_rows, n_compounds = share.shape
    response = np.log(amount[row, column] / share[row, column])
    design = np.zeros((len(row), n_compounds + n_rows))
    design[np.arange(len(row)), column] = 1
    design[np.arange(len(row)), n_compounds + row] = 1
    inverse = np.linalg.pinv(design.T @ design)
    answer = inverse @ design.T @ response
    left = response - design @ answer
    freedom = len(row) - np.linalg.matrix_rank(design)
    matrix = max(float(np.sqrt(left @ left / freedom)) if freedom > 0 else 0.0, least)
    is_known = np.isin(np.arange(n_compounds), column)
    log_factor = np.where(is_known, answer[:n_compounds], 0)
    log_factor = np.where(is_known, log_factor - log_factor[is_known].mean(), 0)
    # What calibration took care of, doses of the references included, is known as well as the factor is.
    own = np.diag(inverse)[:n_compounds] * matrix**2
    variance = np.where(is_known, own, log_variance) + matrix**2
    return Sensitivity(np.exp(log_factor), variance, matrix, n_rows)


def is_linked(share: Array) -> bool:
    """Whether mixtures (mixture, compound) compare all of their compounds, directly or through others."""
    holds = share > 0
    if not holds.any():
        return False
    linked = holds[0]
    for _ in holds:
        linked = linked | holds[(holds & linked).any(1)].any(0)
    return bool((linked == holds.any(0)).all())
