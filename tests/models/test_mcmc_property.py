import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tieline.models.experts import LEVEL, Expert, Pairs
from tieline.models.kernels import squared_distance
from tieline.models.mcmc_property import Column, LeftOut
from tieline.models.observations import OUTLIER_SPREAD

N = 18
RNG = np.random.default_rng(0)
X = RNG.random((N, 2))
PHASE = (X[:, 0] > 0.5).astype(np.intp)
Y = np.where(PHASE == 1, 1.0, -1.0) + 0.3 * X[:, 1] + 0.05 * RNG.standard_normal(N)
ERROR = np.full(N, 1e-3)
ALL = np.ones(N, dtype=bool)


@pytest.fixture(scope="module")
def column():
    return Column.of(np.arange(N), X, Y, ERROR, np.eye(2)[PHASE])


def covariance(layout, theta, phase):
    """What the module's first words say, written out."""
    length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
    total = LEVEL + trend**2 * layout.k.value(squared_distance(X, X, stretch * length))
    for k in range(2):
        own = np.outer(phase == k, phase == k)
        smooth = amplitude[k] ** 2 * layout.k.value(squared_distance(X, X, factor[k] * length))
        total = total + own * (level**2 + smooth)
    return total + np.diag(noise + ERROR)


@pytest.mark.parametrize("kernel", [0, 1])
def test_the_likelihood_is_a_multivariate_normal(column, kernel):
    phase = np.random.default_rng(1).integers(0, 2, N)
    setting = column.at(kernel, np.random.default_rng(2).standard_normal(column.layouts[0].size))
    expected = multivariate_normal.logpdf(
        Y, np.zeros(N), covariance(column.layouts[kernel], setting.theta, phase)
    )
    constant = -0.5 * N * np.log(2 * np.pi)
    assert column.log_likelihood(setting, phase, ALL) + constant == pytest.approx(expected, abs=1e-6)


def test_values_left_out_one_by_one_judge_phases_as_the_whole_likelihood_does(column):
    """Also beside a gross error."""
    setting, regular = column.at(1, np.zeros(column.layouts[1].size)), ALL.copy()
    regular[5] = False
    left_out = LeftOut(column, setting, PHASE, regular)
    assert left_out.log_likelihood == column.log_likelihood(setting, PHASE, regular)
    for i in range(N):
        by_phase = [np.where(np.arange(N) == i, k, PHASE) for k in range(2)]
        one, other = (column.log_likelihood(setting, phase, regular) for phase in by_phase)
        gain = np.diff(left_out.log_density(i))[0]
        assert gain == pytest.approx(other - one, abs=1e-6)


def test_a_gross_error_stands_by_itself(column):
    setting, regular = column.at(0, np.zeros(column.layouts[0].size)), ALL.copy()
    regular[3] = False
    total = covariance(column.layouts[0], setting.theta, PHASE)[np.ix_(regular, regular)]
    expected = multivariate_normal.logpdf(Y[regular], np.zeros(N - 1), total)
    expected += multivariate_normal.logpdf(Y[3], 0, OUTLIER_SPREAD**2)
    constant = -0.5 * N * np.log(2 * np.pi)
    assert column.log_likelihood(setting, PHASE, regular) + constant == pytest.approx(expected, abs=1e-6)


def test_the_prior_is_that_of_the_layout(column):
    mean, deviation = column.layouts[0].prior()
    one, other = (column.at(0, z * np.ones(len(mean))) for z in (0.0, 0.7))
    expected = [-0.5 * (((s.theta - mean) / deviation) ** 2).sum() for s in (one, other)]
    assert [one.log_prior, other.log_prior] == pytest.approx(expected)


def test_coordinates_of_one_are_about_one_posterior_deviation(column):
    """Log likelihood and prior fall by about a half along each root, less by the inflation."""
    size = column.layouts[0].size

    def density(z):
        setting = column.at(0, z)
        return setting.log_prior + column.log_likelihood(setting, PHASE, ALL)

    top = density(np.zeros(size))
    falls = [top - 0.5 * (density(e) + density(-e)) for e in np.eye(size)]
    assert 0.2 < np.median(falls) < 1.5


def test_its_expert_is_the_expert_of_these_phases(column):
    theta, regular = column.centres[1], ALL.copy()
    regular[0] = False
    mine = column.expert(1, theta, PHASE, regular)
    pairs = Pairs.of(X[1:], Y[1:], ERROR[1:], np.eye(2)[PHASE[1:]])
    asked = np.random.default_rng(3).random((5, 2))
    for k in range(2):
        np.testing.assert_allclose(
            mine.predict(asked, k), Expert.at(column.layouts[1], theta, pairs).predict(asked, k)
        )


def test_what_fits_badly_is_suspected():
    y = Y.copy()
    y[7] += 8
    suspicion = Column.of(np.arange(N), X, y, ERROR, np.eye(2)[PHASE]).suspicion
    assert suspicion.argmax() == 7
    assert suspicion.sum() == pytest.approx(1)
