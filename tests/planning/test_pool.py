from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from toy_posterior import toy_posterior

from tieline.errors import SchemaError, UnitError
from tieline.planning.pool import check_pool, default_pool, place_names


@pytest.fixture
def posterior():
    return toy_posterior(2)


def test_misspelt_design_column_is_named_with_the_nearest_one(posterior):
    pool = default_pool(posterior).rename(temperature="temprature")
    with pytest.raises(
        SchemaError, match=r"lacks the design variable 'temperature'(.|\n)*Did you mean 'temprature'"
    ):
        check_pool(posterior, pool)


def test_empty_pool_is_refused(posterior):
    with pytest.raises(SchemaError, match="pool is empty"):
        check_pool(posterior, default_pool(posterior).isel(specimen=slice(0)))


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_holes_are_counted_and_located(posterior, hole):
    pool = default_pool(posterior).copy(deep=True)
    pool["dwell"].values[[3, 7]] = hole
    with pytest.raises(SchemaError, match=r"2 of \d+ rows, the first is row 3"):
        check_pool(posterior, pool)


def test_a_dataframe_is_refused_with_the_way_to_make_a_table(posterior):
    with pytest.raises(SchemaError, match=r"tl\.table"):
        check_pool(posterior, default_pool(posterior).to_dataframe())


def test_units_are_converted_into_those_of_the_model(posterior):
    pool = default_pool(posterior)
    kelvin = pool.assign(temperature=(pool["temperature"] + 273.15).assign_attrs(units="K"))
    np.testing.assert_allclose(check_pool(posterior, kelvin)["temperature"], pool["temperature"])
    with pytest.raises(UnitError):
        check_pool(posterior, pool.assign(temperature=pool["temperature"].assign_attrs(units="h")))


def test_elements_are_put_into_the_order_of_the_model():
    posterior = toy_posterior(composition=True)
    pool = default_pool(posterior)
    turned = pool.isel(element=[2, 0, 1])
    xr.testing.assert_equal(check_pool(posterior, turned)["composition"], pool["composition"])
    with pytest.raises(SchemaError, match="other elements"):
        check_pool(posterior, pool.assign_coords(element=["Fe", "Ga", "Ni"]))


def test_elements_that_a_pool_does_not_name_are_absent():
    posterior = toy_posterior(composition=True)
    pool = default_pool(posterior)
    fractions = pool["composition"][:2].copy(data=[[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    binary = pool.isel(specimen=[0, 1]).assign(composition=fractions)
    named = binary.sel(element=["Ga", "Fe"])
    xr.testing.assert_equal(check_pool(posterior, named)["composition"], binary["composition"])
    with pytest.raises(SchemaError, match="no composition"):
        check_pool(posterior, pool.sel(element=["Ga", "Fe"]))


def test_same_place_has_one_name():
    places = xr.Dataset({"a": ("specimen", [0.1, 0.3, 0.1 + 1e-12]), "b": ("specimen", [5.0, 5.0, 5.0])})
    names = place_names(places)
    assert names[0] == names[2] != names[1]


@pytest.mark.parametrize("n_inputs", [1, 2, 3, 4])
def test_default_pool_spans_what_was_explored(n_inputs):
    posterior = toy_posterior(n_inputs)
    pool = default_pool(posterior)
    assert 40 <= pool.sizes["specimen"] <= 1500
    for name in posterior.model.design:
        seen, given = posterior.table[name], pool[name]
        assert given.attrs["units"] == seen.attrs["units"]
        assert seen.values.min() <= given.values.min() < given.values.max() <= seen.values.max()
        assert np.ptp(given.values) > 0.95 * np.ptp(seen.values)


def test_levels_of_the_default_pool_are_round_numbers():
    temperatures = np.unique(default_pool(toy_posterior(2))["temperature"])
    np.testing.assert_allclose(np.diff(temperatures), 10)
    seen = toy_posterior(3, seed=4)
    levels = np.unique(default_pool(seen)["pressure"])
    np.testing.assert_allclose(levels[1:-1] / 0.2, np.round(levels[1:-1] / 0.2))


@pytest.mark.parametrize("n_elements", [2, 3, 4, 8])
def test_default_pool_of_compositions_closes_and_stays_inside(n_elements):
    posterior = toy_posterior(composition=True)
    elements = ["Fe", "Ga", "Pd", "Ni", "Co", "Cr", "Mn", "Al"][:n_elements]
    fractions = np.random.default_rng(0).dirichlet(np.ones(n_elements), 40)
    table = xr.Dataset({"composition": (("specimen", "element"), fractions)}, {"element": elements})
    pool = default_pool(type(posterior)(posterior.model, table))["composition"]
    assert pool.sizes["specimen"] >= 50
    np.testing.assert_allclose(pool.sum("element"), 1, atol=1e-9)
    assert (pool.min("specimen").values >= fractions.min(0) - 1e-6).all()
    assert (pool.max("specimen").values <= fractions.max(0) + 1e-6).all()


def test_default_pool_of_a_composition_and_settings_spans_both():
    posterior = toy_posterior(composition=True)
    rng = np.random.default_rng(0)
    table = xr.Dataset(
        {
            "temperature": ("specimen", rng.uniform(300, 500, 40), {"units": "K"}),
            "composition": (("specimen", "element"), rng.dirichlet(np.ones(3), 40), {"units": "1"}),
        },
        {"element": ["Fe", "Ga", "Pd"]},
    )
    model = replace(posterior.model, design=["composition", "temperature"])
    pool = default_pool(type(posterior)(model, table))
    assert list(pool.data_vars) == ["composition", "temperature"]
    np.testing.assert_allclose(pool["composition"].sum("element"), 1)
    assert 300 <= pool["temperature"].min() < 310
    assert pool["temperature"].attrs["units"] == "K"
    assert abs(np.corrcoef(pool["temperature"], pool["composition"][:, 0])[0, 1]) < 0.1
