"""Laws of physics: exact fits, of few mean curves however many specimens there are."""

import numpy as np
import pytest

import tieline as tl
from tieline.models.fingerprint.laws import FittedLaw, fit_law, weighted_mean
from tieline.models.fingerprint.population import Curves

GRID = np.linspace(0, 0.1, 40)
PARAMETERS = [
    (tl.physics.Bilinear(), [[200, 10, 0.0312], [150, 5, 0.05], [100, 20, 0.0201]]),
    (tl.physics.Voce(), [[2, 3, 40], [1, 2, 100], [5, 1, 20]]),
    (tl.physics.PowerLaw(), [[3, 0.5], [2, 1.3], [1, 0.2]]),
    (tl.physics.PowerLaw(has_offset=True), [[3, 0.5, 1], [2, 1.3, 0], [1, 0.2, 3]]),
    (tl.physics.RambergOsgood(), [[200, 12, 5], [150, 8, 9], [300, 20, 4]]),
    (
        tl.physics.Formula(lambda t, p: p[0] * np.tanh(p[1] * t), (1.0, 10.0), ("height", "rate")),
        [[3, 20], [2, 40], [1, 15]],
    ),
]
LINEAR = [
    tl.physics.Line(),
    tl.physics.Line(through_origin=True),
    tl.physics.Polynomial(3),
    tl.physics.Fourier(2),
    tl.physics.Fourier(1, period=0.05),
    tl.physics.Spline(4),
    tl.physics.Features((np.sqrt, np.cos), ("root", "cosine")),
]
ALL = [law for law, _ in PARAMETERS] + LINEAR


def name(law):
    return type(law).__name__ if not isinstance(law, list) else ""


def weights(seed=0):
    return np.random.default_rng(seed).uniform(0.5, 2, (3, len(GRID)))


def noisy_curves(law, n=30, seed=0):
    """Curves of three kinds, with noise and holes."""
    rng = np.random.default_rng(seed)
    truth = np.stack([(2 + k) * np.minimum(GRID, 0.03 + 0.01 * k) for k in range(3)]) + 0.05
    values = truth[np.arange(n) % 3] + 0.01 * rng.standard_normal((n, len(GRID)))
    is_seen = rng.random(values.shape) > 0.2
    return Curves("curve", law, GRID, np.where(is_seen, values, 0), is_seen, 1.0, 1e-4)


@pytest.mark.parametrize(("law", "parameter"), PARAMETERS, ids=name)
def test_parameters_of_noiseless_curves_are_found(law, parameter):
    parameter = np.array(parameter, float)
    found, curve = fit_law(law, GRID, law.curve(GRID, parameter), weights(), None)
    np.testing.assert_allclose(found, parameter, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(curve, law.curve(GRID, parameter), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("law", LINEAR, ids=name)
def test_linear_laws_are_weighted_least_squares(law):
    rng = np.random.default_rng(1)
    mean, weight = rng.standard_normal((3, len(GRID))), weights()
    found, _ = fit_law(law, GRID, mean, weight, None)
    for k in range(3):
        root = np.sqrt(weight[k])
        wanted = np.linalg.lstsq(root[:, None] * law.features(GRID), root * mean[k], rcond=None)[0]
        np.testing.assert_allclose(found[k], wanted, rtol=1e-6, atol=1e-8)
    assert found.shape == (3, len(law.parameters))


def test_a_polynomial_is_that_of_numpy():
    y = np.sin(30 * GRID)
    _, curve = fit_law(tl.physics.Polynomial(4), GRID, y[None], np.ones((1, len(GRID))), None)
    np.testing.assert_allclose(curve[0], np.polyval(np.polyfit(GRID, y, 4), GRID), atol=1e-8)


def test_the_knot_is_better_than_every_other_one():
    rng = np.random.default_rng(2)
    for trial in range(5):
        y = 100 * np.minimum(GRID, 0.041) + rng.standard_normal(len(GRID)) * 0.4
        w = rng.uniform(0.1, 1, len(GRID))
        law = tl.physics.Bilinear()
        _, curve = fit_law(law, GRID, y[None], w[None], None)
        least = np.inf
        for knot in np.linspace(GRID[1], GRID[-1], 4000):
            phi = np.sqrt(w)[:, None] * np.stack([np.minimum(GRID, knot), np.maximum(GRID - knot, 0)], 1)
            beta = np.linalg.lstsq(phi, np.sqrt(w) * y, rcond=None)[0]
            least = min(least, np.sum((np.sqrt(w) * y - phi @ beta) ** 2))
        assert np.sum(w * (y - curve[0]) ** 2) <= least * (1 + 1e-6), trial


def test_mean_curves_tell_all_that_single_curves_tell():
    curves, law = noisy_curves(tl.physics.Line()), tl.physics.Line()
    g = np.random.default_rng(3).dirichlet(np.ones(2), len(curves.values))
    mean, weight = weighted_mean(curves, g)
    found, _ = fit_law(law, GRID, mean, weight, None)
    for k in range(2):
        root = np.sqrt(g[:, [k]] * curves.is_seen).ravel()
        phi = np.tile(law.features(GRID), (len(curves.values), 1))
        wanted = np.linalg.lstsq(root[:, None] * phi, root * curves.values.ravel(), rcond=None)[0]
        np.testing.assert_allclose(found[k], wanted, rtol=1e-8)


@pytest.mark.parametrize("law", ALL, ids=name)
def test_an_m_step_never_fits_worse(law):
    curves, rng = noisy_curves(law), np.random.default_rng(4)
    fitted = FittedLaw.of_everything(curves, 3)
    for _ in range(4):
        g = rng.dirichlet(np.ones(3), len(curves.values))
        before = np.sum(g * fitted.log_likelihood(curves))
        fitted = fitted.refit(curves, g)
        assert np.sum(g * fitted.log_likelihood(curves)) >= before - 1e-8


def test_what_was_not_measured_says_nothing():
    curves = noisy_curves(tl.physics.Line())
    curves.is_seen[3] = False
    assert (FittedLaw.of_everything(curves, 2).log_likelihood(curves)[3] == 0).all()


def test_the_likelihood_is_that_of_scipy():
    from scipy.stats import norm

    curves = noisy_curves(tl.physics.Line())
    fitted = FittedLaw.of_everything(curves, 3).refit(curves, np.eye(3)[np.arange(len(curves.values)) % 3])
    each = norm.logpdf(curves.values[:, None], fitted.curve, np.sqrt(fitted.noise)[:, None])
    wanted = np.where(curves.is_seen[:, None], each, 0).sum(2)
    np.testing.assert_allclose(fitted.log_likelihood(curves), wanted, rtol=1e-9)


def test_a_power_law_of_negative_values_is_refused():
    with pytest.raises(tl.SchemaError, match="not negative"):
        fit_law(tl.physics.PowerLaw(), GRID - 0.05, np.ones((1, 40)), np.ones((1, 40)), None)


def test_a_formula_names_all_its_parameters():
    with pytest.raises(tl.SchemaError, match="name and a start"):
        tl.physics.Formula(lambda t, p: t, (1.0,), ("a", "b"))
