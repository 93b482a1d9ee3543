"""The process itself, on entries that are standardised already."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from tieline.models.gaussian_fit import GaussianFit, Objective, fit_hyperparameters
from tieline.models.gaussian_kernel import LEVEL, SHARED_LEVEL, Entries, Hyperparameters, Shape
from tieline.models.kernels import KERNELS, matern52


def entries_of(n_rows, n_outputs=1, n_campaigns=1, n_coordinates=2, seed=0, *, share=0.7):
    """Values of every output on some of the rows, with standard errors on some."""
    rng = np.random.default_rng(seed)
    places = rng.random((n_rows, n_coordinates))
    row, output = np.nonzero(rng.random((n_rows, n_outputs)) < (share if n_outputs > 1 else 1.0))
    y = np.sin(4 * places[row, 0] + output) + places[row, -1] ** 2 + 0.2 * rng.standard_normal(len(row))
    variance = np.where(rng.random(len(row)) < 0.5, 0.0, 0.05 * rng.random(len(row)))
    campaign = rng.integers(n_campaigns, size=n_rows)
    return Entries(places[row], output, row, campaign[row], y - y.mean(), variance)


CASES = {
    "one output": (entries_of(15), Shape(np.array([0, 1]), 1, 1, "matern52")),
    "very smooth": (entries_of(15), Shape(np.array([0, 1]), 1, 1, "rbf")),
    "a shared lengthscale": (
        entries_of(15, n_coordinates=4),
        Shape(np.array([0, 1, 1, 1]), 1, 1, "matern52"),
    ),
    "repeated rows": (
        replace(entries_of(15), row=np.arange(15) // 2),
        Shape(np.array([0, 1]), 1, 1, "matern52"),
    ),
    "three outputs": (entries_of(12, 3), Shape(np.array([0, 1]), 3, 1, "matern52")),
    "two campaigns": (
        entries_of(16, n_campaigns=2),
        Shape(np.array([0, 1]), 1, 2, "matern52"),
    ),
    "two outputs, three campaigns": (
        entries_of(14, 2, 3),
        Shape(np.array([0, 1]), 2, 3, "rbf"),
    ),
}
EVERY = pytest.mark.parametrize(("entries", "shape"), CASES.values(), ids=CASES)


def away_from_the_middle(shape, seed=3):
    mean, sd = shape.priors()
    return mean + 0.5 * sd * np.random.default_rng(seed).standard_normal(len(mean))


def covariance_of(entries, hyper):
    """What `gaussian_kernel` states, pair by pair."""
    n = len(entries.y)
    found = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            p, q = entries.output[i], entries.output[j]
            c, d = entries.campaign[i], entries.campaign[j]
            r2 = (((entries.x[i] - entries.x[j]) / hyper.lengthscale) ** 2).sum()
            found[i, j] = hyper.signal[p, q] * hyper.alike[c, d] * KERNELS[hyper.kernel].value(r2)
            found[i, j] += LEVEL * (p == q) * (1.0 if c == d else SHARED_LEVEL)
            found[i, j] += (entries.row[i] == entries.row[j]) * hyper.residual[p, q]
    return found + np.diag(entries.variance)


@EVERY
def test_the_covariance_is_what_is_stated(entries, shape):
    hyper = shape.at(away_from_the_middle(shape))
    root = GaussianFit(entries, hyper).root
    np.testing.assert_allclose(root @ root.T, covariance_of(entries, hyper), atol=1e-10)


@EVERY
def test_the_objective_is_the_density_of_values_and_parameters(entries, shape):
    theta, (mean, sd) = away_from_the_middle(shape), shape.priors()
    value, _ = Objective(entries, shape)(theta)
    covariance = covariance_of(entries, shape.at(theta))
    wanted = -multivariate_normal.logpdf(entries.y, np.zeros(len(entries.y)), covariance)
    wanted -= (norm.logpdf(theta, mean, sd) - norm.logpdf(mean, mean, sd)).sum()
    assert value == pytest.approx(wanted, rel=1e-9)


@EVERY
def test_the_gradient_is_that_of_finite_differences(entries, shape):
    theta, objective = away_from_the_middle(shape), Objective(entries, shape)
    step = 1e-5 * np.eye(len(theta))
    slopes = [(objective(theta + d)[0] - objective(theta - d)[0]) / 2e-5 for d in step]
    np.testing.assert_allclose(objective(theta)[1], slopes, rtol=1e-5, atol=1e-5)


@EVERY
def test_the_parameters_found_are_as_good_as_from_anywhere(entries, shape):
    objective = Objective(entries, shape)
    found = objective(fit_hyperparameters(entries, shape))
    mean, sd = shape.priors()
    rng = np.random.default_rng(0)
    random = [objective(mean + sd * rng.standard_normal(len(mean)))[0] for _ in range(300)]
    assert found[0] < min(random)
    assert np.abs(found[1] * sd).max() < 0.2  # nats per sd of the prior: the optimiser ends near the top


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
def test_predictions_are_those_of_scikit_learn(kernel):
    """With the same hyperparameters; the level is a constant kernel there."""
    entries, lengthscale = entries_of(20), np.array([0.4, 1.3])
    hyper = Hyperparameters(lengthscale, np.array([[1.7]]), np.array([[0.02]]), np.ones((1, 1)), kernel)
    smooth = RBF(lengthscale) if kernel == "rbf" else Matern(lengthscale, nu=2.5)
    covariance = ConstantKernel(1.7) * smooth + ConstantKernel(LEVEL)
    theirs = GaussianProcessRegressor(covariance, alpha=0.02 + entries.variance, optimizer=None)
    theirs.fit(entries.x, entries.y)
    x = np.random.default_rng(9).random((30, 2)) * 1.4
    fit = GaussianFit(entries, hyper)
    mean, variance = fit.moments(x, np.ones(1))
    wanted_mean, wanted_sd = theirs.predict(x, return_std=True)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(variance), wanted_sd, atol=1e-7)
    wanted = theirs.predict(x, return_cov=True)[1]
    half = fit.halves(x, np.ones(1))[1]
    np.testing.assert_allclose(hyper.among(x, x, np.ones(1)) - half.T @ half, wanted, atol=1e-7)


def test_left_out_values_are_predicted_as_by_fits_without_them():
    entries = entries_of(18)
    shape = Shape(np.array([0, 1]), 1, 1, "matern52")
    hyper = shape.at(away_from_the_middle(shape))
    mean, variance = GaussianFit(entries, hyper).leave_one_out()
    for i in range(len(entries.y)):
        others = GaussianFit(entries.where(np.arange(len(entries.y)) != i), hyper)
        m, v = others.moments(entries.x[i : i + 1], np.ones(1))
        assert mean[i] == pytest.approx(m[0], abs=1e-9)
        assert variance[i] == pytest.approx(v[0] + hyper.residual[0, 0] + entries.variance[i], abs=1e-9)


def test_a_value_left_out_is_told_by_the_other_outputs_of_its_specimen():
    entries, shape = CASES["three outputs"]
    hyper = shape.at(away_from_the_middle(shape))
    mean, variance = GaussianFit(entries, hyper).leave_one_out()
    covariance = covariance_of(entries, hyper)
    for i in range(len(entries.y)):
        rest = np.arange(len(entries.y)) != i
        gain = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, i])
        assert mean[i] == pytest.approx(gain @ entries.y[rest], abs=1e-9)
        assert variance[i] == pytest.approx(covariance[i, i] - gain @ covariance[rest, i], abs=1e-9)


def test_many_places_are_predicted_as_a_few(monkeypatch):
    entries, shape = CASES["three outputs"]
    fit = GaussianFit(entries, shape.at(away_from_the_middle(shape)))
    x, weights = np.random.default_rng(5).random((50, 2)), np.array([1.0, -0.5, 0.2])
    whole = fit.moments(x, weights)
    monkeypatch.setattr("tieline.models.gaussian_fit.AT_A_TIME", 7)
    for one, other in zip(fit.moments(x, weights), whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_true_hyperparameters_are_found_from_enough_values():
    """A function of known lengthscales, in one of two inputs only."""
    rng = np.random.default_rng(4)
    x = rng.random((250, 2))
    covariance = matern52(((x[:, None, 0] - x[None, :, 0]) / 0.3) ** 2) + 0.01 * np.eye(250)
    y = np.linalg.cholesky(covariance) @ rng.standard_normal(250)
    zeros = np.zeros(250, dtype=np.intp)
    entries = Entries(x, zeros, np.arange(250), zeros, y - y.mean(), np.zeros(250))
    shape = Shape(np.array([0, 1]), 1, 1, "matern52")
    hyper = shape.at(fit_hyperparameters(entries, shape))
    assert 0.2 < hyper.lengthscale[0] < 0.45
    assert hyper.lengthscale[1] > 3
    assert hyper.residual[0, 0] == pytest.approx(0.01, rel=0.4)
