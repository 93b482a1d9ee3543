import numpy as np
import pytest

from tieline.models.fusion import fuse
from tieline.models.gate import contrasts
from tieline.models.gate_mixture import Focus
from tieline.models.mcmc_map import INFLATION, Frame, Reference, features_at
from tieline.models.observations import Observations
from tieline.models.sites import log_sum

RNG = np.random.default_rng(0)
X = RNG.random((25, 2))
LABEL = np.where(np.arange(25)[:, None] % 3 == 0, np.nan, np.eye(3)[(3 * X[:, 0]).astype(int)])
SEEN = Observations(X, LABEL, np.zeros((25, 0)), np.zeros((25, 0)))


@pytest.fixture(scope="module")
def reference():
    found = fuse(SEEN)
    plain, rows = found.plain_gates, SEEN.labelled
    # With labels alone the sites stand at the labelled rows; the others say nothing.
    return Reference.of(plain, X[rows]), SEEN.rows(rows)


def test_at_the_sites_own_settings_the_mode_is_that_of_expectation_propagation(reference):
    found, seen = reference
    best = fuse(SEEN).plain_gates.gates[0]
    settings = best.settings
    theta = np.log([settings.amplitude, settings.trend, 1.0, *settings.label_error])
    common = np.log(settings.lengthscale).mean()
    theta[2] = common
    q = np.linalg.solve(
        found.focus.root, np.r_[theta, np.log(settings.lengthscale) - common] - found.focus.centre
    )
    frame = Frame.at(q, found, seen)
    odds = best.latent(seen.x)[0] @ contrasts(3).T
    np.testing.assert_allclose(frame.latents(frame.mode), odds, rtol=0.05, atol=0.1)


def test_coordinates_have_the_spread_of_the_sites(reference):
    """η has covariance INFLATION² (I + Σ F Λ F)⁻¹: its precision is what `root` factorises."""
    found, seen = reference
    frame = Frame.at(np.zeros(len(found.focus.centre)), found, seen)
    size = frame.mode.size
    steps = np.stack([(frame.whitened_latents(e) - frame.mode).ravel() for e in np.eye(size)])
    root = np.tril(frame.root)
    np.testing.assert_allclose(steps.T @ steps, INFLATION**2 * np.linalg.inv(root @ root.T), atol=1e-8)


def test_a_direction_is_where_a_rows_latents_vary_most(reference):
    """No unit step changes the contrast of the row by more."""
    found, seen = reference
    frame, rng = Frame.at(np.zeros(len(found.focus.centre)), found, seen), np.random.default_rng(3)
    t = contrasts(3)
    (v,) = frame.directions(np.array([4]), (t[0] - t[1])[None])
    others = rng.standard_normal((200, len(v)))
    others /= np.linalg.norm(others, axis=1)[:, None]
    by = frame.latents(frame.steps(np.vstack([v, others])))[:, 4]
    change = by[:, 0] - by[:, 1]
    assert v @ v == pytest.approx(1)
    assert change[0] > np.abs(change[1:]).max()


def test_the_log_density_is_prior_and_volume(reference):
    found, seen = reference
    rng = np.random.default_rng(1)
    one, other = (Frame.at(rng.standard_normal(len(found.focus.centre)), found, seen) for _ in range(2))
    prior = Focus.prior(2).log_density(np.stack([one.theta, other.theta]))
    volume = [-np.log(np.diag(f.root)).sum() for f in (one, other)]
    expected = prior[0] - prior[1] + volume[0] - volume[1]
    assert one.log_density - other.log_density == pytest.approx(expected)


def test_features_are_a_root_of_the_prior_covariance(reference):
    found, seen = reference
    settings = Frame.at(np.zeros(len(found.focus.centre)), found, seen).settings
    features = features_at(settings, found.pivots, found.pivots)
    np.testing.assert_allclose(
        features @ features.T, settings.kernel(found.pivots, found.pivots), rtol=1e-6, atol=1e-3
    )


def test_log_sum_does_not_overflow():
    np.testing.assert_allclose(log_sum(np.array([[1000.0, 1000.0]])), [1000 + np.log(2)])
