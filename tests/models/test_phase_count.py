import numpy as np
import pytest

from tieline.errors import NotIdentified
from tieline.models.observations import Observations
from tieline.models.phase_count import WORTH, PhaseCount, fuse_any

RNG = np.random.default_rng(0)
X = RNG.random((40, 2))
SMALL = X[:, 0] > 0.7
NOISE = 0.05 * RNG.standard_normal(40)
JUMP = np.where(SMALL, 1.5, -0.6) + NOISE
CORNER = X.sum(1) > 1.2
THREE = np.where(CORNER, 1.6, np.where(X[:, 0] > 0.5, -1.1, 0.1)) + NOISE


def fit(y, n_phases=None, label=None, x=X):
    label = np.full((len(x), n_phases or 1), np.nan) if label is None else label
    seen = Observations(x, label, y[:, None], np.zeros((len(x), 1)))
    names = tuple("ab"[: label.shape[1]])
    return fuse_any(seen, names, n_phases)


def labels(phase, hidden):
    """One-hot labels of every other row, those of some rows hidden."""
    label = np.eye(phase.max() + 1)[phase]
    label[::2] = np.nan
    label[hidden] = np.nan
    return label


def without_the_corner():
    return labels((X[:, 0] > 0.5).astype(int), CORNER)


@pytest.fixture(scope="module")
def found():
    return fit(JUMP)


@pytest.fixture(scope="module")
def hidden():
    return fit(THREE, label=without_the_corner())


def test_two_levels_are_two_phases(found):
    fusion, seen, names, _ = found
    assert names == ("1", "2")
    assert seen.label.shape == (40, 2)
    split = fusion.membership.argmax(1)
    np.testing.assert_array_equal(split, SMALL)


def test_without_labels_the_largest_phase_comes_first(found):
    share = found[0].membership.sum(0)
    assert share[0] > share[1]


def test_the_order_of_the_rows_does_not_matter(found):
    order = np.random.default_rng(1).permutation(40)
    moved = fit(JUMP[order], x=X[order])
    assert moved[2] == found[2]
    np.testing.assert_allclose(moved[0].membership, found[0].membership[order], atol=0.02)
    np.testing.assert_allclose(moved[3].probability, found[3].probability, atol=0.01)


def test_one_smooth_function_is_one_phase():
    _, _, names, count = fit(np.sin(2 * X[:, 0]) + X[:, 1] + NOISE)
    assert names == ("1",)
    assert count.probability[0] > 0.8


def test_more_than_three_phases_are_found_where_the_property_asks_for_them():
    x = np.random.default_rng(3).random((60, 2))
    quarter = 2 * (x[:, 0] > 0.5) + (x[:, 1] > 0.5)
    noise = 0.03 * np.random.default_rng(4).standard_normal(60)
    fusion, _, names, count = fit(np.array([-1.5, 1.0, 0.2, -0.6])[quarter] + noise, x=x)
    assert names == ("1", "2", "3", "4")
    assert count.numbers[count.probability.argmax()] == 4
    found = fusion.membership.argmax(1)
    assert all(len(set(found[quarter == q])) == 1 for q in range(4))


def test_the_number_of_phases_can_be_said():
    fusion, _, names, count = fit(JUMP, n_phases=3)
    assert names == ("1", "2", "3")
    assert fusion.n_phases == 3
    assert count.numbers.tolist() == [3]


def test_a_number_that_was_said_is_not_questioned():
    label = np.hstack([without_the_corner(), np.zeros((40, 1))])
    label[np.isnan(label).any(1)] = np.nan
    _, seen, _, count = fit(THREE, n_phases=3, label=label)
    assert seen.label.shape == (40, 3)
    assert count.numbers.tolist() == [3]


def test_more_phases_than_rows_are_refused():
    with pytest.raises(NotIdentified, match="41 phases cannot be told apart") as caught:
        fit(JUMP, n_phases=41)
    assert "leave n_phases out" in caught.value.hint


def test_where_labels_name_all_phases_none_is_added():
    label = labels(SMALL.astype(int), np.zeros(40, dtype=bool))
    fusion, seen, names, count = fit(JUMP, label=label)
    assert names == ("a", "b")
    np.testing.assert_array_equal(seen.label, label)
    assert (fusion.membership.argmax(1) == SMALL).all()
    assert count.numbers.tolist() == [2, 3]
    assert count.probability[0] > 0.9


def test_a_phase_without_labels_is_found_and_named_by_the_next_free_number(hidden):
    fusion, seen, names, count = hidden
    assert names == ("a", "b", "1")
    np.testing.assert_array_equal(fusion.membership.argmax(1) == 2, CORNER)
    assert np.nansum(seen.label[:, 2]) == 0
    assert count.probability[count.numbers == 3] > 0.9


def test_without_properties_nothing_is_sought():
    label = without_the_corner()
    seen = Observations(X, label, np.zeros((40, 0)), np.zeros((40, 0)))
    _, read, names, count = fuse_any(seen, ("a", "b"), None)
    assert names == ("a", "b")
    assert read is seen
    assert count.numbers.tolist() == [2]


def test_a_phase_that_gains_nothing_keeps_its_odds_before_the_data():
    count = PhaseCount.of_gains(2, [0.0, 0.0])
    assert count.numbers.tolist() == [2, 3]
    assert np.log(count.probability[0] / count.probability[1]) == pytest.approx(WORTH)


def test_a_phase_must_gain_what_it_costs():
    assert PhaseCount.of_gains(1, [0.0, WORTH]).probability == pytest.approx([0.5, 0.5])
