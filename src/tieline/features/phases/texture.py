"""How far amounts in a powder pattern may be wrong: lines are stronger or weaker than the references say.

In a real powder every line is multiplied by a factor of its own (texture, few grains, errors of structures).
How much, the pattern tells itself: what counting leaves unexplained of the residuals is taken for the scatter
of lines, of one relative size. Amounts are linear in the counts, so that this scatter, and that of counting,
goes through to them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from tieline.features.phases.arrays import Array
from tieline.features.phases.profile import Profile, Sticks, lines_apart

N_DRAWS = 1000


@dataclass(frozen=True)
class AmountErrors:
    """Errors of the amounts of references in one pattern.

    Attributes:
        covariance (reference, reference): of amounts without the bound at zero.
        normal (reference, reference): curvature of the least squares, by which the bound acts.
        scatter: relative error of a line.
    """

    covariance: Array
    normal: Array
    scatter: float


def amount_errors(
    angles: Array,
    net: Array,
    counting: Array,
    weight: Array,
    references: list[Sticks],
    profile: Profile,
) -> AmountErrors:
    """Work out the errors of amounts from what is left of a pattern.

    Args:
        angles (channel): degrees.
        net (channel): counts without background.
        counting (channel): variance of counting.
        weight (channel): root of the weights by which amounts were found.
        references: their lines.
        profile: of the pattern.
    """
    weighted = profile.patterns * weight
    normal = weighted @ weighted.T
    normal += 1e-9 * np.trace(normal) * np.eye(len(normal))
    inverse = np.linalg.inv(normal)
    along, size = [], []
    for k, sticks in enumerate(references):
        place, height = lines_apart(angles, sticks, profile, float(profile.strain[k]))
        height = profile.amount[k] * height * weight[place]
        along.append((weighted[:, place] * height).sum(2).T)
        size.append((height**2).sum(1))
    lines, square = np.concatenate(along), np.concatenate(size)
    moved = lines @ inverse
    # What lines that scatter leave after amounts have been fitted to them.
    left_by_lines = float((square - (moved * lines).sum(1)).sum())
    left = float((((net - profile.amount @ profile.patterns) * weight) ** 2).sum())
    by_counting = float((counting * weight**2).sum())
    variance = max(left - by_counting, 0.0) / max(left_by_lines, 1e-300)
    through = inverse @ (weighted * weight)
    covariance = variance * moved.T @ moved + (through * counting) @ through.T
    return AmountErrors(covariance, normal, float(np.sqrt(variance)))


def share_intervals(
    amount: Array, errors: AmountErrors, rng: np.random.Generator, contrast: float, level: float
) -> tuple[Array, Array]:
    """Ends of the intervals (reference) of shares: scatter of lines, and of the references' scales.

    Args:
        amount (reference): as found.
        errors: of amounts.
        rng: of the draws.
        contrast: sd of the logarithm of a reference's scale.
        level: probability of the intervals.
    """
    root = np.linalg.cholesky(errors.normal).T
    free = rng.multivariate_normal(amount, errors.covariance, N_DRAWS, method="eigh")
    drawn = np.stack([nnls(root, root @ row)[0] for row in free])
    drawn *= np.exp(contrast * rng.standard_normal(drawn.shape))
    shares = drawn / np.maximum(drawn.sum(1, keepdims=True), 1e-300)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
