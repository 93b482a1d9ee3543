"""What one would use instead of tieline on a pool: scikit-learn's Gaussian process, or chance.

`gpr_ei`, `gpr_ucb`: `GaussianProcessRegressor` with an ARD Matern-5/2 kernel and fitted noise, inputs
scaled to the unit box, `normalize_y`, three starts; expected improvement, or 1.96 sd above the mean. In a
batch the earlier places count as measured with their predicted mean (Kriging believer).
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from benchmarks.pool_loop import Pool, Rule, State

UCB_WIDTH = 1.96
Score = Callable[[np.ndarray, np.ndarray, float], np.ndarray]  # mean, sd, best so far


def choose_at_random(pool: Pool, seed: int) -> Rule:
    """Take any candidates."""
    return lambda state, n: state.rng.choice(state.open, n, replace=False).tolist()


def scikit_learn(score: Score) -> Callable[[Pool, int], Rule]:
    """Make the rule that takes the best score of a fresh Gaussian process."""

    def make(pool: Pool, seed: int) -> Rule:
        unit = unit_box(pool.x)

        def ask(state: State, n: int) -> Sequence[int]:
            known, y, chosen, kernel = state.tried, state.score, [], None
            for _ in range(n):
                gp = _fit(unit[known], y, kernel)
                rows = np.setdiff1d(state.open, chosen)
                mean, sd = gp.predict(unit[rows], return_std=True)
                best = int(score(mean, sd, y.max()).argmax())
                chosen.append(int(rows[best]))
                known, y, kernel = np.append(known, rows[best]), np.append(y, mean[best]), gp.kernel_
            return chosen

        return ask

    return make


def _fit(x: np.ndarray, y: np.ndarray, kernel: object | None) -> GaussianProcessRegressor:
    """Fit the hyperparameters, or keep those of a kernel."""
    if kernel is not None:
        return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(x, y)
    start = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(np.full(x.shape[1], 0.5), (5e-2, 20.0), nu=2.5)
    start += WhiteKernel(1e-2, (1e-6, 1.0))
    gp = GaussianProcessRegressor(start, normalize_y=True, n_restarts_optimizer=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a lengthscale at its bound: the axis is idle
        return gp.fit(x, y)


def expected_improvement(mean: np.ndarray, sd: np.ndarray, best: float) -> np.ndarray:
    """E[max(f - best, 0)] of a normal f."""
    sd = np.maximum(sd, 1e-12)
    z = (mean - best) / sd
    return sd * (z * norm.cdf(z) + norm.pdf(z))


def upper_bound(mean: np.ndarray, sd: np.ndarray, best: float) -> np.ndarray:
    """Mean + 1.96 sd."""
    return mean + UCB_WIDTH * sd


def unit_box(x: np.ndarray) -> np.ndarray:
    """Scale every input to [0, 1] over the pool."""
    low, span = x.min(0), np.ptp(x, axis=0)
    return (x - low) / np.where(span > 0, span, 1)
