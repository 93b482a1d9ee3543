"""A chain against the same posterior by brute force: prior draws weighted by their likelihood."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from tieline.models.fusion import fuse
from tieline.models.gate import contrasts
from tieline.models.gate_mixture import Focus, settings_at
from tieline.models.mcmc_chain import Chain, Start
from tieline.models.mcmc_doubts import Doubts
from tieline.models.mcmc_property import Column
from tieline.models.observations import OUTLIER_SHARE, Observations, label_evidence

X = np.array([[0.0], [0.15], [0.4], [0.55], [0.8], [1.0]])
LABEL = np.full((6, 2), np.nan)
LABEL[0], LABEL[5] = [1, 0], [0, 1]
Y = np.array([[-1.1], [np.nan], [-0.2], [0.5], [np.nan], [0.9]])
SEEN = Observations(X, LABEL, Y, np.zeros((6, 1)))
N_PRIOR = 1500
N_SWEEPS = 600


@pytest.fixture(scope="module")
def start():
    return Start.of(SEEN, fuse(SEEN))


def brute_force(start):
    """Posterior probability (row with a value) of phase 1, and mean log amplitude and noise."""
    rng, (column,) = np.random.default_rng(1), start.columns
    prior, (mean, deviation) = Focus.prior(1), column.layouts[0].prior()
    weights, is_one, logs = [], [], []
    everyone_regular = np.ones(len(column.y), dtype=bool)
    for _ in range(N_PRIOR):
        settings = settings_at(prior.centre + prior.root @ rng.standard_normal(len(prior.centre)), 1)
        u = settings.draw(X, 1, 1, rng)[:, 0] @ contrasts(2).T
        log_p = np.log(softmax(u, axis=1) + 1e-300)
        evidence = label_evidence(LABEL, settings.label_error)
        kernel = int(rng.integers(2))
        theta = mean + deviation * rng.standard_normal(len(mean))
        setting = column.at(kernel, np.linalg.solve(column.roots[kernel], theta - column.centres[kernel]))
        alone = [i for i in range(6) if i not in start.valued]
        base = logsumexp(log_p[alone] + evidence[alone], axis=1).sum()
        for phase in itertools.product((0, 1), repeat=len(start.valued)):
            z = np.array(phase)
            value = (log_p + evidence)[start.valued, z].sum() + base
            weights.append(value + column.log_likelihood(setting, z, everyone_regular))
            is_one.append(z)
            logs.append((theta[4], theta[-1]))
    weight = softmax(np.array(weights))
    of_draw = weight.reshape(N_PRIOR, -1).sum(1)  # phases are summed over, not drawn
    return weight @ np.array(is_one), weight @ np.array(logs), 1 / (of_draw**2).sum()


def test_a_chain_has_the_posterior_as_its_stationary_distribution(start, monkeypatch):
    # Gross errors are left out of both sides: they would double the brute force, and are tested below.
    monkeypatch.setattr(Chain, "_doubt_values", lambda self, j: None)
    expected, expected_logs, n_effective = brute_force(start)
    assert n_effective > 150  # or the comparison says nothing
    chain, phases, logs = Chain(start, seed=0), [], []
    for _ in range(N_SWEEPS):
        chain.sweep()
        draw = chain.draw()
        phases.append(draw.phase)
        logs.append((draw.experts[0, 4], draw.experts[0, -1]))
    np.testing.assert_allclose(np.mean(phases, axis=0), expected, atol=0.1)
    np.testing.assert_allclose(np.mean(logs, axis=0), expected_logs, atol=0.35)


def test_gross_errors_are_as_probable_as_bayes_rule_says(start):
    """All else held, the share of sweeps in which a value is doubted is its conditional probability."""
    chain = Chain(start, seed=0)
    (column,), phase = start.columns, chain.phase
    setting, n = chain.settings[0], len(column.y)
    log_weights = []
    for doubted in itertools.product((False, True), repeat=n):
        regular = ~np.array(doubted)
        prior = (n - sum(doubted)) * np.log1p(-OUTLIER_SHARE) + sum(doubted) * np.log(OUTLIER_SHARE)
        log_weights.append(prior + column.log_likelihood(setting, phase, regular))
    weight = softmax(np.array(log_weights))
    expected = weight @ np.array(list(itertools.product((0.0, 1.0), repeat=n)))
    seen = []
    for _ in range(20_000):
        chain._doubt_values(0)
        seen.append(~chain.regular[0])
    np.testing.assert_allclose(np.mean(seen, axis=0), expected, atol=0.03)


def test_gumbels_agree_with_the_phases(start):
    chain = Chain(start, seed=3)
    for _ in range(5):
        chain.sweep()
        latents = chain.frame.latents(chain.frame.whitened_latents(chain.xi))[start.valued]
        np.testing.assert_array_equal((latents + chain.gumbels).argmax(1), chain.phase)


def test_the_same_seed_gives_the_same_chain(start):
    one, other = (Chain(start, seed=5) for _ in range(2))
    for chain in (one, other):
        for _ in range(3):
            chain.sweep()
    np.testing.assert_array_equal(one.draw().eta, other.draw().eta)


def test_moves_go_where_there_is_doubt_and_now_and_then_elsewhere():
    membership = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    share = Doubts.of(membership).share
    assert share.sum() == pytest.approx(1)
    assert share[1, 0, 1] == share[1, 1, 0] == share.max()
    assert share[1, 0, 1] > 0.3
    assert (share[:, ~np.eye(3, dtype=bool)] > 0).all()
    assert (share[:, np.eye(3, dtype=bool)] == 0).all()
    rows, one, other = Doubts.of(membership).draw(200, np.random.default_rng(0))
    assert (one != other).all()
    assert (rows == 1).mean() > 0.6


def test_moves_are_even_where_nothing_is_in_doubt():
    share = Doubts.of(np.eye(3)).share
    assert np.unique(share[:, ~np.eye(3, dtype=bool)]).size == 1
    assert share.sum() == pytest.approx(1)


def test_columns_know_which_rows_are_theirs(start):
    (column,) = start.columns
    assert isinstance(column, Column)
    np.testing.assert_array_equal(start.valued, [0, 2, 3, 5])
    np.testing.assert_array_equal(column.y, Y[start.valued, 0])
