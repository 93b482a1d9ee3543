import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from tieline.models.gate import contrasts
from tieline.models.gate_mixture import whitened_normals
from tieline.models.sites import clip, inverse_of, moments, propagate

RNG = np.random.default_rng(0)
ROOT = 2 * np.tril(RNG.standard_normal((3, 3)))
EVIDENCE = np.log([[0.9, 0.1], [0.2, 0.8], [0.95, 0.05]])


def sites(g, evidence, n_sweeps=60, n_phases=2):
    variance = (g**2).sum(1)
    return propagate(
        g, variance, contrasts(n_phases), evidence, whitened_normals(n_phases - 1), None, n_sweeps
    )


def log_joint(eta, g, evidence, t):
    u = g @ eta.reshape(g.shape[1], t.shape[1]) @ t.T
    return logsumexp(log_softmax(u, axis=1) + evidence, axis=1).sum() - 0.5 * (eta**2).sum()


def brute_force(g, evidence):
    """Evidence, and means of the latents, by summing over a grid of three whitened latents."""
    axis = np.linspace(-5.5, 5.5, 81)
    eta = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    c = eta @ g.T
    u = c[:, :, None] * contrasts(2)[:, 0]
    log_likelihood = logsumexp(log_softmax(u, axis=2) + evidence, axis=2).sum(1)
    weight = np.exp(log_likelihood) * norm.pdf(eta).prod(1) * (axis[1] - axis[0]) ** 3
    return np.log(weight.sum()), weight @ c / weight.sum()


def test_without_a_sweep_the_mean_is_the_highest_point_of_the_density():
    t = contrasts(3)
    evidence = np.log(RNG.dirichlet(np.ones(3), 3))
    highest = minimize(lambda eta: -log_joint(eta, ROOT, evidence, t), np.zeros(6), tol=1e-10)
    found = sites(ROOT, evidence, n_sweeps=0, n_phases=3)
    value = log_joint(found.mode.ravel(), ROOT, evidence, t)
    assert value == pytest.approx(-highest.fun, abs=2e-3)  # Newton's method stops within a thousandth


def test_the_evidence_of_one_row_is_exact():
    g = np.array([[1.7]])
    c = 1.7 * np.linspace(-9, 9, 20_001)
    u = c[:, None] * contrasts(2)[:, 0]
    likelihood = np.exp(logsumexp(log_softmax(u, axis=1) + EVIDENCE[0], axis=1))
    wanted = np.log((likelihood * norm.pdf(c, 0, 1.7)).sum() * (c[1] - c[0]))
    assert sites(g, EVIDENCE[:1]).log_evidence == pytest.approx(wanted, abs=5e-3)


def test_evidence_and_means_of_three_rows_are_those_of_brute_force():
    log_evidence, mean = brute_force(ROOT, EVIDENCE)
    found = sites(ROOT, EVIDENCE)
    assert found.log_evidence == pytest.approx(log_evidence, abs=0.03)
    np.testing.assert_allclose(found.mean[:, 0], mean, atol=0.06)


def test_a_factor_common_to_all_phases_only_adds_to_the_evidence():
    plain, scaled = sites(ROOT, EVIDENCE), sites(ROOT, EVIDENCE - 3.0)
    assert scaled.log_evidence == pytest.approx(plain.log_evidence - 9.0)
    np.testing.assert_allclose(scaled.mean, plain.mean, atol=1e-9)


def test_rows_that_say_nothing_have_no_evidence_and_no_precision():
    found = sites(ROOT, np.zeros((3, 2)))
    assert found.log_evidence == pytest.approx(0, abs=1e-2)
    np.testing.assert_allclose(found.precision, 0, atol=1e-2)


def test_impossible_phases_do_not_break_the_sweeps():
    found = sites(ROOT, np.array([[0.0, -800.0], [-800.0, 0.0], [0.0, -800.0]]))
    assert np.isfinite(found.mean).all()
    assert (np.sign(found.mean[:, 0]) == np.sign(contrasts(2)[0, 0]) * np.array([1, -1, 1])).all()


def test_a_second_start_leads_to_the_same_answer():
    first = sites(ROOT, EVIDENCE)
    variance, start = (ROOT**2).sum(1), (first.shift, first.precision)
    again = propagate(ROOT, variance, contrasts(2), EVIDENCE, whitened_normals(1), start, 60)
    np.testing.assert_allclose(again.mean, first.mean, atol=0.05)
    assert again.log_evidence == pytest.approx(first.log_evidence, abs=0.02)


def test_rows_are_matched_alike_few_at_a_time_and_all_at_once(monkeypatch):
    at_once = sites(ROOT, EVIDENCE)
    monkeypatch.setattr("tieline.models.sites.AT_A_TIME", 2)
    few = sites(ROOT, EVIDENCE)
    np.testing.assert_allclose(few.mean, at_once.mean, atol=1e-9)
    np.testing.assert_allclose(few.covariance, at_once.covariance, atol=1e-9)


def test_cavities_are_no_wider_than_the_prior_and_no_narrower_than_the_posterior():
    found = sites(ROOT, EVIDENCE)
    prior = (ROOT**2).sum(1)
    assert (found.cavity_covariance[:, 0, 0] <= prior * (1 + 1e-9)).all()
    assert (found.cavity_covariance[:, 0, 0] >= found.covariance[:, 0, 0] * (1 - 1e-9)).all()


def test_moments_are_those_of_the_whole_covariance():
    rank, c = 4, 2
    root = np.tril(RNG.standard_normal((8, 8))) + 4 * np.eye(8)
    g, eta = RNG.standard_normal((5, rank)), RNG.standard_normal((rank, c))
    mean, covariance = moments(g, eta, inverse_of(root))
    whole = np.linalg.inv(root @ root.T)
    for i in range(5):
        select = np.kron(g[i], np.eye(c))
        np.testing.assert_allclose(mean[i], select @ eta.ravel())
        np.testing.assert_allclose(covariance[i], select @ whole @ select.T)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_clipping_raises_low_eigenvalues_and_keeps_the_others(size):
    root = RNG.standard_normal((7, size, size))
    matrices = root + root.transpose(0, 2, 1)
    clipped = clip(matrices, 0.5)
    wanted = np.maximum(np.linalg.eigvalsh(matrices), 0.5)
    np.testing.assert_allclose(np.linalg.eigvalsh(clipped), wanted, atol=1e-9)
    np.testing.assert_allclose(clip(clipped, 0.5), clipped, atol=1e-9)
