"""How many phases there are: one is added after the other, then one taken after the other."""

from collections.abc import Iterator

import numpy as np

from tieline.features.phases.arrays import Array
from tieline.features.phases.factors import (
    Factors,
    Prepared,
    costs_of_leaving_out,
    describe,
    shifted_patterns,
)

WORTH = 0.01  # of the sum of squares that a phase must explain
ROUNDS_UP, ROUNDS_TOP, ROUNDS_DOWN = 5, 11, 9


def search(seen: Prepared, most: int) -> dict[int, Factors]:
    """Describe a spread with every number of phases up to `most`.

    A phase is added where the residuals are largest, together with its neighbours'. Once there are as many
    as there may be, the one that is missed least is left out, and the others take its place: this way down
    finds better descriptions than the way up alone. The better of the two is kept.
    """
    best: dict[int, Factors] = {}
    for factors in _up(seen, most):
        best[factors.n_phases] = factors
    for factors in _down(seen, best[most]):
        if factors.misfit.sum() < best[factors.n_phases].misfit.sum():
            best[factors.n_phases] = factors
    return best


def choose(found: dict[int, Factors]) -> int:
    """The least number of phases beyond which none more is worth it."""
    numbers = sorted(found)
    explained = np.maximum.accumulate([found[n].explained for n in numbers])
    for i, n in enumerate(numbers[:-1]):
        if explained[i + 1] - explained[i] < WORTH and explained[-1] - explained[i] < 2 * WORTH:
            return n
    return numbers[-1]


def _up(seen: Prepared, most: int) -> Iterator[Factors]:
    smooth = (seen.counts + seen.neighbours.mean @ seen.counts) / 2
    pattern, strain = np.zeros((0, smooth.shape[1])), np.zeros((len(smooth), 0))
    left = smooth - smooth.mean(0)
    for n in range(1, most + 1):
        where = int(((left * seen.weight) ** 2).sum(1).argmax())
        pattern = np.vstack([pattern, np.maximum(smooth[where], 0)])
        strain = np.hstack([strain, np.zeros((len(smooth), 1))])
        factors = describe(seen, pattern, strain, ROUNDS_TOP if n == most else ROUNDS_UP)
        yield factors
        pattern, strain = factors.pattern, factors.strain
        residual = seen.counts - fitted(factors, seen.step)
        left = np.maximum((residual + seen.neighbours.mean @ residual) / 2, 0)


def _down(seen: Prepared, factors: Factors) -> Iterator[Factors]:
    while factors.n_phases > 2:
        pattern, strain = factors.without(int(costs_of_leaving_out(seen, factors).argmin()))
        factors = describe(seen, pattern, strain, ROUNDS_DOWN)
        yield factors


def fitted(factors: Factors, step: float) -> Array:
    """What the phases explain of every pattern (specimen, channel)."""
    there = shifted_patterns(factors.pattern, factors.strain, step)
    return (factors.amount[:, None] @ there)[:, 0]
