import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from climbers import Careless, Climber
from toy_posterior import ToyModel, ToyPosterior

from tieline.errors import SchemaError, TielineError
from tieline.planning.backtest import backtest
from tieline.planning.goals import LearnPhaseMap, Maximize, Minimize, Pareto, Target
from tieline.planning.strategies import Strategy
from tieline.schema import open_netcdf, save_netcdf, table

STRENGTH = Maximize("strength")
BOTH = {"climber": Climber(), "chance": "random"}


def hill(n=80, peak=700.0):
    temperature = np.linspace(500, 900, n)
    strength = 10 - np.abs(temperature - peak) / 50 + 0.001 * np.arange(n)
    sheet = pd.DataFrame({"temperature": temperature, "strength": strength, "colour": ["grey"] * n})
    roles = {"temperature": "process", "strength": "property", "colour": "property"}
    return table(sheet, roles=roles, units={"temperature": "degC", "strength": "GPa"})


def run(strategies=BOTH, goal=STRENGTH, known=None, **settings):
    settings = {"n_start": 3, "n_repeats": 6} | settings
    return backtest(hill() if known is None else known, goal, strategies, **settings)


def test_random_picks_find_what_chance_promises():
    found = run({"chance": "random"}, n_start=[1, 15], n_repeats=1000)
    for n in (1, 15):
        one = found.sel(n_start=n, strategy="chance")
        assert float(one["random_found_share"]) == pytest.approx(0.634, abs=5e-4)
        assert float(one["found_share"]) == pytest.approx(0.634, abs=4 * 0.0153)
        off = float(one["mean_extra_tries"] - one["random_extra_tries"])
        assert abs(off) < 4 * float(one["mean_extra_tries_sd"])


def test_tries_picks_and_curves_tell_the_same_story():
    found = run(n_start=[2, 5], n_repeats=8)
    truth = hill()["strength"].values
    for s, n, r in np.ndindex(2, 2, 8):
        one = found.isel(strategy=s, n_start=n, repeat=r)
        picks = one["picks"].values[one["picks"].values >= 0]
        n_start, most = int(one["n_start"]), 80 - int(one["n_start"])
        assert int(one["tries_spent"]) == len(picks) - n_start
        assert bool(one["is_found"]) == (truth.argmax() in picks)
        best = np.maximum.accumulate(truth[picks])[n_start - 1 :]
        np.testing.assert_array_equal(one["best_so_far"].values[: len(best)], best)
        assert (one["best_so_far"].values[len(best) : most + 1] == best[-1]).all()
        assert np.isnan(one["best_so_far"].values[most + 1 :]).all()
        regret = (one["best_so_far"] + one["regret"]).values[: most + 1]
        np.testing.assert_allclose(regret, truth.max())
    assert found["regret"].attrs["units"] == "GPa"


def test_a_strategy_that_climbs_beats_chance():
    found = run(n_repeats=40)
    climber, chance = (found.sel(strategy=name, n_start=3) for name in BOTH)
    assert float(climber["found_share"]) == 1
    assert float(climber["mean_extra_tries"]) < 0.7 * float(chance["mean_extra_tries"])
    assert float(climber["found_share_low"]) < 1 == float(climber["found_share_high"])


def test_all_strategies_meet_the_same_start_and_a_larger_start_continues_a_smaller():
    picks = run(n_start=[2, 6])["picks"]
    np.testing.assert_array_equal(
        picks.sel(strategy="climber").values[..., :2], picks.sel(strategy="chance").values[..., :2]
    )
    np.testing.assert_array_equal(picks.sel(n_start=2).values[..., :2], picks.sel(n_start=6).values[..., :2])


def test_starting_with_the_best_takes_no_try():
    found = run({"chance": "random"}, known=hill(4), n_start=4, n_tries=2, starts_with_replacement=False)
    assert (found["extra_tries"] == 0).all()
    assert (found["regret"] == 0).all()
    assert (found["found_share"] == 1).all()


@pytest.mark.parametrize(
    ("goal", "best"),
    [(Minimize("strength"), 0), (Target("strength", 8.0), None), (Maximize("strength"), None)],
)
def test_what_is_best_depends_on_the_goal(goal, best):
    truth = hill()["strength"].values
    values = {"Minimize": -truth, "Target": -np.abs(truth - 8), "Maximize": truth}[type(goal).__name__]
    found = run({"chance": "random"}, goal, picks_with_replacement=False, n_repeats=3)
    assert bool(found["is_found"].all())
    last = found["picks"].max("repeat")  # -1 pads
    for r in range(3):
        picks = found["picks"].values[0, 0, r]
        assert picks[picks >= 0][-1] == values.argmax()
    assert best is None or best in last.values
    np.testing.assert_allclose(found["regret"].isel(tries=-1).dropna("repeat"), 0, atol=1e-12)


def test_a_sum_of_goals_has_a_best_place_too():
    known = hill().assign(cost=("specimen", np.linspace(0, 1, 80), {"role": "property", "units": "1"}))
    goal = 0.7 * Maximize("strength") + 0.3 * Minimize("cost")
    found = run({"chance": "random"}, goal, known, picks_with_replacement=False)
    utility = 0.7 * known["strength"] / known["strength"].std() - 0.3 * known["cost"] / known["cost"].std()
    picks = found["picks"].values[0, 0, 0]
    assert picks[picks >= 0][-1] == utility.values.argmax()


def test_a_share_or_a_threshold_may_be_enough():
    truth = np.sort(hill()["strength"].values)
    assert run(top_share=0.05).attrs["n_best"] == 4
    assert run(threshold=truth[-7]).attrs["n_best"] == 7
    assert run(goal=Minimize("strength"), threshold=truth[2]).attrs["n_best"] == 3
    assert (
        run(goal=Target("strength", 8.0), threshold=0.2).attrs["n_best"] == (np.abs(truth - 8) <= 0.2).sum()
    )
    easy, hard = (float(run(n_repeats=20, top_share=s)["mean_tries_spent"][0, 0]) for s in (0.1, None))
    assert easy < hard


def test_batches_count_to_their_end_and_hold_different_places():
    found = run(batch=4, n_start=2, n_tries=10)
    assert set(np.unique(found["tries_spent"])) <= {0, 4, 8, 10}
    for picks in found["picks"].values.reshape(-1, found.sizes["order"]):
        for first in range(2, 12, 4):
            made = picks[first : first + 4]
            made = made[made >= 0]
            assert len(set(made)) == len(made)


def test_without_replacement_no_place_is_measured_twice():
    found = run(starts_with_replacement=False, picks_with_replacement=False, n_start=6)
    for picks in found["picks"].values.reshape(-1, found.sizes["order"]):
        picks = picks[picks >= 0]
        assert len(set(picks)) == len(picks)
    assert bool(found["is_found"].all())


class Onlooker:
    """Notes what it is shown."""

    def __init__(self):
        self.seen = []

    def choose(self, seen, pool, goal, n, *, seed):
        self.seen.append((seen, pool))
        return np.arange(n)


def test_a_strategy_sees_noisy_results_and_of_the_pool_the_design_only():
    looks = Onlooker()
    run({"looks": looks}, noise=0.5, n_tries=30, n_repeats=2, n_start=1)
    seen, pool = looks.seen[28]
    assert set(pool.data_vars) == {"temperature"}
    true = np.interp(seen["temperature"], hill()["temperature"], hill()["strength"])
    off = seen["strength"].values - true
    assert 0.3 < off.std() < 0.7
    assert len(np.unique(off)) == len(off)  # also where a place was measured again
    np.testing.assert_array_equal(seen["strength"][:28], looks.seen[27][0]["strength"][:28])
    assert seen["strength"].attrs["units"] == "GPa"


def test_repeated_and_incomplete_rows_are_told():
    known = hill(12)
    double = known.isel(specimen=[*range(12), 3, 3]).assign_coords(specimen=np.arange(14))
    values = double["strength"].values.copy()
    values[3], values[12], values[13], values[5] = 1.0, 2.0, 6.0, np.nan
    found = run({"chance": "random"}, Minimize("strength"), double.assign(strength=("specimen", values)))
    assert found.attrs["n_places"] == 11
    assert any("1 rows without" in note for note in found.attrs["notes"])
    assert any("1 places were measured repeatedly" in note for note in found.attrs["notes"])


@pytest.mark.parametrize("beside", [False, True])
def test_categories_are_places_of_their_own(beside):
    known = hill(10)
    solvent = ("specimen", np.array(["water", "ethanol"] * 5), {"role": "process"})
    known = known.assign(temperature=("specimen", np.repeat(np.arange(5.0), 2), {"role": "process"}))
    known = known.assign_coords(solvent=solvent) if beside else known.assign(solvent=solvent)
    learner = ToyModel(["temperature", "solvent"])
    found = run({"chance": "random", "model": Named(learner)}, known=known, n_repeats=2)
    assert found.attrs["n_places"] == 10


@pytest.mark.parametrize("kind", ["threads", "processes", "loky"])
def test_the_answer_is_the_same_whatever_runs_it(kind):
    alone = run(n_repeats=7)
    if kind == "threads":
        executor = ThreadPoolExecutor(3)
    elif kind == "processes":
        executor = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    else:
        loky = pytest.importorskip("joblib.externals.loky", reason="loky is not installed")
        executor = loky.ProcessPoolExecutor(2)
    with executor:
        xr.testing.assert_identical(run(n_repeats=7, executor=executor, chunk=3), alone)


def test_the_answer_is_the_same_on_a_dask_cluster():
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    with distributed.Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        xr.testing.assert_identical(run(executor=client.get_executor()), run())


def test_another_seed_is_another_answer():
    assert not run(seed=1)["picks"].equals(run()["picks"])
    xr.testing.assert_identical(run(seed=1), run(seed=1))


def test_progress_is_told_and_ends_at_all_runs():
    told = []
    run(n_repeats=7, chunk=3, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 14)
    assert told[-1] == (14, 14)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_runs_that_are_kept_are_not_done_again(tmp_path):
    file = tmp_path / "runs.jsonl"
    first = run(keep=file)
    n_lines = len(file.read_text().splitlines())
    assert n_lines == 1 + 2 + 12
    told = []
    again = run(keep=file, progress=lambda done, total: told.append(done))
    assert told == [12]
    xr.testing.assert_identical(again, first)
    more = run({**BOTH, "other": Climber("strength")}, keep=file, n_repeats=8, n_start=[3, 4])
    assert len(file.read_text().splitlines()) == n_lines + 1 + (48 - 12)
    xr.testing.assert_identical(
        more, run({**BOTH, "other": Climber("strength")}, n_repeats=8, n_start=[3, 4])
    )


def test_a_crash_costs_the_run_that_was_being_written(tmp_path):
    file = tmp_path / "runs.jsonl"
    whole = run(keep=file)
    text = file.read_text()
    file.write_text(text[: len(text) - 9])
    xr.testing.assert_identical(run(keep=file), whole)
    assert all(json.loads(line) for line in file.read_text().splitlines()[-1:])
    xr.testing.assert_identical(run(keep=file), whole)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 5}, "seed was 0, now 5"),
        ({"noise": 0.1}, "noise was"),
        ({"batch": 2}, "batch was 1, now 2"),
        ({"known": hill(81)}, "table was"),
        ({"goal": Minimize("strength")}, "goal was 'maximize:strength'"),
        ({"strategies": {"climber": "random"}}, "another strategy 'climber'"),
    ],
)
def test_kept_runs_of_another_backtest_are_refused(change, told, tmp_path):
    run(keep=tmp_path / "runs.jsonl")
    with pytest.raises(TielineError, match=told.split(" ")[0]) as refusal:
        run(keep=tmp_path / "runs.jsonl", **change)
    assert told in str(refusal.value)


def test_what_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(TielineError, match="cannot be told from those of another"):
        run({"looks": Onlooker()}, keep=tmp_path / "runs.jsonl")
    (tmp_path / "notes.txt").write_text("buy milk\n")
    with pytest.raises(TielineError, match="does not hold runs"):
        run(keep=tmp_path / "notes.txt")
    with pytest.raises(TielineError, match="There is no folder"):
        run(keep=tmp_path / "gone" / "runs.jsonl")


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"goal": LearnPhaseMap()}, TielineError, "looks for the best place"),
        ({"goal": Pareto(STRENGTH, Minimize("cost"))}, TielineError, "looks for the best place"),
        ({"goal": Maximize("strengh")}, SchemaError, "Did you mean 'strength'"),
        ({"strategies": {"x": "radnom"}}, TielineError, "Did you mean 'random'"),
        ({"strategies": {"x": 7}}, TielineError, "a method choose"),
        ({"strategies": {}}, TielineError, "at least one strategy"),
        (
            {"strategies": {"x": Strategy(ToyModel(["heat"]))}},
            SchemaError,
            "lacks the design variable 'heat'",
        ),
        ({"strategies": {"x": Strategy(ToyModel(["temperature"]), "ei_log")}}, TielineError, "acquisition"),  # pyright: ignore
        ({"n_repeats": 0}, TielineError, "n_repeats has to be at least 1"),
        ({"n_start": []}, TielineError, "n_start has to be at least 1"),
        ({"n_start": 80}, TielineError, "No try is left"),
        ({"n_start": 81, "n_tries": 3, "starts_with_replacement": False}, TielineError, "not 81 different"),
        ({"noise": -1.0}, TielineError, "at least 0"),
        ({"noise": {"hardness": 1.0}}, TielineError, "noise"),
        ({"top_share": 1.5}, TielineError, "between 0 and 1"),
        ({"threshold": 99.0}, TielineError, "No place reaches the threshold 99"),
        ({"threshold": 9.0, "top_share": 0.1}, TielineError, "without a share"),
        ({"strategies": {"x": Careless()}, "batch": 2}, TielineError, "choose 2 different rows"),
        ({"strategies": {"x": Careless((90,))}}, TielineError, "choose 1 different rows"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(settings, error, told):
    with pytest.raises(error) as refusal:
        run(**settings)
    assert told in str(refusal.value)
    assert "Try:" in str(refusal.value)


def test_a_table_without_settings_is_refused():
    known = table(pd.DataFrame({"strength": [1.0, 2.0, 3.0]}), roles={"strength": "property"})
    with pytest.raises(SchemaError, match="taken for the design"):
        run({"chance": "random"}, known=known, n_start=1)


def test_an_answer_is_written_and_read_back(tmp_path):
    found = run(n_start=[2, 3])
    xr.testing.assert_identical(open_netcdf(save_netcdf(found, tmp_path / "found.nc")), found)


@dataclass(frozen=True)
class Named:
    """Has a model, whose design it takes the first places of."""

    model: ToyModel

    def choose(self, seen, pool, goal, n, *, seed):
        assert set(pool.data_vars) == set(self.model.design)
        return np.arange(n)


class ToyLearner(ToyModel):
    """A model whose posterior ignores values: proposals depend on where was measured only."""

    def fit(self, known, *, seed=0):
        return ToyPosterior(ToyModel(self.design, None, self.properties), known)


def test_a_strategy_fits_and_proposes():
    learner = ToyLearner(["temperature"], None, ("hardness",))
    known = hill(12).rename(strength="hardness")
    strategies = {"ucb": Strategy(learner, "ucb")}
    found = backtest(
        known, Maximize("hardness"), strategies, n_start=3, n_repeats=2, picks_with_replacement=False
    )
    assert bool(found["is_found"].all())
    assert "ToyLearner(design=['temperature']" in found.attrs["strategies"]["ucb"]


def test_limits_and_failures_are_no_truth():
    known = hill(20)
    value, flag = known["strength"].values.copy(), np.full(20, "", dtype="<U8")
    value[3], flag[3], flag[7] = 99.0, "below", "failed"
    known = known.assign(strength=("specimen", value, known["strength"].attrs))
    known = known.assign_coords(strength_flag=("specimen", flag))
    found = run({"chance": "random"}, known=known)
    assert found.attrs["n_places"] == 18
    assert any("2 rows with a limit or a failure" in note for note in found.attrs["notes"])
    assert float(found["best_so_far"].max()) < 11
