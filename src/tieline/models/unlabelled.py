"""Fuse with or without labels; without them, find how many phases the properties ask for."""

from dataclasses import replace

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.special import logsumexp

from tieline.models.arrays import Array
from tieline.models.fusion import Fusion, fuse
from tieline.models.observations import Observations

MOST_PHASES = 4  # tried when neither labels nor the user say
N_STARTS = 3
WORTH = 3.0  # nats that one more phase must gain in leave-one-out prediction


def fuse_any(
    seen: Observations, labels: tuple[str, ...], n_phases: int | None, rng: np.random.Generator
) -> tuple[Fusion, Observations, tuple[str, ...]]:
    """Fuse; where nothing is labelled, try several starts and numbers of phases.

    Phases without labels are named "1", "2", ... by the share of the specimens they hold, largest first.

    Returns:
        The fit, the observations it read (their labels may have another number of columns), and the names.
    """
    if not np.isnan(seen.label).all():
        return fuse(seen), seen, labels
    counts = [n_phases] if n_phases else range(1, MOST_PHASES + 1)
    best: tuple[float, Fusion, Observations] | None = None
    for k in counts:
        blank = replace(seen, label=np.full((len(seen.x), k), np.nan))
        if k == 1:
            fits = [fuse(blank)]
        else:
            fits = [fuse(blank, start=_start(seen, k, i, rng)) for i in range(N_STARTS)]
        score, fit = max(((predictive_score(f, len(seen.x)), f) for f in fits), key=lambda pair: pair[0])
        if best is not None and score < best[0] + WORTH:
            break
        best = score, fit, blank
    assert best is not None
    _, fit, blank = best
    order = np.argsort(-fit.membership.sum(0))
    names = np.empty(len(order), dtype=object)
    names[order] = [str(i + 1) for i in range(len(order))]
    return fit, blank, tuple(names)


def predictive_score(fit: Fusion, n_rows: int) -> float:
    """Log density of the properties, each predicted from all others, nats."""
    cavity = np.log(fit.gates.cavity_probabilities(n_rows) + 1e-12)
    return float(logsumexp(cavity + fit.message + fit.message_scale[:, None], axis=1).sum())


def _start(seen: Observations, k: int, attempt: int, rng: np.random.Generator) -> Array:
    """A first membership (row, K): clusters of properties and places, weighted differently in each attempt."""
    y = np.where(np.isnan(seen.y), 0.0, seen.y)
    features = np.hstack([y, seen.x * (0.5, 2.0, 4.0)[attempt % 3]])
    _, cluster = kmeans2(features, k, minit="++", rng=rng)
    return 0.9 * np.eye(k)[cluster] + 0.1 / k
