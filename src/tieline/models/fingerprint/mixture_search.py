"""Finding clusters: many starts, then moves that merge two clusters and split a third."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from tieline.models.arrays import Array
from tieline.models.fingerprint.population import (
    Population,
    Seen,
    expect,
    first_population,
    iterate,
    maximise,
)

N_STARTS = 10
FEW_STEPS = 15  # of EM, after which a move has to pay
N_MOVES = 30  # accepted at most
MOST_SEARCHED = 5000  # specimens that clusters are searched with; the others join them afterwards


def search(features: Array, seen: Seen, n_clusters: int, seed: int) -> Population:
    """Find the clusters of the greatest bound from many starts.

    Args:
        features: that starts are found in (specimen, feature), of one scale.
        seen: that decides.
        n_clusters: how many.
        seed: of the starts.
    """
    rng = np.random.default_rng(seed)
    few = np.arange(len(features))
    if len(few) > MOST_SEARCHED:
        few = np.sort(rng.choice(few, MOST_SEARCHED, replace=False))
    some = seen.rows(few)
    best, best_bound = None, -np.inf
    for start in range(N_STARTS):
        labels = _nearest(features[few], features[few], n_clusters, seed * N_STARTS + start)
        population = first_population(some, np.eye(n_clusters)[labels])
        population, bound = iterate(population, some, n_most=50)
        if bound > best_bound:
            best, best_bound = population, bound
    assert best is not None
    return improve(best, some, features[few], seed)


def improve(population: Population, seen: Seen, features: Array, seed: int) -> Population:
    """Merge two clusters and split a third, as long as the bound rises."""
    population, bound = iterate(population, seen)
    for move in range(N_MOVES):
        found = _best_move(population, seen, features, bound, seed + move)
        if found is None:
            break
        population, bound = found
    return population


def _best_move(
    population: Population, seen: Seen, features: Array, bound: float, seed: int
) -> tuple[Population, float] | None:
    """The first move that pays, of those that look best."""
    responsibility, _ = expect(population, seen)
    a = population.log_joint(seen)
    ill_fitting = _ill_fitting(responsibility, a)
    least = 1e-4 * len(responsibility) + 1.0  # nats that a move has to bring
    for i, j in _alike(responsibility, a):
        for k in ill_fitting:
            if k in (i, j):
                continue
            halves = _halves(responsibility[:, k], features, seed)
            if halves is None:
                continue
            moved = responsibility.copy()
            moved[:, i] += moved[:, j]
            moved[:, j] = moved[:, k] * halves
            moved[:, k] = moved[:, k] * (1 - halves)
            trial = maximise(population, seen, moved)
            trial, after = iterate(trial, seen, n_most=FEW_STEPS)
            if after > bound + least:
                return iterate(trial, seen)
    return None


def _alike(responsibility: Array, a: Array) -> list[tuple[int, int]]:
    """Pairs of clusters whose union costs least: the bound is compared with that of one cluster for both."""
    pairs, costs = [], []
    for i in range(a.shape[1]):
        for j in range(i):
            both = responsibility[:, [i, j]]
            # What members of each lose when explained by the other one.
            lost = (both * (a[:, [i, j]] - a[:, [j, i]])).sum(0)
            pairs.append((i, j))
            costs.append(min(lost))
    order = np.argsort(costs)
    return [pairs[p] for p in order[:3]]


def _ill_fitting(responsibility: Array, a: Array) -> list[int]:
    """Clusters whose members are explained worst, as a sum: splitting them may pay most."""
    worth = (responsibility * a).sum(0)
    return [int(k) for k in np.argsort(worth)[:3]]


def _halves(membership: Array, features: Array, seed: int) -> Array | None:
    """To which half of a cluster each specimen would go (specimen), 0 or 1."""
    members = np.flatnonzero(membership > 0.5)
    if len(members) < 4:
        return None
    return _nearest(features[members], features, 2, seed).astype(float)


def _nearest(learned: Array, asked: Array, n: int, seed: int) -> np.ndarray:
    """To which of the means of some specimens others are nearest (specimen)."""
    means = KMeans(n, n_init=1, random_state=seed).fit(learned).cluster_centers_  # type: ignore[arg-type]
    return cdist(asked, means).argmin(1)
