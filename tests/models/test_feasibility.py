import numpy as np
import pytest
from scattered import scattered
from scipy.stats import norm

import tieline as tl
from tieline.models.censoring import FIRST, Limits, propagate
from tieline.models.feasibility import log_success
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import Entries, Hyperparameters


def chance(places):
    """How probable a success really is: certain on the left, hopeless on the right."""
    return norm.cdf((0.6 - places["x"].values) / 0.1)


def world(seed, n):
    table, rng = scattered(seed, n), np.random.default_rng(seed)
    failed = rng.random(n) > chance(table)
    return table.assign(
        strength=("specimen", np.where(failed, np.nan, table["y"].values)),
        strength_flag=("specimen", np.where(failed, "failed", "ok")),
    )


def predict(table, grid):
    return tl.GaussianProcess(["x", "y"], "strength").fit(table).predict(grid)


def test_probabilities_are_met_by_fresh_specimens():
    brier, base, promised, kept = [], [], [], []
    for seed in range(8):
        grid = scattered(seed + 50, 200)
        found = predict(world(seed, 60), grid)["success_probability"].values
        truth = chance(grid)
        brier.append(np.mean((found - truth) ** 2))
        base.append(np.mean((truth.mean() - truth) ** 2))
        promised.append(found)
        kept.append(truth)
    assert np.mean(brier) < 0.15 * np.mean(base)
    promised, kept = np.concatenate(promised), np.concatenate(kept)
    for low, high in ((0.0, 0.2), (0.2, 0.8), (0.8, 1.0)):
        inside = (promised >= low) & (promised <= high)
        assert kept[inside].mean() == pytest.approx(promised[inside].mean(), abs=0.12)


def test_without_failures_nothing_is_said_of_them():
    table = scattered(1, 10).assign(strength=("specimen", np.arange(10.0)))
    posterior = tl.GaussianProcess(["x", "y"], "strength").fit(table)
    assert "success_probability" not in posterior.predict(table)
    assert posterior.log_success(posterior.scaled(table)) is None


def test_a_failed_specimen_has_no_value_even_if_a_number_stands_there():
    table = world(3, 20)
    filled = table.assign(strength=table["strength"].fillna(1e6))
    one, other = predict(table, table), predict(filled, table)
    np.testing.assert_array_equal(one["strength"], other["strength"])


def test_probabilities_are_those_of_rejection():
    """A latent function plus noise, of which draws stay that have the signs of the outcomes."""
    hyper = Hyperparameters(
        np.array([0.4]), np.array([[1.0]]), np.array([[0.2]]), np.ones((1, 1)), "matern52"
    )
    x, side = np.array([0.1, 0.35, 0.5, 0.8])[:, None], np.array([1, 1, -1, -1])
    zeros = np.zeros(4, dtype=np.intp)
    entries = Entries(x, zeros, np.arange(4), zeros, np.zeros(4), np.full(4, FIRST))
    fit = propagate(GaussianFit(entries, hyper), Limits(np.arange(4), np.zeros(4), np.zeros(4), side))
    places = np.linspace(0, 1, 6)[:, None]
    both = np.vstack([places, x])
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(hyper.among(both, both, np.ones(1)) + 1e-9 * np.eye(10))
    noisy = rng.standard_normal((400_000, 10)) @ root.T + np.sqrt(0.2) * rng.standard_normal((400_000, 10))
    kept = noisy[(side * noisy[:, 6:] > 0).all(1), :6]
    np.testing.assert_allclose(np.exp(log_success(fit, places)), (kept > 0).mean(0), atol=0.02)


def test_all_failed_is_no_reason_to_break():
    table = scattered(1, 12).assign(
        strength=("specimen", [1.0, 2.0] + [np.nan] * 10),
        strength_flag=("specimen", ["ok", "ok"] + ["failed"] * 10),
    )
    found = predict(table, scattered(2, 20))["success_probability"].values
    assert np.isfinite(found).all()
    assert found.mean() < 0.5
