"""Compare models on a task: through the same folds, tuned within them, with errors of their differences."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.evaluation.candidates import Candidate, candidates_for, tieline_model
from tieline.evaluation.comparison import Comparison
from tieline.evaluation.fold_run import Rows
from tieline.evaluation.learning_curve import learning_curve
from tieline.evaluation.race import BASELINE, Progress, Race, run_race
from tieline.evaluation.run_log import RunLog, fingerprint
from tieline.evaluation.scoring import recommend, score_race
from tieline.evaluation.task import Task
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.design_columns import labels_of
from tieline.models.learner_ways import Way
from tieline.models.posterior import label_sets
from tieline.schema import as_variables
from tieline.schema.flags import LIMITS


def compare(
    task: Task,
    models: Sequence[str] | Mapping[str, Any] | str | None = None,
    *,
    scheme: str = "grouped",
    n_folds: int = 5,
    n_repeats: int = 1,
    seed: int = 0,
    executor: Executor | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Find out which model predicts left-out groups best, and what that costs.

    All see the same folds. Holes are filled, columns scaled and settings chosen on training rows only. A
    model that cannot win any more is dropped after two folds or later; its scores are those of the folds that
    it ran. Limits of a target (`<name>_flag`) are tested on by nobody; models of this house learn from them.

    Args:
        task: from `tl.task`.
        models: names of the default set (mean, ridge, lasso, neighbours, support_vectors, random_forest,
            extra_trees, gradient_boosting, gaussian_process, network, and the tieline models that fit the
            task), or {name: unfitted scikit-learn estimator}; by default the whole set.
        scheme: "grouped", "clusters" or "time": see `Task.folds`.
        n_folds: how many.
        n_repeats: how often the rows are divided anew.
        seed: of folds and fits; the same seed gives the same answer, in any number of processes.
        executor: runs side by side, such as `concurrent.futures.ProcessPoolExecutor(2)`.
        keep: folder in which runs are kept; the same call goes on from them.
        progress: told how many runs were made, and how many there are at most.

    Returns:
        The comparison: `scores`, `curves`, a recommendation, and what each predicted.

    Raises:
        SchemaError: a model does not fit the task, there is no such scheme, or nothing would be run.
        NotIdentified: all rows are of one group.
        Conflict: the folder holds runs of another comparison.
    """
    if not isinstance(task, Task):
        raise SchemaError(
            "What is compared is compared on a task.",
            found=type(task).__name__,
            hint='tl.compare(tl.task(table, "hardness"))',
        )
    if n_repeats < 1:
        raise SchemaError(
            "Rows are divided once at least.", found=f"n_repeats={n_repeats}", hint="n_repeats=1"
        )
    candidates = candidates_for(task, [models] if isinstance(models, str) else models)
    settled = {}
    for target in task.targets:
        race = _race(task, target, candidates, scheme, n_folds, n_repeats, seed, keep)
        finished = run_race(race, executor, progress)
        scores = score_race(race, finished, task.table[target].attrs.get("units", ""))
        chosen = recommend(race, finished)
        has_curve = chosen != BASELINE and scheme == "grouped"
        curve = learning_curve(race, chosen, executor) if has_curve else None
        settled[target] = (scores, chosen, curve)
    return Comparison.of(task, settled, scheme)


def _race(
    task: Task,
    target: str,
    candidates: list[Candidate],
    scheme: str,
    n_folds: int,
    n_repeats: int,
    seed: int,
    keep: str | Path | None,
) -> Race:
    arrays = TaskArrays.of(task.table, (), target)
    at = np.flatnonzero(arrays.has_target)
    place = np.full(task.table.sizes["specimen"], -1)
    place[at] = np.arange(len(at))
    y, x = arrays.told[at], task.columns()[at]
    labels = np.unique(y) if arrays.label is not None else np.zeros(0, dtype=str)
    rows = Rows(x, y, labels, np.unique(task.group[at], return_inverse=True)[1])
    folds = []
    for repeat in range(n_repeats if scheme == "grouped" else 1):
        found = task.folds(target, scheme, n_folds, seed + repeat)
        folds.append([(place[train], place[test]) for train, test in found])
    ours = {c.name: _question(task, target, c, rows, at, scheme) for c in candidates if c.is_tieline}
    tables = [question.table for question in ours.values() if question.table is not None]
    read = [variable.values for table in tables for variable in table.variables.values()]
    divided = [part for repeat in folds for fold in repeat for part in fold]
    asked = {
        "rows": fingerprint(x, y, rows.group, *_limits(task, target), *divided, *read),
        "folds": [len(f) for f in folds],
        "scheme": scheme,
        "seed": seed,
        "models": {
            c.name: [c.way.name if isinstance(c.way, Way) else str(c.way), c.tried] for c in candidates
        },
    }
    folder = None if keep is None else Path(keep) / target
    return Race(target, rows, folds, {c.name: c for c in candidates}, seed, RunLog(folder, asked), ours)


def _limits(task: Task, target: str) -> list[np.ndarray]:
    """What is said of limits of a target; nothing where no flags stand beside it."""
    names = (target, f"{target}_flag")
    return [task.table[name].values for name in names] if names[1] in task.table.variables else []


def _question(task: Task, target: str, candidate: Candidate, rows: Rows, at: np.ndarray, scheme: str) -> Rows:
    """The rows as a table, with the tieline model that reads it, and rows that say something else.

    Those are limits of the target, and labels of phases. Of later specimens and of unlike clusters not even
    these may be known.
    """
    model, flag = tieline_model(str(candidate.way), task, target), f"{target}_flag"
    names = dict.fromkeys([*task.inputs, target, *label_sets(model)])
    says_more = np.zeros(task.table.sizes["specimen"], dtype=bool)
    if scheme == "grouped":
        if flag in task.table.variables:
            names[flag] = None
            says_more |= np.isin(task.table[flag].values.astype(str), LIMITS)
        for name in set(label_sets(model)) - {target}:
            says_more |= labels_of(task.table[name]) != ""
    more = np.setdiff1d(np.flatnonzero(says_more), at)
    both = np.concatenate([at, more])
    table: xr.Dataset = as_variables(task.table, list(names))[list(names)].isel(specimen=both)
    group = np.unique(task.group[both], return_inverse=True)[1]
    return replace(
        rows,
        group=group[: len(at)],
        table=table.reset_coords(drop=True),
        model=model,
        more=np.arange(len(at), len(both)),
        more_group=group[len(at) :],
    )
