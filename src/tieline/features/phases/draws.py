"""What is known of the phases of a specimen: draws of which coexist, and of how much there is of each.

The scatter of amounts is that of a jackknife over stretches of the axis, since lines of one phase differ from
specimen to specimen (texture) by more than counting noise.
"""

from dataclasses import dataclass

import numpy as np

from tieline.features.phases.ambiguity import exchange_limits, exchanged, textured
from tieline.features.phases.arrays import Array
from tieline.features.phases.factors import Factors, Prepared, shifted_patterns

N_DRAWS = 400
N_STRETCHES = 10  # of the axis, left out one at a time


@dataclass(frozen=True)
class Knowledge:
    """What is known of every specimen's phases.

    Attributes:
        share (specimen, phase): mean part of the counts of the lines.
        low, high (specimen, phase): ends of the interval.
        main (specimen, phase): probability of being the largest share.
        present (specimen, phase): probability of being there.
    """

    share: Array
    low: Array
    high: Array
    main: Array
    present: Array


def draw_shares(seen: Prepared, factors: Factors, extent: Array, level: float, seed: int) -> Knowledge:
    """Draw sets of phases and amounts from what the fit left open.

    Args:
        seen: the patterns.
        factors: their description.
        extent (channel): of the measured axis that a channel covers, so that counts are those of this axis.
        level: probability of the intervals.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    amount = _amounts(seen, factors, rng)
    area = factors.pattern @ extent
    plain = _shares(amount * area)
    limits = exchange_limits(factors.pattern, factors.amount)
    open_ = exchanged(textured(amount, factors.pattern, seen.counts, rng), limits, rng)
    shares, share = _shares(open_ * area), plain.mean(1)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2], axis=1)
    main = np.stack([np.bincount(row.argmax(1), minlength=shares.shape[2]) for row in shares]) / N_DRAWS
    return Knowledge(share, np.minimum(low, share), np.maximum(high, share), main, factors.presence)


def _shares(amount: Array) -> Array:
    return amount / np.maximum(amount.sum(-1, keepdims=True), 1e-300)


def _amounts(seen: Prepared, factors: Factors, rng: np.random.Generator) -> Array:
    """Draws of amounts (specimen, draw, phase) as if the patterns of the phases were known."""
    there = shifted_patterns(factors.pattern, factors.strain, seen.step) * seen.weight[:, None]
    counts = seen.counts * seen.weight
    noise = factors.variance * factors.memory
    amounts = np.zeros((len(there), N_DRAWS, factors.n_phases))
    for i, (probability, own) in enumerate(zip(factors.probability, there, strict=True)):
        counted = rng.multinomial(N_DRAWS, probability / probability.sum())
        start = 0
        for s in np.flatnonzero(counted):
            chosen = np.flatnonzero(factors.sets.has[s])
            covariance = amount_covariance(own[chosen], counts[i], noise[i])
            mean, stop = factors.amounts.amount[i, s, chosen], start + counted[s]
            drawn = rng.multivariate_normal(mean, covariance, counted[s], method="eigh")
            amounts[i, start:stop, chosen] = np.maximum(drawn, 1e-9 * mean.max(initial=1e-12)).T
            start = stop
        rng.shuffle(amounts[i], axis=0)  # a draw of the patterns is to meet any set of phases
    return amounts


def amount_covariance(patterns: Array, counts: Array, noise: float) -> Array:
    """Covariance (phase, phase) of amounts: of a jackknife over stretches, at least that of noise.

    Args:
        patterns (phase, channel): weighted.
        counts (channel): weighted.
        noise: variance of a channel times how many resemble each other.
    """
    edges = np.linspace(0, len(counts), N_STRETCHES + 1).astype(int)[:-1]
    products = np.add.reduceat(patterns[:, None] * patterns, edges, axis=2)
    right = np.add.reduceat(patterns * counts, edges, axis=1)
    whole, whole_right = products.sum(2), right.sum(1)
    ridge = 1e-6 * np.trace(whole) * np.eye(len(patterns))
    rest = np.moveaxis(whole[..., None] - products, 2, 0) + ridge
    amounts = np.linalg.solve(rest, (whole_right[:, None] - right).T[..., None])[..., 0]
    away = amounts - amounts.mean(0)
    jackknife = (N_STRETCHES - 1) / N_STRETCHES * away.T @ away
    return jackknife + np.linalg.inv(whole + ridge) * noise
