from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


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
        assert 100 <= len(pool) <= 250
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
