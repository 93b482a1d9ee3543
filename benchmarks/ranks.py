"""Ranks of the truth among draws of a posterior, and how far they may stray from uniform by chance."""

from functools import cache

import numpy as np
import xarray as xr
from scipy.stats import binom, chi2

LABEL_ERROR = 0.01  # in the likelihood of labels; any value makes a valid quantity
POINTS = np.arange(1, 40) / 40  # where the share of smaller ranks is looked at
N_BINS = 10  # of the chi-squared test
N_SIMULATED = 20_000  # sets of uniform ranks from which the band is found


def quantities(
    table: xr.Dataset, values: np.ndarray, phase: np.ndarray, noise: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute what is ranked, for draws or for the truth.

    Each is a function of one draw and of what was seen. A posterior that ignores what was seen has uniform
    ranks in all but the last, which is why that one is here.

    Args:
        table: what was learned from.
        values: noise-free at places that are asked for, then at the twins of learned ones (draw, place).
        phase: its name at the same places (draw, place).
        noise: variance of measurements at learned places, of the posterior's mean (specimen).

    Returns:
        By name, (draw).

    Source:
        Modrák et al. (2023), doi:10.1214/23-BA1404: quantities that depend on the data.
    """
    n = table.sizes["specimen"]
    label, value = table["phase"].values, table["strength"].values
    asked, labelled = values[:, :-n], label != ""
    misfit = np.nansum((value - values[:, -n:]) ** 2 / noise, axis=1)
    is_right = (phase[:, -n:] == label)[:, labelled]
    return {
        "value": asked[:, 0],
        "value_mean": asked.mean(1),
        "value_spread": asked.std(1),
        "phase_share": (phase[:, :-n] == min(label[labelled])).mean(1),
        "log_likelihood": np.log(np.where(is_right, 1 - LABEL_ERROR, LABEL_ERROR)).sum(1) - misfit / 2,
    }


def rank(truth: float, draws: np.ndarray, rng: np.random.Generator) -> float:
    """Give the truth's rank among draws, on (0, 1): uniform if it is one of them. Chance breaks ties."""
    smaller, equal = int((draws < truth).sum()), int((draws == truth).sum())
    return (smaller + int(rng.integers(equal + 1)) + rng.random()) / (len(draws) + 1)


def uniformity(ranks: np.ndarray) -> float:
    """Give the p value of the chi-squared test with ten bins."""
    found = np.histogram(ranks, N_BINS, (0, 1))[0]
    expected = len(ranks) / N_BINS
    return float(chi2.sf(((found - expected) ** 2).sum() / expected, N_BINS - 1))


def ecdf(ranks: np.ndarray) -> np.ndarray:
    """Give the share of ranks up to each of `POINTS`."""
    return (np.asarray(ranks)[:, None] <= POINTS).mean(0)


@cache
def band(n: int, false_alarm: float = 0.01, slack: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Bounds between which the whole curve of `ecdf` lies but for a chance of `false_alarm`.

    Args:
        n: number of ranks.
        false_alarm: for the whole curve.
        slack: by how much the true shares may depart from uniform.

    Source:
        Säilynoja et al. (2022), doi:10.1007/s11222-022-10090-6, by simulation.
    """
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, np.diff(np.r_[0.0, POINTS, 1.0]), N_SIMULATED).cumsum(1)[:, :-1]
    tail = np.minimum(binom.cdf(counts, n, POINTS), binom.sf(counts - 1, n, POINTS)).min(1)
    level = np.quantile(tail, false_alarm)
    low = binom.ppf(level, n, np.maximum(POINTS - slack, 0.0)) / n
    high = binom.isf(level * (1 - 1e-9), n, np.minimum(POINTS + slack, 1.0)) / n
    return low, high


def outside(ranks: np.ndarray, false_alarm: float = 0.01, slack: float = 0.0) -> float:
    """Give the largest distance by which the curve leaves its band; 0 inside."""
    low, high = band(len(ranks), false_alarm, slack)
    share = ecdf(ranks)
    return float(np.maximum(np.maximum(low - share, share - high), 0.0).max())
