"""A model fitted anew: the one in use stays unless another is better, or simpler; that is written down."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.evaluation.challenge import _decide
from tieline.evaluation.retraining import decisions_of
from tieline.insight.explanation import model_card
from tieline.schema.hashing import table_hash

INPUTS = ["a", "b"]


def table(n, seed=0, bent=3.0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    y = x[:, 0] + bent * x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    columns = {
        name: ("specimen", x[:, j], {"role": "process", "units": "K"}) for j, name in enumerate(INPUTS)
    }
    made = xr.Dataset(columns, {"specimen": [f"S{i}" for i in range(n)]})
    return made.assign(y=("specimen", y, {"role": "property", "units": "GPa"}))


RIDGE = tl.Learner(INPUTS, "y", way="ridge")
STRAIGHT = tl.Learner(INPUTS, "y", way="ridge", settings={"alpha": 0.1})
PROCESS = tl.Learner(INPUTS, "y", way="gaussian_process")


@pytest.fixture(scope="module")
def done():
    now = table(90)
    in_use = RIDGE.fit(now.isel(specimen=slice(0, 40)))
    return now, in_use, tl.retrain(in_use, now, [PROCESS])


def test_a_better_model_takes_the_place(done):
    now, _, found = done
    assert found.posterior.model == PROCESS
    assert found.posterior.table.sizes["specimen"] == 90
    assert found.decision.startswith("Gaussian process takes the place of ridge (off by")
    assert " GPa): off by " in found.decision
    xr.testing.assert_identical(found.posterior.predict(now), PROCESS.fit(now, seed=0).predict(now))


def test_scores_are_of_the_same_folds_and_paired(done):
    now, _, found = done
    folds = tl.task(now, "y", INPUTS).folds("y")
    left_out = {}
    for name, model in (("ridge", RIDGE), ("gaussian process", PROCESS)):
        wrong = np.empty(90)
        for train, test in folds:
            said = model.fit(now.isel(specimen=train), seed=0).predict(now.isel(specimen=test))
            wrong[test] = np.abs(said["y"] - now["y"].values[test])
        left_out[name] = wrong
        assert found.scores["loss"].sel(model=name) == pytest.approx(wrong.mean())
    behind = left_out["gaussian process"] - left_out["ridge"]
    row = found.scores.sel(model="gaussian process")
    assert row["behind"] == pytest.approx(behind.mean())
    assert row["behind_se"] == pytest.approx(behind.std(ddof=1) / np.sqrt(90))


def test_what_arrived_tests_the_posterior_in_use(done):
    now, in_use, found = done
    new = now.isel(specimen=slice(40, 90))
    wrong = np.abs(in_use.predict(new)["y"] - new["y"].values).mean().item()
    assert found.arrived.startswith(f"On 50 values of y that arrived it was off by {wrong:.3g} GPa; its 90 %")
    again = tl.retrain(found.posterior, now, [RIDGE])
    assert again.arrived == ""


def test_decisions_are_saved_with_the_posterior_and_stand_on_its_card(done, tmp_path):
    now, _, found = done
    again = tl.retrain(found.posterior, now, [RIDGE])
    assert again.posterior.model == PROCESS
    assert again.decision.startswith("Gaussian process stays (off by")
    read = tl.load_posterior(again.posterior.save(tmp_path / "model.nc"))
    first, second = decisions_of(read)
    assert (first["decision"], second["decision"]) == (found.decision, again.decision)
    assert first["table_sha256"] == table_hash(now)
    card = model_card(read)
    assert f"1. {found.arrived} {found.decision}" in card
    assert f"2. {again.decision}" in card


def test_a_simpler_model_that_errs_less_takes_the_place():
    straight = table(60, bent=0.0)
    found = tl.retrain(tl.Learner(INPUTS, "y", way="gradient_boosting").fit(straight), straight, [STRAIGHT])
    assert found.posterior.model == STRAIGHT


def test_a_richer_model_that_is_better_by_chance_does_not():
    straight = table(60, bent=0.0)
    found = tl.retrain(STRAIGHT.fit(straight), straight, [PROCESS])
    assert found.posterior.model == STRAIGHT
    assert "Ridge stays" in found.decision


def test_a_house_model_keeps_its_decisions_too(tmp_path):
    now = table(30)
    in_use = tl.GaussianProcess(INPUTS, "y").fit(now.isel(specimen=slice(0, 20)))
    found = tl.retrain(in_use, now, [RIDGE])
    assert type(found.posterior.model) is tl.GaussianProcess
    read = tl.load_posterior(found.posterior.save(tmp_path / "process.nc"))
    assert decisions_of(read)[0]["stays"] == "GaussianProcess"


def test_labels_are_challenged_by_log_loss():
    seen = table(60)
    labelled = seen.drop_vars("y").assign(phase=("specimen", np.where(seen["b"] ** 2 > 0.3, "out", "in")))
    ridge = tl.Learner(INPUTS, phase="phase", way="ridge")
    neighbours = tl.Learner(INPUTS, phase="phase", way="neighbours")
    found = tl.retrain(ridge.fit(labelled.isel(specimen=slice(0, 40))), labelled, [neighbours])
    assert found.posterior.model == neighbours
    assert "labels that arrived" in found.arrived
    assert found.decision.startswith("Neighbours takes the place of ridge (log loss")


def test_without_challengers_the_recommended_one_is_tried(monkeypatch):
    from tieline.evaluation import retraining

    few = {"models": ["ridge", "gaussian_process"]}
    compare = retraining.compare
    monkeypatch.setattr(retraining, "compare", lambda task, **asked: compare(task, **few, **asked))
    now = table(60)
    found = tl.retrain(RIDGE.fit(now), now)
    assert found.posterior.model.way == "gaussian_process"


def test_what_cannot_challenge_is_refused(done):
    now, in_use, _ = done
    with pytest.raises(tl.SchemaError, match="a model of this house"):
        tl.retrain(in_use, now, ["ridge"])
    with pytest.raises(tl.SchemaError, match="does not predict 'y'"):
        tl.retrain(in_use, now, [replace(RIDGE, properties=("z",))])
    with pytest.raises(tl.SchemaError, match="'b'"):
        tl.retrain(in_use, now.drop_vars("b"), [PROCESS])


@pytest.mark.parametrize(
    ("behind", "simplicity", "stays"),
    [
        (-0.03, 5, "other"),  # less by more than chance
        (-0.01, 5, "champion"),  # less by chance, and no simpler
        (0.01, 1, "other"),  # more by chance, and simpler
        (0.03, 1, "champion"),  # more by more than chance
    ],
)
def test_chance_decides_for_the_simpler_one(behind, simplicity, stays):
    scores = xr.Dataset(
        {
            "loss": ("model", [1.0, 1.0 + behind]),
            "loss_se": ("model", [0.1, 0.1]),
            "behind": ("model", [0.0, behind]),
            "behind_se": ("model", [0.0, 0.02]),
            "simplicity": ("model", [3, simplicity]),
        },
        {"model": ["champion", "other"]},
        {"measure": "off by", "unit": " GPa"},
    )
    assert _decide(scores)[0] == stays
