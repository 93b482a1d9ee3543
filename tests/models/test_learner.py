"""Usual ways to learn answer as models of the house do, and their intervals hold what they promise."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

import tieline as tl
from tieline.models.isotropic_process import IsotropicProcess
from tieline.models.learner_ways import WAYS
from tieline.models.widths import Widths

INPUTS = ["a", "b", "medium"]


def table(seed=0, n=120):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(300, 900, n), rng.uniform(0, 1, n)
    medium = rng.choice(["air", "argon"], n)
    y = 0.01 * a + np.sin(6 * b) + (medium == "argon") + 0.3 * rng.standard_normal(n)
    made = tl.table(
        pd.DataFrame({"a": a, "b": b, "medium": medium, "y": y, "z": 2 * y + b}),
        units={"a": "K", "b": "1", "y": "GPa", "z": "mV"},
    )
    label = np.where(y > np.median(y), "hard", "soft")
    return made.assign(phase=("specimen", label, {"role": "structure"}))


UNSURE = [
    ("conformal", "ridge"),
    ("bootstrap", "ridge"),
    ("ensemble", "ridge"),
    ("bayes", "gaussian_process"),
]


@pytest.mark.parametrize(("uncertainty", "way"), UNSURE)
def test_intervals_hold_what_they_promise_of_new_specimens(uncertainty, way):
    inside = []
    for seed in range(3):
        posterior = tl.Learner(INPUTS, "y", way=way, uncertainty=uncertainty).fit(table(seed), seed=seed)
        fresh = table(seed + 100, 300)
        low, _, high = posterior.predict(fresh)["y_quantile"].transpose("probability", ...).values
        inside.append(((low <= fresh["y"].values) & (fresh["y"].values <= high)).mean())
    assert 0.84 < np.mean(inside) < 0.96


@pytest.mark.parametrize("way", WAYS)
def test_every_way_answers_for_numbers_and_labels(way):
    posterior = tl.Learner(INPUTS, "y", way=way).fit(table(), seed=1)
    fresh = table(7)
    predicted = posterior.predict(fresh)
    assert predicted["y"].attrs["units"] == "GPa"
    assert (predicted["y_sd"] > 0).all()
    if way != "mean":
        assert np.corrcoef(predicted["y"], fresh["y"])[0, 1] > 0.8
    if WAYS[way].classification is not None:
        told = tl.Learner(INPUTS, phase="phase", way=way).fit(table(), seed=1).predict(fresh)
        np.testing.assert_allclose(told["phase_probability"].sum("phase"), 1)
        if way != "mean":
            assert (told["most_likely_phase"] == fresh["phase"]).mean() > 0.75


@pytest.mark.parametrize(
    "model",
    [
        tl.Learner(INPUTS, ["y", "z"], way="extra_trees", settings={"min_samples_leaf": 2}),
        tl.Learner(INPUTS, "y", way="ridge", uncertainty="bootstrap"),
        tl.Learner(INPUTS, phase="phase", way="ridge"),
    ],
)
def test_a_posterior_is_the_same_when_it_was_saved_and_loaded(model, tmp_path):
    posterior = model.fit(table(), seed=3)
    again = tl.load_posterior(posterior.save(tmp_path / "p.nc"))
    assert again.predict(table(5)).identical(posterior.predict(table(5)))
    assert again.diagnose().identical(posterior.diagnose())
    assert again.model == model


def test_the_same_seed_gives_the_same_answer_and_the_table_stays():
    seen = table()
    before = seen.copy(deep=True)
    first, second = (tl.Learner(INPUTS, "y").fit(seen, seed=4).predict(seen) for _ in range(2))
    assert first.identical(second)
    assert seen.identical(before)


def test_other_units_of_the_grid_are_converted_and_holes_filled():
    posterior = tl.Learner(INPUTS, "y", way="ridge").fit(table())
    celsius = table(5)
    celsius["a"] = (celsius["a"] - 273.15).assign_attrs(role="process", units="degC")
    np.testing.assert_allclose(posterior.predict(celsius)["y"], posterior.predict(table(5))["y"])
    holes = table(5)
    holes["b"] = holes["b"].where(np.arange(120) > 10)
    assert np.isfinite(posterior.predict(holes)["y"]).all()


def test_places_far_from_all_specimens_are_said_to_be():
    posterior = tl.Learner(INPUTS, "y").fit(table())
    away = table(5)
    away["a"] = away["a"].where(np.arange(120) > 3, 5000.0)
    predicted = posterior.predict(away)
    assert predicted["far"].values[:4].all()
    assert predicted["far"].values[4:].mean() < 0.05
    assert any("are extrapolated" in note for note in predicted.attrs["notes"])


def test_functions_scatter_about_the_mean_as_far_as_the_function_is_unsure():
    posterior = tl.Learner(INPUTS, "y", uncertainty="ensemble").fit(table())
    drawn = posterior.functions(table(5), 2000, seed=0)
    predicted = posterior.predict(table(5))
    error = drawn.sel(property="y").mean("draw") - predicted["y"]
    assert np.abs(error).max() < 0.1
    assert (drawn.sel(property="y").std("draw") < 1.1 * predicted["y_sd"] + 0.1).all()


def test_groups_are_left_out_together():
    """Input and target are one random number a batch: left out alone, a row is known by its neighbours."""
    rng = np.random.default_rng(0)
    batch = np.arange(120) // 5
    level = rng.standard_normal(24)[batch] + 0.001 * rng.standard_normal(120)
    seen = table().assign(
        a=("specimen", level), y=("specimen", rng.standard_normal(24)[batch]), batch=("specimen", batch)
    )
    alone, together = (
        tl.Learner("a", "y", way="neighbours", groups=groups).fit(seen).diagnose()
        for groups in (None, "batch")
    )
    assert alone["r2"].item() > 0.9
    assert together["r2"].item() < 0.2
    assert together.attrs["verdict"] == "red"


def test_a_proposal_can_be_planned_with_it():
    posterior = tl.Learner(["a", "b"], "y", way="gaussian_process", uncertainty="bayes").fit(table())
    pool = table(8)[["a", "b"]]
    best = tl.propose(posterior, pool, tl.Maximize("y"), n=2)
    assert best.sizes["specimen"] == 2


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"properties": (), "phase": None}, "predicts properties, or tells"),
        ({"properties": "y", "phase": "phase"}, "predicts properties, or tells"),
        ({"properties": "y", "way": "forest"}, "no way 'forest'"),
        ({"properties": (), "phase": "phase", "way": "gaussian_process"}, "to tell labels"),
        ({"properties": "y", "uncertainty": "bayes"}, "no posterior of its own"),
        ({"properties": "y", "uncertainty": "guess"}, "no uncertainty 'guess'"),
    ],
)
def test_questions_that_make_no_sense_are_refused(settings, match):
    with pytest.raises(tl.SchemaError, match=match):
        tl.Learner(INPUTS, **settings)


def test_what_a_table_lacks_is_named():
    with pytest.raises(tl.SchemaError, match="reads 'c'"):
        tl.Learner(["a", "c"], "y").fit(table())
    with pytest.raises(tl.NotIdentified, match="at least 5 values of 'y'"):
        tl.Learner(["a"], "y").fit(table().assign(y=table()["y"] * np.nan))


def test_the_process_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4))
    y = np.sin(x[:, 0]) + 0.4 * rng.standard_normal(80)
    found = IsotropicProcess.fit(x, y, 0)
    nu = {"laplace": 0.5, "matern52": 2.5}[found.kernel]
    kernel = found.variance * Matern(found.length, nu=nu) + WhiteKernel(found.variance * found.noise)
    peer = GaussianProcessRegressor(kernel, optimizer=None).fit(x, y)
    new = rng.standard_normal((30, 4))
    mean, sd = peer.predict(new, return_std=True)
    ours, spread = found.predict(new)
    np.testing.assert_allclose(ours, mean, atol=1e-5)
    np.testing.assert_allclose(np.hypot(spread, found.noise_sd), sd, atol=1e-5)
    best = GaussianProcessRegressor(1.0 * Matern(1.0, nu=nu) + WhiteKernel(), n_restarts_optimizer=0).fit(
        x, y
    )
    assert peer.log_marginal_likelihood_value_ > best.log_marginal_likelihood_value_ - 3


def test_widths_follow_disagreement_where_it_tells_the_error():
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.5, 3, 4000)
    error = spread * rng.standard_normal(4000)
    widths = Widths.of(error, spread)
    sd = widths.sd(spread)
    assert np.corrcoef(sd, spread)[0, 1] > 0.99
    assert np.mean(np.abs(error) <= widths.quantile * sd) == pytest.approx(0.9, abs=0.005)
    assert np.std(error / sd) == pytest.approx(1, abs=0.03)
    same = Widths.of(rng.standard_normal(500), np.zeros(500))
    assert same.sd(np.zeros(1))[0] == pytest.approx(1, abs=0.1)


def test_categories_numbers_and_compositions_stand_side_by_side():
    formulas = ["Fe2O3", "MgO", "Al2O3", "NaCl", "SiO2", "TiO2", "CaO", "ZnO"]
    sheet = pd.DataFrame({"formula": formulas, "pressure": np.arange(8.0), "energy": np.arange(8.0) ** 2})
    oxides = tl.table(sheet, formula="formula")
    posterior = tl.Learner(["composition", "pressure"], "energy", way="ridge").fit(oxides)
    new = tl.table(pd.DataFrame({"formula": ["KBr"], "pressure": [2.0]}), formula="formula")
    predicted = posterior.predict(new)
    assert np.isfinite(predicted["energy"]).all()
    assert isinstance(predicted, xr.Dataset)
