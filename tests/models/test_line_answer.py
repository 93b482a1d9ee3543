import itertools

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal

from tieline.models.line_answer import LineAnswer, Span
from tieline.models.line_fit import NOISE_PRIOR, NOISES, fit_line
from tieline.models.observations import Observations
from tieline.models.segments import LEVEL, Settings

RNG = np.random.default_rng(0)
X = np.sort(RNG.random(14))
PHASE = (X > 0.55).astype(int)
Y = np.where(PHASE == 1, 1.0 - X, -1.0 + 0.5 * X) + 0.05 * RNG.standard_normal(14)
ASKED = np.linspace(0, 1, 23)[:, None]


def answer_of(label, y, counts=range(1, 5)):
    seen = Observations(X[:, None], label, y, np.zeros(y.shape))
    return LineAnswer(fit_line(seen, counts, is_anonymous=False), seen)


def some_missing(label, y):
    label, y = label.copy(), y.copy()
    label[1::2], y[::5] = np.nan, np.nan
    return label, y


@pytest.fixture(scope="module")
def answer():
    return answer_of(*some_missing(np.eye(2)[PHASE], Y[:, None]))


@pytest.fixture(scope="module")
def one_region():
    return answer_of(np.ones((14, 1)), Y[:, None], range(1, 2))


def test_probabilities_sum_to_one(answer):
    np.testing.assert_allclose(answer.probabilities(ASKED).sum(1), 1)


def test_between_two_places_a_boundary_is_as_likely_anywhere(answer):
    for left, right in itertools.pairwise(X):
        share = np.array([0.0, 0.25, 0.5, 1.0])
        found = answer.probabilities((left + share * (right - left))[:, None])
        np.testing.assert_allclose(found, found[0] + share[:, None] * (found[-1] - found[0]), atol=1e-9)


def test_beyond_the_ends_the_outermost_regions_go_on(answer):
    found = answer.probabilities(np.array([[-5.0], [X[0]], [X[-1]], [5.0]]))
    np.testing.assert_allclose(found[0], found[1])
    np.testing.assert_allclose(found[2], found[3])


def test_one_region_is_a_gaussian_process_averaged_over_every_setting(one_region):
    """All settings and noises, none left out, with the textbook formulas."""
    settings, x = Settings.default(), ASKED[:, 0]
    within, cross = settings.covariance(X, X), settings.covariance(X, x)
    score, means, variances, noises = [], [], [], []
    for noise, prior in zip(NOISES, NOISE_PRIOR, strict=True):
        for h in range(len(settings.kernel)):
            covariance = within[h] + noise**2 * np.eye(14)
            score.append(
                multivariate_normal(np.zeros(14), covariance).logpdf(Y) + settings.log_weight[h] + prior
            )
            means.append(cross[h].T @ np.linalg.solve(covariance, Y))
            explained = (cross[h] * np.linalg.solve(covariance, cross[h])).sum(0)
            variances.append(LEVEL + settings.amplitude[h] ** 2 - explained)
            noises.append(noise**2)
    weight = softmax(score)
    mean, parts = one_region.property(0, ASKED)
    wanted = weight @ np.array(means)
    total = weight @ (np.array(variances) + np.array(means) ** 2) - wanted**2 + weight @ np.array(noises)
    # Settings of less than a hundredth are left out, and noises of less than a fiftieth: large ones count.
    assert (np.abs(mean - wanted) < 0.1 * np.sqrt(total)).all()
    np.testing.assert_allclose(np.sqrt(parts.sum(1)), np.sqrt(total), rtol=0.3)


def test_parts_of_the_variance_are_not_negative(answer):
    _, parts = answer.property(0, ASKED)
    assert parts.shape == (23, 4)
    assert (parts >= 0).all()


def test_draws_have_the_predicted_moments(answer):
    n = 3000
    phase, values = answer.draws(ASKED, n, np.random.default_rng(1))
    mean, parts = answer.property(0, ASKED)
    sd = np.sqrt(parts[:, 1:].sum(1))
    # Five standard errors, and 2 % for regions and settings of less than a hundredth.
    assert (np.abs(values[:, :, 0].mean(0) - mean) < (5 / np.sqrt(n) + 0.02) * sd + 0.01).all()
    # Rare regions lie far off, so squares have long tails: their own scatter says what chance does.
    square = (values[:, :, 0] - mean) ** 2
    assert (np.abs(square.mean(0) - sd**2) < 5 * square.std(0) / np.sqrt(n) + 0.05 * sd**2).all()
    for k in range(2):
        np.testing.assert_allclose(
            (phase == k).mean(0), answer.probabilities(ASKED)[:, k], atol=2.5 / np.sqrt(n)
        )


def test_a_draw_is_one_map_with_few_regions(answer):
    phase, _ = answer.draws(ASKED, 200, np.random.default_rng(2))
    assert ((np.diff(phase, axis=1) != 0).sum(1) <= 3).all()


def test_drawn_boundaries_lie_in_their_gaps_as_often_as_predicted(answer):
    n = 3000
    drawn = answer.draw_boundaries(n, np.random.default_rng(3))
    counts, _ = np.histogram(np.concatenate([np.array(b) for b in drawn]), bins=answer.fit.left)
    np.testing.assert_allclose(counts / n, answer.fit.boundary_probability[1:], atol=2.5 / np.sqrt(n))
    lengths = np.bincount([len(b) + 1 for b in drawn], minlength=5)[1:5] / n
    np.testing.assert_allclose(lengths, answer.count_probability(), atol=2.5 / np.sqrt(n))


def test_the_density_of_boundaries_integrates_to_their_expected_number(answer):
    fine = np.linspace(X[0], X[-1], 200_001)
    total = answer.boundary_density(fine).mean() * np.ptp(fine)
    expected = (np.arange(4) * answer.count_probability()).sum()
    assert total == pytest.approx(expected, abs=1e-3)


def test_no_boundary_lies_outside_of_the_places(answer):
    assert (answer.boundary_density(np.array([-1.0, X[0] - 1e-9, X[-1] + 1e-9, 2.0])) == 0).all()


def test_left_out_values_are_predicted_almost_as_if_they_had_been_left_out(answer):
    """Almost: regions and settings were weighed with the value, so intervals may be up to half as wide."""
    _, mean, variance = answer.leave_one_out()
    label, y = some_missing(np.eye(2)[PHASE], Y[:, None])
    for i in (2, 6, 12):
        hidden = y.copy()
        hidden[i] = np.nan
        m, parts = answer_of(label, hidden).property(0, X[i : i + 1, None])
        sd = np.sqrt(parts.sum(1))[0]
        assert mean[i, 0] == pytest.approx(m[0], abs=sd)
        assert 0.5 * sd < np.sqrt(variance[i, 0]) < 1.5 * sd


def test_unmeasured_values_are_not_left_out(answer):
    _, mean, variance = answer.leave_one_out()
    missing = np.isnan(answer.seen.y)
    assert (np.isnan(mean) == missing).all()
    assert (np.isnan(variance) == missing).all()


def test_left_out_labels_of_unlabelled_rows_are_the_prediction(answer):
    probability, _, _ = answer.leave_one_out()
    unlabelled = ~answer.seen.labelled
    np.testing.assert_allclose(probability[unlabelled], answer.probabilities(X[unlabelled, None]))


def test_left_out_labels_are_predicted_as_if_they_had_been_left_out():
    label, y = np.eye(2)[PHASE], np.zeros((14, 1))  # a property that says there is one region
    probability, _, _ = answer_of(label, y).leave_one_out()
    for i in (0, 3, 9, 13):
        hidden = label.copy()
        hidden[i] = np.nan
        wanted = answer_of(hidden, y).probabilities(X[i : i + 1, None])[0]
        np.testing.assert_allclose(probability[i], wanted, atol=0.1)


def test_a_value_alone_in_its_label_is_lonely():
    label = np.eye(3)[np.where(np.arange(14) == 10, 2, PHASE)]
    y = np.where(np.arange(14) == 10, 4.0, Y)[:, None]
    lonely = answer_of(label, y, range(1, 6)).loneliness()[:, 0]
    assert lonely[10] > 0.5
    assert np.delete(lonely, 10).max() < 0.5


def test_a_span_is_the_chance_that_a_uniform_boundary_has_been_passed():
    span = Span.of(np.array([0.0, 0.25, 0.4, 0.9]), np.array([0.0, 0.5]), np.array([0.2, 1.0]))
    passed = np.array([0.0, (0.25 - 0.2) / 0.3, (0.4 - 0.2) / 0.3, 1.0])
    np.testing.assert_allclose(span.opened, np.column_stack([np.ones(4), passed]))
    np.testing.assert_allclose(span.open_still, np.column_stack([1 - passed, np.ones(4)]))
