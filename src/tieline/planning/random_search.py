"""How soon random picks find the best of a finite pool, in closed form: what every strategy has to beat."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RandomSearch:
    """What random picks can be expected to do.

    Attributes:
        found_share: probability that one of the best places is found.
        extra_tries: expected tries after the start, where one is found; 0 if the start holds it. NaN if none
            can be.
        tries_spent: expected tries whether or not one is found.
    """

    found_share: float
    extra_tries: float
    tries_spent: float


def random_search(
    n_places: int,
    n_tries: int,
    *,
    n_start: int = 0,
    n_best: int = 1,
    batch: int = 1,
    starts_with_replacement: bool = True,
    picks_with_replacement: bool = True,
) -> RandomSearch:
    """Work out how soon random picks find one of the best places.

    Args:
        n_places: in the pool.
        n_tries: allowed after the start.
        n_start: places drawn at random before the first try.
        n_best: places that count as found.
        batch: places tried at a time, all different; tries count to the end of the batch.
        starts_with_replacement: whether the start may hold a place twice.
        picks_with_replacement: whether a place that was measured may be tried again.

    Source:
        The random rows of Zhao, KIT (2024), section 4.1.2 (126 of 200 found, 34.7 tries), which counted runs
        of 80 picks among 80 places: 1 - (79/80)^80 and E[T | T <= 80] of a geometric T.

    Example:
        >>> plain = random_search(80, 80)
        >>> round(plain.found_share, 3), round(plain.extra_tries, 1)
        (0.634, 33.9)
    """
    poor = n_places - n_best
    seen = _distinct(n_start, poor) if starts_with_replacement else {n_start: 1.0}
    missed = 1.0
    for i in range(n_start):
        size = n_places - (0 if starts_with_replacement else i)
        missed *= max(size - n_best, 0) / size
    found, extra, spent = 1 - missed, 0.0, 0.0
    for n_seen, share in seen.items():
        left = n_places if picks_with_replacement else n_places - n_seen
        most = n_tries if picks_with_replacement else min(n_tries, left)
        tries = np.arange(most)
        sizes = left - (tries % batch if picks_with_replacement else tries)
        survival = np.concatenate([[1.0], np.cumprod(np.maximum(sizes - n_best, 0) / sizes)])
        first = -np.diff(survival) * missed * share
        counted = np.minimum((tries // batch + 1) * batch, most)
        found += first.sum()
        extra += (first * counted).sum()
        spent += survival[-1] * missed * share * most
    return RandomSearch(float(found), float(extra / found) if found > 0 else np.nan, float(extra + spent))


def _distinct(n_draws: int, n_places: int) -> dict[int, float]:
    """Probability of each number of different places among draws with replacement."""
    if n_draws == 0 or n_places == 0:
        return {0: 1.0}
    probability = np.zeros(n_draws + 1)
    probability[0] = 1.0
    counts = np.arange(n_draws + 1)
    for _ in range(n_draws):
        new = np.append(0.0, probability[:-1] * np.maximum(n_places - counts[:-1], 0) / n_places)
        probability = probability * np.minimum(counts / n_places, 1) + new
    return {int(n): float(p) for n, p in zip(counts, probability, strict=True) if p > 0}
