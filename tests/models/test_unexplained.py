import numpy as np

from tieline.models.fusion import draft
from tieline.models.observations import Observations
from tieline.models.unexplained import unexplained

RNG = np.random.default_rng(5)
X = RNG.random((60, 2))
CORNER = X.sum(1) > 1.35
NOISE = 0.05 * RNG.standard_normal(60)
LABEL = np.where(
    (np.arange(60) % 2 == 0)[:, None] | CORNER[:, None], np.nan, np.eye(2)[(X[:, 0] > 0.5).astype(int)]
)


def groups(y, x=X, label=LABEL):
    seen = Observations(x, label, y[:, None], np.zeros((len(x), 1)))
    return unexplained(seen, draft(seen))


def overlap(group, truth):
    return (group & truth).sum() / (group | truth).sum()


def test_rows_of_a_phase_without_labels_are_a_group():
    found = groups(np.where(CORNER, 1.7, -0.5 + 0.5 * (X[:, 0] > 0.5)) + NOISE)
    assert max(overlap(group, CORNER) for group in found) > 0.8


def test_labelled_and_unmeasured_rows_are_in_no_group():
    y = np.where(CORNER, 1.7, -0.5) + NOISE
    y[::7] = np.nan
    found = groups(y)
    assert 1 <= len(found) <= 4
    for group in found:
        assert not group[np.isnan(y)].any()
        assert not group[~np.isnan(LABEL).any(1)].any()


def test_where_all_is_labelled_there_is_no_group():
    label = np.eye(2)[(X[:, 0] > 0.5).astype(int)]
    assert groups(X[:, 0] + NOISE, label=label) == []


def test_few_values_make_no_group():
    y = np.where(np.arange(60) < 4, X[:, 0], np.nan)
    assert groups(y) == []


def test_many_rows_are_thinned_and_the_group_is_brought_back_to_all():
    rng = np.random.default_rng(6)
    x = rng.random((400, 2))
    corner = x.sum(1) > 1.35
    label = np.where((np.arange(400) < 40)[:, None] & ~corner[:, None], [1.0], np.nan)
    found = groups(np.where(corner, 1.7, -0.5) + 0.05 * rng.standard_normal(400), x, label)
    assert max(overlap(group, corner) for group in found) > 0.9
