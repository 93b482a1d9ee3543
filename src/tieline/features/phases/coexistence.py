"""Which phases coexist in a specimen, and how much of each: every set of a few is tried.

A pattern is unmixed by least squares with every set of at most `most` phases. Sets are weighed by how well
they fit, by their size, and by whether neighbours have the same phases, so that amounts come with the
probability of each set.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import softmax

from tieline.features.phases.arrays import Array

N_ROUNDS = 3  # of neighbours telling each other
IMPOSSIBLE = -1e12


@dataclass(frozen=True)
class Sets:
    """Sets of phases that may coexist.

    Attributes:
        has (set, phase): 1 where a phase belongs to a set.
    """

    has: Array


@dataclass(frozen=True)
class Amounts:
    """Amounts of phases in every specimen, for every set.

    Attributes:
        amount (specimen, set, phase): zero for phases outside the set.
        misfit (specimen, set): weighted sum of squares that is left; infinite where an amount were negative.
    """

    amount: Array
    misfit: Array


def sets_of(n_phases: int, most: int) -> Sets:
    """All sets of one to `most` phases."""
    sizes = range(1, min(most, n_phases) + 1)
    members = [chosen for size in sizes for chosen in combinations(range(n_phases), size)]
    has = np.zeros((len(members), n_phases))
    for row, chosen in zip(has, members, strict=True):
        row[list(chosen)] = 1
    return Sets(has)


def solve(normal: Array, right: Array, square: Array, sets: Sets) -> Amounts:
    """Unmix every specimen with every set.

    Args:
        normal (specimen, phase, phase): products of the phases' weighted patterns.
        right (specimen, phase): products with the specimen's.
        square (specimen): of the specimen's.
        sets: what to try.
    """
    n, n_phases = right.shape
    amount = np.zeros((n, len(sets.has), n_phases))
    gain = np.full((n, len(sets.has)), IMPOSSIBLE)
    ridge = 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-300
    for s, has in enumerate(sets.has):
        index = np.flatnonzero(has)
        block = normal[:, index[:, None], index] + ridge * np.eye(len(index))
        found = np.linalg.solve(block, right[:, index, None])[..., 0]
        if len(index) == 1:
            found = np.maximum(found, 0)
        fits = (found > 0).all(1) | (len(index) == 1)
        amount[:, s, index] = found
        gain[fits, s] = (found * right[:, index]).sum(1)[fits]
    misfit = np.maximum(square[:, None] - gain, 1e-9 * square[:, None] + 1e-300)
    return Amounts(amount, misfit)


def weigh(evidence: Array, sets: Sets, neighbours: Array, coupling: float, presence: Array | None) -> Array:
    """Probability of every set (specimen, set), neighbours agreeing.

    Args:
        evidence (specimen, set): logarithm, up to a constant of each specimen.
        sets: the sets.
        neighbours (specimen, specimen): weights of neighbours, which sum to one.
        coupling: log odds that a phase gains when all neighbours have it.
        presence (specimen, phase): probabilities to begin with; None for those of the evidence alone.
    """
    probability = np.asarray(softmax(evidence, axis=1))
    if presence is None:
        presence = probability @ sets.has
    for _ in range(N_ROUNDS):
        agreed = coupling * (2 * neighbours @ presence - 1) * (neighbours.sum(1, keepdims=True) > 0)
        probability = np.asarray(softmax(evidence + agreed @ sets.has.T, axis=1))
        presence = probability @ sets.has
    return probability
