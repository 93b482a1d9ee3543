import numpy as np
import pytest

from tieline.models.observations import Observations
from tieline.models.unlabelled import fuse_any

RNG = np.random.default_rng(0)
X = RNG.random((40, 2))
SMALL = X[:, 0] > 0.7
NOISE = 0.05 * RNG.standard_normal(40)
JUMP = np.where(SMALL, 1.5, -0.6) + NOISE


def fit(y, n_phases=None, label=None):
    label = np.full((40, n_phases or 1), np.nan) if label is None else label
    seen = Observations(X, label, y[:, None], np.zeros((40, 1)))
    names = tuple("ab"[: label.shape[1]])
    return fuse_any(seen, names, n_phases, np.random.default_rng(0))


@pytest.fixture(scope="module")
def found():
    return fit(JUMP)


def test_two_levels_are_two_phases(found):
    fusion, seen, names = found
    assert len(names) == 2
    assert seen.label.shape == (40, 2)
    split = fusion.membership.argmax(1)
    assert (split[SMALL] == split[SMALL][0]).all()
    assert (split[~SMALL] == 1 - split[SMALL][0]).all()


def test_the_largest_phase_is_called_one(found):
    fusion, _, names = found
    share = dict(zip(names, fusion.membership.sum(0), strict=True))
    assert share["1"] > share["2"]
    assert fusion.membership[~SMALL][0].argmax() == names.index("1")


def test_one_smooth_function_is_one_phase():
    _, _, names = fit(np.sin(2 * X[:, 0]) + X[:, 1] + NOISE)
    assert names == ("1",)


def test_the_number_of_phases_can_be_said():
    fusion, _, names = fit(JUMP, n_phases=3)
    assert sorted(names) == ["1", "2", "3"]
    assert fusion.n_phases == 3


def test_with_labels_their_names_stay():
    label = np.eye(2)[SMALL.astype(int)]
    label[::2] = np.nan
    fusion, seen, names = fit(JUMP, label=label)
    assert names == ("a", "b")
    np.testing.assert_array_equal(seen.label, label)
    assert (fusion.membership.argmax(1) == SMALL).all()
