"""Ordered regions on a line, exactly: every segmentation is summed over, none is sampled.

Between neighbouring points lies at most one boundary, uniform in its gap, so the likelihood depends only
on which points share a region. A semi-Markov recursion over (number of regions so far, phase) adds up all
segmentations; forward and backward passes give the probability of every stretch of points being one
region of one phase.

Source: Fearnhead (2006), doi:10.1007/s11222-006-8450-8. Departs from it: labels and several properties
at their own places speak of the same regions, and hyperparameters are integrated within each region.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import poisson

from tieline.models.arrays import Array, Indices
from tieline.models.sites import log_sum


@dataclass(frozen=True)
class Regions:
    """States of the recursion: the number of the region and its phase.

    Attributes:
        phase: phase of each state (state).
        count: which region it is, from 1 (state).
        log_start: prior of the first region (state).
        log_step: prior of the next region (state, state), given a boundary.
        log_end: prior of stopping there (state): the number of regions.
    """

    phase: Indices
    count: Indices
    log_start: Array
    log_step: Array
    log_end: Array

    @classmethod
    def of(cls, n_phases: int, counts: range, *, is_anonymous: bool) -> "Regions":
        """Phases in any order, neighbours differing; or, if anonymous, phase r is the r-th region."""
        most = max(counts)
        if is_anonymous:
            phase, count = np.arange(most), np.arange(1, most + 1)
            allowed = count[None, :] == count[:, None] + 1
            first, n_next = count == 1, 1
        else:
            phase, count = np.tile(np.arange(n_phases), most), np.repeat(np.arange(1, most + 1), n_phases)
            allowed = (count[None, :] == count[:, None] + 1) & (phase[None, :] != phase[:, None])
            first, n_next = count == 1, max(n_phases - 1, 1)
        expected = max(n_phases - 1, 1) if not is_anonymous else 1
        log_count = poisson.logpmf(np.arange(most), expected)
        # Sorting r - 1 uniform boundaries gives each order one of (r - 1)! ways.
        log_count += np.cumsum(np.log(np.maximum(np.arange(most), 1)))
        possible = np.isin(count, list(counts))
        with np.errstate(divide="ignore"):
            return cls(
                phase,
                count,
                np.log(first / first.sum()),
                np.log(allowed / n_next),
                np.where(possible, log_count[count - 1], -np.inf),
            )


@dataclass(frozen=True)
class Segmentation:
    """The posterior over segmentations at one setting.

    Attributes:
        regions: the states.
        log_evidence: nats.
        opening: log weight (state, point) of a region that opens at the point, with all before it.
        closing: log weight (state, point) of what follows a region that closes at the point.
        stretch: log likelihood (phase, point, point) of the points i to j, both included, being one region.
    """

    regions: Regions
    log_evidence: float
    opening: Array
    closing: Array
    stretch: Array

    @property
    def probability(self) -> Array:
        """Probability (phase, i, j) that one region of that phase spans exactly the points i to j."""
        total = np.zeros_like(self.stretch)
        for s, k in enumerate(self.regions.phase):
            joint = self.opening[s, :, None] + self.stretch[k] + self.closing[s, None, :]
            total[k] += np.exp(joint - self.log_evidence)
        return total

    @property
    def count_probability(self) -> Array:
        """Probability of each number of regions, from one up."""
        last = self.stretch.shape[1] - 1
        weight = np.zeros(self.regions.count.max())
        for s, (k, r) in enumerate(zip(self.regions.phase, self.regions.count, strict=True)):
            ending = self.opening[s] + self.stretch[k, :, last] + self.regions.log_end[s]
            weight[r - 1] += np.exp(np.asarray(logsumexp(ending)) - self.log_evidence)
        return weight

    def draw(self, rng: np.random.Generator) -> list[tuple[int, int, int]]:
        """Draw one segmentation: (first point, last point, phase) of each region, left to right."""
        first, regions = 0, []
        log_state = self.regions.log_start
        while True:
            joint = log_state[:, None] + self.stretch[self.regions.phase, first] + self.closing
            weight = np.exp(joint - joint.max())
            pick = rng.choice(weight.size, p=weight.ravel() / weight.sum())
            state, last = divmod(int(pick), joint.shape[1])
            regions.append((first, last, int(self.regions.phase[state])))
            if last == joint.shape[1] - 1:
                return regions
            first, log_state = last + 1, self.regions.log_step[state]


def segment(stretch: Array, gap: Array, regions: Regions) -> Segmentation:
    """Sum over all segmentations.

    Args:
        stretch: log likelihood (phase, point, point) of points i to j being one region; -inf for j < i.
        gap: share of the line (point) that lies between each point and the one before; 0 for the first.
        regions: states and their prior.
    """
    n = len(gap)
    with np.errstate(divide="ignore"):
        log_gap = np.log(gap)
    by_state = stretch[regions.phase]
    opening = np.full((len(regions.phase), n), -np.inf)
    closing = np.full_like(opening, -np.inf)
    opening[:, 0] = regions.log_start
    for j in range(n - 1):
        ended = log_sum(opening[:, : j + 1] + by_state[:, : j + 1, j], 1)
        opening[:, j + 1] = log_gap[j + 1] + log_sum(ended[:, None] + regions.log_step, 0)
    closing[:, n - 1] = regions.log_end
    for i in range(n - 1, 0, -1):
        rest = log_sum(by_state[:, i, i:] + closing[:, i:], 1)
        closing[:, i - 1] = log_gap[i] + log_sum(regions.log_step + rest[None, :], 1)
    ending = opening + by_state[:, :, n - 1] + regions.log_end[:, None]
    log_evidence = float(np.asarray(logsumexp(ending)))
    return Segmentation(regions, log_evidence, opening, closing, stretch)
