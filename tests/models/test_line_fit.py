from itertools import combinations, product
from math import factorial

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, poisson

from tieline.models.line_fit import (
    LABEL_ERROR_PRIOR,
    LABEL_ERRORS,
    MOST_SETTINGS,
    NOISE_PRIOR,
    NOISES,
    SCOUTED,
    fit_line,
)
from tieline.models.observations import Observations
from tieline.models.segments import Settings

X = np.array([0.0, 0.2, 0.5, 0.6, 1.0])
LABEL = np.array([[1.0, 0.0], [np.nan, np.nan], [1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]])
Y = np.array([-1.0, -0.9, np.nan, 1.0, 0.8])
SETTINGS = Settings.default()


def seen(x=X, label=LABEL, y=Y):
    y = y.reshape(len(x), -1)
    return Observations(x[:, None], label, y, np.zeros(y.shape))


def nothing(n):
    return np.zeros((n, 0))


def region_evidence(noise, points):
    own = [i for i in points if np.isfinite(Y[i])]
    if not own:
        return 0.0
    covariance = SETTINGS.covariance(X[own], X[own]) + noise**2 * np.eye(len(own))
    each = [multivariate_normal(np.zeros(len(own)), c).logpdf(Y[own]) for c in covariance]
    return logsumexp(np.array(each) + SETTINGS.log_weight)


def brute_force(counts, has_property):
    """Evidence, and probability of a boundary before each point, from every segmentation and setting."""
    gap = np.r_[0, np.diff(X)] / np.ptp(X)
    total, boundary = 0.0, np.zeros(5)
    noises = list(zip(NOISES, NOISE_PRIOR, strict=True)) if has_property else [(1.0, 0.0)]
    for noise, noise_prior in noises:
        stretches = {
            (i, j): region_evidence(noise, range(i, j + 1)) if has_property else 0.0
            for i in range(5)
            for j in range(i, 5)
        }
        for error, error_prior in zip(LABEL_ERRORS, LABEL_ERROR_PRIOR, strict=True):
            given = np.where(np.isnan(LABEL), 1.0, (1 - error) * LABEL + error / 2)
            for n_regions in counts:
                prior = poisson.pmf(n_regions - 1, 1) * factorial(n_regions - 1)
                for cuts, first in product(combinations(range(1, 5), n_regions - 1), (0, 1)):
                    edges = [0, *cuts, 5]
                    weight = prior / 2 * gap[list(cuts)].prod() * np.exp(noise_prior + error_prior)
                    for r in range(n_regions):
                        inside = range(edges[r], edges[r + 1])
                        weight *= given[list(inside), (first + r) % 2].prod()
                        weight *= np.exp(stretches[inside[0], inside[-1]])
                    total += weight
                    boundary[list(cuts)] += weight
    return np.log(total), boundary / total


def test_boundaries_from_labels_are_those_of_brute_force():
    _, boundary = brute_force(range(1, 4), has_property=False)
    found = fit_line(seen(y=nothing(5)), range(1, 4), is_anonymous=False)
    np.testing.assert_allclose(found.boundary_probability, boundary, atol=0.005)


def test_boundaries_from_labels_and_values_are_those_of_brute_force():
    _, boundary = brute_force(range(1, 4), has_property=True)
    found = fit_line(seen(), range(1, 4), is_anonymous=False)
    np.testing.assert_allclose(found.boundary_probability, boundary, atol=0.02)


@pytest.mark.parametrize("has_property", [False, True])
def test_the_evidence_is_that_of_brute_force(has_property):
    log_evidence, _ = brute_force(range(1, 4), has_property)
    found = fit_line(seen(y=Y if has_property else nothing(5)), range(1, 4), is_anonymous=False)
    assert found.log_evidence == pytest.approx(log_evidence, abs=0.1)


def test_weights_of_noises_and_label_errors_sum_to_one():
    found = fit_line(seen(), range(1, 4), is_anonymous=False)
    assert found.weights.sum() == pytest.approx(1)
    assert len(found.weights) == len(found.noises) == len(found.segmentations)


def test_rows_may_come_in_any_order():
    order = np.array([3, 0, 4, 2, 1])
    one = fit_line(seen(), range(1, 4), is_anonymous=False)
    other = fit_line(seen().rows(order), range(1, 4), is_anonymous=False)
    np.testing.assert_allclose(one.probability, other.probability, atol=1e-9)


def test_a_row_that_says_nothing_only_cuts_its_gap_in_two():
    known = np.array([0, 1, 3, 4])
    silent = LABEL.copy()
    silent[2] = np.nan
    whole = fit_line(seen(label=silent), range(1, 4), is_anonymous=False).boundary_probability
    without = fit_line(seen(label=silent).rows(known), range(1, 4), is_anonymous=False).boundary_probability
    # At most one boundary lies in a gap, so that two in the halves of one are new: a small difference.
    assert whole[2] + whole[3] == pytest.approx(without[2], abs=0.03)
    np.testing.assert_allclose(whole[[1, 4]], without[[1, 3]], atol=0.03)


def test_repeats_at_one_place_share_a_cell():
    twice = np.repeat(np.arange(5), 2)
    found = fit_line(seen().rows(twice), range(1, 4), is_anonymous=False)
    np.testing.assert_array_equal(found.left, X)


def test_the_true_noise_has_the_largest_weight():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 40)
    y = np.sin(3 * x) + NOISES[5] * rng.standard_normal(40)
    found = fit_line(seen(x, np.full((40, 1), np.nan), y), range(1, 2), is_anonymous=True)
    mean_noise = sum(
        w * found.properties[0].noise[n[0]] for w, n in zip(found.weights, found.noises, strict=True)
    )
    assert NOISES[4] < mean_noise < NOISES[6]


def long_line(n=90):
    rng = np.random.default_rng(1)
    x = np.sort(rng.random(n))
    y = np.where(x < 0.37, np.sin(6 * x), 2 + x) + 0.05 * rng.standard_normal(n)
    return seen(x, np.full((n, 3), np.nan), (y - y.mean()) / y.std())


def test_a_long_line_is_cut_into_cells_around_its_boundary():
    line = long_line()
    found = fit_line(line, range(1, 4), is_anonymous=True)
    assert line.y.size > SCOUTED
    assert len(found.left) < len(line.x)
    assert len(found.settings.kernel) <= MOST_SETTINGS
    assert (found.left <= found.right).all()
    assert (found.right[:-1] < found.left[1:]).all()
    likeliest = int(found.boundary_probability.argmax())
    assert found.right[likeliest - 1] < 0.37 < found.left[likeliest]
