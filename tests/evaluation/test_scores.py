import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from tieline.evaluation import scores

LABELS = np.array(["A", "B", "C"])


@pytest.fixture
def phases():
    rng = np.random.default_rng(3)
    return rng.choice(LABELS, 50), rng.dirichlet(np.ones(3), 50)


def test_phase_scores_agree_with_scikit_learn(phases):
    truth, probability = phases
    predicted = LABELS[probability.argmax(1)]
    assert scores.accuracy(truth, predicted) == pytest.approx(
        metrics.f1_score(truth, predicted, average="micro")
    )
    assert scores.log_loss(truth, probability, LABELS) == pytest.approx(metrics.log_loss(truth, probability))
    one_hot = label_binarize(truth, classes=LABELS)
    assert scores.brier(truth, probability, LABELS) == pytest.approx(
        3 * metrics.mean_squared_error(one_hot, probability)
    )


@pytest.mark.parametrize("score", [scores.log_loss, scores.brier])
def test_order_of_phases_is_irrelevant(phases, score):
    truth, probability = phases
    assert score(truth, probability[:, ::-1], LABELS[::-1]) == pytest.approx(
        score(truth, probability, LABELS)
    )


def test_a_label_that_a_method_does_not_list_had_probability_zero():
    truth, sure = ["D"], [[1.0, 0.0]]
    assert scores.log_loss(truth, sure, ["A", "B"]) == pytest.approx(-np.log(1e-12))
    assert scores.brier(truth, sure, ["A", "B"]) == pytest.approx(2.0)
    assert scores.brier(truth, [[1.0, 0.0, 0.0]], ["A", "B", "D"]) == pytest.approx(2.0)


def test_numbers_are_labels_too():
    assert scores.log_loss(np.array([0, 1]), [[1.0, 0.0], [0.0, 1.0]], np.array(["0", "1"])) == 0


def test_property_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    truth, predicted = rng.standard_normal((2, 40))
    assert scores.r2(truth, predicted) == pytest.approx(metrics.r2_score(truth, predicted))
    assert scores.rmse(truth, predicted) == pytest.approx(metrics.root_mean_squared_error(truth, predicted))


def test_crps_is_the_integral_that_defines_it():
    truth, mean, sd = 1.3, 0.4, 0.7
    below = quad(lambda y: norm.cdf(y, mean, sd) ** 2, -10, truth)[0]
    above = quad(lambda y: norm.sf(y, mean, sd) ** 2, truth, 10)[0]
    assert scores.crps_gaussian([truth], [mean], [sd]) == pytest.approx(below + above, abs=1e-8)


def test_crps_of_a_sure_prediction_is_the_absolute_error():
    assert scores.crps_gaussian([3.0, 1.0], [1.0, 1.5], [1e-9, 1e-9]) == pytest.approx(1.25, abs=1e-6)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_coverage_of_an_honest_prediction_is_its_level(level):
    quantiles = norm.ppf((np.arange(10_000) + 0.5) / 10_000, loc=2, scale=3)
    assert scores.coverage(quantiles, 2.0, 3.0, level) == pytest.approx(level, abs=1e-3)
    assert scores.coverage(quantiles, 2.0, 1.5, level) < level


def test_paired_difference_forgets_how_hard_a_world_was():
    rng = np.random.default_rng(5)
    hardness = 100 * rng.standard_normal(30)
    gain = rng.normal(0.5, 0.1, 30)
    mean, error = scores.paired_difference(hardness + gain, hardness)
    assert mean == pytest.approx(gain.mean())
    assert error == pytest.approx(gain.std(ddof=1) / np.sqrt(30))
    assert np.isnan(scores.paired_difference([1.0], [0.5])[1])
