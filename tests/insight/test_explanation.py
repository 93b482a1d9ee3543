"""What a model needs, what it makes of an input, and why it says what it says."""

import numpy as np
import pytest
import xarray as xr
from alloys import alloys

import tieline as tl
from tieline.insight.explanation import explain, model_card, nearest_specimens
from tieline.insight.importance import local_effects, permutation_importance
from tieline.insight.selection import coefficient_path
from tieline.schema.hashing import table_hash

INPUTS = ["strong", "weak", "idle"]


def table(seed=0, n=150):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 3))
    y = 3 * x[:, 0] + x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    about = {"role": "process", "units": "K"}
    columns = {name: ("specimen", x[:, j], about) for j, name in enumerate(INPUTS)}
    made = xr.Dataset(columns, {"specimen": [f"S{i}" for i in range(n)]})
    return made.assign(y=("specimen", y, {"role": "property", "units": "GPa"}))


@pytest.fixture(scope="module")
def posterior():
    return tl.Learner(INPUTS, "y", way="gaussian_process").fit(table())


def test_what_is_needed_ranks_first_and_what_is_idle_is_nothing():
    task = tl.task(table(), "y", INPUTS)
    found = permutation_importance(task, tl.Learner(INPUTS, "y", way="gaussian_process"), n_repeats=3)
    assert found["input"].values.tolist()[:2] == ["strong", "weak"]
    importance, error = (found[n].to_series() for n in ("importance", "importance_se"))
    assert importance["strong"] > 10 * error["strong"]
    assert abs(importance["idle"]) < 3 * error["idle"] + 0.01
    assert found["importance"].attrs["units"] == "GPa"
    # Shuffling an input of a straight line: the mean distance of two uniform numbers on [-1, 1] is 2/3.
    assert importance["strong"] == pytest.approx(3 * 2 / 3, rel=0.15)


def test_a_composition_is_shuffled_as_a_whole():
    made = alloys()
    task = tl.task(made, "y", ["composition", "idle"])
    found = permutation_importance(task, tl.Learner(["composition", "idle"], "y", way="ridge"), n_repeats=2)
    assert found["input"].values.tolist() == ["composition", "idle"]


def test_local_effects_of_a_known_function_are_that_function(posterior):
    found = local_effects(posterior, "weak")
    edges = found["edge"].values
    wanted = edges**2 - (table()["weak"].values ** 2).mean()
    np.testing.assert_allclose(found["effect"], wanted, atol=0.12)
    line = local_effects(posterior, "strong")
    assert np.polyfit(line["edge"], line["effect"], 1)[0] == pytest.approx(3, rel=0.05)
    assert line["edge"].attrs["units"] == "K"
    assert found["n"].sum() == 150


def test_columns_enter_a_sparse_line_in_the_order_of_what_they_tell():
    found = coefficient_path(tl.task(table(), "y", INPUTS))
    assert found["rank"].sel(column="strong").item() == 1
    assert (found["coefficient"].isel(penalty=0) == 0).all()
    last = found["coefficient"].isel(penalty=-1).sel(column="strong").item()
    seen = table()
    assert last == pytest.approx(np.corrcoef(seen["strong"], seen["y"])[0, 1], abs=0.02)


def test_the_nearest_specimen_of_a_specimen_is_itself(posterior):
    near = nearest_specimens(posterior, table().isel(specimen=slice(0, 5)), 3)
    assert near["neighbour"].values[:, 0].tolist() == [f"S{i}" for i in range(5)]
    np.testing.assert_allclose(near["distance"].values[:, 0], 0, atol=1e-6)
    assert (np.diff(near["distance"].values, axis=1) >= 0).all()


def test_an_explanation_is_made_of_the_numbers(posterior):
    place = table(5).isel(specimen=[3])
    said, predicted = explain(posterior, place), posterior.predict(place)
    assert f"Y is expected to be {predicted['y'].item():.4g} GPa" in said
    assert "It lies among the specimens." in said
    away = place.assign(strong=place["strong"] * 0 + 40)
    assert "an extrapolation" in explain(posterior, away)


def test_neighbours_of_which_nothing_is_known_are_not_named(posterior):
    seen = table()
    place = seen.isel(specimen=[3])
    near = nearest_specimens(posterior, place, 3)["neighbour"].values[0]
    lacking = seen.assign(y=seen["y"].where(seen["specimen"] != near[1]))
    said = explain(tl.Learner(INPUTS, "y", way="ridge").fit(lacking), place)
    known = [f"{name}: {seen['y'].sel(specimen=name).item():.4g} GPa" for name in (near[0], near[2])]
    assert f"Of the specimens most like it, {', '.join(known)}." in said


def test_a_card_tells_data_quality_limits_and_source(posterior):
    card = model_card(posterior)
    assert table_hash(table())[:16] in card
    assert "strong from" in card
    assert "10.1080/01621459.2017.1307116" in card
    assert "left-out specimens, R² " in card
    process = tl.GaussianProcess(INPUTS, "y").fit(table().isel(specimen=slice(0, 30)))
    assert "# GaussianProcess" in model_card(process)


def test_a_hash_changes_with_any_value_and_not_with_order():
    seen = table()
    assert table_hash(seen) == table_hash(seen[list(seen)[::-1]])
    changed = seen.copy(deep=True)
    changed["idle"][7] += 1e-9
    assert table_hash(changed) != table_hash(seen)


@pytest.mark.parametrize(
    ("name", "match"), [("strang", "Did you mean 'strong'"), ("y", "no input of this model")]
)
def test_what_is_no_input_is_refused(posterior, name, match):
    with pytest.raises(tl.SchemaError, match=match):
        local_effects(posterior, name)


@pytest.fixture(scope="module")
def labelled():
    seen = table(n=80)
    label = np.where(seen["strong"] > 0, "hard", "soft")
    return seen.drop_vars("y").assign_coords(phase=("specimen", label))


def test_labels_are_explained_too(labelled):
    posterior = tl.Learner(INPUTS, phase="phase", way="ridge").fit(labelled)
    place = labelled.isel(specimen=[3])
    said = explain(posterior, place)
    assert f"Phase is expected to be {place['phase'].item()}, with" in said
    assert "% were told rightly. It lies among the specimens." in said
    assert "rows are left out in five folds, seed 0" in model_card(posterior)
    task = tl.task(labelled, "phase", INPUTS)
    found = permutation_importance(task, tl.Learner(INPUTS, phase="phase", way="ridge"), n_repeats=2)
    assert found["input"].values[0] == "strong"
    assert found["importance"].attrs["units"] == "nat"
    assert found["importance"].values[0] > 3 * found["importance_se"].values[0]
    with pytest.raises(tl.SchemaError, match="a property that was learned"):
        local_effects(posterior, "strong")
    with pytest.raises(tl.SchemaError, match="predicts properties"):
        coefficient_path(task)


def test_one_place_is_explained_at_a_time(posterior):
    with pytest.raises(tl.SchemaError, match="One place is explained"):
        explain(posterior, table().isel(specimen=slice(0, 2)))
