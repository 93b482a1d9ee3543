"""Joint distributions and draws, against each other and against the equations written out."""

import numpy as np
import pytest
import xarray as xr
from scattered import scattered

import tieline as tl
from tieline.models.gaussian_field import draw_functions
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import LEVEL, SHARED_LEVEL, Entries, Shape
from tieline.models.kernels import KERNELS

N_DRAWS = 4000


@pytest.fixture(scope="module")
def posterior():
    table, rng = scattered(1, 18), np.random.default_rng(2)
    first = 3 + np.sin(4 * table["x"].values) + 0.1 * rng.standard_normal(18)
    second = 200 - 50 * first + 30 * table["y"].values
    table["a"] = ("specimen", np.where(np.arange(18) % 3 == 0, np.nan, first), {"units": "GPa"})
    table["b"] = ("specimen", np.where(np.arange(18) % 4 == 1, np.nan, second), {"units": "K"})
    return tl.GaussianProcess(["x", "y"], ["a", "b"]).fit(table)


@pytest.fixture(scope="module")
def grid():
    return scattered(7, 25)


def test_a_field_has_the_moments_of_the_most_probable_fit(posterior, grid):
    x, outputs = posterior.scaled(grid), posterior.reading.outputs
    best = posterior.fit.fits[0]
    for j, name in enumerate(("a", "b")):
        mean, variance = best.moments(x, np.eye(2)[j])
        for is_rough in (False, True):
            field = posterior.field(x, {name: 1.0}, is_rough=is_rough)
            np.testing.assert_allclose(field.mean, mean * outputs.scale[j] + outputs.centre[j])
            np.testing.assert_allclose(field.variance, variance * outputs.scale[j] ** 2)
        assert field.noise == pytest.approx(best.noise(np.eye(2)[j]) * outputs.scale[j] ** 2)


@pytest.mark.parametrize("weights", [{"a": 1.0}, {"b": -2.0}, {"a": 3.0, "b": 0.1}], ids=str)
def test_columns_and_variances_are_those_of_the_covariance(posterior, grid, weights):
    field = posterior.field(posterior.scaled(grid), weights)
    covariance = field.covariance()
    np.testing.assert_allclose(covariance, covariance.T)
    np.testing.assert_allclose(covariance.diagonal(), field.variance)
    for i in (0, 7, 24):
        np.testing.assert_allclose(field.column(i), covariance[i])


def test_draws_have_the_moments_of_the_field(posterior, grid):
    """Of the most probable fit alone; `functions` draws from it and from the others."""
    x, outputs = posterior.scaled(grid), posterior.reading.outputs
    drawn = draw_functions(posterior.fit.fits[0], x, N_DRAWS, np.random.default_rng(3))
    drawn = drawn * outputs.scale + outputs.centre
    for weights in ({"a": 1.0}, {"b": 1.0}, {"a": 3.0, "b": 0.1}):
        field = posterior.field(x, weights)
        total = drawn @ [weights.get(name, 0.0) for name in outputs.names]
        sd = np.sqrt(field.variance)
        assert (np.abs(total.mean(0) - field.mean) / sd).max() < 5 / np.sqrt(N_DRAWS)
        apart = (np.cov(total.T) - field.covariance()) / np.outer(sd, sd)
        assert np.abs(apart).max() < 8 / np.sqrt(N_DRAWS)


def test_functions_have_the_predicted_moments(posterior, grid):
    draws, predicted = posterior.functions(grid, N_DRAWS, seed=3), posterior.predict(grid)
    for name in ("a", "b"):
        parts = predicted[f"{name}_variance"]
        sd = np.sqrt(parts.sel(part=parts["part"] != "noise").sum("part").values)
        values = draws.sel(property=name).values
        assert (np.abs(values.mean(0) - predicted[name].values) / sd).max() < 5 / np.sqrt(N_DRAWS)
        assert np.abs(values.std(0) / sd - 1).max() < 8 / np.sqrt(N_DRAWS)


def test_draws_pass_where_functions_are_known():
    table = scattered(1, 12)
    table["a"] = ("specimen", np.sin(4 * table["x"].values), {"units": "1"})
    table["a_sd"] = ("specimen", np.full(12, 1e-9), {"units": "1"})
    posterior = tl.GaussianProcess(["x", "y"], "a").fit(table)
    draws = posterior.functions(table, 50)
    noise = max(fit.noise(np.ones(1)) for fit in posterior.fit.fits) * float(table["a"].var())
    assert float(np.abs(draws.sel(property="a") - table["a"]).max()) < 6 * np.sqrt(noise)


def test_with_several_campaigns_the_present_one_is_drawn_and_predicted():
    """Moments of draws and of the field, both against the joint normal written out."""
    rng = np.random.default_rng(0)
    n, shape = 12, Shape(np.array([0]), 2, 2, "matern52")
    x, campaign = rng.random((n, 1)), rng.integers(2, size=n)
    entries = Entries(
        x, rng.integers(2, size=n), np.arange(n), campaign, rng.standard_normal(n), np.full(n, 0.1)
    )
    mean, sd = shape.priors()
    hyper = shape.at(mean + 0.3 * sd * rng.standard_normal(len(mean)))
    fit, places = GaussianFit(entries, hyper), np.linspace(0, 1, 4)[:, None]

    def kernel(a, b):
        return KERNELS["matern52"].value(((a - b.T) / hyper.lengthscale) ** 2)

    output = np.repeat([0, 1], 4)
    here = np.vstack([places, places])
    cross = kernel(here, x) * hyper.signal[np.ix_(output, entries.output)] * hyper.alike[0, campaign]
    cross += LEVEL * np.equal.outer(output, entries.output) * np.where(campaign == 0, 1.0, SHARED_LEVEL)
    prior = kernel(here, here) * hyper.signal[np.ix_(output, output)] + LEVEL * np.equal.outer(output, output)
    among = fit.root @ fit.root.T
    wanted_mean = cross @ np.linalg.solve(among, entries.y)
    wanted = prior - cross @ np.linalg.solve(among, cross.T)
    for p in (0, 1):
        found_mean, found_variance = fit.moments(places, np.eye(2)[p])
        np.testing.assert_allclose(found_mean, wanted_mean[output == p], atol=1e-9)
        np.testing.assert_allclose(found_variance, wanted.diagonal()[output == p], atol=1e-9)
    drawn = draw_functions(fit, places, N_DRAWS, rng).transpose(0, 2, 1).reshape(N_DRAWS, 8)
    scale = np.sqrt(wanted.diagonal())
    assert (np.abs(drawn.mean(0) - wanted_mean) / scale).max() < 5 / np.sqrt(N_DRAWS)
    assert np.abs((np.cov(drawn.T) - wanted) / np.outer(scale, scale)).max() < 8 / np.sqrt(N_DRAWS)


def test_places_that_are_asked_twice_are_drawn_alike(posterior, grid):
    twice = xr.concat([grid, grid], "specimen")
    draws = posterior.functions(twice, 5).values
    np.testing.assert_allclose(draws[:, :25], draws[:, 25:], atol=1e-9)
