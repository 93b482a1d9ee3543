"""What patterns alone cannot tell: how much of one phase's pattern may belong to another.

A description by patterns and amounts that are not negative is one of many that fit. Where two phases are
never far apart in their amounts, part of one pattern can be handed over to the other, and amounts change with
it. How far this can go, before a pattern or an amount would become negative, bounds the error of the
patterns. Besides, lines of one phase are stronger or weaker from specimen to specimen (texture), which a
phase with few lines takes for a change of its amount.

Source: Tauler (2001), doi:10.1002/cem.654, for the limits of what is feasible. Departs from it: pairs of
phases are tried one at a time, and a small negative part is allowed for, as noise leaves it.
"""

import numpy as np

from tieline.features.phases.arrays import Array
from tieline.features.phases.background import line_width
from tieline.features.phases.reading import TEXTURE

NEGATIVE = 0.04  # part of a pattern or of amounts that may be below zero
N_HALVINGS = 20
BREADTH = 1.6  # equivalent width of a line, (sum)^2 / sum of squares, in full widths at half its height


def exchange_limits(pattern: Array, amount: Array) -> Array:
    """Largest part (phase, phase) of the first phase's counts that may belong to the second, or the reverse.

    Args:
        pattern (phase, channel): of sum one.
        amount (specimen, phase): not negative.
    """
    n = len(pattern)
    limits = np.zeros((n, n))
    for k in range(n):
        for other in (m for m in range(n) if m != k):
            own = amount[:, k] / max(amount[:, k].sum(), 1e-300)
            theirs = amount[:, other] / max(amount[:, k].sum(), 1e-300)
            limits[k, other] = max(_most(pattern[other], pattern[k]), _most(own, theirs))
    return limits


def exchanged(amount: Array, limits: Array, rng: np.random.Generator) -> Array:
    """Draws of amounts (specimen, draw, phase), parts of them handed over from phase to phase.

    Args:
        amount (specimen, draw, phase): as if patterns were known.
        limits: of `exchange_limits`.
        rng: of the parts, which are the same for all specimens of a draw.
    """
    part = rng.uniform(-1, 1, (amount.shape[1], *limits.shape)) * limits
    got = np.einsum("idk,dkm->idm", amount, part)
    return np.maximum(amount + got - amount * part.sum(2), 0)


def textured(amount: Array, pattern: Array, counts: Array, rng: np.random.Generator) -> Array:
    """Draws of amounts (specimen, draw, phase) with the error that texture makes of them.

    Args:
        amount (specimen, draw, phase): draws.
        pattern (phase, channel): of sum one.
        counts (specimen, channel): from which the width of lines is read.
        rng: of the draws.
    """
    n_lines = np.maximum(1 / (BREADTH * line_width(counts) * (pattern**2).sum(1)), 1.0)
    return amount * np.exp(TEXTURE / np.sqrt(n_lines) * rng.standard_normal(amount.shape))


def _most(taken: Array, given: Array) -> float:
    """Largest c up to 1 at which `given - c taken` is hardly negative."""
    low, high = 0.0, 1.0
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        is_fine = np.maximum(middle * taken - given, 0).sum() <= NEGATIVE
        low, high = (middle, high) if is_fine else (low, middle)
    return low
