"""Choose places one by one where what they are worth is exactly Gaussian: no draws, hence no chance.

After each choice the field is as if the place had been measured and what was believed of it had come out, so
a batch spreads by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from scipy.special import log_ndtr

from tieline.models.gaussian_field import GaussianField
from tieline.models.kernels import JITTER, squared_distance
from tieline.planning.acquisition import (
    UCB_WIDTH,
    information_about_best,
    knowledge_gradient,
    log_expected_improvement,
)
from tieline.planning.choice import Choice, weighed

Batch = Literal["believer", "liar_min", "liar_max", "local_penalty"]
BATCHES = get_args(Batch)
N_DRAWS = 256  # joint draws for the scores that need them
TINY = 1e-300
NEAR = 0.02  # of the range of every input: a batch keeps this apart where its places tell nearly the same
TELLS_THE_SAME = 0.995  # correlation of places
ALIKE = 1e-9  # share of its variance that a place keeps, however much it behaves like the best


@dataclass
class FieldState:
    """What is believed of every place while a batch grows.

    Attributes:
        field: over candidates, and then pending places.
        n_candidates: how many of the places may be chosen.
        mean: expected utility (place).
        variance: of it (place), less what the places chosen so far will tell.
        best: expected utility that has to be beaten.
        rival: the place that has it, if it was measured.
        directions: what each settled place told (settled, place).
        settled: places that count as measured.
        batch: what is believed of a place that was chosen.
        worst: smallest expected utility of a measured place, which `liar_min` tells.
    """

    field: GaussianField
    n_candidates: int
    mean: np.ndarray
    variance: np.ndarray
    best: float
    rival: int | None
    batch: Batch
    worst: float
    directions: list[np.ndarray]
    settled: list[int]
    _beside_rival: tuple[int, np.ndarray] | None = None

    @classmethod
    def start(
        cls, field: GaussianField, n_candidates: int, n_measured: int, batch: Batch = "believer"
    ) -> "FieldState":
        """Begin with what was measured; what is pending is settled at once.

        Args:
            field: over candidates, pending places, and at last the measured ones.
            n_candidates: how many of its places are candidates.
            n_measured: how many were measured.
            batch: what is believed of a place that was chosen.
        """
        mean, variance = field.mean.copy(), field.variance.copy()
        n_open = len(mean) - n_measured
        measured = mean[n_open:]
        # With nothing measured in this campaign yet there is no best so far: beat an average place instead.
        best = measured.max() if n_measured else mean.mean()
        worst = measured.min() if n_measured else mean.min()
        rival = n_open + int(measured.argmax()) if n_measured else None
        state = cls(field, n_candidates, mean, variance, float(best), rival, batch, float(worst), [], [])
        for i in range(n_candidates, n_open):
            if batch == "local_penalty":
                state.settled.append(i)
            else:
                state.settle(i)
        return state

    def alone(self) -> "FieldState":
        """The same where the best so far counts as certain, which spares covariances of very many places."""
        return replace(self, rival=None)

    def improvement(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (candidate) of what each candidate is better than the best so far.

        Both are uncertain together. So the best itself, and what behaves like it, promise nothing.
        """
        variance = self.variance[self.open].copy()
        if self.rival is not None:
            shared = self._column_of_rival(self.rival)[self.open]
            variance = np.maximum(variance + self.variance[self.rival] - 2 * shared, variance * ALIKE)
        return self.mean[self.open] - self.best, np.sqrt(variance)

    def column(self, i: int) -> np.ndarray:
        """Covariance (place) of every place with place i, given what is settled."""
        column = self.field.column(i)
        for direction in self.directions:
            column -= direction * direction[i]
        return column

    def _column_of_rival(self, rival: int) -> np.ndarray:
        """The same for the best so far, which is asked for at every choice and seldom another."""
        if self._beside_rival is None or self._beside_rival[0] != rival:
            self._beside_rival = rival, self.column(rival)
        return self._beside_rival[1]

    def settle(self, i: int) -> None:
        """Take place i for measured."""
        column = self.column(i)
        scale = np.sqrt(max(column[i] + self.field.noise, TINY))
        direction = column / scale
        lie = {"liar_min": self.worst, "liar_max": self.best}.get(self.batch, float(self.mean[i]))
        self.mean = self.mean + direction * (lie - self.mean[i]) / scale
        self.variance = np.maximum(self.variance - direction**2, self.variance * 1e-9)
        if lie > self.best:
            self.best, self.rival = lie, i
        self.directions.append(direction)
        self.settled.append(i)
        if self._beside_rival is not None:
            rival, shared = self._beside_rival
            self._beside_rival = rival, shared - direction * direction[rival]

    @property
    def open(self) -> slice:
        """The candidates among the places."""
        return slice(0, self.n_candidates)

    def covariance(self) -> np.ndarray:
        """Covariance (candidate, candidate), given what is settled."""
        covariance = self.field.covariance()[self.open, self.open]
        for direction in self.directions:
            covariance -= np.outer(direction[self.open], direction[self.open])
        return covariance

    def draws(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Joint draws (draw, candidate)."""
        covariance = self.covariance()
        covariance.flat[:: len(covariance) + 1] += JITTER * self.field.prior_variance
        normals = rng.standard_normal((n, len(covariance)))
        return self.mean[self.open] + normals @ np.linalg.cholesky(covariance).T


@dataclass(frozen=True)
class Score:
    """How a place is scored.

    Attributes:
        of: score (candidate), larger is better.
        is_log: whether it is the logarithm of something that counts from zero.
        has_zero: whether it counts from zero, as a gain does and a value does not.
        settles: whether a batch takes each choice for measured before the next one.
    """

    of: Callable[[FieldState, np.random.Generator], np.ndarray]
    is_log: bool = False
    has_zero: bool = True
    settles: bool = True


def _log_ei(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    return log_expected_improvement(*state.improvement())


def _pi(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    """Logarithm of the probability of an improvement, which does not underflow."""
    lead, sd = state.improvement()
    return log_ndtr(lead / sd)


def _ucb(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    return state.mean[state.open] + UCB_WIDTH * np.sqrt(state.variance[state.open])


def _thompson(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    return state.draws(1, rng)[0]


def _p_best(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    """Share of joint draws in which a place is the best candidate."""
    winners = state.draws(N_DRAWS, rng).argmax(1)
    return np.bincount(winners, minlength=state.n_candidates) / N_DRAWS


def _lookahead(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    return knowledge_gradient(state.mean[state.open], state.covariance(), state.field.noise)


def _information(state: FieldState, rng: np.random.Generator) -> np.ndarray:
    largest = np.maximum(state.draws(N_DRAWS, rng).max(1), state.best)
    return information_about_best(state.mean[state.open], np.sqrt(state.variance[state.open]), largest)


SCORES = {
    "log_ei": Score(_log_ei, is_log=True),
    "pi": Score(_pi, is_log=True),
    "ucb": Score(_ucb, has_zero=False),
    "thompson": Score(_thompson, has_zero=False, settles=False),
    "p_best": Score(_p_best),
    "lookahead": Score(_lookahead),
    "information": Score(_information),
}


def choose_in_field(state: FieldState, n: int, acquisition: str, log_worth: np.ndarray, seed: int) -> Choice:
    """Choose candidates one by one.

    Args:
        state: the field, before the batch.
        n: how many.
        acquisition: name in `SCORES`.
        log_worth (candidate): logarithm of a factor on every score: how probably a specimen can be made
            there, or one over what it costs.
        seed: of the draws, for scores that need them.
    """
    score, rng = SCORES[acquisition], np.random.default_rng(seed)
    chosen: list[int] = []
    values = np.zeros(n)
    near = [_is_near(state, i) for i in state.settled]
    is_near = np.any(near, axis=0) if near else np.zeros(state.n_candidates, dtype=bool)
    for step in range(n):
        penalty = _log_penalty(state, chosen) if state.batch == "local_penalty" else 0.0
        worth = weighed(
            score.of(state, rng), log_worth + penalty, is_log=score.is_log, has_zero=score.has_zero
        )
        worth[chosen] = -np.inf
        if not np.isneginf(far := np.where(is_near, -np.inf, worth)).all():
            worth = far
        best = int(np.argmax(worth))
        values[step] = worth[best]
        chosen.append(best)
        is_near |= _is_near(state, best)
        if score.settles and state.batch != "local_penalty" and step < n - 1:
            state.settle(best)
    return Choice(chosen, values, None)


def _is_near(state: FieldState, i: int) -> np.ndarray:
    """Candidates that are neighbours of place i and would tell nearly the same (candidate)."""
    apart = np.abs(state.field.x[state.open] - state.field.x[i]).max(1)
    return (apart < NEAR) & (state.field.alike(i)[state.open] > TELLS_THE_SAME)


def _log_penalty(state: FieldState, chosen: list[int]) -> np.ndarray:
    """Logarithm of how probable it is that a place lies outside the reach of those chosen (candidate).

    Source: González et al. (2016), doi:10.48550/arXiv.1505.08052, eq. 6. The steepest slope is read off pairs
    of places.
    """
    x, mean = state.field.x[state.open], state.mean[state.open]
    penalty = np.zeros(len(x))
    settled = chosen + state.settled
    if not settled:
        return penalty
    some = np.linspace(0, len(x) - 1, min(len(x), 300)).astype(int)
    apart = np.sqrt(squared_distance(x[some], x[some], np.ones(x.shape[1])))
    rise = np.abs(np.subtract.outer(mean[some], mean[some]))
    steepest = (rise[apart > 0] / apart[apart > 0]).max(initial=0.0) + TINY
    for i in settled:
        distance = np.sqrt(squared_distance(x, state.field.x[i : i + 1], np.ones(x.shape[1])))[:, 0]
        reach = steepest * distance - state.best + state.mean[i]
        penalty += log_ndtr(reach / np.sqrt(state.variance[i]))
    return penalty
