"""Back-tests: which strategy would have found the best of a table soonest?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import SchemaError, TielineError, did_you_mean
from tieline.planning.backtest_answer import summarise
from tieline.planning.backtest_log import Run, RunLog
from tieline.planning.choice import Acquisition
from tieline.planning.goals import Goal, write_goal
from tieline.planning.strategies import Chance, Rule, Strategy
from tieline.planning.virtual_lab import VirtualLab, open_lab

RANDOM = "random"  # the word for a strategy that is chance alone


def backtest(
    table: xr.Dataset,
    goal: Goal,
    strategies: Mapping[str, Rule | str],
    *,
    n_start: int | Sequence[int] = 5,
    n_repeats: int = 50,
    n_tries: int | None = None,
    batch: int = 1,
    noise: float | Mapping[str, float] = 0.0,
    starts_with_replacement: bool = True,
    picks_with_replacement: bool = True,
    top_share: float | None = None,
    threshold: float | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    chunk: int = 5,
    keep: str | Path | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> xr.Dataset:
    """Run virtual experiments on a table whose every result is known, and count who finds the best soonest.

    A run draws its start from the table at random, then lets a strategy choose places one by one or in
    batches, and hands it what the table says there, with noise if wanted. It ends when the best place was
    measured or the tries are spent. In the same repeat all strategies meet the same start and the same noise.

    Args:
        table (specimen): the known results: design variables and the properties in the goal. Rows that lack
            one are left out; of a place with several rows the mean counts as true.
        goal: `Maximize`, `Minimize`, `Target`, or a weighted sum of them.
        strategies: by the names they shall have: `tl.Strategy(model, "ucb")`, the word "random", or any
            object with its method `choose`.
        n_start: places measured before the first choice; several numbers are compared.
        n_repeats: runs of each strategy from each number of starts.
        n_tries: allowed after the start; by default as many as there are places, less the start.
        batch: places chosen at a time, all different.
        noise: standard deviation added to what is measured, in the property's unit; or {property: sd}.
        starts_with_replacement: whether the start may hold a place twice, as in the published study.
        picks_with_replacement: whether a measured place may be chosen again, as in the published study.
        top_share: count the best share of places, in (0, 1], as found instead of the very best.
        threshold: count every place as found that is at least as good as this, in the property's unit; as a
            distance where the goal is a target.
        seed: of starts, noise, fits and choices. The answer depends on it alone, whatever the executor.
        executor: runs chunks of repeats side by side: a `ProcessPoolExecutor`, loky, or on a cluster
            `dask.distributed.Client(...).get_executor()`. Without it they take turns.
        chunk: repeats in one task.
        keep: a file to which every run is appended when it is done. Runs that it holds are not done again:
            a broken-off back-test goes on, and a finished one grows by repeats, starts or strategies.
        progress: called with the number of runs done and of all runs, after every task.

    Returns:
        On (strategy, n_start, repeat): `is_found`; `extra_tries` after the start (0 where the start holds the
        best, NaN where it was not found; in batches to the end of the batch); `tries_spent`, found or not;
        `picks (..., order)`, the rows of the table that were measured, -1 after the last; `best_so_far` and
        `regret (..., tries)`, the true value of the best place measured so far and what it lacks, in the
        property's unit (spreads over the table where the goal is a sum). On (strategy, n_start):
        `found_share` with its 95 % interval `found_share_low`, `found_share_high`; `mean_extra_tries` over
        found cases only, `mean_tries_spent` over all, and their standard errors `..._sd`. On n_start:
        `random_found_share`, `random_extra_tries`, `random_tries_spent`, what chance does on average, in
        closed form. attrs say the goal, the rules, the strategies, and notes.

    Raises:
        SchemaError: the table lacks a variable or has no complete row.
        TielineError: a strategy, number or threshold that makes no sense; a file of other runs.

    Source:
        The virtual experiments of Zhao, KIT (2024), section 4.1.2, with its rules as defaults.

    Example:
        >>> import pandas as pd, tieline as tl
        >>> sheet = pd.DataFrame({"temperature": range(80), "strength": range(80)})
        >>> known = tl.table(sheet, roles={"temperature": "process", "strength": "property"})
        >>> found = backtest(known, tl.Maximize("strength"), {"chance": "random"}, n_start=1, n_repeats=200)
        >>> round(found["random_found_share"].item(), 3), round(found["found_share"].item(), 2)
        (0.634, 0.67)
    """
    rules = {name: _rule(name, given) for name, given in strategies.items()}
    if not rules:
        raise TielineError(
            "A back-test compares at least one strategy.",
            found="none",
            hint='{"UCB": tl.Strategy(model, "ucb"), "random": "random"}',
        )
    n_starts = [n_start] if isinstance(n_start, int | np.integer) else [int(n) for n in n_start]
    _check_numbers(n_starts, n_repeats, n_tries, batch, chunk, noise, top_share)
    lab, notes = open_lab(
        table,
        _design(rules, table),
        goal,
        noise,
        top_share=top_share,
        threshold=threshold,
        n_tries=n_tries,
        batch=batch,
        starts_with_replacement=starts_with_replacement,
        picks_with_replacement=picks_with_replacement,
        seed=seed,
    )
    _check_starts(lab, n_starts)
    settings = {
        "table": lab.fingerprint(),
        "goal": write_goal(goal),
        "noise": dict(lab.noise),
        "n_tries": n_tries,
        "batch": batch,
        "starts_with_replacement": starts_with_replacement,
        "picks_with_replacement": picks_with_replacement,
        "top_share": top_share,
        "threshold": threshold,
        "seed": seed,
    }
    described = {name: repr(rule) for name, rule in rules.items()}
    log = RunLog.open(keep, settings, described)
    runs = list(product(rules, n_starts, range(n_repeats)))
    open_runs = [run for run in runs if run not in log.picks]
    n_done = len(runs) - len(open_runs)
    if progress is not None:
        progress(n_done, len(runs))
    for done in _carry_out(lab, rules, _chunks(open_runs, chunk), executor):
        log.add(done)
        n_done += len(done)
        if progress is not None:
            progress(n_done, len(runs))
    answer = summarise(lab, list(rules), n_starts, n_repeats, log.picks)
    about = {key: value for key, value in settings.items() if value is not None}
    about |= {"strategies": described, "n_places": lab.n_places, "n_best": int(lab.is_best.sum())}
    return answer.assign_attrs(about, notes=notes)


def _carry_out(
    lab: VirtualLab, rules: Mapping[str, Rule], chunks: list[list[Run]], executor: Executor | None
) -> Iterator[list[tuple[Run, np.ndarray]]]:
    """Do chunks of runs, and yield each chunk once it is done."""
    if executor is None:
        for chunk in chunks:
            yield _do(lab, rules[chunk[0][0]], chunk)
        return
    tasks = [executor.submit(_do, lab, rules[chunk[0][0]], chunk) for chunk in chunks]
    try:
        for task in as_completed(tasks):
            yield task.result()
    finally:
        for task in tasks:  # after an error or Ctrl-C, what has not begun is not begun
            task.cancel()


@threadpool_limits.wrap(limits=1, user_api="blas")  # one thread a task: its results and its speed
def _do(lab: VirtualLab, rule: Rule, chunk: list[Run]) -> list[tuple[Run, np.ndarray]]:
    return [(run, lab.run(rule, run[1], run[2])) for run in chunk]


def _chunks(runs: list[Run], n_together: int) -> list[list[Run]]:
    """Put runs of one strategy and one number of starts together."""
    groups: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        groups.setdefault(run[:2], []).append(run)
    return [own[i : i + n_together] for own in groups.values() for i in range(0, len(own), n_together)]


def _rule(name: str, given: Rule | str) -> Rule:
    """Read a strategy, and refuse what cannot choose."""
    if isinstance(given, str):
        if given == RANDOM:
            return Chance()
        raise TielineError(
            f"The strategy '{name}' is not one.",
            found=f"the word '{given}' {did_you_mean(given, [RANDOM])}".strip(),
            hint='tl.Strategy(model, "log_ei"), or the word "random"',
        )
    if not callable(getattr(given, "choose", None)):
        raise TielineError(
            f"The strategy '{name}' is not one.",
            found=repr(given),
            hint='tl.Strategy(model, "log_ei"), "random", or an object with a method choose',
        )
    if isinstance(given, Strategy) and given.acquisition not in (None, *get_args(Acquisition)):
        guess = did_you_mean(str(given.acquisition), get_args(Acquisition))
        raise TielineError(
            f"The strategy '{name}' has an acquisition that there is not.",
            found=f"'{given.acquisition}' {guess}".strip(),
            hint=f"{', '.join(get_args(Acquisition))}; or the word 'random' instead of a model",
        )
    return given


def _design(rules: Mapping[str, Rule], table: xr.Dataset) -> tuple[str, ...]:
    """List the design variables of all models; where there is no model, all settings in the table."""
    names: list[str] = []
    for rule in rules.values():
        design = getattr(getattr(rule, "model", None), "design", ())
        names += [design] if isinstance(design, str) else list(design)
    if not names:
        roles = ("synthesis", "process")
        names = [str(name) for name, v in table.data_vars.items() if v.attrs.get("role") in roles]
        names = [name for name in names if not name.endswith("_sd") and table[name].dtype.kind in "iuf"]
    if not names:
        raise SchemaError(
            "Nothing in the table can be taken for the design: what is set when a specimen is made.",
            found=", ".join(map(str, table.data_vars)) or "no variables",
            hint='tl.table(dataframe, roles={"temperature": "process"}), or a strategy with a model',
        )
    return tuple(dict.fromkeys(names))


def _check_numbers(
    n_starts: list[int],
    n_repeats: int,
    n_tries: int | None,
    batch: int,
    chunk: int,
    noise: float | Mapping[str, float],
    top_share: float | None,
) -> None:
    counts = {"n_repeats": n_repeats, "batch": batch, "chunk": chunk, "n_start": min(n_starts, default=0)}
    counts |= {} if n_tries is None else {"n_tries": n_tries}
    for name, count in counts.items():
        if count < 1:
            raise TielineError(f"{name} has to be at least 1.", found=f"{name}={count}", hint=f"{name}=1")
    sds = noise.values() if isinstance(noise, Mapping) else [noise]
    if not all(np.isfinite(sd) and sd >= 0 for sd in sds):
        raise TielineError(
            "Noise is a standard deviation, at least 0.", found=f"noise={noise}", hint="noise=0.0"
        )
    if top_share is not None and not 0 < top_share <= 1:
        raise TielineError(
            "A share of places lies between 0 and 1.", found=f"top_share={top_share:g}", hint="top_share=0.05"
        )


def _check_starts(lab: VirtualLab, n_starts: list[int]) -> None:
    if not lab.starts_with_replacement and max(n_starts) > lab.n_places:
        raise TielineError(
            f"There are not {max(n_starts)} different places to start with.",
            found=f"{lab.n_places} places",
            hint=f"n_start up to {lab.n_places}, or starts_with_replacement=True",
        )
    if lab.n_tries is None and max(n_starts) >= lab.n_places:
        raise TielineError(
            "No try is left after the start.",
            found=f"n_start={max(n_starts)} of {lab.n_places} places",
            hint="a smaller n_start, or n_tries=... to say how many tries there are",
        )
