"""The best of very many candidates, predicted in parts so that memory stays small."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST
from concurrent.futures import Executor, Future, wait
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.goals import (
    Goal,
    Maximize,
    Minimize,
    Pareto,
    PropertyGoal,
    map_terms,
    parse_goal,
    property_terms,
    utility_of,
    write_goal,
)
from tieline.planning.pool import design_names, is_complete
from tieline.planning.reason import measured_best
from tieline.schema import as_variables, require, require_table
from tieline.schema.wording import name_known

PART = 20_000  # candidates predicted at a time: 100 MB for 600 columns
AHEAD = 2  # parts that wait for each that is being predicted

Progress = Callable[[int], None]


def screen(
    posterior: Posterior,
    candidates: xr.Dataset | Iterable[xr.Dataset],
    goal: Goal | str,
    *,
    n: int = 20,
    caution: float = 0.0,
    part: int = PART,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Find the candidates that are expected to be best, among any number of them.

    Unlike `tl.propose`, which chooses a batch to learn from, it ranks each candidate by itself.

    Args:
        posterior: of any model.
        candidates: places on `specimen`; or tables of places, one after another, none of which needs to stay.
        goal: what is wanted of properties, one or a weighted sum; text as the command line writes it.
        n: how many are kept.
        caution: standard deviations by which each prediction is taken to be worse than it is.
        part: how many are predicted at a time.
        executor: predicts parts side by side.
        progress: told how many candidates were predicted so far.

    Returns:
        The best on `specimen`, best first: their design, what is predicted, `candidate` (their number in the
        order in which they came), `value` (of the goal, in standard deviations of what was measured) and, for
        a property that is to be large or small, `<name>_chance` to beat the best that was measured. attrs
        `n_candidates`, `goal` and `notes`.

    Raises:
        TielineError: the goal asks for a map or a compromise, or for what was not learned; n or part is not
            positive.
        SchemaError: the candidates are no table, or lack an input.
    """
    for name, number in (("n", n), ("part", part)):
        if not isinstance(number, int | np.integer) or number < 1:
            raise TielineError(
                "At least one candidate is kept and predicted at a time.",
                found=f"{name}={number!r}",
                hint=f"{name}={20 if name == 'n' else PART}",
            )
    if not np.isfinite(caution):
        raise TielineError("Caution is a number.", found=f"caution={caution}", hint="caution=1.0")
    goal = parse_goal(goal) if isinstance(goal, str) else goal
    wanted = _wanted(posterior, goal)
    names = design_names(posterior)
    best: xr.Dataset | None = None
    n_seen = n_whole = 0
    for found, count, whole in _predicted(
        posterior, _parts(candidates, part), (wanted, names, n, caution), executor
    ):
        n_seen, n_whole = n_seen + count, n_whole + whole
        best = found if best is None else _best(xr.concat([best, found], "specimen", join="outer"), n)
        if progress is not None:
            progress(n_seen)
    if best is None:
        raise TielineError("There are no candidates.", hint="a table with at least one row")
    if not best.sizes["specimen"]:
        raise TielineError(
            "No candidate has a complete design.",
            found=f"{n_seen} candidates",
            hint=f"fill in {', '.join(names)}",
        )
    predicted = posterior.predict(_design(best, names))
    notes = list(predicted.attrs.get("notes", []))
    if n_whole < n_seen:
        notes.append(f"{n_seen - n_whole} of {n_seen} candidates have no complete design and were left out.")
    best = best.drop_vars([c for c in best.coords if c in predicted.data_vars])
    clashing = [v for v in predicted.data_vars if v in best]
    answer = best.assign({str(k): v for k, v in predicted.drop_vars(clashing).data_vars.items()})
    answer = answer.assign(_chances(wanted, predicted, posterior))
    return answer.assign_attrs(n_candidates=n_seen, goal=write_goal(goal), notes=notes)


Wanted = list[tuple[float, PropertyGoal, float]]  # weight, goal, scale of the property
Question = tuple[Wanted, list[str], int, float]


def _wanted(posterior: Posterior, goal: Goal) -> Wanted:
    parts = property_terms(goal)
    if isinstance(goal, Pareto) or map_terms(goal) or not parts:
        raise TielineError(
            "Screening ranks candidates one by one, by properties.",
            found=str(goal),
            hint="a sum of maximize, minimize and target; tl.propose chooses for maps and compromises",
        )
    known = list(posterior.model.properties)
    for _, goal_part in parts:
        if goal_part.name not in known:
            raise TielineError(
                f"'{goal_part.name}' was not learned.", found=name_known(known, goal_part.name)
            )
    spread = {p.name: float(posterior.results[p.name].std()) or 1.0 for _, p in parts}
    return [(weight, p, spread[p.name]) for weight, p in parts]


def _parts(candidates: xr.Dataset | Iterable[xr.Dataset], part: int) -> Iterator[xr.Dataset]:
    is_one = candidates is None or isinstance(candidates, xr.Dataset | pd.DataFrame)
    tables: Any = [candidates] if is_one else candidates
    start = 0
    for table in tables:
        require_table(table, "tieline.table(dataframe)")
        for first in range(0, table.sizes["specimen"], part):
            rows = table.isel(specimen=slice(first, first + part))
            number = np.arange(start + first, start + first + rows.sizes["specimen"])
            yield rows.assign(candidate=("specimen", number))
        start += table.sizes["specimen"]


def _predicted(
    posterior: Posterior, parts: Iterator[xr.Dataset], question: Question, executor: Executor | None
) -> Iterator[tuple[xr.Dataset, int, int]]:
    """The best of each part, how many it had and how many were complete; few parts wait at a time."""
    if executor is None:
        for rows in parts:
            yield best_of_part(posterior, rows, question)
        return
    waiting: set[Future] = set()
    most = AHEAD * (getattr(executor, "_max_workers", None) or 1)
    for rows in parts:
        waiting.add(executor.submit(best_of_part, posterior, rows, question))
        if len(waiting) >= most:
            done, waiting = wait(waiting, return_when=FIRST)
            yield from (future.result() for future in done)
    yield from (future.result() for future in waiting)


def best_of_part(posterior: Any, rows: xr.Dataset, question: Question) -> tuple[xr.Dataset, int, int]:
    """Predict one part, and keep its best."""
    wanted, names, n, caution = question
    count = rows.sizes["specimen"]
    design = as_variables(rows, names)
    require(design, names, "tl.screen")
    rows = rows.isel(specimen=is_complete(design[names]))
    n_whole = rows.sizes["specimen"]
    if not n_whole:
        return rows[[*names, "candidate"]].assign(value=("specimen", np.zeros(0))), count, 0
    # A posterior that can leave the uncertainty away does so where it does not count.
    ask = posterior.predict if caution or not hasattr(posterior, "means") else posterior.means
    found = ask(_design(rows, names))
    value = np.zeros(n_whole)
    for weight, goal, scale in wanted:
        worth = utility_of(goal, found[goal.name].values)
        value += weight * worth / scale
        if caution:
            value -= weight * caution * found[f"{goal.name}_sd"].values / scale
    best = _best(rows[[*names, "candidate"]].assign(value=("specimen", value, {"units": "1"})), n)
    return best, count, n_whole


def _design(rows: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """The inputs alone: text beside them may bear the name of what is predicted."""
    design = as_variables(rows, names)[list(names)]
    return design.drop_vars([str(c) for c in design.coords if c not in design.dims])


def _best(rows: xr.Dataset, n: int) -> xr.Dataset:
    """The n rows of largest value, best first; of equal ones those that came first."""
    order = np.lexsort((rows["candidate"].values, -rows["value"].values))[:n]
    return rows.isel(specimen=order)


def _chances(wanted: Wanted, predicted: xr.Dataset, posterior: Posterior) -> dict[str, tuple]:
    """Chance (specimen) that a new measurement beats the best measured one."""
    found = {}
    for _, goal, _ in wanted:
        if isinstance(goal, Maximize | Minimize):
            best = measured_best(goal, posterior.results)
            gap = utility_of(goal, predicted[goal.name].values) - utility_of(goal, np.array(best))
            found[f"{goal.name}_chance"] = (
                "specimen",
                ndtr(gap / predicted[f"{goal.name}_sd"].values),
                {"units": "1"},
            )
    return found
