import numpy as np
import pytest
from scattered import scattered
from scipy.stats import norm, truncnorm

import tieline as tl
from tieline.models.censoring import FIRST, Limits, propagate, truncated_moments
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import Entries, Hyperparameters

HYPER = Hyperparameters(np.array([0.5]), np.array([[1.0]]), np.array([[0.05]]), np.ones((1, 1)), "matern52")


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("limit", [-4.0, -0.3, 0.0, 2.0, 6.0])
def test_moments_of_a_normal_that_is_cut_off(side, limit):
    mean, variance = 0.4, 1.7
    z = (limit - mean) / np.sqrt(variance)
    ends = (z, np.inf) if side == 1 else (-np.inf, z)
    wanted = truncnorm(*ends, loc=mean, scale=np.sqrt(variance))
    found = truncated_moments(*(np.array([v]) for v in (mean, variance, limit)), np.array([side]))
    assert found[0][0] == pytest.approx(wanted.mean(), rel=1e-6)
    assert found[1][0] == pytest.approx(wanted.var(), rel=1e-5)


def test_moments_where_the_limit_is_uncertain():
    mean, sd, limit, softness = 0.4, 1.3, -0.2, 0.6
    x = np.linspace(mean - 9 * sd, mean + 9 * sd, 20_001)
    density = norm.pdf(x, mean, sd) * norm.cdf((limit - x) / np.sqrt(softness))
    share = density / density.sum()
    arrays = (np.array([v]) for v in (mean, sd**2, limit))
    found = truncated_moments(*arrays, np.array([-1]), softness)
    assert found[0][0] == pytest.approx(share @ x, rel=1e-6)
    assert found[1][0] == pytest.approx(share @ x**2 - (share @ x) ** 2, rel=1e-5)


def sharp(y, side):
    limited = np.flatnonzero(side)
    return Limits(limited, y[limited], np.zeros(len(limited)), side[limited])


def test_limits_are_answered_as_by_rejection():
    """Joint draws of noisy values and of the function, of which those that keep the limits stay."""
    x = np.array([0.05, 0.3, 0.55, 0.6, 0.95])[:, None]
    y = np.array([0.8, 0.1, -0.5, 0.0, -0.4])
    side = np.array([0, -1, 0, 1, 0])
    limited, zeros = np.flatnonzero(side), np.zeros(5, dtype=np.intp)
    entries = Entries(x, zeros, np.arange(5), zeros, y, np.where(side, FIRST, 0.0))
    fit = propagate(GaussianFit(entries, HYPER), sharp(y, side))
    places = np.linspace(0, 1, 9)[:, None]
    mean, variance = fit.moments(places, np.ones(1))

    exact = GaussianFit(entries.where(side == 0), HYPER)
    both = np.vstack([places, x[limited]])
    half = exact.halves(both, np.ones(1))[1]
    covariance = HYPER.among(both, both, np.ones(1)) - half.T @ half
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(both)))
    draws = exact.moments(both, np.ones(1))[0] + rng.standard_normal((400_000, len(both))) @ root.T
    noisy = draws[:, 9:] + np.sqrt(0.05) * rng.standard_normal((400_000, 2))
    kept = draws[(side[limited] * (noisy - y[limited]) > 0).all(1), :9]
    assert len(kept) > 2000
    np.testing.assert_allclose(mean, kept.mean(0), atol=0.02)
    np.testing.assert_allclose(np.sqrt(variance), kept.std(0), atol=0.02)


def test_a_limit_that_is_kept_anyway_changes_nothing():
    x, zeros = np.linspace(0, 1, 4)[:, None], np.zeros(4, dtype=np.intp)
    y, side = np.array([0.1, 0.2, 0.1, -50.0]), np.array([0, 0, 0, 1])
    entries = Entries(x, zeros, np.arange(4), zeros, y, np.where(side, FIRST, 0.0))
    fit = propagate(GaussianFit(entries, HYPER), sharp(y, side))
    without = GaussianFit(entries.where(side == 0), HYPER)
    for one, other in zip(fit.moments(x, np.ones(1)), without.moments(x, np.ones(1)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def world(seed):
    """A conductivity that half of the specimens have below what the instrument can read."""
    table, rng = scattered(seed, 30), np.random.default_rng(seed)
    truth = landscape(table)
    value = truth + 0.05 * rng.standard_normal(30)
    limit = np.median(truth)
    return table.assign(
        value=("specimen", np.maximum(value, limit)),
        value_flag=("specimen", np.where(value < limit, "below", "")),
    )


def landscape(places):
    return np.sin(4 * places["x"].values) + places["y"].values


def error(table, grid):
    found = tl.GaussianProcess(["x", "y"], "value").fit(table).predict(grid)
    return np.sqrt(np.mean((found["value"].values - landscape(grid)) ** 2))


def test_a_limit_tells_more_than_dropping_it_or_taking_it_for_a_value():
    limits, dropped, taken = [], [], []
    for seed in range(4):
        table, grid = world(seed), scattered(seed + 100, 80)
        is_limit = table["value_flag"].values == "below"
        limits.append(error(table, grid))
        dropped.append(
            error(table.assign(value=table["value"].where(~is_limit)).drop_vars("value_flag"), grid)
        )
        taken.append(error(table.drop_vars("value_flag"), grid))
    assert np.mean(limits) < 0.8 * np.mean(dropped)
    assert np.mean(limits) < 0.9 * np.mean(taken)


def test_below_and_above_are_mirror_images():
    table = world(1)
    flipped = table.assign(
        value=-table["value"],
        value_flag=("specimen", np.where(table["value_flag"].values == "below", "above", "")),
    )
    one, other = (tl.GaussianProcess(["x", "y"], "value").fit(t).predict(table) for t in (table, flipped))
    np.testing.assert_allclose(one["value"], -other["value"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(one["value_sd"], other["value_sd"], rtol=1e-4)


def test_limits_are_not_counted_as_values_in_the_diagnosis():
    table = world(2)
    found = tl.GaussianProcess(["x", "y"], "value").fit(table).diagnose()
    assert int(found["n_measured"][0]) == int((table["value_flag"] == "").sum())
    assert (found["loo_mean"].notnull().values[:, 0] == (table["value_flag"] == "").values).all()
