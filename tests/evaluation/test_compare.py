"""Models are compared without leaks, with honest errors, and the simpler one wins a tie."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import LinearRegression

import tieline as tl
from tieline.evaluation.candidates import candidates_for
from tieline.evaluation.fold_run import FoldRun
from tieline.evaluation.scores import clustered_error

QUICK = ["ridge", "neighbours", "gaussian_process", "support_vectors"]


def table(seed=0, n=120, noise=0.3):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (n, 3))
    y = x[:, 0] + np.sin(2 * x[:, 1]) + noise * rng.standard_normal(n)
    about = {"role": "process", "units": "1"}
    columns = {name: ("specimen", x[:, j], about) for j, name in enumerate("abc")}
    label = np.array(["low", "high"])[(y > 0).astype(int)]
    return xr.Dataset(
        columns
        | {
            "y": ("specimen", y, {"role": "property", "units": "GPa"}),
            "second": ("specimen", np.where(np.arange(n) % 3 == 0, np.nan, x[:, 2] ** 2), {"units": "K"}),
            "phase": ("specimen", label, {"role": "structure"}),
            "batch": ("specimen", np.arange(n) // 4, about),
        },
        {"specimen": np.arange(n)},
    )


@pytest.fixture(scope="module")
def comparison():
    return tl.compare(tl.task(table(), "y", list("abc")), QUICK, seed=1)


def test_the_mean_is_always_among_them_and_beaten_where_there_is_something(comparison):
    scores = comparison.scores.sel(target="y")
    assert set(scores["candidate"].values) == {"mean", *QUICK}
    assert scores["r2"].sel(candidate="mean").item() < 0.02
    chosen = scores.sel(candidate=comparison.recommended["y"])
    assert chosen["r2"].item() > 0.8
    assert chosen["loss"].attrs["units"] == "GPa"


def test_every_row_is_predicted_by_who_ran_to_the_end(comparison):
    left_out = comparison.left_out["y"]
    chosen = left_out["predicted"].sel(candidate=comparison.recommended["y"])
    assert np.isfinite(chosen.values).all()
    error = np.abs(chosen - left_out["truth"]).mean().item()
    told = comparison.scores["loss"].sel(target="y", candidate=comparison.recommended["y"]).item()
    assert error == pytest.approx(told)


def test_who_cannot_win_is_dropped_and_said_to_be(comparison):
    scores = comparison.scores.sel(target="y")
    finished = scores["is_finished"].values.astype(bool)
    assert (scores["n_folds"].values[finished] == 5).all()
    assert (scores["n_folds"].values[~finished] < 5).all()
    assert not scores["is_finished"].sel(candidate="ridge").item()


def test_what_is_said_is_made_of_the_numbers(comparison):
    said = repr(comparison)
    loss = comparison.scores["loss"].sel(target="y", candidate=comparison.recommended["y"]).item()
    assert f"off by {loss:.3g}" in said
    assert "more specimens" in said
    assert comparison._repr_html_().count("<tr>") >= 1 + len(QUICK)


def test_the_recommended_model_is_ready_to_be_fitted(comparison):
    posterior = comparison.model().fit(table(), seed=0)
    fresh = table(seed=9)
    predicted = posterior.predict(fresh)
    assert np.abs(predicted["y"] - fresh["y"]).mean() < 0.45


def test_the_same_seed_gives_the_same_answer_in_any_number_of_processes(comparison):
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        again = tl.compare(tl.task(table(), "y", list("abc")), QUICK, seed=1, executor=executor)
    assert again.scores.drop_vars("seconds").identical(comparison.scores.drop_vars("seconds"))
    xr.testing.assert_identical(again.curves["y"], comparison.curves["y"])


def test_a_comparison_goes_on_from_what_is_kept(tmp_path):
    task = tl.task(table(), "y", list("abc"))
    tl.compare(task, ["ridge"], keep=tmp_path)
    kept = (tmp_path / "y" / "runs.jsonl").read_text().splitlines()
    assert len(kept) > 10
    (tmp_path / "y" / "runs.jsonl").write_text("\n".join(kept[:8]) + '\n{"key": ["y"')
    made = []
    tl.compare(task, ["ridge"], keep=tmp_path, progress=lambda done, total: made.append((done, total)))
    assert len(made) < len(kept)
    lines = [
        line for line in (tmp_path / "y" / "runs.jsonl").read_text().splitlines()[1:] if line.endswith("}")
    ]
    assert len({json.dumps(json.loads(line)["key"]) for line in lines}) == len(kept) - 1
    with pytest.raises(tl.Conflict, match="another comparison"):
        tl.compare(task, ["ridge"], keep=tmp_path, seed=5)


def test_what_is_kept_is_not_taken_for_another_way_of_the_same_name(tmp_path):
    task = tl.task(table(), "y", list("abc"))
    tl.compare(task, {"mine": "ridge"}, keep=tmp_path)
    with pytest.raises(tl.Conflict, match="another comparison"):
        tl.compare(task, {"mine": "neighbours"}, keep=tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_learned_from_noise(seed):
    noise = table(seed).assign(y=("specimen", np.random.default_rng(seed + 50).standard_normal(120)))
    found = tl.compare(tl.task(noise, "y", list("abc")), QUICK, seed=seed)
    chosen = found.scores.sel(target="y", candidate=found.recommended["y"])
    assert chosen["r2"].item() <= chosen["r2_se"].item()


def test_groups_that_share_their_noise_are_not_learned_by_heart():
    """Targets are one random number a batch, and so is an input: only a leak could predict them."""
    rng = np.random.default_rng(0)
    batch = np.repeat(np.arange(30), 4)
    level = rng.standard_normal(30)[batch] + 0.001 * rng.standard_normal(120)
    wrong = table().assign(
        a=("specimen", level, {"role": "process"}),
        y=("specimen", rng.standard_normal(30)[batch] + 0.1 * rng.standard_normal(120), {"units": "1"}),
    )
    leaking = tl.compare(tl.task(wrong, "y", ["a"]), ["neighbours"], seed=0)
    honest = tl.compare(tl.task(wrong, "y", ["a"], groups="batch"), ["neighbours"], seed=0)
    r2 = [c.scores["r2"].sel(target="y", candidate="neighbours").item() for c in (leaking, honest)]
    assert r2[0] > 0.8
    assert r2[1] < 0.1
    assert honest.recommended["y"] == "mean"


def test_labels_are_told_with_probabilities():
    found = tl.compare(tl.task(table(), "phase", list("abc")), ["ridge", "neighbours"], seed=0)
    row = found.scores.sel(target="phase", candidate=found.recommended["phase"])
    assert row["accuracy"].item() > 0.8
    assert row["loss"].item() < 0.5
    chance = found.left_out["phase"]["chance"].sel(candidate=found.recommended["phase"])
    np.testing.assert_allclose(chance.sum("label"), 1)
    assert "right in" in repr(found)
    posterior = found.model().fit(table())
    assert set(posterior.predict(table())["most_likely_phase"].values) == {"low", "high"}


def test_several_targets_each_use_the_rows_that_know_them():
    found = tl.compare(tl.task(table(), ["y", "second"], list("abc")), ["ridge", "gaussian_process"])
    assert dict(found.left_out["second"].sizes)["row"] == 80
    assert found.recommended["second"] == "gaussian_process"
    assert found.scores["units"].values.tolist() == ["GPa", "K"]
    with pytest.raises(tl.SchemaError, match="Name one of the targets"):
        found.model()


def test_models_of_ones_own_stand_beside_the_others():
    found = tl.compare(tl.task(table(), "y", list("abc")), {"plane": LinearRegression(), "usual": "ridge"})
    assert set(found.scores["candidate"].values) == {"mean", "plane", "usual"}
    assert found.recommended["y"] == "usual"


def test_the_models_of_the_house_are_compared_where_they_fit():
    metals = [f"Fe{a}Ni{100 - a}" for a in range(2, 98, 3)]
    rng = np.random.default_rng(0)
    share = np.arange(2, 98, 3) / 100
    strength = 100 + 300 * share * (1 - share) + 3 * rng.standard_normal(len(share))
    import pandas as pd

    alloys = tl.table(pd.DataFrame({"formula": metals, "strength": strength}), formula="formula")
    task = tl.task(alloys, "strength", ["composition"])
    found = tl.compare(task, ["GaussianProcess", "ridge"], n_folds=4)
    assert isinstance(found.model(), tl.GaussianProcess)
    with pytest.raises(tl.SchemaError, match="CompositionProperties does not fit"):
        tl.compare(tl.task(table(), "y", list("abc")), ["CompositionProperties"])


def stepped(n=40, seed=0):
    """Two phases side by side, and a property that jumps between them, each known of some specimens."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, n)
    y = np.where(x > 0.55, 3 + np.sin(5 * x), -x) + 0.05 * rng.standard_normal(n)
    y[1::4] = np.nan
    phase = np.where(x > 0.55, "hcp", "fcc")
    phase[::4] = ""
    about = {"role": "property", "units": "GPa"}
    return xr.Dataset(
        {
            "x": ("specimen", x, {"role": "process", "units": "1"}),
            "y": ("specimen", y, about),
            "phase": ("specimen", phase, {"role": "structure"}),
        },
        {"specimen": np.arange(n)},
    )


def test_a_map_of_phases_tells_labels_and_properties_that_jump():
    seen = stepped()
    of_phases = tl.compare(tl.task(seen, "phase", ["x"]), ["PhaseProperty", "mean"], seed=0)
    assert of_phases.model() == tl.PhaseProperty(["x"], phase="phase")
    np.testing.assert_allclose(of_phases.left_out["phase"]["chance"].sum("label"), 1.0, rtol=1e-6)
    assert of_phases.scores["accuracy"].sel(candidate="PhaseProperty", target="phase").item() > 0.9

    found = tl.compare(tl.task(stepped(80), "y", ["x"]), ["PhaseProperty", "GaussianProcess"], seed=0)
    assert found.model() == tl.PhaseProperty(["x"], phase="phase", properties="y")
    behind = found.scores.sel(target="y", candidate="GaussianProcess")
    assert behind["behind"] > 2 * behind["behind_se"]


def test_a_map_never_sees_the_labels_of_what_is_left_out():
    seen = stepped()
    task = tl.task(seen, "y", ["x"])
    found = tl.compare(task, ["PhaseProperty"], seed=0)
    said = found.left_out["y"]["predicted"].sel(candidate="PhaseProperty").values
    known = np.flatnonzero(np.isfinite(seen["y"].values))
    _, test = task.folds("y", seed=0)[0]
    apart = seen.isel(specimen=np.setdiff1d(np.arange(len(seen["x"])), test))
    posterior = tl.PhaseProperty(["x"], phase="phase", properties="y").fit(apart)
    wanted = posterior.predict(seen[["x"]].isel(specimen=test))["y"]
    np.testing.assert_allclose(said[np.isin(known, test)], wanted, rtol=1e-6)


def test_a_map_of_too_many_inputs_is_refused():
    task = tl.task(table().assign(d=table()["a"] ** 2), "y", list("abcd"))
    with pytest.raises(tl.SchemaError, match="PhaseProperty does not fit"):
        tl.compare(task, ["PhaseProperty"])


def recipes(n=30, n_repeats=3):
    """Recipes made several times: each has a value of its own that its settings do not tell."""
    rng = np.random.default_rng(3)
    x, own = rng.uniform(0, 1, (2, n)).repeat(n_repeats, 1)
    y = x + own + 0.01 * rng.standard_normal(n * n_repeats)
    columns = {name: ("specimen", v, {"role": "process", "units": "1"}) for name, v in (("x", x), ("z", -x))}
    columns["y"] = ("specimen", y, {"role": "property", "units": "K"})
    return xr.Dataset(columns, {"specimen": np.arange(n * n_repeats)})


def test_what_is_recommended_leaves_repeats_out_together_too():
    seen = recipes()
    found = tl.compare(tl.task(seen, "y", ["x", "z"]), ["extra_trees"])
    posterior = tl.Learner(["x", "z"], "y", way="extra_trees").fit(seen)
    new = recipes(40)
    wide = posterior.predict(new)["y_quantile"]
    assert found.scores["r2"].sel(candidate="extra_trees", target="y").item() < 0.7
    inside = (wide.sel(probability=0.05) <= new["y"]) & (new["y"] <= wide.sel(probability=0.95))
    assert inside.mean() > 0.75


def test_what_is_recommended_for_new_chemical_systems_can_be_fitted():
    import pandas as pd

    rng = np.random.default_rng(0)
    pairs = [(a, b) for a in ("Fe", "Ni", "Co", "Cr") for b in ("Al", "Ti", "Si")]
    formulas = [f"{a}{k}{b}{10 - k}" for a, b in pairs for k in (2, 5, 8)]
    strength = [int(f[2]) + rng.standard_normal() / 9 for f in formulas]
    alloys = tl.table(pd.DataFrame({"formula": formulas, "strength": strength}), formula="formula")
    task = tl.task(alloys, "strength", ["composition"], groups="chemical_system")
    posterior = tl.compare(task, ["ridge"]).model().fit(alloys)
    assert posterior.model.groups == "chemical_system"
    assert np.isfinite(posterior.predict(alloys)["strength_sd"]).all()


def test_runs_of_other_folds_or_labels_are_not_taken_for_these(tmp_path):
    seen = table()
    order = {"order": "batch", "target": "y", "inputs": list("abc")}
    tl.compare(tl.task(seen, **order), ["ridge"], scheme="time", keep=tmp_path)
    back = seen.assign(batch=("specimen", -seen["batch"].values))
    with pytest.raises(tl.Conflict, match="runs of another comparison"):
        tl.compare(tl.task(back, **order), ["ridge"], scheme="time", keep=tmp_path)
    labelled = stepped()
    tl.compare(tl.task(labelled, "y", ["x"]), ["PhaseProperty"], keep=tmp_path / "map")
    other = labelled.assign(phase=("specimen", labelled["phase"].values[::-1], labelled["phase"].attrs))
    with pytest.raises(tl.Conflict, match="data, inputs or groups"):
        tl.compare(tl.task(other, "y", ["x"]), ["PhaseProperty"], keep=tmp_path / "map")


def test_a_model_of_the_house_is_judged_by_the_rows_that_know_the_target():
    many = stepped(300)
    few = many.assign(y=many["y"].where(many["specimen"] < 60)).drop_vars("phase")
    assert tl.compare(tl.task(few, "y", ["x"]), ["GaussianProcess"]).recommended["y"] == "GaussianProcess"
    names = {c.name for c in candidates_for(tl.task(few, "y", ["x"]), None)}
    assert {"PhaseProperty", "GaussianProcess"} <= names


@pytest.mark.parametrize("scheme", ["clusters", "time"])
def test_other_schemes_test_what_is_unlike_or_later(scheme):
    found = tl.compare(tl.task(table(), "y", list("abc"), order="batch"), ["ridge"], scheme=scheme)
    assert np.isfinite(found.scores["loss"].values).all()
    assert {"clusters": "unlike clusters", "time": "later specimens"}[scheme] in repr(found)


@pytest.mark.parametrize(
    ("models", "match"),
    [(["forest"], "There is no way 'forest'"), ({"mine": 3}, "no model that can be compared")],
)
def test_what_is_no_model_is_refused(models, match):
    with pytest.raises(tl.SchemaError, match=match):
        tl.compare(tl.task(table(), "y", list("abc")), models)


def test_an_error_of_a_mean_knows_that_rows_of_a_group_belong_together():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 5)
    means = [np.repeat(rng.standard_normal(40), 5) for _ in range(300)]
    spread = np.std([m.mean() for m in means])
    assert np.mean([clustered_error(m, group) for m in means]) == pytest.approx(spread, rel=0.15)
    alone = rng.standard_normal(200)
    assert clustered_error(alone, np.arange(200)) == pytest.approx(alone.std(ddof=1) / np.sqrt(200))
    assert FoldRun([0], [1.0], [], [], (), 0.0).settings == ()


def test_house_models_learn_from_limits_of_other_groups():
    seen = table(n=60)
    is_limit = seen["y"].values > np.quantile(seen["y"], 0.8)
    flag = np.where(is_limit, "above", "ok")
    limited = seen.assign(y_flag=("specimen", flag), y=seen["y"].where(~is_limit, seen["y"].values.min()))
    batch = np.arange(60) // 3
    task = tl.task(limited.assign(batch=("specimen", batch)), "y", list("abc"), groups="batch")
    found = tl.compare(task, ["GaussianProcess", "ridge"], seed=0)
    known = np.flatnonzero(~is_limit)
    said = found.left_out["y"]["predicted"].sel(candidate="GaussianProcess").values
    assert len(said) == len(known)
    train, test = task.folds("y", seed=0)[0]
    learned = np.concatenate([train, np.flatnonzero(is_limit & ~np.isin(batch, batch[test]))])
    rows = task.table[[*"abc", "y", "y_flag"]]
    posterior = tl.GaussianProcess(list("abc"), "y").fit(rows.isel(specimen=learned), seed=0)
    wanted = posterior.predict(rows.isel(specimen=test))["y"]
    np.testing.assert_allclose(said[np.isin(known, test)], wanted, rtol=1e-6)
