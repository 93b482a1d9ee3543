"""Clusters by expectation and maximisation: the bound never falls, and is what closed forms say."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

import tieline as tl
from tieline.models.fingerprint.mixture_search import improve, search
from tieline.models.fingerprint.population import (
    Curves,
    Seen,
    expect,
    first_population,
    iterate,
    maximise,
)

GRID = np.linspace(0, 1, 12)


def seen(law, n=60, n_latent=2, seed=0):
    """Three kinds of specimens, some without a curve, some curves with holes."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    mean = 3 * np.eye(3)[kind][:, :n_latent] + rng.standard_normal((n, n_latent))
    values = (1 + kind[:, None]) * GRID + 0.2 * rng.standard_normal((n, len(GRID)))
    is_seen = (rng.random(values.shape) > 0.2) & (rng.random((n, 1)) > 0.3)
    curves = Curves("curve", law, GRID, np.where(is_seen, values, 0), is_seen, 1.0, 1e-3)
    return Seen(mean, rng.uniform(0.1, 0.5, mean.shape), (curves,)), kind


@pytest.mark.parametrize(
    "law",
    [
        tl.physics.Line(),
        tl.physics.Polynomial(2),
        tl.physics.Spline(3),
        tl.physics.PowerLaw(),
        tl.physics.Bilinear(),
        tl.physics.Voce(),
    ],
    ids=lambda law: type(law).__name__,
)
def test_every_m_step_raises_the_bound_of_all_specimens(law):
    known, _ = seen(law)
    rng = np.random.default_rng(1)
    population = first_population(known, rng.dirichlet(np.ones(4), 60))
    before = -np.inf
    for _ in range(12):
        g, collapsed = expect(population, known)
        assert collapsed.sum() >= before - 1e-9 * len(g)
        before = collapsed.sum()
        population = maximise(population, known, g)


def test_the_collapsed_bound_is_the_best_over_responsibilities():
    known, _ = seen(tl.physics.Line())
    population = first_population(known, np.random.default_rng(1).dirichlet(np.ones(3), 60))
    g, collapsed = expect(population, known)
    a = population.log_joint(known)

    def uncollapsed(g):
        return (g * (a - np.log(np.maximum(g, 1e-300)))).sum(1)

    np.testing.assert_allclose(uncollapsed(g), collapsed, atol=1e-10)
    other = np.random.default_rng(2).dirichlet(np.ones(3), 60)
    assert (uncollapsed(other) < collapsed).all()


def test_the_latent_term_is_the_expectation_that_it_says():
    known, _ = seen(tl.physics.Line(), n=4)
    population = first_population(known, np.eye(3)[np.arange(4) % 3])
    z = known.mean + np.sqrt(known.variance) * np.random.default_rng(0).standard_normal((200_000, 4, 2))
    for c in range(3):
        drawn = norm.logpdf(z, population.centre[c], np.sqrt(population.variance[c])).sum(2).mean(0)
        wanted = population.log_latent(known.mean, known.variance)[:, c]
        np.testing.assert_allclose(drawn, wanted, rtol=0.02, atol=0.05)


def test_without_spread_and_laws_it_is_a_mixture_of_gaussians():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_normal((80, 2)), 4 + rng.standard_normal((40, 2))])
    known = Seen(x, np.zeros_like(x), ())
    start = np.repeat(np.eye(2), [80, 40], axis=0)
    population, bound = iterate(first_population(known, start), known, n_most=500, tolerance=1e-12)
    peer = GaussianMixture(
        2, covariance_type="diag", reg_covar=0, tol=1e-12, max_iter=500, random_state=0
    ).fit(x)
    assert bound / len(x) == pytest.approx(peer.score(x), abs=1e-6)
    order = np.argsort(peer.means_[:, 0])
    np.testing.assert_allclose(
        population.centre[np.argsort(population.centre[:, 0])], peer.means_[order], atol=1e-3
    )


def test_a_message_says_of_clusters_what_bayes_says():
    """Integrate N(z; centre, v) times the message over a grid."""
    known, _ = seen(tl.physics.Line(), n=3, n_latent=1)
    population = first_population(known, np.eye(3))
    z = np.linspace(-30, 30, 20001)
    said = population.log_message(known.mean, known.variance)
    for i in range(3):
        message = norm.pdf(z, known.mean[i, 0], np.sqrt(known.variance[i, 0]))
        for c in range(3):
            prior = norm.pdf(z, population.centre[c, 0], np.sqrt(population.variance[c, 0]))
            assert np.exp(said[i, c]) == pytest.approx(np.sum(message * prior) * (z[1] - z[0]), rel=1e-6)


def test_the_search_finds_lines_that_a_bad_start_merged():
    """Two clusters share a line and one holds two lines, until a move mends both."""
    rng = np.random.default_rng(0)
    slope = np.repeat(np.arange(4.0), 30)
    values = slope[:, None] * GRID + 0.05 * rng.standard_normal((120, len(GRID)))
    curves = Curves("curve", tl.physics.Line(), GRID, values, np.ones(values.shape, bool), 1.0, 1e-3)
    nothing = np.zeros((120, 0))
    known = Seen(nothing, nothing, (curves,))
    wrong = np.where(slope == 0, np.arange(120) % 2, np.where(slope == 1, 2, 3)).astype(int)
    stuck, stuck_bound = iterate(first_population(known, np.eye(4)[wrong]), known)
    mended = improve(stuck, known, values, seed=0)
    assert expect(mended, known)[1].sum() > stuck_bound + 100
    np.testing.assert_allclose(np.sort(mended.laws[0].parameter[:, 0]), np.arange(4), atol=0.05)


def test_the_same_seed_finds_the_same_clusters():
    known, _ = seen(tl.physics.Line())
    one, other = (search(known.mean, known, 3, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.centre, other.centre)
    assert logsumexp(one.log_joint(known), axis=1).sum() == logsumexp(other.log_joint(known), axis=1).sum()
