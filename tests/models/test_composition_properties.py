"""What `CompositionProperties` makes of a table; its parts are tested in files of their own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ternaries import ternaries

import tieline as tl
from tieline.errors import NotIdentified, SchemaError, UnitError
from tieline.features.elements import element_statistics
from tieline.models import network_ensemble
from tieline.schema import compositions

MODEL = tl.CompositionProperties("composition", ["stiffness", "heat"])


def world(n=120, seed=0):
    """Ternary compounds: both properties follow the elements, and share what these do not tell."""
    rng = np.random.default_rng(seed)
    rows = ternaries(rng, n)
    bond = element_statistics(compositions(rows), ["mean"])["cohesive_energy_mean"].values
    hidden = 0.3 * rng.standard_normal(n)
    stiffness = np.exp(3 + 0.4 * bond + hidden)
    heat = np.exp(0.5 + 0.3 * bond + hidden + 0.05 * rng.standard_normal(n))
    sheet = pd.DataFrame({"formula": rows, "stiffness": stiffness, "heat": heat})
    units = {"stiffness": "GPa", "heat": "W/m/K"}
    return tl.table(sheet, formula="formula", units=units, roles=dict.fromkeys(units, "property"))


def error(predicted, truth, name="heat"):
    return float(np.abs(np.log(predicted[name] / truth[name])).mean())


@pytest.fixture(scope="module")
def both():
    """Learned from, and asked about."""
    return world(), world(80, seed=1)


@pytest.fixture(scope="module")
def posterior(both):
    return MODEL.fit(both[0], seed=0)


def test_it_predicts_better_than_the_mean(posterior, both):
    asked = both[1]
    predicted = posterior.predict(asked)
    alone = asked.assign(heat=asked["heat"] * 0 + np.exp(np.log(both[0]["heat"]).mean()))
    assert error(predicted, asked) < 0.8 * error(alone, asked)


def test_what_was_measured_tells_of_the_other_property(posterior, both):
    asked = both[1]
    without, with_it = posterior.predict(asked), posterior.predict(asked, given="stiffness")
    assert error(with_it, asked) < 0.6 * error(without, asked)
    assert (with_it["heat_sd"] / with_it["heat"]).mean() < 0.6 * (without["heat_sd"] / without["heat"]).mean()
    np.testing.assert_allclose(with_it["stiffness"], asked["stiffness"], rtol=1e-6)


def test_a_hole_in_what_is_given_is_not_given(posterior, both):
    asked = both[1].isel(specimen=slice(6))
    some = asked.assign(stiffness=asked["stiffness"].where(np.arange(6) % 2 == 0))
    found = posterior.predict(some, given=["stiffness"])
    without, with_it = posterior.predict(asked), posterior.predict(asked, given=["stiffness"])
    for i, wanted in enumerate([with_it, without] * 3):
        xr.testing.assert_allclose(found["heat"][i], wanted["heat"][i])


def test_given_values_are_converted_into_the_unit_of_the_fit(posterior, both):
    asked = both[1].isel(specimen=slice(5))
    in_mpa = asked.assign(stiffness=(asked["stiffness"] * 1000).assign_attrs(units="MPa"))
    wanted = posterior.predict(asked, given="stiffness")["heat"]
    np.testing.assert_allclose(posterior.predict(in_mpa, given="stiffness")["heat"], wanted)
    with pytest.raises(UnitError):
        posterior.predict(
            asked.assign(stiffness=asked["stiffness"].assign_attrs(units="K")), given="stiffness"
        )


def test_what_is_given_must_be_a_property_in_the_grid(posterior, both):
    with pytest.raises(SchemaError, match="was not learned") as caught:
        posterior.predict(both[1], given="stifness")
    assert "Did you mean 'stiffness'?" in caught.value.found
    with pytest.raises(SchemaError, match="is not in the grid"):
        posterior.predict(both[1].drop_vars("heat"), given="heat")


def test_intervals_hold_what_they_promise_in_systems_never_seen(posterior, both):
    asked = both[1]
    predicted = posterior.predict(asked)
    assert predicted["new_system"].mean() > 0.5
    for name in ("stiffness", "heat"):
        low, high = (predicted[f"{name}_quantile"].sel(probability=q) for q in (0.05, 0.95))
        inside = ((low <= asked[name]) & (asked[name] <= high)).mean()
        assert 0.8 <= inside <= 0.99


def test_positive_properties_stay_positive(posterior, both):
    predicted = posterior.predict(both[1])
    draws = posterior.functions(both[1], 50)
    assert float(draws.min()) >= 0
    assert all(float(predicted[f"{name}_quantile"].min()) >= 0 for name in ("stiffness", "heat"))


def test_an_expensive_property_is_learned_with_a_cheap_one(both):
    rare = both[0].assign(heat=both[0]["heat"].where(np.arange(both[0].sizes["specimen"]) < 25))
    rare["heat"].attrs = both[0]["heat"].attrs
    fitted = MODEL.fit(rare)
    alone = replace(MODEL, properties=["heat"]).fit(rare)
    assert error(fitted.predict(both[1]), both[1]) < error(alone.predict(both[1]), both[1])
    assert np.isfinite(fitted.predict(both[1], given="stiffness")["heat_sd"]).all()


def test_places_far_from_everything_are_said_to_be(posterior, both):
    strange = xr.Dataset({"composition": compositions(["C", "Cu4V", "TiO2"])})
    found = posterior.predict(strange.assign_coords(specimen=range(3)))
    assert found["new_system"].values.tolist() == [True, True, True]
    assert found["far"].values[0]
    assert any("chemical systems that were not learned from" in note for note in found.attrs["notes"])
    assert any("extrapolated" in note for note in found.attrs["notes"])
    known = posterior.predict(both[0].isel(specimen=[0]))
    assert not known["new_system"].any()
    assert not known["far"].any()


def test_elements_stand_in_any_order_and_may_be_strangers(posterior, both):
    asked = both[1].isel(specimen=slice(4))
    turned = asked.isel(element=slice(None, None, -1))
    xr.testing.assert_allclose(posterior.predict(turned), posterior.predict(asked))
    strange = xr.Dataset({"composition": compositions(["TiO2", "MnO2"])}).assign_coords(specimen=[0, 1])
    found = posterior.predict(strange)
    assert np.isfinite(found["heat"]).all()
    assert "No specimen contains Mn: known by its properties only." in found.attrs["notes"]
    alone = posterior.predict(xr.Dataset({"composition": compositions(["TiO2"])}))
    np.testing.assert_allclose(alone["heat"][0], found["heat"][0])


def test_a_temperature_beside_the_composition(both):
    kelvin = np.tile([300.0, 600.0], 60)
    hot = both[0].assign(temperature=("specimen", kelvin, {"role": "process", "units": "K"}))
    hot["heat"] = (hot["heat"] * 300 / kelvin).assign_attrs(units="W/m/K")
    fitted = tl.CompositionProperties(["composition", "temperature"], "heat").fit(hot)
    cold = fitted.predict(hot.assign(temperature=hot["temperature"] * 0 + 300))
    warm = fitted.predict(hot.assign(temperature=hot["temperature"] * 0 + 600))
    assert float((warm["heat"] < cold["heat"]).mean()) > 0.9


def test_repeated_materials_are_left_out_together(both):
    twice = xr.concat([both[0], both[0]], "specimen", data_vars="minimal")
    twice = twice.assign_coords(specimen=np.arange(twice.sizes["specimen"]))
    fitted = MODEL.fit(twice)
    once = MODEL.fit(both[0]).diagnose()["skill"].sel(way="material", property="heat")
    # Were a material predicted from its own repeat, left-out errors would vanish.
    assert float(fitted.diagnose()["skill"].sel(way="material", property="heat")) < float(once) + 0.2


def test_the_diagnosis_says_how_much_is_explained(posterior):
    found = posterior.diagnose()
    assert found["skill"].dims == ("way", "property")
    assert found["way"].values.tolist() == ["material", "chemical_system"]
    assert (found["skill"].sel(way="material") > 0.1).all()


def test_a_property_that_composition_does_not_decide_is_red(both):
    chance = np.random.default_rng(0).standard_normal(both[0].sizes["specimen"])
    blind = both[0].assign(luck=("specimen", chance, {"role": "property", "units": "1"}))
    found = replace(MODEL, properties=["luck"]).fit(blind).diagnose()
    assert found.attrs["verdict"] == "red"
    assert "Composition says next to nothing of luck" in found.attrs["sentence"]


@pytest.mark.parametrize(
    ("design", "properties", "what"),
    [
        ("composition", [], "at least one property"),
        ([], ["heat"], "needs a composition"),
        (["composition", "heat"], ["heat"], "for one purpose"),
    ],
)
def test_questions_that_make_no_sense_are_refused(design, properties, what):
    with pytest.raises(SchemaError, match=what):
        tl.CompositionProperties(design, properties)


def test_tables_that_cannot_be_read_are_refused(both):
    table = both[0]
    with pytest.raises(SchemaError, match="design of CompositionProperties has one composition"):
        tl.CompositionProperties(["stiffness"], "heat").fit(table)
    with pytest.raises(NotIdentified, match="at least 4 values of 'heat'"):
        MODEL.fit(table.assign(heat=table["heat"].where(np.arange(table.sizes["specimen"]) < 3)))
    with pytest.raises(SchemaError, match="does not sum to 1"):
        MODEL.fit(table.assign(composition=table["composition"] * 0.9))
    with pytest.raises(SchemaError, match="infinite"):
        MODEL.fit(table.assign(heat=table["heat"].where(table["heat"] > 5, np.inf)))
    polymer = table.assign_coords(element=["P3HT", *table["element"].values[1:]])
    with pytest.raises(SchemaError, match="Nothing is known of the element P3HT"):
        MODEL.fit(polymer)


def test_it_is_said_when_the_process_learned_from_some_specimens_only(both, monkeypatch):
    monkeypatch.setattr("tieline.models.composition_field.MOST_ROWS", 60)
    rare = both[0].assign(heat=both[0]["heat"].where(np.arange(120) < 12))
    fitted = MODEL.fit(rare)
    assert "The Gaussian process learned from 60 of 120 specimens." in fitted.notes
    assert int(fitted.fit.field.seen[:, 1].sum()) > 10  # rare labels stay
    assert np.isfinite(fitted.predict(both[1])["heat"]).all()
    assert fitted.diagnose()["loo_mean"].notnull().sum() > 0


def test_it_has_no_boundaries(posterior):
    assert not posterior.has_boundaries
    with pytest.raises(SchemaError, match="knows no boundaries"):
        posterior.boundaries()


def test_proposals_are_made_with_it(posterior, both):
    best = tl.propose(posterior, both[1], tl.Maximize("heat"), n=2)
    assert best.sizes["specimen"] == 2


def test_a_space_of_a_few_elements_is_searched(posterior):
    elements = ["Ti", "V", "Al", "N"]
    space = tl.Space([tl.Composition("composition", elements, low={"N": 0.4}, high=0.6, step=0.05)])
    best = tl.propose(posterior, space, tl.Maximize("stiffness"), n=2, seed=0)
    assert set(best["composition"].sel(specimen=best["specimen"][0])["element"].values) >= set(elements)
    np.testing.assert_allclose(best["composition"].sum("element"), 1.0)
    assert (best["composition"].sel(element="N") >= 0.4 - 1e-9).all()


def test_values_with_large_standard_errors_count_less(both):
    table, asked = both
    error = np.where(np.arange(table.sizes["specimen"]) % 2 == 0, 1.5, 0.0) * table["heat"]
    shift = 1 + 0.9 * np.sign(np.random.default_rng(3).standard_normal(table.sizes["specimen"]))
    noisy = table.assign(heat=table["heat"].copy(data=np.where(error > 0, shift, 1) * table["heat"]))
    blind = replace(MODEL, properties=["heat"]).fit(noisy)
    told = noisy.assign(heat_sd=error.assign_attrs(table["heat"].attrs))
    aware = replace(MODEL, properties=["heat"]).fit(told)
    assert error_of_median(aware, asked) < error_of_median(blind, asked)
    assert aware.predict(asked)["heat_sd"].mean() < blind.predict(asked)["heat_sd"].mean()
    coverage = float(aware.diagnose()["coverage_90"].sel(property="heat"))
    assert 0.82 <= coverage <= 0.98


def error_of_median(posterior, asked):
    median = posterior.predict(asked)["heat_quantile"].sel(probability=0.5)
    return float(np.abs(np.log(median / asked["heat"])).mean())


def test_a_limit_is_no_value(both):
    table, asked = both
    ceiling = float(table["heat"].quantile(0.6))
    is_over = (table["heat"] > ceiling).values
    capped = table.assign(heat=table["heat"].copy(data=np.where(is_over, ceiling, table["heat"])))
    flagged = capped.assign_coords(heat_flag=("specimen", np.where(is_over, "above", "")))
    model = replace(MODEL, properties=["heat"])
    blind, aware = model.fit(capped), model.fit(flagged)
    above = asked.isel(specimen=(asked["heat"] > ceiling).values)
    assert error_of_median(aware, above) < 0.9 * error_of_median(blind, above)
    high = aware.predict(asked)["heat_quantile"].sel(probability=0.95)
    assert (asked["heat"] <= high).mean() > 0.8  # of values that reach beyond all that was seen
    assert f"heat is only a limit in {is_over.sum()} rows, and is learned as such." in aware.notes
    assert aware.results["heat"].notnull().sum() == (~is_over).sum()
    assert int(aware.diagnose()["n_measured"].sel(property="heat")) == (~is_over).sum()


def test_what_failed_teaches_nothing(both):
    table, asked = both
    is_failed = np.arange(table.sizes["specimen"]) < 5
    wrong = table.assign(heat=table["heat"].copy(data=np.where(is_failed, 1e4, table["heat"])))
    found = MODEL.fit(wrong.assign_coords(heat_flag=("specimen", np.where(is_failed, "failed", "ok"))))
    hole = MODEL.fit(table.assign(heat=table["heat"].where(~is_failed)))
    xr.testing.assert_allclose(found.predict(asked)["heat"], hole.predict(asked)["heat"])
    assert "heat is flagged as failed in 5 rows, which teach nothing of it." in found.notes


def test_what_is_given_may_be_uncertain_or_no_value_at_all(posterior, both):
    asked = both[1].isel(specimen=slice(8))
    exact, without = posterior.predict(asked, given="stiffness"), posterior.predict(asked)
    error = (0.5 * asked["stiffness"]).assign_attrs(asked["stiffness"].attrs)
    unsure = posterior.predict(asked.assign(stiffness_sd=error), given="stiffness")
    relative = [float((p["heat_sd"] / p["heat"]).mean()) for p in (exact, unsure, without)]
    assert relative[0] < relative[1] < relative[2]
    in_mpa = asked.assign(
        stiffness=(1000 * asked["stiffness"]).assign_attrs(units="MPa"),
        stiffness_sd=(1000 * error).assign_attrs(units="MPa"),
    )
    xr.testing.assert_allclose(posterior.predict(in_mpa, given="stiffness")["heat"], unsure["heat"])
    flag = asked.assign_coords(stiffness_flag=("specimen", ["above"] * 8))
    found = posterior.predict(flag, given="stiffness")
    np.testing.assert_allclose(found["heat"], without["heat"])
    assert "stiffness is a limit or failed at 8 places, and was not taken there." in found.attrs["notes"]


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("heat_sd", -1.0, "neither negative nor infinite"),
        ("heat_flag", "beyond", "says what it may not: 'beyond'"),
    ],
)
def test_standard_errors_and_flags_that_cannot_be_are_refused(both, name, values, what):
    column = ("specimen", np.full(both[0].sizes["specimen"], values))
    with pytest.raises(SchemaError, match=what):
        MODEL.fit(both[0].assign({name: column}))


@pytest.fixture
def quick_networks(monkeypatch):
    for name, value in {"FEWEST_STEPS": 15, "PASSES": 1, "N_TWINS": 1, "N_NETWORKS": 2}.items():
        monkeypatch.setattr(network_ensemble, name, value)


@pytest.mark.parametrize(
    ("method", "learners"),
    [("encoder", ["process", "trees", "encoder"]), ("hclmp", ["hclmp"])],
)
def test_networks_answer_as_the_others_do(method, learners, both, quick_networks, tmp_path):
    some, asked = both[0].isel(specimen=slice(60)), both[1].isel(specimen=slice(8))
    lacking = some.assign(heat=some["heat"].where(np.arange(60) % 3 > 0))
    fitted = replace(MODEL, method=method).fit(lacking)
    weight = fitted.diagnose()["weight"]
    assert weight["learner"].values.tolist() == learners
    np.testing.assert_allclose(weight.sum("learner"), 1)
    predicted = fitted.predict(asked)
    assert (np.diff(predicted["heat_quantile"], axis=1) > 0).all()
    loaded = tl.load_posterior(fitted.save(tmp_path / "posterior.nc"))
    xr.testing.assert_identical(loaded.predict(asked), predicted)
    pure = xr.Dataset({"composition": compositions(["Ti", "Mn"])}).assign_coords(specimen=[0, 1])
    assert np.isfinite(fitted.predict(pure)["stiffness"]).all()


def test_a_method_that_there_is_not_is_refused():
    with pytest.raises(SchemaError, match="no method 'encode'") as caught:
        replace(MODEL, method="encode")
    assert "Did you mean 'encoder'?" in caught.value.found
