"""Which columns a sparse line needs: in which order they enter, and which are chosen again and again."""

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.evaluation.task import Task
from tieline.models.arrays import Array
from tieline.models.design_columns import DesignColumns
from tieline.models.learner_fit import Preparation
from tieline.models.posterior import property_named
from tieline.models.stable_line import chosen_in_halves, columns_a_half

LEAST_GROUPS = 8


def coefficient_path(task: Task, target: str | None = None, *, n_penalties: int = 40) -> xr.Dataset:
    """How the coefficients of a sparse line enter, as its penalty is lowered.

    Args:
        task: inputs and what is predicted.
        target: a property; by default the only one.
        n_penalties: from where all coefficients are zero down to a thousandth of that.

    Returns:
        coefficient (penalty, column), of standardised columns and a standardised property, and rank (column):
        the order in which columns enter, from 1; 0 for those that never do.
    """
    from sklearn.linear_model import lasso_path

    target = _property(task, target)
    prepared, standard, names, _ = _standardised(task, target)
    penalties, found, _ = lasso_path(prepared, standard, alphas=n_penalties, eps=1e-3)  # type: ignore[arg-type]
    first = np.where((found != 0).any(1), (found != 0).argmax(1), len(penalties))
    rank = np.where(first < len(penalties), first.argsort(kind="stable").argsort() + 1, 0)
    return xr.Dataset(
        {"coefficient": (("penalty", "column"), found.T), "rank": ("column", rank)},
        {"penalty": penalties, "column": names},
        {"target": target},
    )


def stable_inputs(
    task: Task,
    target: str | None = None,
    *,
    n_pairs: int = 50,
    n_chosen: int | None = None,
    threshold: float = 0.75,
    seed: int = 0,
) -> xr.Dataset:
    """How often a lasso chooses each column when it learns from one half of the groups.

    Halves come in pairs that share no group. In each, the columns that enter the sparse line first are
    chosen. What is chosen by chance alone differs from half to half; of two columns that say the same each
    is chosen in about half of the cases.

    Args:
        task: inputs, groups and what is predicted.
        target: a property; by default the only one.
        n_pairs: pairs of halves.
        n_chosen: columns chosen in each half; by default so many that about one is expected to be stable by
            chance.
        threshold: share of the halves from which a column counts as stable, above one half.
        seed: of the halves.

    Returns:
        On `column`, the most often chosen first: frequency (share of the halves, 1), is_stable, and the
        input each is of; attrs `expected_by_chance`, a bound on how many columns without a meaning are
        stable on average, and `n_chosen`.

    Raises:
        SchemaError: the task has no such property.
        NotIdentified: fewer than eight groups.

    Source:
        Meinshausen & Bühlmann (2010), doi:10.1111/j.1467-9868.2010.00740.x, theorem 1 for the bound; pairs as
        in Shah & Samworth (2013), doi:10.1111/j.1467-9868.2011.01034.x.
    """
    target = _property(task, target)
    x, y, names, input_of = _standardised(task, target)
    group = task.group[task.rows(target)]
    labels = np.unique(group)
    if len(labels) < LEAST_GROUPS:
        raise NotIdentified(
            "Halves of the data are too small to choose inputs.",
            found=f"{len(labels)} groups that know '{target}'",
            hint=f"measure {LEAST_GROUPS} groups or more",
        )
    n_columns = x.shape[1]
    n = n_chosen or columns_a_half(n_columns, threshold)
    frequency = chosen_in_halves(x, y, group, n_pairs, n, seed)
    order = np.lexsort([np.arange(n_columns), -frequency])
    return xr.Dataset(
        {
            "frequency": ("column", frequency[order], {"units": "1"}),
            "is_stable": ("column", frequency[order] >= threshold),
            "input": ("column", input_of[order]),
        },
        {"column": names[order]},
        {
            "target": target,
            "n_chosen": n,
            "expected_by_chance": n**2 / ((2 * threshold - 1) * n_columns),
        },
    )


def _property(task: Task, target: str | None) -> str:
    """The property that is meant; by default the only one of a task.

    Raises:
        SchemaError: the task has no such property.
    """
    if task.is_classification:
        raise SchemaError("Name a task that predicts properties.", found=f"labels of '{task.targets[0]}'")
    return property_named(task.targets, target, called="target that the task has")


def _standardised(task: Task, target: str) -> tuple[Array, Array, np.ndarray, np.ndarray]:
    """Columns that vary (row, column) and a property (row), standardised; name and input of each column.

    Raises:
        NotIdentified: no column varies.
    """
    rows, columns = task.rows(target), DesignColumns.of(task.table, task.inputs)
    x, y = task.columns()[rows], task.table[target].values.astype(float)[rows]
    preparation = Preparation.of(x)
    varies = preparation.varies
    if not varies.any():
        raise NotIdentified(
            "No input varies.",
            found=f"{len(rows)} rows that know '{target}'",
            hint="other inputs, or more rows",
        )
    names, inputs = np.array(columns.names)[varies], np.array(columns.input_of)[varies]
    return preparation.apply(x)[:, : varies.sum()], (y - y.mean()) / (y.std() or 1.0), names, inputs
