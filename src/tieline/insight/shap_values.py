"""What each input adds to a prediction of trees: Shapley values (SHAP), exact for trees.

Source: Lundberg et al. (2020), doi:10.1038/s42256-019-0138-9. Departs from it: values of the columns of one
input, such as a composition, are added up, and are in the unit of the property.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, not_installed
from tieline.models.arrays import Array
from tieline.models.learner_fit import FittedNumber
from tieline.models.learner_parts import NumberParts
from tieline.models.learner_posterior import LearnerPosterior
from tieline.models.posterior import property_named
from tieline.schema import as_variables

TREES = ("extra_trees", "random_forest", "gradient_boosting")
FORESTS = ("extra_trees", "random_forest")


def shap_values(posterior: LearnerPosterior, grid: xr.Dataset, target: str | None = None) -> xr.Dataset:
    """Divide each prediction of trees among the inputs: what each adds to the mean of all.

    Of two inputs that go together, each may take what belongs to the other; a value says what the model
    does, and not what an experiment would do.

    Args:
        posterior: of `Learner` with a way of trees.
        grid: the inputs on `specimen`.
        target: a property; by default the only one.

    Returns:
        shap_value (specimen, input) and column_shap_value (specimen, column), in the unit of the property;
        with `base` they add up to what `predict` says. importance (input), the mean of the absolute values,
        ranks inputs.

    Raises:
        SchemaError: the way has no trees, labels are told, or there is no such property.
        MissingExtra: shap is not installed.
    """
    target = _property(posterior, target)
    part = posterior.parts[list(posterior.model.properties).index(target)]
    assert isinstance(part, NumberParts)
    explainer, x = _explainer(), posterior.placed(grid)
    found = [_of_member(explainer, member, x, posterior.model.way) for member in part.members]
    columns = np.mean([values for values, _ in found], 0)
    base = float(np.mean([start for _, start in found]))
    inputs, of_column = list(posterior.model.design_names), np.array(posterior.columns.input_of)
    values = np.stack([columns[:, of_column == name].sum(1) for name in inputs], 1)
    variable = as_variables(posterior.table, [target])[target]
    unit = {"units": variable.attrs.get("units", "")}
    return xr.Dataset(
        {
            "shap_value": (("specimen", "input"), values, unit),
            "column_shap_value": (("specimen", "column"), columns, unit),
            "importance": ("input", np.abs(values).mean(0), unit),
            "base": ((), base, unit),
        },
        {"specimen": grid["specimen"].values, "input": inputs, "column": list(posterior.columns.names)},
        {"target": target},
    )


def _property(posterior: LearnerPosterior, target: str | None) -> str:
    model = posterior.model
    if model.way not in TREES or model.uncertainty == "ensemble" or not model.properties:
        what = "labels" if not model.properties else f'way="{model.way}", uncertainty="{model.uncertainty}"'
        raise SchemaError(
            "SHAP values are of properties that trees predict.",
            found=what,
            hint=f"way={' or '.join(TREES)}; permutation_importance and local_effects take any model",
        )
    return property_named(tuple(model.properties), target)


def _explainer() -> Callable[[Any], Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own figures, which nobody asked for
            from shap import TreeExplainer
    except ImportError as error:
        raise not_installed("SHAP values need", "shap", error) from error
    return TreeExplainer


def _of_member(
    explainer: Callable[[Any], Any], member: FittedNumber, x: Array, way: str
) -> tuple[Array, float]:
    """Values (place, column) of one fit, and where they start, in the unit of the property."""
    preparation, values = member.preparation, np.zeros_like(x)
    if not preparation.varies.any():
        return values, float(member.mean(x[:1])[0]) if len(x) else member.centre
    prepared = preparation.apply(x)
    if way in FORESTS:  # they compare columns in single precision
        prepared = prepared.astype(np.float32).astype(float)
    told = explainer(member.fitted)
    found = np.asarray(told.shap_values(prepared, check_additivity=False)).reshape(prepared.shape)
    varies, has_holes = np.flatnonzero(preparation.varies), np.flatnonzero(preparation.has_holes)
    values[:, varies] = found[:, : len(varies)]
    values[:, has_holes] += found[:, len(varies) :]  # not to be known is a part of what an input tells
    start = float(np.ravel(told.expected_value)[0])
    return member.scale * values, member.centre + member.scale * start
