import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.gaussian_process.kernels import RBF, Matern

from tieline.models.segments import LEVEL, Settings, stretch_evidence

X = np.array([0.0, 0.1, 0.35, 0.4, 0.9])
Y = np.array([0.3, -0.2, 1.5, 1.4, 0.9])
ERROR = np.array([0.0, 0.01, 0.0, 0.04, 0.0])
SETTINGS = Settings.default().keep(np.array([3, 20, 50, 70]))
EVERYWHERE = np.ones(5, dtype=bool)


def independent(h):
    form = RBF if SETTINGS.kernel[h] == "rbf" else lambda s: Matern(s, nu=2.5)
    return LEVEL + SETTINGS.amplitude[h] ** 2 * form(SETTINGS.lengthscale[h])(X[:, None])


def test_settings_cover_both_kernels_and_their_prior_sums_to_one():
    settings = Settings.default()
    assert set(settings.kernel) == {"rbf", "matern52"}
    assert logsumexp(settings.log_weight) == pytest.approx(0)
    assert len(settings.kernel) == len(settings.lengthscale) == len(settings.amplitude)


def test_chosen_settings_stay_what_they_were():
    settings = Settings.default()
    for h, which in enumerate([3, 20, 50, 70]):
        assert SETTINGS.kernel[h] == settings.kernel[which]
        assert SETTINGS.lengthscale[h] == settings.lengthscale[which]
        assert SETTINGS.amplitude[h] == settings.amplitude[which]
        assert SETTINGS.log_weight[h] == settings.log_weight[which]


def test_the_covariance_is_a_level_and_the_kernel_of_scikit_learn():
    ours = SETTINGS.covariance(X, X)
    for h in range(4):
        np.testing.assert_allclose(ours[h], independent(h), atol=1e-7)


def test_every_stretch_has_the_evidence_of_its_normal():
    found = stretch_evidence(X, Y, ERROR, 0.1, SETTINGS, EVERYWHERE)
    for h in range(4):
        covariance = independent(h) + np.diag(0.01 + ERROR)
        for i in range(5):
            for j in range(i + 1, 6):
                wanted = multivariate_normal(np.zeros(j - i), covariance[i:j, i:j]).logpdf(Y[i:j])
                assert found[h, i, j] == pytest.approx(wanted, abs=1e-7)


def test_an_empty_stretch_says_nothing_and_a_backward_one_is_impossible():
    found = stretch_evidence(X, Y, ERROR, 0.1, SETTINGS, EVERYWHERE)
    assert (found[:, np.arange(6), np.arange(6)] == 0).all()
    assert (found[:, np.tri(6, k=-1, dtype=bool)] == -np.inf).all()


def test_no_region_begins_where_it_may_not():
    found = stretch_evidence(X, Y, ERROR, 0.1, SETTINGS, np.array([True, False, True, False, False]))
    whole = stretch_evidence(X, Y, ERROR, 0.1, SETTINGS, EVERYWHERE)
    np.testing.assert_array_equal(found[:, [0, 2]], whole[:, [0, 2]])
    assert (found[:, 1, 2:] == -np.inf).all()


def test_repeats_at_one_place_keep_the_factor_alive():
    found = stretch_evidence(
        np.zeros(4), np.array([1.0, 1.1, 0.9, 1.0]), np.zeros(4), 0.002, SETTINGS, np.ones(4, bool)
    )
    assert np.isfinite(found[:, 0, 4]).all()
