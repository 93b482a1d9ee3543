"""Gross errors on a line: values that would need a region of their own, though nothing else asks for one."""

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from tieline.models.arrays import Array, Mask
from tieline.models.line_answer import LineAnswer
from tieline.models.line_fit import fit_line
from tieline.models.observations import OUTLIER_SHARE, OUTLIER_SPREAD, Observations

FALSE_ALARMS = 0.1  # regular values of a property expected to fall under suspicion
LONELY = 0.2  # probability of being the only value of its region
MOST = 0.2  # share of a property's values beyond which suspicion falls on the model, not on them
N_ROUNDS = 3


def fit_robustly(seen: Observations, counts: range, *, is_anonymous: bool) -> tuple[LineAnswer, Mask]:
    """Fit a line, setting values aside where the evidence says they are gross errors.

    A value that is set aside keeps a standard error of OUTLIER_SPREAD, and costs the log odds of an outlier.

    Returns:
        The answer, and which values (row, property) were set aside.
    """
    aside = np.zeros(seen.y.shape, dtype=bool)
    answer = LineAnswer(fit_line(seen, counts, is_anonymous=is_anonymous), seen)
    for _ in range(N_ROUNDS):
        candidates = aside | _suspicious(answer)
        if (candidates == aside).all() or _too_many(candidates, seen.y):
            break
        trial = _set_aside(seen, candidates)
        judged = candidates & _far_off(
            LineAnswer(fit_line(trial, counts, is_anonymous=is_anonymous), trial), seen
        )
        if (judged == aside).all():
            break
        trial = _set_aside(seen, judged)
        better = LineAnswer(fit_line(trial, counts, is_anonymous=is_anonymous), trial)
        cost = (judged.sum() - aside.sum()) * np.log(OUTLIER_SHARE / (1 - OUTLIER_SHARE))
        if better.fit.log_evidence + cost <= answer.fit.log_evidence:
            break
        answer, aside = better, judged
    return answer, aside


def _set_aside(seen: Observations, which: Mask) -> Observations:
    return replace(seen, error=seen.error + OUTLIER_SPREAD**2 * which)


def _suspicious(answer: LineAnswer) -> Mask:
    """Values far from what the others say, or alone in their region."""
    _, mean, variance = answer.leave_one_out()
    measured = ~np.isnan(answer.seen.y)
    limit = norm.isf(FALSE_ALARMS / 2 / np.maximum(measured.sum(0), 1))
    far = np.abs(answer.seen.y - mean) > limit * np.sqrt(variance)
    return (far | (answer.loneliness() > LONELY)) & measured


def _far_off(answer: LineAnswer, seen: Observations) -> Mask:
    """Values that a gross error explains better than the fit does which was made without them."""
    far = np.zeros(seen.y.shape, dtype=bool)
    for j in range(seen.y.shape[1]):
        mean, parts = answer.property(j, seen.x)
        total = parts.sum(1) + seen.error[:, j]
        far[:, j] = _log_normal(seen.y[:, j] - mean, total) + np.log(1 - OUTLIER_SHARE) < (
            _log_normal(seen.y[:, j] - mean, total + OUTLIER_SPREAD**2) + np.log(OUTLIER_SHARE)
        )
    return far


def _log_normal(residual: Array, variance: Array) -> Array:
    return -0.5 * residual**2 / variance - 0.5 * np.log(variance)


def _too_many(candidates: Mask, y: Array) -> bool:
    return bool((candidates.sum(0) > np.maximum(MOST * (~np.isnan(y)).sum(0), 1)).any())
