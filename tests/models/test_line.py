from itertools import combinations, pairwise, product
from math import factorial

import numpy as np
import pytest
from scipy.stats import poisson

from tieline.models.line import Regions, segment

N, K = 5, 3
RNG = np.random.default_rng(0)
GAP = np.r_[0.0, RNG.dirichlet(np.ones(N - 1))]
STRETCH = np.where(np.tri(N, k=-1, dtype=bool), -np.inf, RNG.normal(0, 2, (K, N, N)))


def enumerate_all(counts, n_phases=K, is_anonymous=False):
    """Every segmentation with its weight: regions as (first, last, phase), and the prior spelled out."""
    found = []
    for n_regions in counts:
        expected = 1 if is_anonymous else max(n_phases - 1, 1)
        prior = poisson.pmf(n_regions - 1, expected) * factorial(n_regions - 1)
        for cuts in combinations(range(1, N), n_regions - 1):
            bounds = list(zip((0, *cuts), (*(c - 1 for c in cuts), N - 1), strict=True))
            orders = [tuple(range(n_regions))] if is_anonymous else product(range(n_phases), repeat=n_regions)
            for phases in orders:
                if any(a == b for a, b in pairwise(phases)):
                    continue
                p_phases = 1.0 if is_anonymous else 1 / n_phases / max(n_phases - 1, 1) ** (n_regions - 1)
                regions = [(i, j, k) for (i, j), k in zip(bounds, phases, strict=True)]
                fit = np.exp(sum(STRETCH[k, i, j] for i, j, k in regions))
                found.append((regions, prior * p_phases * np.prod(GAP[list(cuts)]) * fit))
    return found


CASES = [
    (range(1, 4), False),
    (range(1, 6), False),
    (range(3, 4), False),
    (range(1, 4), True),
    (range(2, 3), True),
]


@pytest.mark.parametrize(("counts", "is_anonymous"), CASES)
def test_the_recursion_sums_every_segmentation(counts, is_anonymous):
    everything = enumerate_all(counts, is_anonymous=is_anonymous)
    found = segment(STRETCH, GAP, Regions.of(K, counts, is_anonymous=is_anonymous))
    total = sum(w for _, w in everything)
    assert found.log_evidence == pytest.approx(np.log(total))
    probability, count = np.zeros((K, N, N)), np.zeros(max(counts))
    for regions, weight in everything:
        count[len(regions) - 1] += weight / total
        for i, j, k in regions:
            probability[k, i, j] += weight / total
    np.testing.assert_allclose(found.probability, probability, atol=1e-12)
    np.testing.assert_allclose(found.count_probability, count, atol=1e-12)


@pytest.mark.parametrize(("counts", "is_anonymous"), CASES[:4])
def test_every_point_lies_in_exactly_one_region(counts, is_anonymous):
    probability = segment(STRETCH, GAP, Regions.of(K, counts, is_anonymous=is_anonymous)).probability
    for point in range(N):
        assert probability[:, : point + 1, point:].sum() == pytest.approx(1)


def test_draws_are_segmentations_with_their_probabilities():
    found = segment(STRETCH, GAP, Regions.of(K, range(1, 4), is_anonymous=False))
    rng, n = np.random.default_rng(1), 4000
    drawn = np.zeros((K, N, N))
    for _ in range(n):
        regions = found.draw(rng)
        assert regions[0][0] == 0
        assert regions[-1][1] == N - 1
        for (_, last, phase), (first, _, following) in pairwise(regions):
            assert first == last + 1
            assert phase != following
        for first, last, phase in regions:
            drawn[phase, first, last] += 1 / n
    np.testing.assert_allclose(drawn, found.probability, atol=5 * 0.5 / np.sqrt(n))


def test_one_phase_is_one_region():
    found = segment(np.zeros((1, N, N)), GAP, Regions.of(1, range(1, 4), is_anonymous=False))
    assert found.count_probability[0] == pytest.approx(1)


def test_no_boundary_lies_in_a_gap_of_no_width():
    gap = GAP.copy()
    gap[2] = 0.0
    found = segment(STRETCH, gap, Regions.of(K, range(1, 4), is_anonymous=False))
    assert found.probability[:, 2].sum() == 0
