"""Steps from place to place that never leave the constraints: hit-and-run, one direction after the other.

A direction is an elementary one, in which as few columns as possible change together: one number alone, an
amount passed from one ingredient to another, or as many columns as the equations tie together. Along it the
allowed places are an interval, of which one is drawn. Directions are whole numbers where there are steps, so
that places stay on them.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, gcd, lcm

import numpy as np

from tieline.planning.spaces.coding import Coding

MOST_DIRECTIONS = 5000  # of more, some are left out
LARGEST_PARTS = 10_000  # a direction on a step whose whole numbers are larger is left out
TINY = 1e-9


@dataclass(frozen=True)
class Directions:
    """Elementary directions of a space.

    Args:
        along (direction, column): by how much each code changes.
        is_whole (direction): whether only whole multiples stay on the steps.
    """

    along: np.ndarray
    is_whole: np.ndarray


def directions_of(coding: Coding) -> Directions:
    """Find the elementary directions that keep all equations, and those that also keep one other constraint.

    The latter run along a constraint: without them, a thin slice between two limits would be crossed in tiny
    steps only.
    """
    equations, which = coding.equations
    along = _elementary(coding, equations, MOST_DIRECTIONS)
    others = np.delete(coding.rows[0], which, axis=0)
    for row in others:
        along += _elementary(coding, np.vstack([equations, row]), MOST_DIRECTIONS // (4 * len(others)))
    stacked = np.array(along).reshape(-1, coding.is_whole.size)
    stacked = stacked[np.sort(np.unique(stacked.round(9), axis=0, return_index=True)[1])]
    return Directions(stacked, ((stacked != 0) & coding.is_whole).any(1))


def _elementary(coding: Coding, equations: np.ndarray, most: int) -> list[np.ndarray]:
    """List changes of as few columns as possible that keep some equations."""
    n_columns = coding.is_whole.size
    numeric = np.flatnonzero(~coding.is_choice)
    tied = numeric[np.abs(equations[:, numeric]).max(axis=0, initial=0.0) > 0]
    along = list(np.eye(n_columns)[np.setdiff1d(np.arange(n_columns), tied)])
    for size in range(2, np.linalg.matrix_rank(equations) + 2 if len(equations) else 0):
        for members in _subsets(tied, size, most):
            weights = _dependence(equations[:, members])
            weights = None if weights is None else _whole_multiple(weights, coding.is_whole[members])
            if weights is not None:
                along.append(np.zeros(n_columns))
                along[-1][members] = weights
    return along


def _subsets(columns: np.ndarray, size: int, most: int) -> list[list[int]]:
    """List sets of columns, or as many of them, picked at random."""
    if comb(columns.size, size) <= most:
        return [list(members) for members in combinations(columns.tolist(), size)]
    rng = np.random.default_rng(0)
    return [sorted(rng.choice(columns, size, replace=False).tolist()) for _ in range(most)]


def _dependence(equations: np.ndarray) -> np.ndarray | None:
    """Find how columns must change together; None unless there is exactly one way, in which all change."""
    _, singular, basis = np.linalg.svd(equations)
    rank = int((singular > TINY * max(singular[0], TINY)).sum())
    weights = basis[-1]
    if rank != equations.shape[1] - 1 or (np.abs(weights) < TINY).any():
        return None
    return weights / np.abs(weights).max()


def _whole_multiple(weights: np.ndarray, is_whole: np.ndarray) -> np.ndarray | None:
    """Scale weights so that those on a step are the smallest whole numbers; None if none are small enough."""
    if not is_whole.any():
        return weights
    on_step = weights[is_whole] / weights[is_whole][0]
    shares = [Fraction(w).limit_denominator(LARGEST_PARTS) for w in on_step.tolist()]
    multiple = lcm(*(share.denominator for share in shares))
    parts = [int(share * multiple) for share in shares]
    divisor = gcd(*parts)
    if max(map(abs, parts)) > LARGEST_PARTS or not np.allclose(
        [float(s) for s in shares], on_step, rtol=TINY
    ):
        return None
    scaled = weights * (multiple / divisor / weights[is_whole][0])
    scaled[is_whole] = np.array(parts) / divisor
    return scaled


@dataclass(frozen=True)
class Walkers:
    """Many places that wander at once, each within bounds of its own.

    Args:
        coding: inputs and linear constraints.
        directions: the elementary ones.
        low (place, column): the least code of each column.
        high (place, column): the largest.
        to_end: how often a step goes to the end of its interval, which is where optima often are.
    """

    coding: Coding
    directions: Directions
    low: np.ndarray
    high: np.ndarray
    to_end: float = 0.0

    def wander(self, codes: np.ndarray, n_steps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take random steps.

        Args:
            codes (place, column): allowed places, within their bounds.
            n_steps (place): how many steps each takes.
            rng: of the steps.

        Returns:
            (place, column): allowed places; where a place has no way to go, it is the same.
        """
        usable, n_usable = self._usable()
        codes, all_rows = codes.copy(), np.arange(len(codes))
        for step in range(int(n_steps.max(initial=0))):
            rows = all_rows[(n_steps > step) & (n_usable > 0)]
            pick = usable[rows, rng.integers(n_usable[rows])]
            along = self.directions.along[pick]
            length = self._lengths(codes[rows], rows, along, self.directions.is_whole[pick], rng)
            moved = np.clip(codes[rows] + length[:, None] * along, self.low[rows], self.high[rows])
            moved = np.where(along != 0, moved, codes[rows])
            if self.coding.rows[1]:  # levels: their part in a constraint is no multiple of their position
                moved = np.where(self.coding.meets_rows(moved)[:, None], moved, codes[rows])
            codes[rows] = moved
        return codes

    def _usable(self) -> tuple[np.ndarray, np.ndarray]:
        """List for each place the directions in which every column is free, and how many they are."""
        is_fixed = self.high <= self.low
        patterns, which = np.unique(is_fixed, axis=0, return_inverse=True)
        blocked = patterns.astype(float) @ (self.directions.along != 0).T.astype(float) > 0
        order = np.argsort(blocked, axis=1, kind="stable")
        return order[which.reshape(-1)], (~blocked).sum(1)[which.reshape(-1)]

    def _lengths(
        self,
        codes: np.ndarray,
        rows: np.ndarray,
        along: np.ndarray,
        is_whole: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw how far to go along a direction: evenly over what is allowed, or to its end."""
        coefficients, _, low, high = self.coding.rows
        slope, values = along @ coefficients.T, self.coding.row_values(codes)
        ahead = np.hstack([along, slope])
        down = np.hstack([self.low[rows] - codes, low - values])
        up = np.hstack([self.high[rows] - codes, high - values])
        moves = np.abs(ahead) > 1e-13
        safe = np.where(moves, ahead, 1.0)
        first = np.where(moves, np.where(ahead > 0, down, up) / safe, -np.inf).max(1)
        last = np.where(moves, np.where(ahead > 0, up, down) / safe, np.inf).min(1)
        first, last = np.minimum(first, 0.0), np.maximum(last, 0.0)  # one may stay, rounding or not
        whole_first, whole_last = np.ceil(first - TINY), np.floor(last + TINY)
        share = rng.random(len(rows))
        share = np.where(rng.random(len(rows)) < self.to_end, np.round(share), share)
        n_whole = whole_last - whole_first + 1
        whole = whole_first + np.minimum(np.floor(share * n_whole), n_whole - 1)
        return np.where(is_whole, whole, first + share * (last - first))


def jumped(coding: Coding, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change what has no small change: take another position in a list, or another ingredient.

    Args:
        coding: inputs and linear constraints.
        codes (place, column): allowed places.
        rng: of the changes.

    Returns:
        (place, column): allowed places; the same where the change is not allowed.
    """
    _, high = coding.bounds
    columns = np.flatnonzero(coding.is_choice & (high > 0))
    exchanges = coding.mixture is not None and coding.mixture[0].is_sparse
    n_kinds = columns.size + exchanges
    if n_kinds == 0:
        return codes
    new, kind = codes.copy(), rng.integers(n_kinds, size=len(codes))
    rows = np.flatnonzero(kind < columns.size)
    column = columns[kind[rows]]
    n_others = high[column]
    other = np.floor(rng.random(rows.size) * n_others)
    new[rows, column] = other + (other >= codes[rows, column])
    if coding.mixture is not None and exchanges:
        rows = np.flatnonzero(kind == columns.size)
        mixture, members = coding.mixture
        new[rows, members] = mixture.exchanged(codes[rows, members], rng)
    return np.where(coding.holds(new)[:, None], new, codes)
