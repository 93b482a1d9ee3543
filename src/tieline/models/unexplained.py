"""Measured rows that may be of a phase nobody has labelled: a phase of their own would explain them."""

from dataclasses import replace

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import cdist

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.expert_mixture import fitness
from tieline.models.experts import ENOUGH, Expert, Layout, Pairs
from tieline.models.fusion import Draft
from tieline.models.observations import Observations

FEWEST = 4  # rows that make a phase
LEAST_SHARE, LARGEST_SHARE = 0.05, 0.7  # of the measured rows that a group may hold
MOST_LABELLED = 0.25  # share of a group that may carry labels; those rows stay where they are
SAME = 0.5  # of the rows of two groups that both hold: more, and they are one and the same
STRETCHES = (1.0, 2.0, 4.0)  # standard deviations of a property that count as much as the range of the design


def unexplained(seen: Observations, found: Draft) -> list[Mask]:
    """At most four groups of unlabelled rows (row), alike in place and properties, that may be a new phase.

    Each group is given a phase of its own, and all left-out values are predicted anew: once at the experts'
    settings found without that phase, which may be bent to explain the group, and once at the prior's.
    """
    measured = np.flatnonzero(~np.isnan(seen.y).all(1))
    rows = measured[:: max(-(-len(measured) // ENOUGH), 1)]
    few = seen.rows(rows)
    groups = _groups(few)
    if not groups:
        return []
    d, k = seen.x.shape[1], seen.label.shape[1]
    before = Layout(d, k, "rbf", has_offsets=seen.instrument is not None)
    after = replace(before, n_phases=k + 1)
    phase = found.beliefs.membership[rows].argmax(1)
    fitted = [
        before.rearranged(theta, np.arange(k + 1)) for theta in found.beliefs.thetas if theta is not None
    ]
    chosen: set[int] = set()
    for thetas in (fitted, [after.prior()[0]] * len(fitted)):
        scores = [_log_score(few, np.where(group, k, phase), after, thetas) for group in groups]
        chosen |= _best_two(groups, scores)
    return [_spread(seen, rows, groups[i]) for i in sorted(chosen)]


def stretched(seen: Observations, stretch: float) -> Array:
    """Properties and places (row, feature), for distances between rows; what was not measured counts as 0."""
    return np.hstack([np.nan_to_num(seen.y), stretch * seen.x])


def _groups(seen: Observations) -> list[Mask]:
    """Branches of Ward's trees over measured rows, without the labelled ones; different ones only."""
    n, free = len(seen.x), ~seen.labelled
    least, most = max(FEWEST, LEAST_SHARE * n), LARGEST_SHARE * n
    groups: dict[bytes, Mask] = {}
    for stretch in STRETCHES if n > FEWEST else ():
        branches = [np.arange(n) == i for i in range(n)]
        for left, right, *_ in linkage(stretched(seen, stretch), "ward"):
            branch = branches[int(left)] | branches[int(right)]
            branches.append(branch)
            group = branch & free
            if (
                least <= group.sum()
                and branch.sum() <= most
                and group.mean() >= (1 - MOST_LABELLED) * branch.mean()
            ):
                groups[group.tobytes()] = group
    return list(groups.values())


def _best_two(groups: list[Mask], scores: list[float]) -> set[int]:
    """Indices of the best group, and of the best among those that are another one."""
    order = np.argsort(scores)[::-1]
    best = groups[order[0]]
    others = (i for i in order if (groups[i] & best).sum() < SAME * (groups[i] | best).sum())
    return {int(order[0]), int(next(others, order[0]))}


def _log_score(seen: Observations, phase: Indices, layout: Layout, thetas: list[Array]) -> float:
    """Log density of every left-out value, the phase of each row being given (row)."""
    total = 0.0
    for j, theta in enumerate(thetas):
        own = ~np.isnan(seen.y[:, j])
        x, y, error, here = seen.x[own], seen.y[own, j], seen.error[own, j], phase[own]
        instrument = seen.instruments_at(own)
        pairs = Pairs.of(x, y, error, np.eye(layout.n_phases)[here], instrument)
        density, _ = fitness(Expert.at(layout, theta, pairs), x, y, error, layout.n_phases, instrument)
        total += float(density[np.arange(len(y)), here].sum())
    return total


def _spread(seen: Observations, rows: Indices, group: Mask) -> Mask:
    """A group of some measured rows (row of `rows`), brought to all: each goes with the nearest one."""
    measured = ~np.isnan(seen.y).all(1)
    places = stretched(seen, STRETCHES[1])
    nearest = cdist(places, places[rows]).argmin(1)
    return measured & ~seen.labelled & group[nearest]
