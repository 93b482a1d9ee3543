"""Fuse with or without labels; without them, find how many phases the properties ask for."""

from dataclasses import replace

import numpy as np
from scipy.cluster.vq import kmeans2

from tieline.errors import NotIdentified
from tieline.models.arrays import Array
from tieline.models.fusion import Draft, Fusion, draft, finish, fuse
from tieline.models.observations import Observations

MOST_PHASES = 3  # tried when neither labels nor the user say
N_STARTS = 2
WORTH = 3.0  # nats that one more phase must gain in leave-one-out prediction


def fuse_any(
    seen: Observations, labels: tuple[str, ...], n_phases: int | None, rng: np.random.Generator
) -> tuple[Fusion, Observations, tuple[str, ...]]:
    """Fuse; where nothing is labelled, try several starts and numbers of phases.

    Phases without labels are named "1", "2", ... by the share of the specimens they hold, largest first.

    Returns:
        The fit, the observations it read (their labels may have another number of columns), and the names.

    Raises:
        NotIdentified: more phases are asked for than there are specimens, none of them labelled.
    """
    if not np.isnan(seen.label).all():
        return fuse(seen), seen, labels
    if n_phases and n_phases > len(seen.x):
        raise NotIdentified(
            f"{n_phases} phases cannot be told apart without labels.",
            found=f"{len(seen.x)} specimens",
            hint=f"n_phases={MOST_PHASES} or fewer, or label some specimens",
        )
    best: tuple[Draft, Observations] | None = None
    for k in [n_phases] if n_phases else range(1, MOST_PHASES + 1):
        blank = replace(seen, label=np.full((len(seen.x), k), np.nan))
        starts = [_start(seen, k, i, rng) for i in range(N_STARTS if k > 1 else 1)]
        found = max((draft(blank, start) for start in starts), key=lambda d: d.log_score)
        if best is not None and found.log_score < best[0].log_score + WORTH:
            break
        best = found, blank
    assert best is not None  # at least one number of phases was tried
    found, blank = best
    fit = finish(blank, found)
    order = np.argsort(-fit.membership.sum(0), kind="stable")
    names = np.empty(len(order), dtype=object)
    names[order] = [str(i + 1) for i in range(len(order))]
    return fit, blank, tuple(names)


def _start(seen: Observations, k: int, attempt: int, rng: np.random.Generator) -> Array:
    """A first membership (row, K): clusters of properties and places, weighted anew in each attempt."""
    y = np.where(np.isnan(seen.y), 0.0, seen.y)
    features = np.hstack([y, seen.x * (0.5, 2.0)[attempt % 2]])
    _, cluster = kmeans2(features, k, minit="++", rng=rng)
    cluster = np.asarray(cluster)
    return 0.9 * np.eye(k)[cluster] + 0.1 / k
