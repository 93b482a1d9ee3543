import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from tieline.models.experts import (
    LEVEL,
    Expert,
    Layout,
    Pairs,
    _negative,
    fit_expert,
    hyperparameter_nodes,
)

RNG = np.random.default_rng(0)
X = RNG.random((15, 2))
Y = np.sin(4 * X[:, 0]) + 0.5 * X[:, 1] + 0.05 * RNG.standard_normal(15)
ERROR = np.where(np.arange(15) % 4 == 0, 0.02, 0.0)
ASKED = RNG.random((8, 2))
SOFT = RNG.dirichlet(np.full(3, 0.4), 15)


def expert(membership, kernel="matern52", theta=None, y=Y):
    layout = Layout(2, membership.shape[1], kernel)
    pairs = Pairs.of(X, y, ERROR, membership)
    return Expert.at(layout, layout.prior()[0] if theta is None else theta, pairs)


def scattered(layout, seed=1, by=0.3):
    mean, deviation = layout.prior()
    return mean + by * deviation * np.random.default_rng(seed).standard_normal(layout.size)


@pytest.mark.parametrize(("kernel", "form"), [("matern52", lambda s: Matern(s, nu=2.5)), ("rbf", RBF)])
def test_with_one_phase_an_expert_is_the_process_of_scikit_learn(kernel, form):
    layout = Layout(2, 1, kernel)
    ours = expert(np.ones((15, 1)), kernel, scattered(layout))
    length, trend, stretch, level, amplitude, factor, noise = layout.split(ours.theta)
    covariance = (
        ConstantKernel(LEVEL + level**2)
        + ConstantKernel(trend**2) * form(stretch * length)
        + ConstantKernel(amplitude[0] ** 2) * form(factor[0] * length)
    )
    theirs = GaussianProcessRegressor(covariance, alpha=noise + ERROR, optimizer=None).fit(X, Y)
    mean, deviation = theirs.predict(ASKED, return_std=True)
    found_mean, found_variance = ours.predict(ASKED, 0)
    np.testing.assert_allclose(found_mean, mean, atol=1e-6)
    np.testing.assert_allclose(found_variance, deviation**2, atol=1e-6)


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
def test_the_gradient_of_the_evidence_is_the_numerical_one(kernel):
    layout = Layout(2, 3, kernel)
    pairs = Pairs.of(X, Y, ERROR, SOFT)
    theta = scattered(layout)
    numerical = approx_fprime(theta, lambda t: _negative(layout, t, pairs)[0], 1e-6)
    np.testing.assert_allclose(_negative(layout, theta, pairs)[1], numerical, rtol=1e-3, atol=1e-3)


def test_the_evidence_of_sure_memberships_is_that_of_one_normal():
    layout = Layout(2, 2)
    phase = (X[:, 0] > 0.5).astype(int)
    pairs = Pairs.of(X, Y, ERROR, np.eye(2)[phase])
    mean, deviation = layout.prior()

    def independent(theta):
        length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
        same = pairs.phase[:, None] == pairs.phase[None, :]
        covariance = LEVEL + trend**2 * Matern(stretch * length, nu=2.5)(pairs.x)
        for k in range(2):
            own = amplitude[k] ** 2 * Matern(factor[k] * length, nu=2.5)(pairs.x)
            covariance = covariance + (same & (pairs.phase == k)[:, None]) * (level**2 + own)
        covariance += np.diag(noise + pairs.error)
        z = (theta - mean) / deviation
        return -multivariate_normal(np.zeros(15), covariance).logpdf(pairs.y) + 0.5 * z @ z

    one, other = scattered(layout, 1), scattered(layout, 2)
    ours = _negative(layout, one, pairs)[0] - _negative(layout, other, pairs)[0]
    assert ours == pytest.approx(independent(one) - independent(other), abs=1e-5)


def test_the_evidence_of_soft_memberships_is_the_collapsed_bound():
    """The bound in the form of its definition: a normal integral over the functions at the pairs."""
    layout = Layout(2, 3)
    pairs = Pairs.of(X, Y, ERROR, SOFT)
    mean, deviation = layout.prior()

    def bound(theta):
        model = Expert.at(layout, theta, pairs)
        variance = layout.split(theta)[-1] + pairs.error
        covariance = model.root @ model.root.T - np.diag(variance / pairs.weight)
        precision = np.diag(pairs.weight / variance)
        pull = precision @ pairs.y
        inner = np.eye(len(pairs.y)) + covariance @ precision
        value = -0.5 * np.linalg.slogdet(inner)[1]
        value += 0.5 * pull @ np.linalg.solve(inner, covariance @ pull)
        value -= 0.5 * (pairs.weight * (pairs.y**2 / variance + np.log(variance))).sum()
        z = (theta - mean) / deviation
        return -value + 0.5 * z @ z

    one, other = scattered(layout, 1), scattered(layout, 2)
    ours = _negative(layout, one, pairs)[0] - _negative(layout, other, pairs)[0]
    assert ours == pytest.approx(bound(one) - bound(other), abs=1e-5)


@pytest.mark.parametrize("membership", [np.eye(3)[RNG.integers(3, size=15)], SOFT], ids=["sure", "soft"])
def test_leave_one_out_is_leaving_one_out(membership):
    model = expert(membership)
    mean, variance = model.leave_one_out(X, 3)
    for i in range(15):
        kept = model.pairs.row != i
        parts = (p[kept] for p in (model.pairs.x, model.pairs.y, model.pairs.error))
        rest = (model.pairs.weight, model.pairs.phase, model.pairs.row, model.pairs.instrument)
        without = Expert.at(model.layout, model.theta, Pairs(*parts, *(p[kept] for p in rest)))
        for k in range(3):
            m, v = without.predict(X[i : i + 1], k)
            assert mean[i, k] == pytest.approx(m[0], abs=1e-6)
            assert variance[i, k] == pytest.approx(v[0], abs=1e-6)


def test_a_phase_without_values_has_the_prior_variance_less_what_is_shared():
    model = expert(np.eye(2)[np.zeros(15, dtype=int)])
    _, trend, _, level, amplitude, _, _ = model.layout.split(model.theta)
    _, variance = model.predict(X, 1)
    own = level**2 + amplitude[1] ** 2
    assert (variance > own).all()
    assert (variance < own + LEVEL + trend**2).all()


def test_memberships_near_zero_make_no_pair():
    pairs = Pairs.of(X, Y, ERROR, np.column_stack([np.full(15, 0.995), np.full(15, 0.005)]))
    assert (pairs.phase == 0).all()
    assert len(pairs.y) == 15


def test_pairs_stand_in_the_order_of_their_phases():
    pairs = Pairs.of(X, Y, ERROR, SOFT)
    for k in range(3):
        block = pairs.block(k)
        assert (pairs.phase[block] == k).all()
        np.testing.assert_array_equal(pairs.weight[block], SOFT[pairs.row[block], k])
    assert sum(pairs.block(k).stop - pairs.block(k).start for k in range(3)) == len(pairs.y)


def test_thinning_keeps_no_more_than_was_asked_for():
    pairs = Pairs.of(X, Y, ERROR, SOFT)
    for most in (1, 5, 7, 1000):
        assert len(pairs.thinned(most).y) <= most
    assert len(pairs.thinned(1000).y) == len(pairs.y)


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
def test_all_phases_together_are_each_solved_alone(kernel):
    model = expert(SOFT, kernel, scattered(Layout(2, 3, kernel)))
    asked = RNG.random((8, 3)) < 0.6
    mean, variance = model.predict_where(ASKED, asked)
    whole = model.root @ model.root.T
    for k in range(3):
        cross = model.cross(ASKED, k)
        left = model.variance(k) - (cross * np.linalg.solve(whole, cross)).sum(0)
        np.testing.assert_allclose(mean[asked[:, k], k], (cross.T @ model.alpha)[asked[:, k]], atol=1e-9)
        np.testing.assert_allclose(variance[asked[:, k], k], left[asked[:, k]], atol=1e-8)


def test_an_expert_of_one_phase_answers_for_all_phases():
    model = expert(np.ones((15, 1)))
    np.testing.assert_array_equal(model.predict(ASKED, 2), model.predict(ASKED, 0))
    mean, _ = model.predict_where(ASKED, np.eye(3, dtype=bool)[np.arange(8) % 3])
    np.testing.assert_allclose(mean[np.arange(8), np.arange(8) % 3], model.predict(ASKED, 0)[0])


def test_the_fit_ends_where_the_gradient_vanishes():
    layout = Layout(2, 1)
    pairs = Pairs.of(X, Y, ERROR, np.ones((15, 1)))
    found = fit_expert(layout, pairs, max_steps=300)
    value, gradient = _negative(layout, found.theta, pairs)
    assert np.abs(gradient).max() < 0.05
    assert value <= _negative(layout, layout.prior()[0], pairs)[0]


def test_nodes_are_weighed_by_their_density_over_the_one_they_came_from():
    layout = Layout(2, 1)
    best = fit_expert(layout, Pairs.of(X, Y, ERROR, np.ones((15, 1))), max_steps=300)
    normals = np.vstack([np.zeros(layout.size), RNG.standard_normal((5, layout.size))])
    thetas, score = hyperparameter_nodes(best, normals)
    np.testing.assert_allclose(thetas[0], best.theta)
    density = np.array([-_negative(layout, t, best.pairs)[0] for t in thetas])
    wanted = density - density[0] + 0.5 * (normals**2).sum(1)
    np.testing.assert_allclose(score - score[0], wanted, atol=1e-9)
