"""Closed loops on a finite pool: how many tries a rule needs to find the best of it.

A pool is a table of candidates whose outcome is known. A rule sees the outcomes of what it tried and says
what to try next, never the same candidate twice. Noise is part of the table: a candidate has one outcome.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

N_START = 5  # random candidates that are tried before a rule is asked


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates and their outcomes.

    Attributes:
        name: what it is called.
        x (candidate, input): the design.
        outcome (candidate, objective): as measured; NaN only where `failed`.
        inputs: a name for each column of `x`.
        is_mixture: the inputs are fractions of one whole and sum to one.
        signs (objective): 1 where more is better, -1 where less is.
        share: a candidate within this best share of the pool counts as found; 0 for the best alone.
        groups: columns of `x` that are the levels of one categorical input, and its name.
        failed (candidate): True where a try gave no usable outcome; none when None.
    """

    name: str
    x: np.ndarray
    outcome: np.ndarray
    inputs: Sequence[str]
    is_mixture: bool = False
    signs: tuple[int, ...] = (1,)
    share: float = 0.0
    groups: dict[str, list[str]] = field(default_factory=dict)
    failed: np.ndarray | None = None

    def __len__(self) -> int:
        """Count the candidates."""
        return len(self.x)

    @property
    def score(self) -> np.ndarray:
        """Outcome (candidate) of the first objective, where more is better."""
        return self.signs[0] * self.outcome[:, 0]

    @property
    def winners(self) -> np.ndarray:
        """Whether a candidate is what is looked for (candidate)."""
        ranked = np.sort(np.nan_to_num(self.score, nan=-np.inf))[::-1]
        return self.score >= ranked[max(int(np.ceil(self.share * len(ranked))), 1) - 1]

    def start(self, seed: int, n: int = N_START) -> "State":
        """Try some random candidates: the same for every rule."""
        rows = np.random.default_rng(seed).permutation(len(self))[:n]
        return State(self, rows, seed)


@dataclass(frozen=True, eq=False)
class State:
    """What a rule knows when it is asked.

    Attributes:
        pool: the candidates; only the outcomes of what was tried may be read.
        tried (try): rows of the pool, in the order they were tried.
        seed: of the loop.
    """

    pool: Pool
    tried: np.ndarray
    seed: int

    @property
    def open(self) -> np.ndarray:
        """Rows that were not tried."""
        is_open = np.ones(len(self.pool), bool)
        is_open[self.tried] = False
        return np.flatnonzero(is_open)

    @property
    def score(self) -> np.ndarray:
        """Outcomes (try) of the first objective, where more is better."""
        return self.pool.score[self.tried]

    @property
    def rng(self) -> np.random.Generator:
        """Randomness of this step of this loop."""
        return np.random.default_rng([self.seed, len(self.tried)])

    def after(self, rows: Iterable[int]) -> "State":
        """Try some rows."""
        return replace(self, tried=np.append(self.tried, np.asarray(list(rows), int)))


Rule = Callable[[State, int], Sequence[int]]  # what to try next, so many rows
PlainRule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], int]


def plain(rule: PlainRule) -> Rule:
    """Make a rule of a function `(x, y, open_rows, rng) -> row` of plain arrays.

    `x` (candidate, input) is the whole pool; `y` (candidate) is NaN where nothing was tried, and more of it
    is better; `open_rows` are the rows to choose from.
    """

    def ask(state: State, n: int) -> list[int]:
        y = np.full(len(state.pool), np.nan)
        y[state.tried] = state.score
        chosen = []
        for _ in range(n):
            rows = state.open if not chosen else np.setdiff1d(state.open, chosen)
            chosen.append(int(rule(state.pool.x, y, rows, state.rng)))
        return chosen

    return ask


@dataclass(frozen=True)
class Course:
    """How one loop went.

    Attributes:
        tried: rows of the pool in the order they were tried, the start included.
        rounds: how often the rule was asked.
        seconds: CPU time of the rule alone.
    """

    tried: list[int]
    rounds: int
    seconds: float

    @property
    def tries(self) -> int:
        """Extra tries after the start."""
        return len(self.tried) - N_START


def follow(pool: Pool, rule: Rule, seed: int, batch: int = 1, n_total: int | None = None) -> Course:
    """Let a rule choose until what is looked for has been found, or until so many were tried in total."""
    state, seconds, rounds, is_winner = pool.start(seed), 0.0, 0, pool.winners
    while len(state.tried) < n_total if n_total else not is_winner[state.tried].any():
        begun = time.process_time()
        rows = list(rule(state, min(batch, len(state.open))))
        seconds += time.process_time() - begun
        if not rows or len(set(rows)) < len(rows) or not np.isin(rows, state.open).all():
            raise RuntimeError(
                f"A rule must choose distinct rows that are open in {pool.name}. "
                f"Found: {rows} after {len(state.tried)} tries. Try: choose from state.open."
            )
        state, rounds = state.after(rows), rounds + 1
    return Course([int(row) for row in state.tried], rounds, seconds)


def random_tries(pool: Pool, batch: int = 1) -> float:
    """Give the mean extra tries of random choice, exactly.

    In a random order the first of k winners among n is beyond place t with probability C(n-k, t) / C(n, t).
    """
    n, k = len(pool), int(pool.winners.sum())
    t = np.arange(n - k + 1)
    beyond = np.cumprod(np.append(1.0, (n - k - t[:-1]) / (n - t[:-1])))
    sizes = np.minimum(batch, n - t[N_START::batch])  # the last batch may be cut short
    return float(sizes @ beyond[N_START::batch])


def relative_tries(rule: Rule, pools: Iterable[Pool], seed: int = 0) -> float:
    """Give the mean tries of a rule over pools, each relative to random choice in it."""
    return float(np.mean([follow(pool, rule, seed).tries / random_tries(pool) for pool in pools]))
