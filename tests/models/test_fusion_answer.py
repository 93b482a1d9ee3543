from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

from tieline.models import interpolated_expert
from tieline.models.fusion import fuse
from tieline.models.fusion_answer import BLOCK, FusionAnswer
from tieline.models.interpolated_expert import InterpolatedExpert
from tieline.models.observations import Observations

RNG = np.random.default_rng(0)
X = RNG.random((30, 2))
PHASE = (X[:, 0] > 0.5).astype(int)
LABEL = np.where(np.arange(30)[:, None] % 3 == 0, np.nan, np.eye(2)[PHASE])
Y = np.column_stack([np.where(PHASE == 1, 1.0, -1.0), np.sin(4 * X[:, 1])]) + 0.05 * RNG.standard_normal(
    (30, 2)
)
Y[::4, 0], Y[1::5, 1] = np.nan, np.nan
SEEN = Observations(X, LABEL, Y, np.zeros(Y.shape))
ASKED = np.random.default_rng(1).random((25, 2))


def answer_of(seen):
    return FusionAnswer(fuse(seen), seen)


@pytest.fixture(scope="module")
def answer():
    return answer_of(SEEN)


def test_probabilities_sum_to_one(answer):
    np.testing.assert_allclose(answer.probabilities(ASKED).sum(1), 1)


def test_mean_and_variance_are_those_of_the_whole_mixture(answer):
    """The law of total variance, written out over phases and settings."""
    for j in range(2):
        mean, parts = answer.predict(ASKED)[1][j]
        probability, mixture = answer.probabilities(ASKED), answer.fit.experts[j]
        first, second = np.zeros(25), np.zeros(25)
        for w, expert in zip(mixture.weights, mixture.experts, strict=True):
            for k in range(2):
                m, v = expert.predict(ASKED, k)
                first += w * probability[:, k] * m
                second += w * probability[:, k] * (m**2 + v + expert.noise)
        np.testing.assert_allclose(mean, first)
        np.testing.assert_allclose(parts.sum(1), second - first**2, rtol=1e-6)
        assert (parts >= 0).all()


def test_many_places_are_answered_like_few(answer):
    many = np.tile(ASKED, (BLOCK // 25 + 2, 1))
    np.testing.assert_allclose(answer.probabilities(many)[-25:], answer.probabilities(ASKED))
    for one, other in zip(answer.predict(many)[1][0], answer.predict(ASKED)[1][0], strict=True):
        np.testing.assert_allclose(one[-25:], other)


def test_interpolated_trends_change_no_answer_by_a_thousandth(answer, monkeypatch):
    exact = answer.predict(ASKED)[1]
    monkeypatch.setattr(interpolated_expert, "FEWEST_PAIRS", 1)
    monkeypatch.setattr(interpolated_expert, "MOST_PIVOTS", 1.0)
    experts = tuple(replace(mixture) for mixture in answer.fit.experts)
    quick = replace(answer, fit=replace(answer.fit, experts=experts))
    for (mean, parts), (quick_mean, quick_parts) in zip(exact, quick.predict(ASKED)[1], strict=True):
        variance = parts.sum(1)
        assert (np.abs(quick_mean - mean) < 1e-3 * np.sqrt(variance)).all()
        assert (np.abs(quick_parts.sum(1) - variance) < 1e-3 * variance).all()
    assert all(isinstance(e, InterpolatedExpert) for mixture in experts for e in mixture.at_places)


def test_draws_have_the_predicted_moments(answer):
    n = 1500
    phase, values = answer.draws(ASKED, n, np.random.default_rng(2))
    frequency = (phase == 1).mean(0)
    np.testing.assert_allclose(frequency, answer.probabilities(ASKED)[:, 1], atol=2.5 / np.sqrt(n) + 0.02)
    for j in range(2):
        mean, parts = answer.predict(ASKED)[1][j]
        sd = np.sqrt(parts[:, 1:].sum(1))
        assert (np.abs(values[:, :, j].mean(0) - mean) < (5 / np.sqrt(n) + 0.05) * sd + 0.01).all()
        # Maps of finite rank: what the phases' probabilities may be off by, times the jump squared.
        off = 0.02 * (2.0 if j == 0 else 0.2) ** 2
        np.testing.assert_allclose(values[:, :, j].var(0), sd**2, rtol=0.3, atol=off)


def test_draws_pass_through_what_was_measured(answer):
    phase, values = answer.draws(X, 300, np.random.default_rng(3))
    measured = ~np.isnan(Y[:, 0])
    noise = np.sqrt(answer.predict(X)[1][0][1][:, 0])
    assert (np.abs(np.median(values[:, measured, 0], axis=0) - Y[measured, 0]) < 5 * noise[measured]).all()
    labelled = SEEN.labelled
    assert ((phase == PHASE).mean(0)[labelled] > 0.6).all()


def test_left_out_values_are_predicted_as_if_they_had_been_left_out(answer):
    _, mean, _ = answer.leave_one_out()
    for i in (1, 14):
        hidden = Y.copy()
        hidden[i, 0] = np.nan
        m, parts = answer_of(replace(SEEN, y=hidden)).predict(X[i : i + 1])[1][0]
        assert mean[i, 0] == pytest.approx(m[0], abs=np.sqrt(parts.sum()))


def test_left_out_labels_are_predicted_almost_as_if_they_had_been_left_out(answer):
    found, _, _ = answer.leave_one_out()
    apart = []
    for i in (1, 7, 20):
        hidden = LABEL.copy()
        hidden[i] = np.nan
        refitted = answer_of(replace(SEEN, label=hidden))
        apart.append(np.abs(found[i] - refitted.fit.membership[i]).max())
    # A cavity keeps the settings and messages that the label helped to find.
    assert np.mean(apart) < 0.1


def test_left_out_moments_are_those_of_the_phases_without_the_value(answer):
    """A value is predicted in the phase that its place and its label suggest, never its own value."""
    _, mean, variance = answer.leave_one_out()
    shifted = Y.copy()
    shifted[1, 0] += 100.0
    moved = replace(answer, seen=replace(SEEN, y=shifted)).leave_one_out()
    np.testing.assert_array_equal(moved[1], mean)
    np.testing.assert_array_equal(moved[2], variance)


def test_what_was_not_measured_is_not_left_out(answer):
    _, mean, variance = answer.leave_one_out()
    assert (np.isnan(mean) == np.isnan(Y)).all()
    assert (np.isnan(variance) == np.isnan(Y)).all()


def test_far_away_the_phases_are_as_unsure_as_their_prior(answer):
    far = answer.probabilities(np.array([[0.5, 0.5], [0.5, 40.0]]))
    assert -logsumexp(np.log(far[1])) == pytest.approx(0)
    assert far[1].max() < 0.99
