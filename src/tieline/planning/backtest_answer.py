"""Runs of a back-test, put together into one Dataset."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import beta

from tieline.planning.backtest_log import Run
from tieline.planning.goals import property_terms
from tieline.planning.random_search import random_search
from tieline.planning.virtual_lab import VirtualLab

EXPECTED = "random, expected"  # what chance does on average, by its formula
DIMS = ("strategy", "n_start", "repeat")


def summarise(
    lab: VirtualLab,
    strategies: Sequence[str],
    n_starts: Sequence[int],
    n_repeats: int,
    picks: Mapping[Run, np.ndarray],
) -> xr.Dataset:
    """Count how often and how soon each strategy found the best, and follow the best so far.

    Returns:
        As `tieline.backtest`, without its attrs.
    """
    longest = max(lab.most_tries(n) for n in n_starts)
    shape = (len(strategies), len(n_starts), n_repeats)
    tries = np.full(shape, np.nan)
    found = np.zeros(shape, dtype=bool)
    best = np.full((*shape, longest + 1), -1)
    order = np.full((*shape, max(n_starts) + longest), -1)
    rows = lab.table["candidate"].values
    for s, strategy in enumerate(strategies):
        for i, n_start in enumerate(n_starts):
            for repeat in range(n_repeats):
                run = picks[strategy, n_start, repeat]
                at = s, i, repeat
                order[at][: len(run)] = rows[run]
                tries[at] = len(run) - n_start
                found[at] = lab.is_best[run].any()
                best[at][: lab.most_tries(n_start) + 1] = _leaders(lab, run, n_start)
    n_tries = np.where(found, tries, np.nan)
    answer = xr.Dataset(
        {
            "is_found": (DIMS, found),
            "extra_tries": (DIMS, n_tries),
            "tries_spent": (DIMS, tries),
            "picks": ((*DIMS, "order"), order),
        },
        {"strategy": list(strategies), "n_start": list(n_starts), "repeat": np.arange(n_repeats)},
    )
    answer = answer.assign_coords(tries=np.arange(longest + 1))
    return answer.assign(_curves(lab, best)).assign(_summaries(answer)).assign(_chance(lab, n_starts))


def _leaders(lab: VirtualLab, run: np.ndarray, n_start: int) -> np.ndarray:
    """Which place was the best measured so far, after the start and after every try.

    A run ends where the best is found, or where no place is left: the leader stays what it was.
    """
    record = np.maximum.accumulate(lab.utility[run])
    first = np.searchsorted(record, record)  # of a run that never falls, where its level was reached
    leaders = run[first][n_start - 1 :]
    return np.append(leaders, np.full(lab.most_tries(n_start) + 1 - len(leaders), leaders[-1]))


def _curves(lab: VirtualLab, best: np.ndarray) -> dict[str, xr.Variable]:
    parts = property_terms(lab.goal)
    value, units = lab.utility, ""
    if len(parts) == 1:
        variable = lab.table[parts[0][1].name]
        value, units = variable.values, str(variable.attrs.get("units", ""))
    dims = (*DIMS, "tries")
    is_there = best >= 0
    regret = lab.utility.max() - lab.utility
    return {
        "best_so_far": xr.Variable(dims, np.where(is_there, value[best], np.nan), {"units": units}),
        "regret": xr.Variable(dims, np.where(is_there, regret[best], np.nan), {"units": units}),
    }


def _summaries(answer: xr.Dataset) -> dict[str, xr.DataArray]:
    """Over repeats; `x_sd` is the standard error of x, and shares have a 95 % interval (Jeffreys)."""
    n = answer.sizes["repeat"]
    hits = answer["is_found"].sum("repeat")
    low, high = (hits.copy(data=beta.ppf(q, hits + 0.5, n - hits + 0.5)) for q in (0.025, 0.975))
    summaries = {
        "found_share": hits / n,
        "found_share_low": low.where(hits > 0, 0.0),
        "found_share_high": high.where(hits < n, 1.0),
    }
    for name in ("extra_tries", "tries_spent"):
        values = answer[name]
        count = values.notnull().sum("repeat")
        mean = values.sum("repeat") / count.where(count > 0)
        square = ((values - mean) ** 2).sum("repeat")
        summaries[f"mean_{name}"] = mean
        summaries[f"mean_{name}_sd"] = (square / (count - 1).where(count > 1) / count) ** 0.5
    return summaries


def _chance(lab: VirtualLab, n_starts: Sequence[int]) -> dict[str, tuple[str, list[float]]]:
    """What random picks can be expected to do under the same rules."""
    expected = [
        random_search(
            lab.n_places,
            lab.most_tries(n),
            n_start=n,
            n_best=int(lab.is_best.sum()),
            batch=lab.batch,
            starts_with_replacement=lab.starts_with_replacement,
            picks_with_replacement=lab.picks_with_replacement,
        )
        for n in n_starts
    ]
    return {
        "random_found_share": ("n_start", [e.found_share for e in expected]),
        "random_extra_tries": ("n_start", [e.extra_tries for e in expected]),
        "random_tries_spent": ("n_start", [e.tries_spent for e in expected]),
    }


def tabulate(result: xr.Dataset) -> pd.DataFrame:
    """Write a back-test as one row for each strategy and number of starts; chance by its formula comes last.

    Args:
        result: from `tieline.backtest`.

    Returns:
        Columns strategy, n_start, found_share and the ends of its 95 % interval, mean_extra_tries and its
        standard error, mean_tries_spent and its standard error.
    """
    names = ["found_share", "found_share_low", "found_share_high"]
    names += ["mean_extra_tries", "mean_extra_tries_sd", "mean_tries_spent", "mean_tries_spent_sd"]
    rows = result[names].to_dataframe(dim_order=["strategy", "n_start"]).reset_index()
    chance = pd.DataFrame(
        {
            "strategy": EXPECTED,
            "n_start": result["n_start"].values,
            "found_share": result["random_found_share"].values,
            "mean_extra_tries": result["random_extra_tries"].values,
            "mean_tries_spent": result["random_tries_spent"].values,
        }
    )
    return pd.concat([rows, chance], ignore_index=True)
