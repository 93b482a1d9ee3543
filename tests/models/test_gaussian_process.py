"""What `GaussianProcess` makes of a table; its covariance is tested in test_gaussian_fit.py."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scattered import scattered

import tieline as tl
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import LEVEL


def line(x, **columns):
    variables = {"x": ("specimen", np.asarray(x, float), {"role": "process", "units": "K"})}
    variables |= {name: ("specimen", np.asarray(v)) for name, v in columns.items()}
    found = xr.Dataset(variables, {"specimen": np.arange(len(x))})
    if "hardness" in found:
        found["hardness"].attrs = {"units": "GPa", "role": "property"}
    return found


def predict(table, grid=None, **options):
    return tl.GaussianProcess("x", "hardness", **options).fit(table).predict(table if grid is None else grid)


def noisy_sine(n, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    x = 10 * rng.random(n)
    return line(x, hardness=5 + 2 * np.sin(x) + noise * rng.standard_normal(n))


def test_a_function_is_learned_to_within_its_own_error():
    grid = line(np.linspace(0.5, 9.5, 40))
    found = predict(noisy_sine(60), grid)
    apart = (found["hardness"] - (5 + 2 * np.sin(grid["x"].values))) / np.sqrt(
        found["hardness_variance"].sel(part="function")
    )
    assert float(np.abs(apart).max()) < 4
    assert float(np.sqrt(found["hardness_variance"].sel(part="noise")[0])) == pytest.approx(0.3, rel=0.3)


def test_far_from_all_data_the_answer_is_the_prior_and_a_note_says_so():
    table = noisy_sine(30)
    posterior = tl.GaussianProcess("x", "hardness").fit(table)
    far = posterior.predict(line([5.0, 1e6]))
    signal = posterior.fit.shares @ [fit.hyper.signal[0, 0] for fit in posterior.fit.fits]
    level = far["hardness_variance"].sel(part="function")[1] / float(table["hardness"].var()) - signal
    assert 0 < float(level) < LEVEL  # the level is known in part
    assert "1 of 2 places lie more than a quarter outside" in far.attrs["notes"][-1]


def test_repeats_are_averaged_and_tell_the_noise():
    x = np.repeat(np.linspace(0, 9, 8), 6)
    rng = np.random.default_rng(1)
    table = line(x, hardness=0.1 * x + 0.5 * rng.standard_normal(x.size))
    found = predict(table, line([4.5]))
    assert float(np.sqrt(found["hardness_variance"].sel(part="noise")[0])) == pytest.approx(0.5, rel=0.25)


def test_one_repeat_more_is_one_standard_error_less():
    """A value with a standard error says as much as repeats that average to it."""
    x = np.linspace(0, 9, 7)
    hardness = np.sin(x)
    mean = line(x, hardness=hardness, hardness_sd=np.full(7, 0.2 / np.sqrt(2)))
    both = line(
        np.repeat(x, 2),
        hardness=np.repeat(hardness, 2) + np.tile([0.1, -0.1], 7),
        hardness_sd=np.full(14, 0.2),
    )
    models = [tl.GaussianProcess("x", "hardness").fit(t) for t in (mean, both)]
    # The noise beyond the standard errors is forced to vanish, and all else to be alike.
    hyper = replace(models[0].fit.fits[0].hyper, residual=np.array([[1e-12]]))
    scale = models[0].reading.outputs.scale
    answers = []
    for model in models:
        ratio = model.reading.outputs.scale / scale
        entries = replace(
            model.fit.entries,
            y=model.fit.entries.y * ratio,
            variance=model.fit.entries.variance * ratio**2,
        )
        answers.append(GaussianFit(entries, hyper).moments(np.array([[0.33]]), np.ones(1)))
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)


def test_a_value_with_a_large_standard_error_counts_less():
    x = np.linspace(0, 9, 12)
    hardness = 0.1 * x
    hardness[5] = 4.0
    sd = np.where(np.arange(12) == 5, 3.0, 0.01)
    careful = predict(line(x, hardness=hardness, hardness_sd=sd))
    assert abs(float(careful["hardness"][5]) - 0.1 * x[5]) < 0.3


def test_units_of_the_grid_are_converted_and_those_of_the_table_are_kept():
    table = noisy_sine(20)
    celsius = table[["x"]].assign(x=table["x"] - 273.15)
    celsius["x"].attrs = {"units": "degC"}
    posterior = tl.GaussianProcess("x", "hardness").fit(table)
    one, other = posterior.predict(table), posterior.predict(celsius)
    xr.testing.assert_allclose(one, other)
    assert one["hardness_sd"].attrs["units"] == "GPa"
    assert one["hardness_variance"].attrs["units"] == "(GPa)^2"


def test_another_unit_of_a_property_changes_nothing_else():
    table = noisy_sine(20)
    other = table.assign(hardness=table["hardness"] * 1e9)
    one, two = predict(table), predict(other)
    np.testing.assert_allclose(two["hardness"], one["hardness"] * 1e9, rtol=1e-6)
    np.testing.assert_allclose(two["hardness_sd"], one["hardness_sd"] * 1e9, rtol=1e-6)


def test_a_property_that_goes_with_another_helps_where_it_was_not_measured():
    table = scattered(3, 40)
    first = np.sin(5 * table["x"].values) * np.cos(4 * table["y"].values)
    table["first"] = ("specimen", first)
    table["second"] = ("specimen", np.where(np.arange(40) < 8, 10 - 3 * first, np.nan))
    grid = scattered(8, 50)
    truth = 10 - 3 * np.sin(5 * grid["x"].values) * np.cos(4 * grid["y"].values)
    errors = []
    for properties in (["first", "second"], ["second"]):
        found = tl.GaussianProcess(["x", "y"], properties).fit(table).predict(grid)["second"].values
        errors.append(np.sqrt(np.mean((found - truth) ** 2)))
    assert errors[0] < 0.5 * errors[1]


def test_a_property_that_never_varies_is_predicted_as_it_is():
    found = predict(line(range(6), hardness=np.full(6, 7.0)), line([2.5]))
    assert float(found["hardness"][0]) == pytest.approx(7.0, rel=0.05)
    assert np.isfinite(found["hardness_sd"]).all()


@pytest.mark.parametrize("n", [2, 3])
def test_very_few_values_give_finite_and_wide_answers(n):
    posterior = tl.GaussianProcess("x", "hardness").fit(line(range(n), hardness=np.arange(n) * 1.0))
    found = posterior.predict(line([0.5, 30.0]))
    assert np.isfinite(found["hardness"]).all()
    assert float(found["hardness_sd"][1]) > 0.5 * np.arange(n).std()
    assert posterior.diagnose().attrs["verdict"] == "amber"
    assert f"only {n} specimens" in posterior.diagnose().attrs["sentence"]


def test_intervals_that_hold_too_little_are_told():
    """Wild outliers in a smooth function: left-out values are missed."""
    table = noisy_sine(60, noise=0.02)
    posterior = tl.GaussianProcess("x", "hardness").fit(table)
    assert posterior.diagnose().attrs["verdict"] == "green"
    hypers = [replace(fit.hyper, residual=fit.hyper.residual / 100) for fit in posterior.fit.fits]
    fits = tuple(replace(f, hyper=h) for f, h in zip(posterior.fit.fits, hypers, strict=True))
    sure = replace(posterior, fit=replace(posterior.fit, fits=fits))
    assert sure.diagnose().attrs["verdict"] == "red"
    assert "fall into their 90 % intervals" in sure.diagnose().attrs["sentence"]


def test_more_values_than_settle_hyperparameters_are_all_used():
    table = noisy_sine(450)
    found = predict(table, line([5.0]))
    assert float(np.sqrt(found["hardness_variance"].sel(part="function")[0])) < 0.1


def test_it_has_no_boundaries():
    posterior = tl.GaussianProcess("x", "hardness").fit(noisy_sine(8))
    assert not posterior.has_boundaries
    with pytest.raises(tl.SchemaError, match="knows no boundaries"):
        posterior.boundaries()


def test_everything_that_was_learned_is_saved(tmp_path):
    """Limits, failures, earlier campaigns, categories and standard errors."""
    rng = np.random.default_rng(0)
    table = scattered(2, 24).assign(
        substrate=("specimen", np.tile(["glass", "steel"], 12)),
        round=("specimen", np.repeat(["first", "second"], 12)),
        hardness_flag=("specimen", np.where(np.arange(24) % 7 == 0, "below", "")),
        cost_flag=("specimen", np.where(np.arange(24) % 9 == 1, "failed", "ok")),
        hardness_sd=("specimen", np.full(24, 0.1)),
    )
    table["hardness"] = ("specimen", 3 * table["x"].values + rng.random(24), {"units": "GPa"})
    table["cost"] = ("specimen", table["y"].values + rng.random(24), {"units": "EUR"})
    model = tl.GaussianProcess(["x", "y", "substrate"], ["hardness", "cost"], campaign="round")
    posterior = model.fit(table)
    loaded = tl.load_posterior(posterior.save(tmp_path / "p.nc"))
    assert loaded.model == model
    assert loaded.notes == posterior.notes
    xr.testing.assert_identical(loaded.predict(table), posterior.predict(table))
    xr.testing.assert_identical(loaded.functions(table, 3), posterior.functions(table, 3))
    xr.testing.assert_identical(loaded.diagnose(), posterior.diagnose())
    assert "success_probability" in loaded.predict(table)
