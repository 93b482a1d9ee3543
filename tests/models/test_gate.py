import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process.kernels import Matern

from tieline.models.gate import OFFSET, SHARE, GateSettings, contrasts, fit_gate, probabilities
from tieline.models.gate_mixture import standard_normals, whitened_normals

SETTINGS = GateSettings(
    amplitude=2.0, trend=1.5, lengthscale=np.array([0.3, 0.6]), label_error=np.array([0.02])
)
PLACES = np.random.default_rng(0).random((12, 2))


def label(*names, n_phases=2, error=0.02):
    return np.log((1 - error) * np.eye(n_phases)[list(names)] + error / n_phases)


def gate(x, evidence, settings=SETTINGS, n_sweeps=40):
    return fit_gate(x, evidence, settings, whitened_normals(evidence.shape[1] - 1), n_sweeps=n_sweeps)


def test_the_prior_is_a_share_a_quadratic_and_a_matern_process():
    v = 2 * PLACES - 1
    square = np.column_stack([v[:, 0] ** 2, v[:, 1] ** 2, np.sqrt(2) * v[:, 0] * v[:, 1]])
    ones = np.ones((12, 1))
    features = np.hstack([SHARE * ones, 1.5 * OFFSET * ones, 1.5 * v, 1.5 * square])
    wanted = features @ features.T + 4.0 * Matern(SETTINGS.lengthscale, nu=2.5)(PLACES)
    np.testing.assert_allclose(SETTINGS.kernel(PLACES, PLACES), wanted, atol=1e-6)
    np.testing.assert_allclose(SETTINGS.variance(PLACES), wanted.diagonal(), atol=1e-6)


@pytest.mark.parametrize("n_phases", [2, 3, 5])
def test_contrasts_single_out_no_phase(n_phases):
    t = contrasts(n_phases)
    np.testing.assert_allclose(t.sum(0), 0, atol=1e-12)
    covariance = t @ t.T
    np.testing.assert_allclose(covariance.diagonal(), 1)
    off = covariance[~np.eye(n_phases, dtype=bool)]
    np.testing.assert_allclose(off, -1 / (n_phases - 1))


def test_one_phase_needs_no_contrast():
    assert contrasts(1).shape == (1, 0)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.2, 0.5), (-2.0, 9.0)])
def test_the_average_of_two_phases_is_that_of_quadrature(mean, variance):
    t = contrasts(2)[:, 0]
    nodes = mean + np.sqrt(variance) * np.linspace(-8, 8, 4001)
    weight = norm.pdf(nodes, mean, np.sqrt(variance))
    wanted = (weight * expit((t[0] - t[1]) * nodes)).sum() / weight.sum()
    ours = probabilities(np.array([[mean]]), np.array([[[variance]]]), standard_normals(4096, 1))
    np.testing.assert_allclose(ours, [[wanted, 1 - wanted]], atol=2e-3)


def test_averages_sum_to_one_and_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(1)
    mean, root = rng.standard_normal((6, 3)), rng.standard_normal((6, 3, 3))
    covariance = root @ root.transpose(0, 2, 1)
    normals = whitened_normals(3)
    together = probabilities(mean, covariance, normals)
    np.testing.assert_allclose(together.sum(1), 1)
    np.testing.assert_allclose(probabilities(mean[2:3], covariance[2:3], normals), together[2:3])


def test_rows_that_say_nothing_leave_the_prior():
    silent = gate(PLACES, np.zeros((12, 3)))
    mean, covariance = silent.latent(PLACES)
    np.testing.assert_allclose(mean, 0, atol=1e-3)
    wanted = SETTINGS.variance(PLACES)[:, None, None] * np.eye(2)
    np.testing.assert_allclose(covariance, wanted, rtol=0.02, atol=0.02)


def test_one_label_moves_its_latent_as_quadrature_does():
    place = PLACES[:1]
    sd = np.sqrt(SETTINGS.variance(place)[0])
    c = sd * np.linspace(-9, 9, 8001)
    t = contrasts(2)[:, 0]
    weight = norm.pdf(c, 0, sd) * (0.98 * expit((t[0] - t[1]) * c) + 0.01)
    wanted = (weight * c).sum() / weight.sum()
    variance = (weight * (c - wanted) ** 2).sum() / weight.sum()
    found_mean, found_covariance = gate(place, label(0)).latent(place)
    assert found_mean[0, 0] == pytest.approx(wanted, rel=0.02)
    assert found_covariance[0, 0, 0] == pytest.approx(variance, rel=0.1)  # 64 draws integrate it


def test_two_labels_give_the_probabilities_of_brute_force_anywhere():
    x, asked = PLACES[:2], PLACES[2:6]
    points = np.vstack([x, asked])
    n = 200_000
    prior = multivariate_normal(np.zeros(6), SETTINGS.kernel(points, points), allow_singular=True)
    c = prior.rvs(n, random_state=np.random.default_rng(2))
    t = contrasts(2)[:, 0]
    first = expit((t[0] - t[1]) * c)
    weight = (0.98 * first[:, 0] + 0.01) * (0.98 * (1 - first[:, 1]) + 0.01)
    wanted = (weight[:, None] * first[:, 2:]).sum(0) / weight.sum()
    fitted = gate(x, label(0, 1))
    ours = probabilities(*fitted.latent(asked), standard_normals(2048, 1))[:, 0]
    np.testing.assert_allclose(ours, wanted, atol=0.02)


def test_labels_are_found_again_where_they_were_given():
    right = PLACES[:, 0] > 0.5
    fitted = gate(PLACES, label(*right.astype(int)))
    found = probabilities(*fitted.latent(PLACES), whitened_normals(1))
    assert (found.argmax(1) == right).all()


def test_the_order_of_rows_is_irrelevant():
    which, order = (PLACES[:, 0] > 0.5).astype(int), np.random.default_rng(3).permutation(12)
    asked = np.random.default_rng(4).random((20, 2))
    one, other = gate(PLACES, label(*which)), gate(PLACES[order], label(*which[order]))
    normals = whitened_normals(1)
    np.testing.assert_allclose(
        probabilities(*one.latent(asked), normals), probabilities(*other.latent(asked), normals), atol=0.01
    )


def test_a_cavity_is_the_gate_without_the_row():
    which = (PLACES[:, 0] > 0.5).astype(int)
    mean, covariance = gate(PLACES, label(*which)).cavity()
    normals = whitened_normals(1)
    found = probabilities(mean, covariance, normals)
    for i in range(12):
        rest = np.arange(12) != i
        left_out = gate(PLACES[rest], label(*which[rest])).latent(PLACES[i : i + 1])
        np.testing.assert_allclose(found[i], probabilities(*left_out, normals)[0], atol=0.06)


def test_whitened_features_restore_the_prior_at_the_pivots():
    fitted = gate(PLACES, label(*[0] * 12))
    features = fitted.features(fitted.pivots)
    wanted = SETTINGS.kernel(fitted.pivots, fitted.pivots)
    np.testing.assert_allclose(features @ features.T, wanted, rtol=1e-6, atol=1e-6)
