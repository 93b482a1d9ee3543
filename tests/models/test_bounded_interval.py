import numpy as np
import pytest
from scipy.stats import norm

from tieline.models.bounded_interval import bounded_interval


@pytest.mark.parametrize("truth", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("level", [0.68, 0.9])
def test_it_holds_every_truth_as_often_as_it_says(truth, level):
    estimate = truth + 0.04 * np.random.default_rng(0).standard_normal(2000)
    low, high = bounded_interval(estimate, np.full(2000, 0.04), level)
    held = ((low <= truth) & (truth <= high)).mean()
    assert held == pytest.approx(level, abs=0.025)


def test_far_from_the_bounds_it_is_the_usual_interval():
    low, high = bounded_interval(np.array([0.5]), np.array([0.02]), 0.9)
    half = norm.ppf(0.95) * 0.02
    assert (low[0], high[0]) == (pytest.approx(0.5 - half, abs=1e-4), pytest.approx(0.5 + half, abs=1e-4))


@pytest.mark.parametrize(
    ("estimate", "published"),
    # Feldman & Cousins (1998), Table X, column 90 %: x0 and the interval of the mean, sd 1.
    [(-2.0, (0.0, 0.42)), (-1.0, (0.0, 0.81)), (0.0, (0.0, 1.64)), (1.0, (0.0, 2.64)), (2.0, (0.58, 3.64))],
)
def test_near_a_bound_it_is_the_published_one(estimate, published):
    sd = 0.01  # so that the other bound is far away
    low, high = bounded_interval(np.array([estimate * sd]), np.array([sd]), 0.9)
    assert (low[0] / sd, high[0] / sd) == (
        pytest.approx(published[0], abs=0.03),
        pytest.approx(published[1], abs=0.03),
    )


def test_it_is_never_empty_and_holds_the_nearest_allowed_number():
    low, high = bounded_interval(np.array([-0.5, 1.7, 0.2]), np.array([0.05, 0.05, 1e-12]), 0.9)
    assert (low <= [0, 1, 0.2]).all()
    assert (high >= [0, 1, 0.2]).all()
    assert (high >= low).all()


def test_both_bounds_look_alike_from_the_middle():
    estimate, sd = np.linspace(-0.2, 1.2, 29), np.full(29, 0.3)
    low, high = bounded_interval(estimate, sd, 0.9)
    np.testing.assert_allclose(low, 1 - high[::-1], atol=2e-3)
