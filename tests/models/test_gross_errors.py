import numpy as np
import pytest

from tieline.models.gross_errors import fit_robustly
from tieline.models.observations import OUTLIER_SPREAD, Observations

RNG = np.random.default_rng(0)
X = np.linspace(0, 1, 24)
SMOOTH = np.sin(4 * X) + 0.03 * RNG.standard_normal(24)


def seen(y):
    return Observations(X[:, None], np.full((24, 3), np.nan), y[:, None], np.zeros((24, 1)))


def fit(y):
    return fit_robustly(seen(y), range(1, 4), is_anonymous=True)


@pytest.fixture(scope="module")
def spoiled():
    return fit(np.where(np.arange(24) == 9, 4.0, SMOOTH))


def test_regular_values_are_kept():
    answer, aside = fit(SMOOTH)
    assert not aside.any()
    assert (answer.seen.error == 0).all()


def test_one_gross_error_is_set_aside_and_no_other_value(spoiled):
    _, aside = spoiled
    assert np.flatnonzero(aside[:, 0]).tolist() == [9]


def test_a_value_set_aside_has_the_standard_error_of_a_gross_error(spoiled):
    answer, aside = spoiled
    np.testing.assert_allclose(answer.seen.error, OUTLIER_SPREAD**2 * aside)


def test_the_rest_is_predicted_as_without_the_gross_error(spoiled):
    mean, _ = spoiled[0].property(0, X[:, None])
    clean, parts = fit(SMOOTH)[0].property(0, X[:, None])
    assert (np.abs(mean - clean) < 2 * np.sqrt(parts.sum(1))).all()


def test_a_region_of_many_values_is_no_gross_error():
    answer, aside = fit(np.where(X > 0.6, SMOOTH + 3, SMOOTH))
    assert not aside.any()
    assert answer.count_probability()[1] > 0.9
