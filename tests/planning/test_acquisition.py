import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm, spearmanr
from sklearn.metrics import mutual_info_score

from tieline.planning.acquisition import (
    improvement_after_label,
    information_gain,
    log_expected_improvement,
    log_hypervolume_improvement,
    log_improvement_of_draws,
    share_told_by_value,
    shared_information,
    upper_confidence_bound,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("mean", "sd", "best"), [(0, 1, 0), (2, 0.5, 1), (-1, 2, 3), (1.0, 0.3, 3.5), (0, 1, 12)]
)
def test_log_ei_is_the_logarithm_of_the_integral(mean, sd, best):
    upper = best + 12 * sd + abs(mean)
    integral, _ = quad(
        lambda y: (y - best) * norm.pdf(y, mean, sd), best, upper, epsabs=0, points=[best + 0.1 * sd]
    )
    assert log_expected_improvement(mean, sd, best) == pytest.approx(np.log(integral), rel=1e-6)


def dominated_area(points, corner):
    """Area beyond a corner that two-dimensional points dominate, as a sum of strips."""
    points = np.maximum(points - corner, 0.0)
    order = np.argsort(-points[:, 0])
    tops = np.maximum.accumulate(points[order, 1])
    return float((points[order, 0] * np.diff(tops, prepend=0.0)).sum())


@pytest.mark.parametrize("reference", [None, np.zeros(2), np.array([-5.0, 1.0])], ids=str)
def test_places_are_ranked_by_the_area_that_they_would_dominate(reference):
    """Among them places far below the reference and very uncertain, which gain nothing."""
    rng = np.random.default_rng(4)
    mean = np.vstack([rng.normal(3, 2, (30, 2)), rng.normal(-40, 3, (10, 2))])
    sd = np.vstack([rng.uniform(0.2, 1.5, (30, 2)), np.full((10, 2), 8.0)])
    draws = mean + sd * rng.normal(size=(400, 40, 2))
    rivals = np.array([[5.0, 1.0], [3.0, 3.0], [1.0, 5.0]]) + 0.1 * rng.normal(size=(400, 3, 2))
    score = log_hypervolume_improvement(draws, rivals, np.zeros((400, 40), int), reference)
    spread = np.ptp(np.vstack([mean, rivals.mean(0)]), axis=0)
    corner = rivals.mean(0).min(0) - 0.05 * spread if reference is None else reference
    before = [dominated_area(front, corner) for front in rivals]
    after = [
        [dominated_area(np.vstack([f, d]), corner) for f, d in zip(rivals, draws[:, i], strict=True)]
        for i in range(40)
    ]
    gain = np.mean(after, axis=1) - np.mean(before)
    assert gain[score.argmax()] > 0.9 * gain.max()
    assert spearmanr(score[gain > 0.01 * gain.max()], gain[gain > 0.01 * gain.max()])[0] > 0.95
    assert score[30:].max() < np.sort(score[:30])[10]


def test_where_nothing_reaches_the_reference_the_nearest_place_is_best():
    rng = np.random.default_rng(5)
    draws = np.linspace(0, 9, 10)[:, None] + 0.1 * rng.normal(size=(200, 10, 2))
    score = log_hypervolume_improvement(draws, draws[:, :1], np.zeros((200, 10), int), np.array([50.0, 50.0]))
    assert score.argmax() == 9
    assert np.isfinite(score).all()


def test_log_ei_stays_finite_and_ordered_where_ei_underflows():
    scores = log_expected_improvement(-np.logspace(0, 9, 400), 1.0)
    assert np.isfinite(scores).all()
    assert (np.diff(scores) < 0).all()


def test_log_ei_is_smooth_where_its_branches_meet():
    for z in (-1.0, -1e6):
        left, right = (
            log_expected_improvement(np.nextafter(z, -np.inf), 1),
            log_expected_improvement(np.nextafter(z, 0), 1),
        )
        assert left == pytest.approx(right, rel=1e-9)


def test_smoothed_draws_of_one_gaussian_give_its_analytic_score():
    mean, sd = np.array([-2.0, -0.5, 1.0]), np.array([1.0, 0.5, 2.0])
    draws = mean + sd * norm.ppf((np.arange(2000) + 0.5) / 2000)[:, None]
    score = log_improvement_of_draws(draws, np.zeros(2000), np.zeros(draws.shape, int))
    np.testing.assert_allclose(score, log_expected_improvement(mean, sd), atol=0.15)


def test_a_better_phase_with_small_probability_is_seen_and_not_smeared():
    phase = np.repeat([[0, 0], [1, 0]], [50, 450], axis=0)
    level = np.where(phase == 1, 0.0, np.array([3.0, 0.0]))
    utility = level + 0.1 * RNG.standard_normal(phase.shape)
    score = log_improvement_of_draws(utility, np.full(500, 1.0), phase)
    assert score[0] == pytest.approx(np.log(0.1 * 2.0), abs=0.05)
    assert score[1] < -20


def test_no_place_scores_zero_improvement_when_no_draw_beats_the_best():
    utility = RNG.standard_normal((64, 5)) + np.arange(5)
    score = log_improvement_of_draws(utility, np.full(64, 50.0), np.zeros(utility.shape, int))
    assert np.isfinite(score).all()
    assert score.argmax() == 4


def test_confidence_bound_shrinks_at_places_that_a_chosen_one_informs():
    cov = np.array([[1, 0.9, 0.0], [0.9, 1, 0.0], [0.0, 0.0, 1]])
    draws = multivariate_normal(np.zeros(3), cov).rvs(20_000, random_state=1)
    bound = upper_confidence_bound(draws, draws[:, :1])
    expected = 1.96 * np.sqrt([0, 1 - 0.81, 1])
    np.testing.assert_allclose(bound - draws.mean(0), expected, atol=0.03)
    free = upper_confidence_bound(draws, draws[:, :0])
    np.testing.assert_allclose(free - draws.mean(0), 1.96 * draws.std(0))


def test_shared_information_is_the_plug_in_estimate_less_its_bias():
    truth = RNG.integers(0, 3, 4000)
    noisy = np.where(RNG.random(4000) < 0.8, truth, RNG.integers(0, 3, 4000))
    unrelated = RNG.integers(0, 3, 4000)
    found = shared_information(np.stack([truth, noisy], 1), np.stack([truth, noisy, unrelated], 1), 3)
    assert found[0, 0] == pytest.approx(np.log(3), abs=0.01)
    assert found[0, 1] == pytest.approx(mutual_info_score(truth, noisy) - 4 / 8000, abs=1e-4)
    assert found[0, 2] == pytest.approx(0, abs=2e-3)
    assert found[0, 1] == pytest.approx(found[1, 0], abs=1e-6)


def test_a_second_label_counts_only_what_the_first_left_open():
    information = np.array([[0.6, 0.1, 0.0], [0.5, 0.2, 0.0], [0.0, 0.0, 0.3]])
    assert information_gain(information, information[:0]).argmax() == 0
    np.testing.assert_allclose(information_gain(information, information[[0]]), [0, 0.1 / 3, 0.1])


def test_a_value_tells_the_phase_as_the_integral_says():
    """Two phases one apart, each with sd 0.3 in itself and 0.4 by measurement: a channel of sd 0.5."""
    phase = np.repeat([[0], [1]], [6000, 4000], axis=0)
    values = phase + 0.3 * RNG.standard_normal(phase.shape)
    found = share_told_by_value(phase, values, np.array([0.4]), seed=0)

    def density(y, k):
        return norm.pdf(y, k, 0.5)

    def left_open(y):
        parts = np.array([0.6 * density(y, 0), 0.4 * density(y, 1)])
        after = parts / parts.sum()
        return -parts.sum() * (after * np.log(after)).sum()

    entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert found[0] == pytest.approx(1 - quad(left_open, -3, 4)[0] / entropy, abs=0.02)


def test_a_value_tells_nothing_where_phases_do_not_differ_and_all_where_they_differ_much():
    phase = RNG.integers(0, 2, (2000, 3))
    phase[:, 2] = 1
    values = np.array([0.0, 50.0, 50.0]) * phase + RNG.standard_normal(phase.shape)
    found = share_told_by_value(phase, values, np.full(3, 0.5), seed=0)
    np.testing.assert_allclose(found, [0, 1, 0], atol=5e-3)


def test_a_label_is_worth_the_better_choice_that_it_allows():
    """One of two places is good, and the label at the third says which: half the time it mends the choice."""
    phase = np.tile([[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]], (250, 1))
    improvement = np.where(phase[:, [2]] == 0, [1.0, 0.0], [0.0, 0.9])
    found = improvement_after_label(improvement, phase[:, 1:], 2)
    np.testing.assert_allclose(found, [0, 0.45])


def test_a_label_that_is_unrelated_is_worth_next_to_nothing():
    phase = RNG.integers(0, 3, (512, 50))
    improvement = RNG.exponential(size=(512, 80))
    # Where the best was sought and found in the same draws, chance alone would be worth over 0.3.
    assert improvement_after_label(improvement, phase, 3).mean() < 0.03
