"""Values that are only limits: learned from by one model, left out with a note by the others."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.planning.reason import measured_best

RNG = np.random.default_rng(0)
X = np.linspace(0, 10, 40)
HARDNESS = 3 + 0.2 * X + RNG.normal(0, 0.1, X.size)
IS_LIMIT = np.arange(X.size) % 10 == 5


def table():
    """Four values are told as limits that are far above what the specimens have."""
    value = np.where(IS_LIMIT, 50.0, HARDNESS)
    flag = np.where(IS_LIMIT, "below", "")
    return xr.Dataset(
        {
            "x": ("specimen", X, {"role": "process", "units": "1"}),
            "hardness": ("specimen", value, {"role": "property", "units": "GPa"}),
        },
        {"specimen": np.arange(X.size), "hardness_flag": ("specimen", flag)},
    )


@pytest.mark.parametrize(
    "model",
    [
        tl.PhaseProperty(design="x", phase=None, properties="hardness", n_phases=1),
        tl.Learner(["x"], ["hardness"], way="ridge"),
    ],
    ids=["PhaseProperty", "Learner"],
)
def test_a_model_of_values_leaves_limits_out_and_says_so(model):
    posterior = model.fit(table(), seed=0)
    predicted = posterior.predict(table()[["x"]])
    assert np.abs(predicted["hardness"].values - (3 + 0.2 * X)).max() < 0.5
    assert (
        "hardness: 4 limits left out; GaussianProcess and CompositionProperties learn from limits."
        in posterior.diagnose().attrs["notes"]
    )
    assert np.nanmax(posterior.results["hardness"].values) < 10


def test_a_gaussian_process_learns_from_limits():
    told = table()
    told["hardness"] = told["hardness"].where(~IS_LIMIT & (X < 5))  # beyond 5 nothing is known but
    told["hardness"][X > 5] = 2.0  # that it is below 2, where the line before leads above 4
    told["hardness_flag"] = ("specimen", np.where(X > 5, "below", ""))
    posterior = tl.GaussianProcess("x", "hardness").fit(told, seed=0)
    beyond = posterior.predict(told.isel(specimen=X > 7))
    assert (beyond["hardness"].values < 2.2).all()
    assert not any("left out" in note for note in posterior.diagnose().attrs["notes"])


def test_a_fingerprint_leaves_limits_out():
    data = table().assign(softness=("specimen", -HARDNESS, {"role": "property", "units": "GPa"}))
    model = tl.Fingerprint({"a": ["hardness"], "b": ["softness"]}, n_clusters=2, n_epochs=2)
    posterior = model.fit(data, seed=0)
    assert np.isnan(posterior.table["hardness"].values).sum() == 4
    assert any("4 limits left out" in note for note in posterior.notes)


def test_a_task_scores_no_predictions_against_limits():
    task = tl.task(table(), "hardness", ["x"])
    tested = np.concatenate([test for _, test in task.folds("hardness")])
    assert len(tested) == 36
    report = tl.inspect(table(), "hardness", ["x"])
    assert (
        "hardness: 4 limits left out; GaussianProcess and CompositionProperties learn from limits."
        in report.notes
    )


def test_the_best_so_far_is_at_least_the_limit_that_was_passed():
    best = table()
    best["hardness"] = best["hardness"].where(
        ~IS_LIMIT, 4.0
    )  # four specimens are harder than 4 GPa, told as such
    best["hardness_flag"] = ("specimen", np.where(IS_LIMIT, "above", ""))
    best["hardness"][~IS_LIMIT & (X > 4)] = np.nan
    posterior = tl.GaussianProcess("x", "hardness").fit(best, seed=0)
    assert measured_best(tl.Maximize("hardness"), posterior.results) == 4.0
    assert measured_best(tl.Minimize("hardness"), posterior.results) == np.nanmin(HARDNESS[X <= 4])
    assert np.nanmax(posterior.results["hardness"].values) < 4.0
