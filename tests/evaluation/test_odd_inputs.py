"""What people pass by mistake, from tasks to screening: refused in three clauses, or answered sensibly."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.linear_model import LogisticRegression, Ridge

import tieline as tl
from tieline.errors import NotIdentified, SchemaError, TielineError

INPUTS = ["temperature", "time"]
N = 24


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    temperature, time = rng.uniform(600, 900, N), rng.uniform(1, 10, N)
    columns = {
        "temperature": temperature,
        "time": time,
        "kind": np.array(["a", "b"])[np.arange(N) % 2],
        "hardness": temperature / 100 + time + 0.1 * rng.standard_normal(N),
    }
    return tl.table(pd.DataFrame(columns, index=[f"A{i}" for i in range(N)]))


@pytest.fixture(scope="module")
def posterior(table):
    return tl.Learner(INPUTS, "hardness", way="ridge").fit(table, seed=0)


def with_values(table, name, values):
    return table.assign({name: ("specimen", np.asarray(values))})


def with_value(table, name, value):
    values = table[name].values.copy()
    values[3] = value
    return with_values(table, name, values)


ODD_TASKS = {
    "no rows": (lambda t: t.isel(specimen=slice(0)), {}, "has no rows"),
    "no target": (None, {"target": []}, "predicts something"),
    "target twice": (None, {"target": ["hardness"] * 2}, "targets name a variable twice"),
    "input twice": (None, {"inputs": ["time", "time"]}, "inputs name a variable twice"),
    "target is input": (None, {"inputs": ["time", "hardness"]}, "cannot be an input"),
    "specimens": (None, {"inputs": ["specimen"]}, "names of specimens"),
    "grouped by target": (None, {"groups": "hardness"}, "grouped by what is to be predicted"),
    "infinite": (lambda t: with_value(t, "time", np.inf), {}, "'time' holds infinite(.|\n)*A3"),
    "huge": (lambda t: with_value(t, "hardness", 1e200), {}, "'hardness' holds values too large"),
}


@pytest.mark.parametrize("case", ODD_TASKS)
def test_odd_tasks_are_refused(table, case):
    change, said, message = ODD_TASKS[case]
    asked = {"target": "hardness", "inputs": INPUTS, "groups": None, **said}
    with pytest.raises(SchemaError, match=message) as refused:
        tl.task(table if change is None else change(table), **asked)
    assert refused.value.found
    assert refused.value.hint


@pytest.mark.parametrize("values", [np.full(N, 1e-300), np.arange(N) * 1e-300])
def test_very_small_values_do_no_harm(table, values):
    small = with_values(table, "hardness", values)
    assert tl.inspect(small).columns.sizes["column"] == 3
    if np.ptp(values):
        assert tl.task(small, "hardness", INPUTS).findings


def test_a_label_that_occurs_once_is_no_reason_to_learn_from_half(table):
    labels = ["hard"] * (N - 1) + ["soft"]
    rare = tl.task(table.assign_coords(phase=("specimen", labels)), "phase", INPUTS)
    assert any("soft (1)" in str(finding) for finding in rare.findings)
    common = ["hard", "soft"] * (N // 2 - 1) + ["hard", "odd"]
    asked = tl.task(table.assign_coords(phase=("specimen", common)), "phase", INPUTS)
    assert len(asked.folds("phase", n_folds=5)) == 5


@pytest.mark.parametrize("data", [None, pd.DataFrame({"a": [1.0]}), xr.Dataset()])
def test_only_tables_are_inspected(data):
    with pytest.raises(SchemaError, match="A table is"):
        tl.inspect(data)


def test_a_table_without_anything_to_look_at_says_so(table):
    with pytest.raises(SchemaError, match="can be looked over"):
        tl.inspect(table, inputs=[])


@pytest.fixture(scope="module")
def asked(table):
    return tl.task(table, "hardness", INPUTS)


ODD_COMPARISONS = [
    ({"n_folds": 1}, "at least 2 folds"),
    ({"n_folds": 2.5}, "at least 2 folds"),
    ({"n_folds": 0, "scheme": "clusters"}, "at least 2 folds"),
    ({"n_repeats": 0}, "divided once"),
    ({"models": {"mine": Ridge}}, "no model that can be compared(.|\n)*the class Ridge"),
    ({"models": {"mine": LogisticRegression()}}, "does not tell numbers"),
    ({"models": "rigde"}, "'rigde'(.|\n)*Did you mean 'ridge'"),
]


@pytest.mark.parametrize(("said", "message"), ODD_COMPARISONS)
def test_odd_comparisons_are_refused(asked, said, message):
    with pytest.raises(SchemaError, match=message):
        tl.compare(asked, **{"models": ["ridge"], **said})


def test_a_regressor_tells_no_labels(table):
    labels = np.where(table["time"] > 5, "long", "short")
    asked = tl.task(table.assign_coords(phase=("specimen", labels)), "phase", ["temperature"])
    with pytest.raises(SchemaError, match="does not tell labels"):
        tl.compare(asked, {"mine": Ridge()})


def test_what_is_compared_is_a_task(table):
    with pytest.raises(SchemaError, match="on a task"):
        tl.compare(table, ["ridge"])


def test_more_folds_than_specimens_leave_each_out_once(asked):
    assert len(asked.folds("hardness", n_folds=1000)) == N


def test_one_name_is_a_model_too(asked):
    assert set(tl.compare(asked, "ridge", n_folds=2).scores["candidate"].values) == {"mean", "ridge"}


def test_an_input_that_nobody_knows_is_no_cluster(table):
    empty = tl.task(with_values(table, "time", np.full(N, np.nan)), "hardness", INPUTS)
    assert len(empty.folds("hardness", "clusters", n_folds=3)) == 3


def test_runs_are_kept_in_folders(asked, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TielineError, match="cannot be kept"):
        tl.compare(asked, ["ridge"], keep=tmp_path / "file")


ODD_SCREENS = [
    ({"candidates": None}, "A table is"),
    ({"candidates": pd.DataFrame({"time": [1.0]})}, "A table is"),
    ({"candidates": [pd.DataFrame({"time": [1.0]})]}, "A table is"),
    ({"candidates": []}, "no candidates"),
    ({"n": 2.5}, "n=2.5"),
    ({"part": 0}, "part=0"),
    ({"caution": np.nan}, "Caution is a number"),
]


@pytest.mark.parametrize(("said", "message"), ODD_SCREENS)
def test_odd_screens_are_refused(table, posterior, said, message):
    asked = {"candidates": table[INPUTS], "goal": "maximize:hardness", **said}
    with pytest.raises(TielineError, match=message):
        tl.screen(posterior, **asked)


def test_text_that_bears_the_name_of_the_property_is_left_alone(table, posterior):
    pool = table[INPUTS].assign_coords(hardness=("specimen", ["hard"] * N))
    best = tl.screen(posterior, pool, "maximize:hardness", n=2)
    plain = tl.screen(posterior, table[INPUTS], "maximize:hardness", n=2)
    assert best["hardness"].values == pytest.approx(plain["hardness"].values)


def test_odd_retrainings_are_refused(table, posterior):
    model = tl.Learner(INPUTS, "hardness", way="neighbours")
    with pytest.raises(SchemaError, match="trained anew is a posterior"):
        tl.retrain(model, table, [model])
    for challengers in ("ridge", model):
        with pytest.raises(SchemaError, match="several models"):
            tl.retrain(posterior, table, challengers)
    with pytest.raises(SchemaError, match="at least 2 folds"):
        tl.retrain(posterior, table, [model], n_folds=1)


def test_a_learner_of_numbers_refuses_text(table):
    labelled = table.assign_coords(phase=("specimen", ["x"] * N))
    with pytest.raises(SchemaError, match="'phase' should be numbers"):
        tl.Learner(INPUTS, "phase").fit(labelled, seed=0)


@pytest.mark.parametrize("way", ["ridge", "gaussian_process"])
def test_what_never_changes_is_predicted_as_it_is(table, way):
    always = with_values(table, "hardness", np.full(N, 5.0))
    posterior = tl.Learner(INPUTS, "hardness", way=way).fit(always, seed=0)
    assert posterior.predict(table[INPUTS])["hardness"].values == pytest.approx(np.full(N, 5.0))
    assert np.isnan(posterior.diagnose()["r2"].item())


def test_one_level_of_a_category_is_one_group(table):
    always = table.assign_coords(kind=("specimen", ["a"] * N))
    with pytest.raises(NotIdentified, match="of one group"):
        tl.task(always, "hardness", ["kind"])
    assert any("always a" in str(f) for f in tl.task(always, "hardness", ["kind", "time"]).findings)
