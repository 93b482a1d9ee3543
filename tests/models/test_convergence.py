import numpy as np

from tieline.models.convergence import Convergence, convergence


def test_independent_draws_agree():
    traces = np.random.default_rng(0).standard_normal((4, 400, 5))
    found = convergence(traces)
    assert found.reached
    assert found.rhat < 1.01
    assert found.ess_bulk > 1000


def test_chains_in_different_places_do_not():
    traces = np.random.default_rng(0).standard_normal((4, 400, 3))
    traces[0, :, 1] += 1
    found = convergence(traces)
    assert not found.reached
    assert found.rhat > 1.05


def test_slow_chains_do_not():
    noise = np.random.default_rng(0).standard_normal((4, 400, 1))
    traces = np.empty_like(noise)
    traces[:, 0] = noise[:, 0]
    for t in range(1, 400):
        traces[:, t] = 0.97 * traces[:, t - 1] + noise[:, t]
    assert convergence(traces).ess_bulk < 100


def test_what_does_not_vary_is_known():
    assert convergence(np.ones((4, 100, 2))) == Convergence(1.0, 400.0, 400.0)
