import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from tieline.models.stacking import KNOWN, NEW, SCORES, Guesses, fit_stack
from tieline.models.tree_ensemble import SHARE_OF_COORDINATES, fit_trees, leave_out_trees

N = 600


def guesses(seed=0, n=N, skewed=False):
    """The process is twice as good in known systems, the trees in new ones; errors grow with reach."""
    rng = np.random.default_rng(seed)
    is_new = np.arange(n) % 2 == 1
    reach = np.where(is_new, 0.6, 0.1) + 0.3 * rng.random(n)
    truth = rng.standard_normal((n, 2))
    shared = rng.standard_normal((n, 1))
    noise = 0.8 * shared + 0.6 * rng.standard_normal((n, 2))
    if skewed:
        noise = np.exp(noise) - np.exp(0.5)
    good, bad = 0.3 * np.sqrt(reach)[:, None] * noise, 1.5 * rng.standard_normal((n, 2))
    process = truth - np.where(is_new[:, None], good + bad, good)
    trees = truth - np.where(is_new[:, None], good, good + bad)
    return truth, Guesses(np.stack([process, trees]), np.repeat(reach[:, None], 2, 1)), is_new


def test_each_regime_trusts_the_better_learner():
    truth, guess, is_new = guesses()
    stack = fit_stack(truth, np.zeros(truth.shape), [guess], [is_new])
    assert (stack.weight[KNOWN, 0] > 0.85).all()
    assert (stack.weight[NEW, 0] < 0.15).all()
    np.testing.assert_allclose(stack.weight.sum(1), 1)


def test_a_third_learner_shares_the_weight_where_errors_are_independent():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((N, 1))
    means = truth + rng.standard_normal((3, N, 1)) * np.array([1.0, 1.0, 0.7])[:, None, None]
    guess, new = Guesses(means, np.full((N, 1), 0.5)), np.zeros(N, dtype=bool)
    stack = fit_stack(truth, np.zeros(truth.shape), [guess], [new])
    # Of independent errors the best weights are as the inverse variances.
    np.testing.assert_allclose(stack.weight[KNOWN, :, 0], [0.25, 0.25, 0.5], atol=0.11)
    regime = np.zeros(N, dtype=int)
    mean = np.einsum("l,li->i", stack.weight[KNOWN, :, 0], means[:, :, 0])
    np.testing.assert_allclose(stack.mean(guess, regime)[:, 0], mean)
    apart = stack.weight[KNOWN, :, 0] @ (means[:, :, 0] - mean) ** 2
    np.testing.assert_allclose(stack.variances(guess, regime)[2][:, 0], apart)


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_cover_fresh_values(skewed):
    truth, guess, is_new = guesses(skewed=skewed)
    stack = fit_stack(truth, np.zeros(truth.shape), [guess], [is_new])
    fresh, asked, new = guesses(seed=1, n=4000, skewed=skewed)
    regime = np.where(new, NEW, KNOWN)
    size = np.sqrt(stack.variances(asked, regime).sum(0))
    relative = (fresh - stack.mean(asked, regime)) / size
    score = stack.score(relative, regime)
    for p in range(2):
        inside = np.abs(score[:, p]) < 1.645
        assert inside.mean() == pytest.approx(0.9, abs=0.035)
    np.testing.assert_allclose(stack.residual_of(0, score[:, 0], regime), relative[:, 0], atol=1e-6)


def test_a_given_score_tells_of_the_other_as_in_the_normal():
    truth, guess, is_new = guesses()
    stack = fit_stack(truth, np.zeros(truth.shape), [guess], [is_new])
    r = stack.correlation[KNOWN, 0, 1]
    assert r == pytest.approx(0.64, abs=0.15)
    score = np.array([[1.0, np.nan], [np.nan, np.nan], [0.5, -1.0]])
    mean, sd = stack.given(score, np.zeros(score.shape), np.full(3, KNOWN))
    np.testing.assert_allclose(mean, [[1, r], [0, 0], [0.5, -1]], atol=1e-9)
    np.testing.assert_allclose(sd, [[0, np.sqrt(1 - r**2)], [1, 1], [0, 0]], atol=1e-7)
    mean, sd = stack.given(score[:1], np.ones((1, 2)), np.full(1, KNOWN))  # as uncertain as the score itself
    np.testing.assert_allclose(mean, [[0.5, r / 2]])
    np.testing.assert_allclose(sd**2, [[0.5, 1 - r**2 / 2]])


def test_standard_errors_of_left_out_values_do_not_widen_intervals():
    truth, guess, is_new = guesses()
    error = np.where(np.arange(N) % 3 == 0, 1.0, 0.0)[:, None] * np.ones(2)
    noisy = truth + error * np.random.default_rng(5).standard_normal(truth.shape)
    wanted = fit_stack(truth, np.zeros(truth.shape), [guess], [is_new])
    found = fit_stack(noisy, error**2, [guess], [is_new])
    blind = fit_stack(noisy, np.zeros(truth.shape), [guess], [is_new])
    size = [np.sqrt(s.variances(guess, is_new.astype(int)).sum(0)).mean() for s in (wanted, found, blind)]
    assert size[1] == pytest.approx(size[0], rel=0.15)
    assert size[2] > 1.3 * size[0]


def test_quantiles_increase_also_where_there_are_few_values():
    truth, guess, is_new = guesses(n=8)
    truth[3:, 1] = np.nan
    stack = fit_stack(truth, np.zeros(truth.shape), [guess], [is_new])
    assert (np.diff(stack.quantile, axis=-1) > 0).all()
    assert stack.quantile.shape[-1] == len(SCORES)
    assert np.isfinite(stack.correlation).all()


def test_trees_answer_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    x, at = rng.random((80, 5)), rng.random((20, 5))
    y = np.column_stack([x[:, 0] + x[:, 1] ** 2, np.sin(5 * x[:, 2]), x[:, 3]])
    y[:30, 2] = np.nan
    found = fit_trees(x, y, np.ones(y.shape), seed=3, n_trees=20)
    assert [forest.columns.tolist() for forest in found.forests] in ([[0, 1], [2]], [[2], [0, 1]])
    both = ExtraTreesRegressor(20, max_features=SHARE_OF_COORDINATES, random_state=3).fit(x, y[:, :2])
    rare = ExtraTreesRegressor(20, max_features=SHARE_OF_COORDINATES, random_state=3).fit(x[30:], y[30:, 2])
    wanted = np.column_stack([both.predict(at), rare.predict(at)])
    np.testing.assert_allclose(found.mean(at), wanted, atol=1e-6)


def test_a_row_that_is_left_out_does_not_know_itself():
    rng = np.random.default_rng(1)
    x = rng.random((60, 4))
    y = rng.standard_normal((60, 1))
    left_out = leave_out_trees(x, y, np.ones(y.shape), [np.arange(30), np.arange(30, 60)], seed=0)
    assert abs(np.corrcoef(left_out[:, 0], y[:, 0])[0, 1]) < 0.4
    assert np.corrcoef(fit_trees(x, y, np.ones(y.shape), seed=0).mean(x)[:, 0], y[:, 0])[0, 1] > 0.99
