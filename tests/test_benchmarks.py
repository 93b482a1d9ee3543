import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tieline as tl

ROOT = Path(__file__).parent.parent
FORM = {"benchmark": str, "case": str, "method": str, "metric": str, "value": (float, str), "seconds": float}
has_data = pytest.mark.skipif(
    not (Path(os.environ.get("TIELINE_DATA", "nowhere")) / "sage").is_dir(),
    reason="$TIELINE_DATA has no sage/",
)
has_model = pytest.mark.skipif(
    find_spec("tieline.models.phase_property") is None, reason="PhaseProperty is not written yet"
)


@pytest.fixture
def benchmarks(monkeypatch):
    """Import a module of the benchmarks, which are no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"benchmarks.{name}")


def rows(tmp_path, *arguments):
    """Run a benchmark as a user does, and read its rows."""
    file = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "benchmarks", *arguments, "--json", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    found = [json.loads(line) for line in file.read_text().splitlines()]
    for row in found:
        assert row.keys() == FORM.keys()
        assert all(isinstance(row[name], kind) for name, kind in FORM.items())
    return found


def test_list_names_every_benchmark(benchmarks, capsys):
    main = benchmarks("__main__")
    main.main(["--list"])
    printed = capsys.readouterr().out
    with_cases = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "\nCASES = " in path.read_text("utf-8")
    }
    assert set(main.BENCHMARKS) == with_cases
    assert all(name in printed for name in with_cases)


@pytest.mark.parametrize("name", ["sage_1d", "sage_2d", "fegapd", "active_fegapd"])
def test_without_data_every_case_says_so(benchmarks, monkeypatch, tmp_path, capsys, name):
    monkeypatch.delenv("TIELINE_DATA", raising=False)
    file = tmp_path / "rows.jsonl"
    benchmarks("__main__").main([name, "--json", str(file)])
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["case"] for row in found] == list(benchmarks(name).CASES)
    assert {row["value"] for row in found} == {"skipped: no data"}
    assert capsys.readouterr().out.count("skipped: no data") == len(found)


def test_refuses_a_case_that_does_not_exist(benchmarks):
    with pytest.raises(SystemExit, match="Try: 2a, 2b, 2c"):
        benchmarks("__main__").main(["sage_2d", "--case", "2d"])


@has_data
def test_peers_reach_their_known_scores_on_the_published_disc(tmp_path):
    found = rows(tmp_path, "sage_2d", "--case", "2a", "--methods", "peers")
    scores = {(row["method"], row["metric"]): row["value"] for row in found}
    assert scores["gpc", "accuracy"] == pytest.approx(0.978, abs=0.01)
    assert scores["two_stage", "r2"] == pytest.approx(0.858, abs=0.03)
    assert scores["harmonic", "accuracy"] == pytest.approx(0.981, abs=0.01)


@has_data
@has_model
def test_tieline_answers_beside_its_peers(tmp_path):
    found = rows(tmp_path, "sage_1d", "--case", "1")
    metrics = {row["metric"]: row["value"] for row in found if row["method"] == "tieline"}
    assert metrics.keys() >= {"accuracy", "nll", "brier", "r2", "r2_all", "coverage_95"}
    assert metrics["accuracy"] > 0.9
    assert {"gpc", "gpr", "two_stage"} < {row["method"] for row in found}


@has_data
def test_published_sizes_are_read(benchmarks):
    folder = benchmarks("tasks").data_folder()
    tasks = {"2a": (85, 44, 1600), "2b": (46, 126, 1600), "2c": (127, 40, 1681)}
    for case, sizes in tasks.items():
        task = benchmarks("sage_2d").task(folder, case)
        labelled = int((task.table["phase"] != "").sum())
        measured = int(task.table[task.properties[0]].notnull().sum())
        assert (labelled, measured, task.grid.sizes["specimen"]) == sizes
    spread = benchmarks("fegapd").task(folder)
    assert int((spread.table["phase"] != "").sum()) == 49
    assert int(spread.table["magnetisation"].notnull().sum()) == 46
    assert spread.truth.sizes["specimen"] == 278
    line = benchmarks("sage_1d").task(folder, "2")
    assert line.is_scored.sum() == 70


def test_what_was_measured_at_one_place_is_one_specimen(benchmarks):
    table = benchmarks("tasks").gather(
        ["x"],
        phase=(np.array([[0.1], [0.3], [0.3]]), np.array(["A", "B", "B"])),
        property=(np.array([[0.3], [0.1 + 0.2], [0.5]]), np.array([1.0, 2.0, 3.0])),
    )
    assert table["x"].values.tolist() == [0.1, 0.3, 0.3, 0.5]
    assert table["phase"].values.tolist() == ["A", "B", "B", ""]
    np.testing.assert_array_equal(table["property"], [np.nan, 1, 2, 3])


def seen_on_a_line(benchmarks):
    grid = np.linspace(0, 1, 11)[:, None]
    return benchmarks("peers").Seen(
        labelled=np.array([[0.0], [1.0]]),
        labels=np.array(["A", "B"]),
        measured=np.array([[0.2], [0.9]]),
        values=np.array([1.0, 2.0]),
        known=np.array(["", ""]),
        grid=grid,
    )


def test_harmonic_labels_are_linear_between_two_labels(benchmarks):
    seen = seen_on_a_line(benchmarks)
    phases = benchmarks("peers").propagate_labels(seen)
    np.testing.assert_allclose(phases.on_grid[:, 1], seen.grid[:, 0], atol=1e-12)
    np.testing.assert_allclose(phases.on_measured[:, 1], [0.2, 0.9], atol=1e-12)


def test_mixture_of_regions_has_the_moments_of_a_mixture(benchmarks):
    weight, mean, sd = np.array([[0.3, 0.7]]), np.array([[-1.0, 2.0]]), np.array([[0.5, 0.1]])
    regions = benchmarks("peers").Regions(weight, mean, sd)
    rng = np.random.default_rng(0)
    region = rng.choice(2, 200_000, p=weight[0])
    draws = rng.normal(mean[0][region], sd[0][region])
    mixture = regions.of_all_regions()
    assert mixture.mean[0] == pytest.approx(draws.mean(), abs=0.02)
    assert mixture.sd[0] == pytest.approx(draws.std(), abs=0.02)
    assert (regions.of_most_likely_region().mean[0], regions.of_most_likely_region().sd[0]) == (2.0, 0.1)


def test_summary_pairs_methods_world_by_world(benchmarks):
    worlds = [
        {"tieline": {"seconds": 1.0, "accuracy": ours}, "gpc": {"seconds": 3.0, "accuracy": theirs}}
        for ours, theirs in [(0.9, 0.7), (0.6, 0.5), (0.8, 0.5)]
    ]
    found = {(row.method, row.metric): row for row in benchmarks("sage_seeds").summary_rows("all", worlds)}
    assert found["gpc", "accuracy"].value == pytest.approx(1.7 / 3)
    assert found["gpc", "accuracy"].seconds == 3.0
    assert found["tieline", "accuracy_minus_gpc"].value == pytest.approx(0.2)
    assert found["tieline", "accuracy_minus_gpc_se"].value == pytest.approx(0.1 / np.sqrt(3))


def test_kept_rows_become_a_table_of_methods_and_metrics(benchmarks):
    row = {"benchmark": "b", "case": "c", "seconds": 1.25}
    kept = [
        row | {"method": "tieline", "metric": "accuracy", "value": 0.98765},
        row | {"method": "tieline", "metric": "rmse", "value": 7.0},
        row | {"method": "gpr", "metric": "r2", "value": 0.5},
    ]
    assert list(benchmarks("tables").markdown(kept)) == [
        "**`b`, `c`**\n",
        "| method | accuracy | r2 | seconds |",
        "| --- | --- | --- | --- |",
        "| `tieline` | 0.988 |  | 1.2 |",
        "| `gpr` |  | 0.500 | 1.2 |",
        "",
    ]


def test_costs_become_a_table_that_the_figure_can_be_drawn_of(benchmarks, monkeypatch):
    kept = [
        {"method": method, "metric": f"{metric}_{n}", "value": value * n}
        for n in (50, 1000)
        for method in ("tieline", "gpr", "gpc")
        for metric, value in [("cpu_seconds", 0.0123), ("peak_mb", 4.0)]
    ]
    table = list(benchmarks("tables").growth(kept))
    assert (
        table[0]
        == "| specimens | `tieline`, s | `gpr`, s | `gpc`, s | `tieline`, MB | `gpr`, MB | `gpc`, MB |"
    )
    assert table[2:] == [
        "| 50 | 0.61 | 0.61 | 0.61 | 200 | 200 | 200 |",
        "| 1,000 | 12 | 12 | 12 | 4000 | 4000 | 4000 |",
        "",
    ]
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    draw = import_module("draw")
    costs = draw.read_costs("\n".join(["# A page", "", *table, "More."]))
    np.testing.assert_array_equal(costs["specimens"], [50, 1000])
    np.testing.assert_array_equal(costs["gpc, s"], [0.61, 12])
    left, right = draw.draw_costs(costs).axes
    assert left.get_xscale() == left.get_yscale() == right.get_yscale() == "log"
    assert len(left.lines) == len(right.lines) == 3


def test_differences_are_told_in_standard_errors(benchmarks):
    row = {"benchmark": "sage_seeds", "case": "all", "seconds": 1.0}
    kept = [
        row | {"method": "gpr", "metric": "r2", "value": 0.5},
        row | {"method": "tieline", "metric": "r2_minus_gpr", "value": 0.2},
        row | {"method": "tieline", "metric": "r2_minus_gpr_se", "value": 0.05},
    ]
    assert "| `gpr` |  |  | +0.200 (+4.0 se) |  |" in list(benchmarks("tables").differences(kept, "all"))


def test_worlds_of_the_prior_are_those_that_simulate_draws(benchmarks):
    x = np.vstack([np.zeros(2), np.ones(2), np.random.default_rng(0).random((20, 2))])
    world = benchmarks("prior_worlds").in_a_square(np.random.default_rng(5), x, 3)
    model = tl.PhaseProperty(["x", "y"], "phase", "strength")
    simulated = model.simulate(world[["x", "y"]], seed=5, n_phases=3)
    assert (simulated["phase"].values == world["phase"].values).all()
    np.testing.assert_array_equal(simulated["strength"], world["strength"])


@pytest.mark.parametrize("inference", ["exact", "fast"])
def test_a_twin_stands_where_its_specimen_was_learned(benchmarks, inference):
    world = benchmarks("prior_worlds").prior_world(inference, 3)
    for axis in world.axes:
        np.testing.assert_array_equal(world.twins[axis], world.table[axis])
    assert set(world.twins["phase"].values) <= set(world.table["phase"].values) - {""}
    assert "noise_free" not in world.table


def test_a_rank_is_uniform_with_ties_and_a_halved_spread_leaves_the_band(benchmarks):
    ranks, rng = benchmarks("ranks"), np.random.default_rng(0)
    draws = rng.normal(size=(300, 99))
    for decimals in (0, 8):  # whole numbers: most draws are tied
        honest = np.array(
            [
                ranks.rank(t, d, rng)
                for t, d in zip(rng.normal(size=300).round(decimals), draws.round(decimals), strict=True)
            ]
        )
        assert ranks.outside(honest, 1e-3) == 0
        assert ranks.uniformity(honest) > 1e-3
    bold = np.array([ranks.rank(t, d / 2, rng) for t, d in zip(rng.normal(size=300), draws, strict=True)])
    assert ranks.outside(bold) > 0.02
    assert ranks.uniformity(bold) < 1e-3


def test_the_band_holds_as_many_uniform_curves_as_it_says(benchmarks):
    ranks, rng = benchmarks("ranks"), np.random.default_rng(1)
    left = np.mean([ranks.outside(rng.random(100), 0.1) > 0 for _ in range(1000)])
    assert left == pytest.approx(0.1, abs=0.04)  # counts are whole: never exactly


def test_calibration_goes_on_from_the_worlds_it_kept(tmp_path):
    kept = tmp_path / "worlds.jsonl"
    arguments = ("calibration", "--case", "exact", "--first-seed", "0", "--keep", str(kept))
    rows(tmp_path, *arguments, "--seeds", "1")
    found = {row["metric"]: row["value"] for row in rows(tmp_path, *arguments, "--seeds", "2")}
    assert [json.loads(line)["seed"] for line in kept.read_text().splitlines()] == [0, 1]
    assert {"coverage_90", "rank_chi2_p_log_likelihood", "rank_outside_band_value", "ece"} <= found.keys()


def test_engines_are_compared_on_worlds_that_an_earlier_run_kept(tmp_path):
    """All of them stand in the file, or the benchmark would take minutes."""
    kept = tmp_path / "worlds.jsonl"
    for seed, crps in ((0, 0.2), (1, 0.3)):
        scores = {"tieline": {"crps": crps, "seconds": 9.0}, "tieline:fast": {"crps": 0.3, "seconds": 1.0}}
        with kept.open("a") as file:
            file.write(json.dumps({"case": "worlds", "seed": seed, "scores": scores}) + "\n")
    arguments = ("sage_mcmc", "--case", "worlds", "--first-seed", "0", "--seeds", "2", "--keep", str(kept))
    found = {(row["method"], row["metric"]): row["value"] for row in rows(tmp_path, *arguments)}
    assert found["tieline", "crps"] == pytest.approx(0.25)
    assert found["tieline", "crps_minus_tieline:fast"] == pytest.approx(-0.05)
    assert len(kept.read_text().splitlines()) == 2


def test_green_but_wrong_is_a_share_of_the_green(benchmarks):
    verdicts = ["green", "green", "green", "amber", "red"]
    worlds = [
        {"verdict": v, "normal": {"90": c}} for v, c in zip(verdicts, [0.9, 0.95, 0.7, 0.5, 0.9], strict=True)
    ]
    found = benchmarks("calibration").verdicts(worlds)
    assert found == pytest.approx(
        {"green": 0.6, "failed": 0.4, "failed_not_green": 0.5, "green_but_wrong": 1 / 3}
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_misfit_keeps_the_places_of_its_world(benchmarks, seed):
    kind, world, table, fresh = benchmarks("misfits").misfit_world(seed, 2)
    assert kind == benchmarks("misfits").KINDS[seed]
    np.testing.assert_array_equal(table["x"], world.table["x"])
    assert ((table["phase"] == "") == (world.table["phase"] == "")).all()
    assert (table["property"].isnull() == world.table["property"].isnull()).all()
    assert fresh.shape == (world.grid.sizes["specimen"],)
