"""The closed loops of `benchmarks/active_fegapd.py`, on a small spread made here."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tieline.features.composition import simplex_grid

ROOT = Path(__file__).parent.parent


@pytest.fixture
def active(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("benchmarks.active_fegapd")


@pytest.fixture
def strategies(active):
    return import_module("benchmarks.strategies")


@pytest.fixture
def lab(strategies):
    """Two phases, Fe-rich and Fe-poor; the magnetisation is largest near the boundary."""
    grid = simplex_grid(["Fe", "Ga", "Pd"], step=0.125)
    fraction = grid["composition"].values
    iron = fraction[:, 0]
    label = np.where(iron > 0.45, "rich", "poor").astype(object)
    value = np.where(iron > 0.45, 1.5 - iron, 0.1 * fraction[:, 1])
    return strategies.Lab(grid, label, value)


@pytest.mark.parametrize("method", ["random", "gp_ucb", "cameo_like", "tieline", "tieline:random"])
def test_every_rule_measures_one_new_composition_a_round(active, strategies, lab, method, monkeypatch):
    monkeypatch.setattr(strategies, "MAP_ROUNDS", 2)
    course = active.follow(lab, strategies.STRATEGIES[method], 100, active.BOTH, 6.0)
    np.testing.assert_array_equal(course.cost, [0, 2, 4, 6])
    assert (np.diff(course.best) >= 0).all()
    assert ((course.accuracy > 0.5) & (course.accuracy <= 1)).all()
    again = active.follow(lab, strategies.STRATEGIES[method], 100, active.BOTH, 2.0)
    np.testing.assert_array_equal(course.accuracy[:2], again.accuracy)


def test_all_rules_start_from_the_same_compositions(active, strategies, lab):
    names = ("random", "cameo_like")
    one, two = (active.follow(lab, strategies.STRATEGIES[n], 3, active.BOTH, 0.0) for n in names)
    assert one.best[0] == two.best[0]
    other = active.follow(lab, strategies.STRATEGIES["cameo_like"], 4, active.BOTH, 0.0)
    assert other.best[0] != one.best[0]


def test_chosen_instruments_are_paid_one_by_one(active, strategies, lab):
    costs = {"phase": 1.0, "magnetisation": 3.0}
    course = active.follow(lab, strategies.choose_instruments(costs), 100, costs, 10.0)
    assert set(np.diff(course.cost)) <= {3.0, 5.0, 7.0, 9.0}
    assert course.cost[-1] <= 10.0


def test_expected_risk_is_that_of_asking_each_place_in_turn(strategies, lab):
    """The one-line update of the harmonic function against solving it anew with each answer."""
    state = strategies.State.start(lab, np.arange(0, 45, 4))
    phases, risk = strategies._harmonic(lab, state)
    now = phases.on_grid
    asked = int(state.open[7])
    expected = 0.0
    for label, chance in zip(phases.labels, now[asked], strict=True):
        answer = lab.label.copy()
        answer[asked] = label
        supposed = strategies.Lab(lab.grid, answer, lab.value)
        then, _ = strategies._harmonic(supposed, state.after([(asked, "phase")]))
        expected += chance * (1 - then.on_grid.max(1)).sum()
    assert risk[7] == pytest.approx(expected)


def test_harmonic_map_is_that_of_the_peers(strategies, lab):
    state = strategies.State.start(lab, np.arange(0, 45, 4))
    peers = import_module("benchmarks.peers")
    expected = peers.propagate_labels(state.seen(lab))
    found, _ = strategies._harmonic(lab, state)
    np.testing.assert_allclose(found.on_grid, expected.on_grid, atol=1e-9)


def test_scores_are_those_after_the_rounds_and_the_mean_over_them(active):
    rounds = np.arange(31.0)
    ours = active.Course(2 * rounds, rounds / 30, rounds, 1.0)
    theirs = active.Course(2 * rounds, rounds / 60, rounds, 1.0)
    courses = {"tieline": [ours, ours], "random": [theirs, ours]}
    found = {(method, metric): value for method, metric, value in active.round_numbers(courses)}
    assert found["tieline", "accuracy_10"] == pytest.approx(1 / 3)
    assert found["tieline", "best_20"] == 20
    assert found["tieline", "accuracy_area"] == pytest.approx(0.5)
    assert found["tieline", "accuracy_30_minus_random"] == pytest.approx(0.25)
    assert found["tieline", "accuracy_30_minus_random_se"] == pytest.approx(0.25)


def test_saving_is_told_by_where_the_mean_curve_first_reaches_the_end_of_the_other(active):
    budget = 60.0
    both = active.Course(np.arange(0, 61, 2.0), np.arange(31) / 30, np.arange(31.0), 1.0)
    ours = active.Course(np.arange(0, 61, 1.0), np.minimum(np.arange(61) / 30, 1), np.zeros(61), 1.0)
    found = {
        (m, metric): value
        for m, metric, value in active.cost_numbers({"tieline": [ours], "tieline:both": [both]}, budget)
    }
    assert (found["tieline:both", "cost_to_accuracy"], found["tieline", "cost_to_accuracy"]) == (60, 30)
    assert found["tieline", "accuracy_saving"] == pytest.approx(0.5)
    assert found["tieline", "cost_to_best"] == np.inf
    assert found["tieline", "best_saving"] == -1
    assert found["tieline:both", "accuracy_at_1_of_3"] == pytest.approx(1 / 3)
