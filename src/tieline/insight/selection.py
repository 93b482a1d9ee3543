"""Which inputs a sparse line chooses again and again, whatever half of the groups it learns from."""

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified
from tieline.evaluation.task import Task
from tieline.insight.importance import property_of, standardised
from tieline.models.stable_line import chosen_in_halves, columns_a_half

LEAST_GROUPS = 8


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
    target = property_of(task, target)
    x, y, names, input_of = standardised(task, target)
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
