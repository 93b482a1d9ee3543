"""Which inputs a model needs, and what it makes of each: whatever the model."""

from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.evaluation.left_out import losses_of
from tieline.evaluation.scores import clustered_error
from tieline.evaluation.task import Task
from tieline.models.posterior import Posterior, names_of, property_named
from tieline.schema import as_variables
from tieline.schema.wording import name_known


def permutation_importance(
    task: Task, model: Any, target: str | None = None, *, n_repeats: int = 5, n_folds: int = 5, seed: int = 0
) -> xr.Dataset:
    """How much worse predictions of left-out groups become when an input is shuffled among them.

    A composition, a spectrum or a category is shuffled as a whole. Of two inputs that say the same neither
    seems needed.

    Args:
        task: inputs, groups and what is predicted.
        model: any model of the house with `fit` and `predict`, such as `comparison.model()`.
        target: a property, or the labels; by default the only one.
        n_repeats: shuffles of each input in each fold.
        n_folds: folds by group.
        seed: of folds, fits and shuffles.

    Returns:
        On `input`, the most needed first: importance (rise of the mean absolute error, in the unit of the
        property; of labels, rise of the log loss, nat) and importance_se, by group; attrs `error` without any
        shuffling.

    Raises:
        SchemaError: the task has no such target.

    Source:
        Breiman (2001), doi:10.1023/A:1010933404324, section 10; here on left-out groups, with their error.
    """
    target = property_named(task.targets, target, called="target that the task has")
    rng = np.random.default_rng(seed)
    table = as_variables(task.table, task.inputs)
    loss, rise, groups = [], [], []
    for train, test in task.folds(target, "grouped", n_folds, seed):
        posterior = model.fit(task.table.isel(specimen=train), seed=seed)
        left = table.isel(specimen=test)
        truth = as_variables(left, [target])[target]
        before = losses_of(posterior.predict(left), truth)
        after = np.zeros((len(test), len(task.inputs)))
        for j, name in enumerate(task.inputs):
            for _ in range(n_repeats):
                order = rng.permutation(len(test))
                shuffled = left.assign({name: left[name].copy(data=_rows(left[name], order))})
                after[:, j] += losses_of(posterior.predict(shuffled), truth) / n_repeats
        loss.append(before)
        rise.append(after - before[:, None])
        groups.append(task.group[test])
    rises, group = np.concatenate(rise), np.concatenate(groups)
    error = [clustered_error(column, group) for column in rises.T]
    order = np.argsort(-rises.mean(0), kind="stable")
    unit = {"units": "nat" if task.is_classification else task.table[target].attrs.get("units", "")}
    return xr.Dataset(
        {
            "importance": ("input", rises.mean(0)[order], unit),
            "importance_se": ("input", np.array(error)[order], unit),
        },
        {"input": np.array(task.inputs)[order]},
        {"target": target, "error": float(np.concatenate(loss).mean())},
    )


def local_effects(
    posterior: Posterior, name: str, target: str | None = None, *, n_bins: int = 12
) -> xr.Dataset:
    """What an input does to a prediction: local differences, added up over its range.

    Within each bin only specimens that lie there are moved, and only across the bin; unlike a mean over all
    specimens it does not ask about places where no specimen could be.

    Args:
        posterior: of any model.
        name: an input that is one number a specimen.
        target: a property; by default the only one.
        n_bins: of about the same number of specimens.

    Returns:
        On `edge` (values of the input): effect on the property, in its unit, zero on average over the
        specimens; effect_se, of the differences within bins; n (edge), specimens in the bin below.

    Raises:
        SchemaError: the input is no number, or never changes; no such property was learned.

    Source:
        Apley & Zhu (2020), doi:10.1111/rssb.12377, eq. 15.
    """
    design = list(names_of(posterior.model.design))
    if name not in design:
        raise SchemaError(f"'{name}' is no input of this model.", found=name_known(design, name))
    table = as_variables(posterior.table, design)
    variable = table[name]
    target = property_named(tuple(posterior.model.properties), target)
    if variable.dims != ("specimen",) or variable.dtype.kind not in "iuf":
        raise SchemaError(
            f"'{name}' is not one number a specimen.", found=f"{variable.dtype} {variable.dims}"
        )
    known = table.isel(specimen=np.flatnonzero(np.isfinite(variable.values)))
    x = known[name].values.astype(float)
    edges = np.unique(np.quantile(x, np.linspace(0, 1, n_bins + 1)))
    if len(edges) < 2:
        raise SchemaError(
            f"'{name}' never changes.", found=f"{edges[0]:g}" if len(edges) else "nothing known"
        )
    at = np.clip(np.searchsorted(edges, x, side="left"), 1, len(edges) - 1)
    low, high = (
        posterior.predict(known[design].assign({name: known[name].copy(data=edges[at - side])}))[
            target
        ].values
        for side in (1, 0)
    )
    n = np.bincount(at, minlength=len(edges))
    step = np.bincount(at, high - low, minlength=len(edges)) / np.maximum(n, 1)
    spread = np.bincount(at, (high - low - step[at]) ** 2, minlength=len(edges))
    variance = np.where(n > 1, spread / np.maximum(n - 1, 1) / np.maximum(n, 1), 0.0)
    effect = np.cumsum(step)
    middle = (effect[at - 1] + effect[at]) / 2
    unit = {"units": as_variables(posterior.table, [target])[target].attrs.get("units", "")}
    return xr.Dataset(
        {
            "effect": ("edge", effect - middle.mean(), unit),
            "effect_se": ("edge", np.sqrt(np.cumsum(variance)), unit),
            "n": ("edge", n),
        },
        {"edge": ("edge", edges, {"units": variable.attrs.get("units", "")})},
        {"input": name, "target": target},
    )


def _rows(variable: xr.DataArray, order: np.ndarray) -> np.ndarray:
    return np.take(variable.values, order, axis=variable.dims.index("specimen"))
