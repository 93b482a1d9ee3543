import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
FOLDER = Path(os.environ.get("TIELINE_DATA", "nowhere"))
has_data = pytest.mark.skipif(not (FOLDER / "campaign").is_dir(), reason="$TIELINE_DATA has no campaign/")


@pytest.fixture
def benchmarks(monkeypatch):
    """Import a module of the benchmarks, which are no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"benchmarks.{name}")


def line(benchmarks, n=12, **settings):
    x = np.linspace(0, 1, n)[:, None]
    return benchmarks("pool_loop").Pool("line", x, x.copy(), ["x"], **settings)


def test_landscapes_are_drawn_by_name_and_seed(benchmarks):
    module = benchmarks("landscapes")
    assert len(module.LANDSCAPES) >= 14
    for name in module.LANDSCAPES:
        pool, again, other = (module.landscape(name, seed) for seed in (0, 0, 1))
        assert 100 <= len(pool) <= 300
        assert len(np.unique(pool.x, axis=0)) == len(pool)
        assert np.isfinite(pool.outcome).all()
        np.testing.assert_array_equal(pool.outcome, again.outcome)
        assert (pool.outcome != other.outcome).any()
        assert pool.is_mixture == np.allclose(pool.x.sum(1), 1)


@pytest.mark.parametrize(
    ("name", "place", "lowest"),
    [
        ("branin", [np.pi, 2.275], 0.397887),
        ("camel", [0.0898, -0.7126], -1.0316),
        ("hartmann_3", [0.114614, 0.555649, 0.852547], -3.86278),
        ("hartmann_6", [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573], -3.32237),
        ("ackley", [0, 0, 0], 0),
        ("levy", [1, 1, 1], 0),
        ("michalewicz", [2.20, 1.57], -1.8013),
        ("rosenbrock", [1, 1, 1], 0),
        ("styblinski", [-2.903534, -2.903534], -78.33233),
    ],
)
def test_functions_are_lowest_where_published(benchmarks, name, place, lowest):
    function, low, high = benchmarks("landscape_functions").FUNCTIONS[name]
    place = np.array([place], float)
    assert ((place >= low) & (place <= high)).all()
    assert function(place)[0] == pytest.approx(lowest, abs=2e-3)


@pytest.mark.parametrize(("share", "batch"), [(0.0, 1), (0.25, 1), (0.0, 5)])
def test_random_choice_takes_as_long_as_its_formula_says(benchmarks, share, batch):
    loop = benchmarks("pool_loop")
    pool = line(benchmarks, share=share)
    rule = lambda state, n: state.rng.choice(state.open, n, replace=False)  # noqa: E731
    tries = [loop.follow(pool, rule, seed, batch).tries for seed in range(3000)]
    assert np.mean(tries) == pytest.approx(loop.random_tries(pool, batch), abs=0.2)


def test_a_rule_of_plain_arrays_sees_only_what_was_tried(benchmarks):
    loop = benchmarks("pool_loop")
    pool = line(benchmarks, signs=(-1,))

    def rule(x, y, open_rows, rng):
        assert np.isnan(y[open_rows]).all()
        assert (np.delete(y, open_rows) <= 0).all()  # less is better, so scores are negated
        return open_rows[0]

    course = loop.follow(pool, loop.plain(rule), seed=1)
    assert course.tries == (0 if 0 in pool.start(1).tried else 1)


def test_a_rule_may_not_choose_twice(benchmarks):
    loop = benchmarks("pool_loop")
    with pytest.raises(RuntimeError, match=r"Try: choose from state\.open"):
        loop.follow(line(benchmarks, 50), lambda state, n: state.tried[:1], seed=0)


def test_random_choice_among_eighty(benchmarks):
    # In a random order the best is as likely at each of 80 places; five are tried before it counts.
    pool = line(benchmarks, 80)
    assert benchmarks("pool_loop").random_tries(pool) == pytest.approx(sum(range(76)) / 80)


def test_a_pool_is_the_same_for_every_method(benchmarks):
    pool = line(benchmarks, 50)
    methods = benchmarks("pool_methods").FAST
    chosen = {name: maker(pool, 0)(pool.start(3), 2) for name, maker in methods.items()}
    assert len(pool.start(3).tried) == 5
    for rows in chosen.values():
        assert len(set(rows)) == 2
        assert not set(rows) & set(pool.start(3).tried.tolist())
    assert 49 in chosen["gpr_ei"]  # a straight line is continued


def test_loops_go_on_from_the_file_that_kept_them(benchmarks, tmp_path):
    pools, options = benchmarks("pools"), benchmarks("tasks").Options(keep=tmp_path / "loops.jsonl")
    pool = line(benchmarks, 30)
    maker = benchmarks("pool_peers").choose_at_random
    first = pools._course("p3ht", pool, "random", maker, 4, options)
    assert pools._course("p3ht", pool, "random", None, 4, options) == first
    assert pools._course("p3ht", pool, "random", maker, 5, options) != first


def test_hypervolume_is_the_area_below_the_staircase(benchmarks):
    gains = np.array([[3.0, 1.0], [1.0, 3.0], [2.0, 2.0], [1.0, 1.0]])
    assert benchmarks("pool_scores").hypervolume(gains) == pytest.approx(6.0)


def test_without_data_real_pools_are_skipped(benchmarks, monkeypatch, capsys):
    monkeypatch.delenv("TIELINE_DATA", raising=False)
    pools = benchmarks("pools")
    for case in set(pools.CASES) - {"million", "landscapes"}:
        benchmarks("__main__").main(["pools", "--case", case])
        assert "skipped: no data" in capsys.readouterr().out


def test_an_unknown_method_is_refused(benchmarks):
    with pytest.raises(SystemExit, match=r"Try: all, tieline, peers, .*botorch"):
        benchmarks("__main__").main(["pools", "--methods", "botorhc"])


def test_make_bench_runs_every_benchmark(benchmarks):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = next(line for line in makefile.splitlines() if line.startswith("NAME ?= "))
    assert sorted(named.removeprefix("NAME ?= ").split()) == sorted(benchmarks("__main__").BENCHMARKS)


@has_data
@pytest.mark.parametrize(
    ("case", "shape", "n_winners", "random"),
    [
        ("p3ht", (178, 5), 1, 84.5),
        ("autoam", (100, 4), 1, 45.6),
        ("oer_3496", (2121, 6), 22, 87.4),
        ("photo_pce10", (1020, 4), 11, 80.2),
        ("vapdiff", (918, 28), 357, None),
        ("suzuki_i", (74, 10), None, None),
    ],
)
def test_real_pools_have_their_published_sizes(benchmarks, case, shape, n_winners, random):
    pool = benchmarks("pool_data").read(case, FOLDER)
    assert pool.x.shape == shape
    assert n_winners in (None, pool.winners.sum())
    assert random is None or benchmarks("pool_loop").random_tries(pool) == pytest.approx(random, abs=0.1)
    assert not pool.is_mixture or np.allclose(pool.x.sum(1), 1)
    frame = benchmarks("pool_frame").as_frame(pool)
    assert len(frame) == len(frame.drop_duplicates()) == shape[0]


@has_data
def test_failed_crystals_are_marked(benchmarks):
    pool = benchmarks("pool_data").read("vapdiff", FOLDER)
    assert pool.failed.sum() == 375
    assert set(pool.outcome[pool.failed, 0]) == {1.0}
    assert next(iter(benchmarks("pool_frame").as_frame(pool))) == "organic_molarity"
    assert {name: len(levels) for name, levels in pool.groups.items()} == {"organic": 17, "solvent": 3}


def test_ours_knows_every_category_and_failure(benchmarks):
    x = np.array([[0.0, 1.0, 0.0], [0.5, 1.0, 0.0], [1.0, 1.0, 0.0], [0.3, 0.0, 1.0], [0.7, 0.0, 1.0]] * 3)
    x[:, 0] += np.arange(15) / 100
    pool = benchmarks("pool_loop").Pool(
        "salts",
        x,
        (x[:, :1] + x[:, 1:2]),
        ["heat", "salt=A", "salt=B"],
        groups={"salt": ["salt=A", "salt=B"]},
        failed=x[:, 0] > 1,
    )
    ours = benchmarks("pool_ours")
    places, design = ours.as_places(pool)
    assert design == ["heat", "salt"]
    assert set(places["salt"].values) == {"A", "B"}
    tried = np.array([0, 3, 7])
    table = ours.as_table(places, pool, tried, "learned")
    assert table["outcome_0_flag"].values.tolist() == ["ok", "ok", "failed"]
    assert table["outcome_0"].notnull().values.tolist() == [True, True, False]
    ignored = ours.as_table(places, pool, tried, "ignored")
    assert "outcome_0_flag" not in ignored
    assert ours.as_table(places, pool, tried, "as_value")["outcome_0"].notnull().sum() == 3
    for failures in ("learned", "ignored", "as_value"):
        rows = ours.tieline(failures=failures)(pool, 0)(pool.start(1, 8), 2)
        assert len(set(rows)) == 2
        assert not set(rows) & set(pool.start(1, 8).tried.tolist())
