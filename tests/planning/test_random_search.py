from itertools import product

import numpy as np
import pytest

from tieline.planning.random_search import random_search


def test_the_published_baseline_of_80_points():
    found = random_search(80, 80)
    assert found.found_share == pytest.approx(1 - (79 / 80) ** 80)
    assert found.found_share == pytest.approx(0.634, abs=5e-4)
    assert found.extra_tries == pytest.approx(33.9, abs=0.05)
    # The start counts among the 80 picks, so whatever its size the share stays.
    assert random_search(80, 65, n_start=15).found_share == pytest.approx(found.found_share)


def test_without_replacement_the_mean_is_half_the_pool():
    found = random_search(178, 178, starts_with_replacement=False, picks_with_replacement=False)
    assert found.found_share == pytest.approx(1)
    assert found.extra_tries == pytest.approx((178 + 1) / 2)


def test_nothing_to_find_with_no_tries():
    assert random_search(10, 0).found_share == 0
    assert np.isnan(random_search(10, 0).extra_tries)
    assert random_search(10, 5, n_best=10, n_start=1).extra_tries == 0


@pytest.mark.parametrize(
    ("from_urn", "returned", "batch"), list(product([True, False], [True, False], [1, 3]))
)
def test_the_formula_agrees_with_a_simulation(from_urn, returned, batch):
    rng = np.random.default_rng(0)
    n_places, n_best, n_start, n_tries = 9, 2, 3, 4
    tries, n_runs = [], 20_000
    for _ in range(n_runs):
        seen = list(rng.choice(n_places, n_start, replace=from_urn))
        spent = 0
        while not any(place < n_best for place in seen) and spent < n_tries:
            left = [p for p in range(n_places) if returned or p not in seen]
            n = min(batch, n_tries - spent, len(left))
            seen += list(rng.choice(left, n, replace=False))
            spent += n
        tries.append(spent if any(place < n_best for place in seen) else np.nan)
    tries = np.array(tries)
    expected = random_search(
        n_places,
        n_tries,
        n_start=n_start,
        n_best=n_best,
        batch=batch,
        starts_with_replacement=from_urn,
        picks_with_replacement=returned,
    )
    # Four standard errors: 24 comparisons fail together less than once in 500 changes of the seed.
    assert np.isfinite(tries).mean() == pytest.approx(expected.found_share, abs=4 * 0.5 / n_runs**0.5)
    error = 4 * n_tries / n_runs**0.5 / 2
    assert np.nanmean(tries) == pytest.approx(expected.extra_tries, abs=error)
    assert np.nan_to_num(tries, nan=n_tries).mean() == pytest.approx(expected.tries_spent, abs=error)
