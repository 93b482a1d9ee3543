from itertools import product

import numpy as np
import pytest
from scipy.stats import qmc

from tieline.planning.spaces.simplex import (
    count_parts,
    list_parts,
    list_sparse_parts,
    spread_amounts,
    spread_parts,
)

BOUNDS = [
    (np.zeros(3), np.ones(3)),
    (np.zeros(4), np.array([0.3, 0.5, 1.0, 1.0])),
    (np.array([0.1, 0.0, 0.2, 0.05]), np.array([0.6, 0.25, 0.5, 0.3])),
]


def cube(n, d, seed=0):
    return qmc.Sobol(d, rng=np.random.default_rng(seed)).random(n)


def kept_from_the_whole_simplex(low, high, n=400_000):
    """What drawing and throwing away gives: slow, but plainly uniform."""
    drawn = np.random.default_rng(1).dirichlet(np.ones(low.size), n)
    return drawn[((drawn >= low) & (drawn <= high)).all(1)]


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_amounts_are_uniform_on_the_bounded_simplex(low, high):
    ours = spread_amounts(cube(2**14, low.size - 1), low, high)
    theirs = kept_from_the_whole_simplex(low, high)
    error = 5 * theirs.std(0) / np.sqrt(len(theirs))
    np.testing.assert_array_less(abs(ours.mean(0) - theirs.mean(0)), error + 1e-4)
    np.testing.assert_allclose(np.cov(ours.T), np.cov(theirs.T), rtol=0.06, atol=3e-5)
    deciles = np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(
        np.quantile(ours, deciles, axis=0), np.quantile(theirs, deciles, axis=0), atol=4e-3
    )


@pytest.mark.parametrize("n_components", [2, 7, 10, 30, 100])
def test_every_draw_fits_however_many_components(n_components):
    low, high = np.full(n_components, 0.3 / n_components), np.full(n_components, 3.0 / n_components)
    amounts = spread_amounts(cube(512, n_components - 1), low, high)
    np.testing.assert_allclose(amounts.sum(1), 1, atol=1e-12)
    assert (amounts >= low - 1e-12).all()
    assert (amounts <= high + 1e-12).all()
    np.testing.assert_allclose(amounts.mean(0), 1 / n_components, atol=0.15 / n_components)


def test_bounds_that_leave_one_point_give_it():
    low, high = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.6, 0.9])
    np.testing.assert_array_equal(spread_amounts(cube(4, 2), low, high), np.tile(low, (4, 1)))
    high = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(spread_amounts(cube(4, 2), np.zeros(3), high), np.tile(high, (4, 1)))
    np.testing.assert_array_equal(
        spread_parts(cube(4, 2), 10 * low, 10 * high, 10), np.tile(10 * low, (4, 1))
    )


def test_parts_are_equally_likely():
    low, high = np.array([0.0, 1.0, 0.0, 2.0]), np.array([4.0, 5.0, 2.0, 7.0])
    places = list_parts(low, high, 10)
    drawn = spread_parts(np.random.default_rng(0).random((60_000, 3)), low, high, 10)
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, places)
    expected = 60_000 / len(places)
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < len(places) + 5 * np.sqrt(2 * len(places))


def test_the_list_of_parts_is_complete():
    low, high = np.array([0.0, 1.0, 0.0]), np.array([4.0, 5.0, 2.0])
    by_hand = [p for p in product(range(5), range(1, 6), range(3)) if sum(p) == 6]
    assert list_parts(low, high, 6).tolist() == [list(map(float, p)) for p in by_hand]
    assert count_parts(low, low, high, 6, range(3, 4), zero=False) == len(by_hand)


def test_parts_with_absent_components_are_counted_and_listed():
    least, high = np.array([2.0, 1.0, 1.0, 3.0]), np.array([6.0, 8.0, 3.0, 8.0])
    choices = [[0, *range(int(a), int(b) + 1)] for a, b in zip(least, high, strict=True)]
    by_hand = [p for p in product(*choices) if sum(p) == 8 and 2 <= np.count_nonzero(p) <= 3]
    assert count_parts(np.zeros(4), least, high, 8, range(2, 4), zero=True) == len(by_hand)
    listed = list_sparse_parts(np.zeros(4), least, high, 8, range(2, 4))
    assert listed.tolist() == [list(map(float, p)) for p in by_hand]
    low = np.array([0.0, 1.0, 0.0, 0.0])
    by_hand = [p for p in by_hand if p[1]]
    assert count_parts(low, least, high, 8, range(2, 4), zero=True) == len(by_hand)
    assert list_sparse_parts(low, least, high, 8, range(2, 4)).tolist() == [
        list(map(float, p)) for p in by_hand
    ]
