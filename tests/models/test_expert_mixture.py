import numpy as np
import pytest
from scipy.stats import norm

from tieline.models.expert_mixture import (
    average_experts,
    confidence,
    fitness,
)
from tieline.models.experts import Expert, Layout, Pairs
from tieline.models.observations import OUTLIER_SHARE, OUTLIER_SPREAD

RNG = np.random.default_rng(0)
X = np.linspace(0, 1, 24)[:, None]
RIGHT = np.eye(2)[(X[:, 0] > 0.5).astype(int)]
SMOOTH = np.sin(5 * X[:, 0]) + 0.03 * RNG.standard_normal(24)
JUMP = np.where(X[:, 0] > 0.5, 1.0, -1.0) + 0.03 * RNG.standard_normal(24)


def average(y, membership=RIGHT):
    return average_experts(X, y, np.zeros(24), membership, membership, None)


def share_that_knows_phases(mixture):
    return sum(w for e, w in zip(mixture.experts, mixture.weights, strict=True) if e.layout.n_phases > 1)


def test_weights_sum_to_one():
    assert average(SMOOTH).weights.sum() == pytest.approx(1)


def test_a_jump_is_explained_by_experts_that_know_the_phases():
    assert share_that_knows_phases(average(JUMP)) > 0.95


def test_shuffled_phases_of_a_smooth_property_are_not_believed():
    shuffled = np.random.default_rng(1).permutation(RIGHT)
    assert share_that_knows_phases(average(SMOOTH, shuffled)) < 0.5


def test_with_one_phase_there_is_nothing_to_compare():
    mixture = average(SMOOTH, np.ones((24, 1)))
    assert {e.layout.n_phases for e in mixture.experts} == {1}
    assert mixture.weights.sum() == pytest.approx(1)


def test_the_best_expert_has_the_largest_weight():
    mixture = average(JUMP)
    which = next(i for i, e in enumerate(mixture.experts) if e is mixture.best)
    assert mixture.weights[which] == mixture.weights.max()


def test_few_values_cannot_tell_two_models_apart():
    assert confidence(np.array([-5.0, -3.0, -4.0])) == 1.0


def test_confidence_is_the_normal_probability_of_the_gain():
    gain = np.array([0.3, -0.1, 0.5, 0.2, 0.0, -0.3])
    assert confidence(gain) == pytest.approx(norm.cdf(gain.sum() / (np.std(gain) * np.sqrt(6))))


def test_what_speaks_for_one_model_speaks_against_the_other():
    gain = RNG.standard_normal(20)
    assert confidence(gain) + confidence(-gain) == pytest.approx(1)


def test_a_left_out_value_is_regular_or_a_gross_error():
    layout = Layout(1, 2)
    error = np.full(24, 0.01)
    expert = Expert.at(layout, layout.prior()[0], Pairs.of(X, JUMP, error, RIGHT))
    density, regular = fitness(expert, X, JUMP, error, 2)
    mean, variance = expert.leave_one_out(X, 2)
    likely = (1 - OUTLIER_SHARE) * norm.pdf(JUMP[:, None], mean, np.sqrt(variance + expert.noise + 0.01))
    gross = OUTLIER_SHARE * norm.pdf(JUMP[:, None], 0, OUTLIER_SPREAD)
    np.testing.assert_allclose(np.exp(density), likely + gross)
    np.testing.assert_allclose(regular, likely / (likely + gross))


def test_a_gross_error_is_recognised_and_its_neighbours_are_not():
    spoiled = JUMP.copy()
    spoiled[5] = 6.0
    layout = Layout(1, 2)
    theta = layout.prior()[0]
    expert = Expert.at(layout, theta, Pairs.of(X, spoiled, np.where(np.arange(24) == 5, 9.0, 0.0), RIGHT))
    _, regular = fitness(expert, X, spoiled, np.zeros(24), 2)
    own = regular[np.arange(24), RIGHT.argmax(1)]
    assert own[5] < 0.05
    assert (np.delete(own, 5) > 0.5).all()
