"""How many phases there are: those that are labelled, and more where the properties ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.special import softmax

from tieline.errors import NotIdentified
from tieline.models.arrays import Array, Indices
from tieline.models.encoding import numbered
from tieline.models.experts import Layout
from tieline.models.fusion import Draft, Fusion, draft, finish, rehearse
from tieline.models.observations import Observations
from tieline.models.unexplained import FEWEST, STRETCHES, stretched, unexplained

MOST_PHASES = 6  # sought where nothing is labelled
MOST_FURTHER = 3  # phases sought beside those that are labelled
WORTH = 3.0  # nats that one more phase must gain in leave-one-out prediction
PATIENCE = 1  # phases that are not worth it, before the search without labels ends
FIRM = 0.9  # share of a row's first membership that goes to the phase it starts in


@dataclass(frozen=True)
class PhaseCount:
    """What is known of the number of phases.

    Attributes:
        numbers: of phases, ascending.
        probability: of each.
    """

    numbers: Indices
    probability: Array

    @classmethod
    def given(cls, n_phases: int) -> "PhaseCount":
        """A number of phases that was said, or that nothing can question."""
        return cls(np.array([n_phases], dtype=np.intp), np.ones(1))

    @classmethod
    def of_regions(cls, probability: Array) -> "PhaseCount":
        """From the probability of one region, two regions, ... of a line on which every region is a phase."""
        return cls(np.arange(1, len(probability) + 1, dtype=np.intp), probability)

    @classmethod
    def of_gains(cls, fewest: int, gains: list[float]) -> "PhaseCount":
        """From what each number of phases gains over the one before, in nats; a phase more costs WORTH."""
        numbers = np.arange(fewest, fewest + len(gains), dtype=np.intp)
        return cls(numbers, softmax(np.cumsum(gains) - WORTH * np.arange(len(gains))))


def fuse_any(
    seen: Observations, labels: tuple[str, ...], n_phases: int | None
) -> tuple[Fusion, Observations, tuple[str, ...], PhaseCount]:
    """Fuse; where the number of phases is not given, find those that properties ask for beside the labelled.

    Phases without labels are named by the next free numbers. Where nothing is labelled they are ordered by
    the share of the specimens they hold, largest first.

    Args:
        seen: labels and properties.
        labels: names of the phases (K).
        n_phases: their number, if it was given; then no more are sought.

    Returns:
        The fit, the observations it read (their labels may have more columns), the names, and the number.

    Raises:
        NotIdentified: more phases are asked for than there are specimens, none of them labelled.
    """
    is_anonymous = not seen.labelled.any()
    if is_anonymous and n_phases and n_phases > len(seen.x):
        raise NotIdentified(
            f"{n_phases} phases cannot be told apart without labels.",
            found=f"{len(seen.x)} specimens",
            hint="leave n_phases out and their number is found, or label some specimens",
        )
    if is_anonymous:
        seen = seen.without_labels(n_phases or 1)
        labels = ()
    if n_phases or np.isnan(seen.y).all():
        found = _best_draft(seen, _cuts(seen)) if is_anonymous else draft(seen)
        count = PhaseCount.given(seen.label.shape[1])
    else:
        found, seen, count = _grown(seen, len(labels))
    if is_anonymous:
        found = _ordered(found, seen.x.shape[1])
    names = numbered(labels, seen.label.shape[1])
    # Of phases found from properties the map of the labels alone knows nothing.
    trust = 1.0 if len(names) > count.numbers[0] else None
    return finish(seen, found, trust=trust), seen, names, count


def _grown(seen: Observations, n_named: int) -> tuple[Draft, Observations, PhaseCount]:
    """Add one phase after another until none is found, or too many in a row are not worth it."""
    fewest = seen.label.shape[1]
    most, patience = (n_named + MOST_FURTHER, 0) if n_named else (MOST_PHASES, PATIENCE)
    found = [(draft(seen), seen)]
    gains = [0.0]
    while fewest + len(found) <= most and len(found) - 1 - _best(gains) <= patience:
        further, wider, gain = _further(*found[-1], n_named)
        gains.append(gain)
        if further is None:
            break
        found.append((further, wider))
    return *found[_best(gains)], PhaseCount.of_gains(fewest, gains)


def _best(gains: list[float]) -> int:
    return int(PhaseCount.of_gains(0, gains).probability.argmax())


def _further(found: Draft, seen: Observations, n_named: int) -> tuple[Draft | None, Observations, float]:
    """The best draft with one phase more, what it reads, and what it gains in nats.

    It must predict better both at the settings of the map found without it and at its own, since settings
    alone can make a difference. A phase that no row asks for changes no prediction: None, and no gain.
    """
    wider, before = seen.with_phases(seen.label.shape[1] + 1), found.log_score(seen)
    starts = [*_splits(seen, found), *(() if n_named else _cuts(wider))]
    rehearsed = [(start, rehearse(wider, start, found.settings, before)) for start in starts]
    alive = [
        (start, end) for start, end in rehearsed if end is not None and _all_hold(end.membership, n_named)
    ]
    if not alive:
        return None, wider, 0.0
    start, best = max(alive, key=lambda pair: pair[1].log_score)
    gain = best.log_score - before
    if gain < (WORTH if n_named else 0.0):
        return None, wider, max(gain, 0.0)
    further = _best_draft(wider, [start, best.membership])
    if not _all_hold(further.beliefs.membership, n_named):
        return None, wider, 0.0
    return further, wider, min(gain, further.log_score(wider) - before)


def _all_hold(membership: Array, n_named: int) -> bool:
    """Whether every phase (of row, K) that no label names is the likeliest one in enough rows."""
    n_rows = np.bincount(membership.argmax(1), minlength=membership.shape[1])
    return bool((n_rows[n_named:] >= FEWEST).all())


def _best_draft(seen: Observations, starts: list[Array]) -> Draft:
    """The draft that predicts best, from several first memberships (row, K)."""
    return max((draft(seen, start) for start in starts), key=lambda found: found.log_score(seen))


def _splits(seen: Observations, found: Draft) -> Iterator[Array]:
    """First memberships (row, K + 1) that give a phase of its own to rows no phase explains well."""
    membership = np.hstack([found.beliefs.membership, np.zeros((len(seen.x), 1))])
    for group in unexplained(seen, found):
        own = np.arange(membership.shape[1]) == membership.shape[1] - 1
        yield _softened(np.where(group[:, None], own, membership))


def _cuts(seen: Observations) -> list[Array]:
    """First memberships (row, K) that cut Ward's tree of all rows into as many phases as there are."""
    k = seen.label.shape[1]
    trees = [linkage(stretched(seen, stretch), "ward") for stretch in STRETCHES[:2]]
    return [_softened(np.eye(k)[fcluster(tree, k, "maxclust") - 1]) for tree in trees]


def _softened(membership: Array) -> Array:
    return FIRM * membership + (1 - FIRM) / membership.shape[1]


def _ordered(found: Draft, d: int) -> Draft:
    """The same with its phases, none of them labelled, in the order of their shares, largest first."""
    beliefs = found.beliefs
    order = np.argsort(-beliefs.membership.sum(0), kind="stable")
    layout = Layout(d, len(order))
    moved = replace(
        beliefs,
        membership=beliefs.membership[:, order],
        regular=beliefs.regular[:, order],
        message=beliefs.message[:, order],
        thetas=tuple(theta if theta is None else layout.rearranged(theta, order) for theta in beliefs.thetas),
    )
    return replace(found, gate=None, prior=found.prior[:, order], beliefs=moved)
