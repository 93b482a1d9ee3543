"""A model fitted anew because data arrived, and challenged: it stays unless another is better, or simpler.

All are judged on the same folds of all data, by rows that they did not learn from. What was decided, and on
which numbers, stands in the table of the posterior: it is saved with it, and on its model card.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.evaluation.challenge import challenge
from tieline.evaluation.compare import compare
from tieline.evaluation.left_out import half_widths, losses_of
from tieline.evaluation.task import Task, task
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Indices, Mask
from tieline.models.posterior import Posterior, label_sets, names_of
from tieline.schema import as_variables, is_label
from tieline.schema.hashing import table_hash
from tieline.schema.wording import after_number

DECISIONS = "decisions"  # attribute of a table: how it came that its model is in use, the latest last


@dataclass(frozen=True, eq=False)
class Retraining:
    """What came of it.

    Attributes:
        posterior: of the model that stays, learned from all rows.
        scores: on `model`, the one in use first: loss and loss_se (mean absolute error in the unit of the
            property, of several in their standard deviations; of labels the log loss), behind and behind_se
            (loss beyond that of the one in use, paired), and simplicity.
        decision: which model stays, and why.
        arrived: how the posterior in use did on rows that it had not seen; "" where there are none.
        task: what was asked of all data, with what is wrong with them.
    """

    posterior: Posterior
    scores: xr.Dataset
    decision: str
    arrived: str
    task: Task

    def __repr__(self) -> str:
        return "\n".join(["<Retraining>", *(s for s in (self.arrived, self.decision) if s), repr(self.task)])


def retrain(
    posterior: Posterior,
    table: xr.Dataset,
    challengers: Sequence[Any] | None = None,
    *,
    groups: str | None = None,
    n_folds: int = 5,
    seed: int = 0,
) -> Retraining:
    """Learn from all data that there are now, with the model in use or one that does better.

    The model in use stays unless a challenger errs less by more than a paired standard error, or is simpler
    and errs no more than a standard error and 2 % more.

    Args:
        posterior: in use; of any model that reads a design.
        table: all rows, old and new, on `specimen`.
        challengers: models that predict the same; by default what `tl.compare` recommends, on other folds.
        groups: what is left out together; by default what the model in use says, or rows of equal inputs.
        n_folds: how many.
        seed: of folds and fits.

    Returns:
        The posterior to use from now on, the scores and the decision.

    Raises:
        SchemaError: a variable is missing, or a challenger predicts something else.
        NotIdentified: too little is known, or all rows are of one group.
    """
    if not hasattr(posterior, "model"):
        raise SchemaError(
            "What is trained anew is a posterior.", found=type(posterior).__name__, hint="model.fit(table)"
        )
    champion = posterior.model
    targets = _targets(champion)
    groups = groups or getattr(champion, "groups", None)
    asked = task(table, targets, names_of(champion.design), groups, seed=seed)
    if challengers is None:
        challengers = [_recommended(asked, t, n_folds, seed + 1) for t in targets[:1] if len(targets) == 1]
    settled = challenge(asked, champion, challengers, n_folds=n_folds, seed=seed)
    arrived = how_it_did(posterior, table)
    record = settled.record | {"arrived": arrived, "table_sha256": table_hash(table)}
    kept = with_decisions(table, [*decisions_of(posterior), record])
    learned = settled.model.fit(kept, seed=seed)
    return Retraining(learned, settled.scores, settled.decision, arrived, asked)


def decisions_of(posterior: Posterior) -> list[dict[str, Any]]:
    """How it came that a model is in use: what `retrain` decided, the latest last; or nothing."""
    return json.loads(posterior.table.attrs.get(DECISIONS, "[]"))


def with_decisions(table: xr.Dataset, decisions: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """A table that remembers how it came that a model is in use, and whose posterior `decisions_of` reads.

    Args:
        table: that a model will learn from.
        decisions: each with `decision` and `arrived`, sentences or "", the latest last.
    """
    return table.assign_attrs({DECISIONS: json.dumps(decisions)})


def _recommended(asked: Task, target: str, n_folds: int, seed: int) -> Any:
    return compare(asked, n_folds=n_folds, seed=seed).model(target)


def how_it_did(posterior: Posterior, table: xr.Dataset) -> str:
    """How a posterior did on rows that arrived since, which it had not seen; "" where there are none.

    Args:
        posterior: in use.
        table: all rows, old and new, on `specimen`; a specimen's rows are counted in their order.
    """
    model = posterior.model
    inputs = list(names_of(model.design))
    table = as_variables(table, [*inputs, *_targets(model)])
    said = []
    for target in (t for t in _targets(model) if t in table):
        known = TaskArrays.of(table, (), target).has_target
        rows = np.setdiff1d(np.flatnonzero(known), _seen(posterior, table, known, target))
        if len(rows):
            new = table.isel(specimen=rows)
            said.append(_of_arrived(posterior.predict(new[inputs]), new[target]))
    return " ".join(said)


def _targets(model: Any) -> Sequence[str]:
    """What a model is judged by: its properties, or else the first of its labels."""
    return names_of(model.properties) or label_sets(model)[:1]


def _of_arrived(predicted: xr.Dataset, truth: xr.DataArray) -> str:
    wrong, n = losses_of(predicted, truth), truth.size
    if is_label(truth):
        return f"Of {n} labels that arrived it gave {np.exp(-wrong.mean()):.0%} to the true one."
    name = str(truth.name)
    inside = np.mean(wrong <= half_widths(predicted, name))
    unit, values = after_number(truth.attrs.get("units", "")), "values" if n > 1 else "value"
    return (
        f"On {n} {values} of {name.replace('_', ' ')} that arrived it was off by {wrong.mean():.3g}{unit}; "
        f"its 90 % intervals held {100 * inside:.0f} %."
    )


def _seen(posterior: Posterior, table: xr.Dataset, known: Mask, target: str) -> Indices:
    """Rows whose target was known to a posterior."""
    before = as_variables(posterior.table, [target])
    if target not in before:
        return np.zeros(0, dtype=int)
    had = TaskArrays.of(before, (), target).has_target
    old = pd.Series(before["specimen"].values.astype(str)[had])
    times = old.value_counts().to_dict()
    rows, now = np.flatnonzero(known), table["specimen"].values.astype(str)
    order = pd.Series(now[rows])
    nth = order.groupby(order).cumcount().to_numpy()
    return rows[nth < np.array([times.get(name, 0) for name in now[rows]])]
