"""What each input adds to a prediction of trees."""

import sys
from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from alloys import alloys

import tieline as tl
from tieline.insight.shap_values import shap_values

INPUTS = ["strong", "weak", "idle"]


def table(n=80, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 3))
    columns = {name: ("specimen", x[:, j], {"role": "process"}) for j, name in enumerate(INPUTS)}
    y = 200 + 30 * x[:, 0] + 5 * x[:, 1] ** 2
    return xr.Dataset(columns, {"specimen": np.arange(n)}).assign(y=("specimen", y, {"units": "GPa"}))


@pytest.mark.parametrize(
    "asked",
    [
        {"way": "extra_trees"},
        {"way": "random_forest", "settings": {"n_estimators": 20}},
        {"way": "gradient_boosting"},
        {"way": "extra_trees", "settings": {"n_estimators": 5}, "uncertainty": "bootstrap"},
    ],
    ids=str,
)
def test_base_and_values_add_up_to_the_prediction(asked):
    seen = table()
    seen["weak"][::7] = np.nan
    posterior = tl.Learner(INPUTS, "y", **asked).fit(seen)
    grid = table(20, seed=1)
    found = shap_values(posterior, grid)
    np.testing.assert_allclose(found["base"] + found["shap_value"].sum("input"), posterior.predict(grid)["y"])
    np.testing.assert_allclose(found["column_shap_value"].sum("column"), found["shap_value"].sum("input"))
    assert found["shap_value"].attrs["units"] == "GPa"
    assert found["importance"].sel(input="strong") > 3 * found["importance"].sel(input="weak")


def test_values_of_one_tree_are_those_of_the_definition():
    """Averaged over the orders in which inputs come to be known, an unknown one by its training shares."""
    seen = table(40)
    settings = {"n_estimators": 1, "max_depth": 3, "bootstrap": False}
    posterior = tl.Learner(INPUTS, "y", way="random_forest", settings=settings).fit(seen)
    (member,) = posterior.parts[0].members
    tree = member.fitted.estimators_[0].tree_
    place = member.preparation.apply(posterior.placed(seen))[4].astype(np.float32)

    def expected(known, node=0):
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            return tree.value[node, 0, 0]
        if tree.feature[node] in known:
            return expected(known, left if place[tree.feature[node]] <= tree.threshold[node] else right)
        weight = tree.weighted_n_node_samples
        return (weight[left] * expected(known, left) + weight[right] * expected(known, right)) / weight[node]

    orders = list(permutations(range(3)))
    wanted = np.zeros(3)
    for order in orders:
        for k, name in enumerate(order):
            gain = expected(set(order[: k + 1])) - expected(set(order[:k]))
            wanted[name] += member.scale * gain / len(orders)
    found = shap_values(posterior, seen)["shap_value"].values[4]
    np.testing.assert_allclose(found, wanted)


def test_a_composition_is_one_input_and_its_columns_are_told():
    made = alloys()
    found = shap_values(tl.Learner(["composition", "idle"], "y").fit(made), made)
    assert found["shap_value"].shape == (60, 2)
    assert found["importance"].sel(input="composition") > 10 * found["importance"].sel(input="idle")
    assert "x(Fe)" in found["column"].values


@pytest.mark.parametrize(
    ("asked", "match"),
    [({"way": "ridge"}, 'way="ridge"'), ({"uncertainty": "ensemble"}, "uncertainty=.ensemble")],
)
def test_other_ways_are_refused(asked, match):
    posterior = tl.Learner(INPUTS, "y", **asked).fit(table(20))
    with pytest.raises(tl.SchemaError, match=match):
        shap_values(posterior, table(3))


def test_bad_questions_are_refused(monkeypatch):
    seen = table(20)
    posterior = tl.Learner(INPUTS, "y").fit(seen)
    with pytest.raises(tl.SchemaError, match="Name a property"):
        shap_values(posterior, seen, "z")
    labelled = seen.drop_vars("y").assign(phase=("specimen", np.where(seen["strong"] > 0, "a", "b")))
    with pytest.raises(tl.SchemaError, match="labels"):
        shap_values(tl.Learner(INPUTS, phase="phase").fit(labelled), labelled)
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(tl.MissingExtra, match=r'pip install "tieline\[shap\]"'):
        shap_values(posterior, seen)
