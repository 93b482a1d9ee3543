"""Every way in which a table can be wrong is told by name."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scattered import scattered

import tieline as tl

N = 8


def table(**columns):
    found = scattered(1, N).assign(hardness=("specimen", np.arange(N) * 1.5, {"units": "GPa"}))
    return found.assign({name: ("specimen", np.asarray(values)) for name, values in columns.items()})


def fit(data, design=("x", "y"), properties="hardness", **options):
    return tl.GaussianProcess(list(design), properties, **options).fit(data)


def composition(fractions):
    return xr.Dataset(
        {
            "composition": (("specimen", "element"), fractions),
            "hardness": ("specimen", np.arange(len(fractions)) * 1.0),
        },
        {"element": ["Fe", "Ga", "Pd"]},
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], "hardness"), "at least one design variable"),
        (("x", []), "at least one property"),
        ((["x", "hardness"], "hardness"), "one purpose.*\n.*hardness more than once"),
        ((["x", "x"], "hardness"), "x more than once"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(tl.SchemaError, match=message):
        tl.GaussianProcess(*arguments)


def test_an_unknown_kernel_is_refused_with_a_guess():
    with pytest.raises(tl.SchemaError, match=r"no kernel 'matern'.*matern52"):
        tl.GaussianProcess("x", "hardness", kernel="matern")


def test_a_target_needs_campaigns():
    with pytest.raises(tl.SchemaError, match="needs the column of campaigns"):
        tl.GaussianProcess("x", "hardness", target="B")


@pytest.mark.parametrize("data", [[1, 2], xr.Dataset({"x": ("sample", [1.0])})], ids=["a list", "samples"])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(tl.SchemaError, match="on the dimension 'specimen'"):
        fit(data)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"hardness": ["hard"] * N}, "'hardness' is not one number a specimen"),
        ({"hardness": [np.inf, *range(N - 1)]}, "'hardness' holds infinite values"),
        ({"hardness": [1.0] + [np.nan] * (N - 1)}, "at least 2 values of 'hardness'"),
        ({"hardness_sd": [-1.0] * N}, "'hardness_sd' is a standard error: it can be neither negative"),
        ({"hardness_sd": [np.inf] * N}, "'hardness_sd' is a standard error: it can be neither negative"),
        ({"hardness_sd": ["low"] * N}, "'hardness_sd' is read as the standard error"),
        ({"hardness_flag": ["low"] * N}, "'hardness_flag' says what it may not: 'low'"),
        (
            {"hardness": [np.nan, *range(N - 1)], "hardness_flag": ["below"] + [""] * (N - 1)},
            "'hardness' has no limit in 1 rows where 'hardness_flag' says below",
        ),
        ({"x": np.full(N, np.nan)}, "No specimen has a complete design"),
        ({"x": [""] * N}, "design variable 'x' is empty"),
    ],
)
def test_a_column_that_cannot_be_read_is_refused_by_name(columns, message):
    with pytest.raises((tl.SchemaError, tl.NotIdentified), match=message):
        fit(table(**columns))


def test_a_design_of_text_on_several_dimensions_is_refused():
    data = table().assign(x=(("specimen", "layer"), np.full((N, 2), "Pt")))
    with pytest.raises(tl.SchemaError, match="neither numbers nor one category"):
        fit(data)


def test_an_open_composition_is_refused():
    fractions = np.random.default_rng(0).dirichlet(np.ones(3), N)
    fractions[3] *= 0.9
    with pytest.raises(tl.SchemaError, match=r"'composition' does not sum to 1 .* in 1 of 8 rows"):
        fit(composition(fractions), ["composition"])


def test_a_standard_error_in_another_unit_is_refused():
    data = table().assign(hardness_sd=("specimen", np.full(N, 0.1), {"units": "MPa"}))
    with pytest.raises(tl.UnitError, match="hardness_sd"):
        fit(data)


def test_a_specimen_without_a_campaign_is_refused():
    with pytest.raises(tl.SchemaError, match="'round' must say for every specimen"):
        fit(table(round=["A"] * 5 + [""] * 3), campaign="round")


def test_specimens_without_a_complete_design_are_left_out_with_a_note():
    data = table(x=[np.nan, *np.linspace(0, 1, N - 1)])
    posterior = fit(data)
    assert "1 specimens have no complete design" in posterior.notes[0]
    rest = fit(data.isel(specimen=slice(1, None)))
    xr.testing.assert_allclose(
        posterior.predict(table()), rest.predict(table()).assign_attrs(posterior.predict(table()).attrs)
    )


class TestCategories:
    """A design variable of names."""

    substrate = np.array(["glass", "steel"] * 4)

    def test_each_category_has_its_own_level(self):
        shift = np.where(self.substrate == "steel", 40.0, 0.0)
        data = table(substrate=self.substrate, hardness=np.arange(N) * 0.1 + shift)
        posterior = fit(data, ["x", "substrate"])
        asked = table(substrate=["glass"] * 4 + ["steel"] * 4)
        found = posterior.predict(asked)["hardness"].values
        assert found[:4].max() < 5
        assert found[4:].min() > 35

    def test_names_of_categories_do_not_matter(self):
        data = table(substrate=self.substrate)
        renamed = table(substrate=np.where(self.substrate == "glass", "z", "a"))
        one = fit(data, ["x", "substrate"]).predict(data)
        other = fit(renamed, ["x", "substrate"]).predict(renamed)
        np.testing.assert_allclose(one["hardness"], other["hardness"], rtol=1e-6)
        np.testing.assert_allclose(one["hardness_sd"], other["hardness_sd"], rtol=1e-6)

    def test_a_category_without_measurements_is_known_and_unsure(self):
        substrate = [*self.substrate[:-2], "quartz", "quartz"]
        shift = np.where(self.substrate == "steel", 40.0, 0.0)
        hardness = [*(np.arange(N) * 0.1 + shift)[:-2], np.nan, np.nan]
        posterior = fit(table(substrate=substrate, hardness=hardness), ["x", "substrate"])
        glass, quartz = (posterior.predict(table(substrate=[s] * N)) for s in ("glass", "quartz"))
        assert (quartz["hardness_sd"] > glass["hardness_sd"]).all()

    def test_a_category_that_was_not_seen_is_noted_and_like_one_without_measurements(self):
        hardness = [*np.arange(N - 2) * 0.1, np.nan, np.nan]
        listed = table(substrate=[*self.substrate[:-2], "quartz", "quartz"], hardness=hardness)
        posterior = fit(listed, ["x", "substrate"])
        quartz, wood = (posterior.predict(table(substrate=[s] * N)) for s in ("quartz", "wood"))
        np.testing.assert_allclose(wood["hardness"], quartz["hardness"])
        np.testing.assert_allclose(wood["hardness_sd"], quartz["hardness_sd"])
        assert any("No specimen has substrate wood" in note for note in wood.attrs["notes"])
        assert not any("No specimen has" in note for note in quartz.attrs["notes"])

    def test_numbers_in_place_of_names_are_refused(self):
        posterior = fit(table(substrate=self.substrate), ["x", "substrate"])
        with pytest.raises(tl.SchemaError, match="not the kind of variable"):
            posterior.predict(table(substrate=np.arange(N) * 1.0))

    def test_a_specimen_without_a_category_is_left_out_with_a_note(self):
        posterior = fit(table(substrate=["", *self.substrate[1:]]), ["x", "substrate"])
        assert "1 specimens have no complete design" in posterior.notes[0]


def test_categories_of_a_table_from_pandas_can_stand_in_the_design():
    rng = np.random.default_rng(0)
    sheet = pd.DataFrame({"x": rng.random(12), "solvent": ["water", "DMF"] * 6})
    sheet["hardness"] = np.where(sheet["solvent"] == "water", 5.0, 1.0) + sheet["x"]
    posterior = fit(tl.table(sheet), ["x", "solvent"])
    places = tl.table(pd.DataFrame({"x": [0.5, 0.5], "solvent": ["water", "DMF"]}))
    predicted = posterior.predict(places)["hardness"].values
    assert predicted[0] - predicted[1] == pytest.approx(4, abs=0.5)
    best = tl.propose(posterior, places, tl.Maximize("hardness"), 1)
    assert best["candidate"].values.tolist() == [0]
    assert best["solvent"].values.tolist() == ["water"]


@pytest.mark.parametrize("factor", [10, 1000])
def test_a_value_in_another_unit_is_named_and_an_honest_peak_is_not(factor):
    places = scattered(3, 40)
    smooth = 3 + np.sin(4 * places["x"].values) + 0.05 * np.random.default_rng(3).standard_normal(40)
    wrong = smooth.copy()
    wrong[4] *= factor
    peaked = np.exp(6 * np.exp(-((places["x"].values - 0.5) ** 2) / 0.02))
    told = {}
    for name, values in (("smooth", smooth), ("wrong", wrong), ("peaked", peaked)):
        data = places.assign(hardness=("specimen", values, {"units": "GPa"}))
        told[name] = " ".join(fit(data).diagnose().attrs["worries"])
    assert "hardness of specimen 4" in told["wrong"]
    assert "did not foresee" not in told["smooth"] + told["peaked"]
