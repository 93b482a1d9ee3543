"""One description of a spread: patterns of phases, where each is, how much, and how strained.

    pattern_i(u) = sum over phases of amount_ik * pattern_k(u - strain_ik) + noise

on the logarithm of the reciprocal spacing u, where a strain is a shift. Patterns and amounts are not
negative; of each specimen a few phases explain it (`coexistence`); strain varies smoothly with composition.
Amounts, patterns and strains are found in turn.

Source: Le Bras et al., AAAI (2014), and Xue et al., AAAI (2017), for factors that shift on a logarithmic
axis, and for at most three coexisting phases. Departs from them: sets are weighed by probability, and strain
is a smooth field that is solved for, where they choose among shifted copies.
"""

from dataclasses import dataclass, replace

import numpy as np

from tieline.features.phases.arrays import Array, Indices
from tieline.features.phases.coexistence import Amounts, Sets, sets_of, solve, weigh
from tieline.features.phases.neighbourhood import Neighbourhood
from tieline.features.phases.shifting import shifted, shifted_back

COUPLING = 2.0  # log odds of a phase that all neighbours have
STRAIN_SLOPE = 0.06  # sd of the relative change of a lattice over the whole range of composition
LARGEST_STEP = 3.0  # channels that a strain moves in one round
LONGEST_MEMORY = 20  # channels over which residuals may resemble each other
RARE = 1e-2  # of the best seen channel: below, a pattern is hardly seen there and is held down


@dataclass(frozen=True)
class Prepared:
    """Patterns of a spread, ready to be described.

    Attributes:
        counts (specimen, channel): without background, of sum one.
        weight (specimen, channel): root of the weight of each channel.
        step: of a channel, on the logarithm of the reciprocal spacing.
        neighbours: of the specimens.
        most_together: how many phases may coexist.
    """

    counts: Array
    weight: Array
    step: float
    neighbours: Neighbourhood
    most_together: int


@dataclass(frozen=True)
class Factors:
    """Phases of a spread, described.

    Attributes:
        pattern (phase, channel): of sum one.
        strain (specimen, phase): shift of the pattern on the logarithmic axis.
        sets: which phases may coexist.
        probability (specimen, set): of the sets.
        amounts: for every set.
        amount (specimen, phase): averaged over the sets.
        misfit (specimen): weighted sum of squares that is left, averaged over the sets.
        variance (specimen): of a weighted channel, as the residuals have it.
        memory: how many channels in a row have residuals that resemble each other.
        explained: part of the weighted sum of squares that the phases explain.
    """

    pattern: Array
    strain: Array
    sets: Sets
    probability: Array
    amounts: Amounts
    amount: Array
    misfit: Array
    variance: Array
    memory: float
    explained: float

    @property
    def n_phases(self) -> int:
        """How many phases there are."""
        return len(self.pattern)

    @property
    def presence(self) -> Array:
        """Probability (specimen, phase) of being there."""
        return self.probability @ self.sets.has

    def without(self, phase: int) -> tuple[Array, Array]:
        """Patterns and strains of the other phases."""
        kept = np.arange(self.n_phases) != phase
        return self.pattern[kept], self.strain[:, kept]


def shifted_patterns(pattern: Array, strain: Array, step: float) -> Array:
    """Patterns as they are in every specimen (specimen, phase, channel)."""
    rows = [shifted(p, s / step) for p, s in zip(pattern, strain.T, strict=True)]
    return np.stack(rows, axis=1)


def describe(seen: Prepared, pattern: Array, strain: Array, n_rounds: int) -> Factors:
    """Find amounts, patterns and strains in turn.

    Args:
        seen: the patterns.
        pattern (phase, channel): to begin with.
        strain (specimen, phase): to begin with.
        n_rounds: how often.
    """
    pattern, strain = pattern / pattern.sum(1, keepdims=True), strain.copy()
    factors = _with_amounts(seen, pattern, strain, None)
    for round_ in range(n_rounds):
        pattern, strain = _improved(seen, factors, is_first=round_ == 0)
        factors = _with_amounts(seen, pattern, strain, factors.presence)
    return factors


def costs_of_leaving_out(seen: Prepared, factors: Factors) -> Array:
    """Weighted sum of squares (phase) that were left, the other phases staying as they are."""
    misfit, has = factors.amounts.misfit, factors.sets.has
    return np.array([misfit[:, has[:, k] == 0].min(1).sum() for k in range(factors.n_phases)])


def _with_amounts(seen: Prepared, pattern: Array, strain: Array, presence: Array | None) -> Factors:
    """Unmix every specimen."""
    sets = sets_of(len(pattern), seen.most_together)
    there = shifted_patterns(pattern, strain, seen.step) * seen.weight[:, None]
    counts = seen.counts * seen.weight
    normal, right = there @ there.transpose(0, 2, 1), (there @ counts[..., None])[..., 0]
    square = (counts**2).sum(1)
    amounts = solve(normal, right, square, sets)
    best = amounts.misfit.argmin(1)
    of_best = np.take_along_axis(amounts.amount, best[:, None, None], 1)
    memory = _memory(counts - (of_best @ there)[:, 0])
    least = amounts.misfit.min(1) / counts.shape[1]
    variance = np.maximum(np.median(least), least)
    n_independent = max(counts.shape[1] / memory, 2.0)
    evidence = -amounts.misfit / (2 * variance[:, None] * memory) - 0.5 * np.log(
        n_independent
    ) * sets.has.sum(1)
    probability = weigh(evidence, sets, seen.neighbours.mean, COUPLING, presence)
    misfit = (probability * np.where(probability > 0, amounts.misfit, 0)).sum(1)
    amount = (probability[:, None] @ amounts.amount)[:, 0]
    explained = 1 - float(misfit.sum() / square.sum())
    return Factors(pattern, strain, sets, probability, amounts, amount, misfit, variance, memory, explained)


def _memory(residual: Array) -> float:
    """Sum of the autocorrelation of residuals (specimen, channel), to where it has died out."""
    whole, n = (residual**2).mean(), residual.shape[1]
    memory = 1.0
    for lag in range(1, min(LONGEST_MEMORY, n)):
        alike = float((residual[:, lag:] * residual[:, : n - lag]).mean() / max(whole, 1e-300))
        if alike < 0.05:
            break
        memory += 2 * alike
    return memory


def _improved(seen: Prepared, factors: Factors, *, is_first: bool) -> tuple[Array, Array]:
    """Patterns and strains that fit better, one phase after the other."""
    pattern, strain = factors.pattern.copy(), factors.strain.copy()
    there = shifted_patterns(pattern, strain, seen.step)
    left = seen.counts - (factors.amount[:, None] @ there)[:, 0]
    noise = float(np.median(factors.variance)) * factors.memory
    for k, amount in enumerate(factors.amount.T):
        if amount.max() <= 0:
            continue
        own = left + amount[:, None] * there[:, k]
        learned = _pattern(own, amount, strain[:, k] / seen.step, seen.weight)
        size = learned.sum()
        if size <= 0:
            continue
        pattern[k], amount = learned / size, amount * size
        moved = shifted(pattern[k], strain[:, k] / seen.step)
        left = own - amount[:, None] * moved
        if not is_first:
            strain[:, k] += _strain_step(seen, left, amount, moved, strain[:, k], noise)
    return pattern, strain


def _pattern(own: Array, amount: Array, shift: Array, weight: Array) -> Array:
    """The pattern (channel) of one phase, from what the others leave of every specimen."""
    back, inside = shifted_back(own, shift)
    importance, _ = shifted_back(weight**2, shift)
    above = (amount[:, None] * back * importance).sum(0)
    below = (amount[:, None] ** 2 * importance * inside).sum(0)
    return np.maximum(above, 0) / np.maximum(below, RARE * below.max())


def _strain_step(
    seen: Prepared, left: Array, amount: Array, moved: Array, strain: Array, noise: float
) -> Array:
    """By how much the strain (specimen) of one phase should change: a smooth Gauss-Newton step."""
    slope = -amount[:, None] * np.gradient(moved, seen.step, axis=1) * seen.weight
    curvature = (slope**2).sum(1) / noise
    pull = (slope * left * seen.weight).sum(1) / noise
    smooth = seen.neighbours.roughness / STRAIN_SLOPE**2
    ridge = 1e-6 * (curvature.max() + 1)
    step = np.linalg.solve(np.diag(curvature + ridge) + smooth, pull - smooth @ strain)
    return step * min(1.0, LARGEST_STEP * seen.step / max(np.abs(step).max(), 1e-300))


def in_order(factors: Factors, order: Indices) -> Factors:
    """The same phases in another order."""
    amounts = replace(factors.amounts, amount=factors.amounts.amount[:, :, order])
    return replace(
        factors,
        pattern=factors.pattern[order],
        strain=factors.strain[:, order],
        sets=Sets(factors.sets.has[:, order]),
        amounts=amounts,
        amount=factors.amount[:, order],
    )
