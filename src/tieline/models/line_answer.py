"""What a fit on a line says of any place: phases, properties, joint draws, boundaries."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.line_fit import LineFit, Stretches
from tieline.models.line_function import Measured, RegionFunction
from tieline.models.observations import Observations, label_evidence

ENOUGH = 0.999  # of the probability at every cell: rare regions can be far off, and widen the intervals
RARE = 1e-5  # probability of a region at one combination of noises below which it is not even listed


@dataclass(frozen=True)
class Region:
    """One possible region of one property: the cells it spans, its noise, and how likely it is."""

    phase: int
    first: int
    last: int
    noise: int
    weight: float


@dataclass(frozen=True)
class LineAnswer:
    """Answers of a line fit, in scaled units.

    Attributes:
        fit: the posterior over segmentations.
        seen: what it was fitted to.
    """

    fit: LineFit
    seen: Observations

    def probabilities(self, x: Array) -> Array:
        """Probability (place, K) of each phase."""
        return self._inside(x, self.fit.probability)

    def predict(self, x: Array) -> tuple[Array, list[tuple[Array, Array]]]:
        """Phase probabilities (place, K); of each property, mean (place) and variance parts (place, 4)."""
        return self.probabilities(x), [self.property(j, x) for j in range(len(self.fit.properties))]

    def property(self, j: int, x: Array) -> tuple[Array, Array]:
        """Mean (place) and variance parts (place, 4) of property j."""
        span, part = self._span(x[:, 0]), self.fit.properties[j]
        total = np.zeros(len(x))
        first, noise, within, square = (np.zeros(len(x)) for _ in range(4))
        settings_apart = np.zeros(len(x))
        for measured, regions in self._alike(j).items():
            share = np.zeros(len(x))
            for region in regions:
                share += region.weight * span.opened[:, region.first] * span.open_still[:, region.last]
            here = share > 1e-9
            if not here.any():
                continue
            mean, variance, apart = RegionFunction.of(part, measured, self.fit.settings).predict(x[here, 0])
            w = share[here]
            total[here] += w
            first[here] += w * mean
            square[here] += w * mean**2
            within[here] += w * variance
            settings_apart[here] += w * apart
            noise[here] += w * part.noise[measured.noise] ** 2
        mean = first / total
        between = np.maximum(square / total - mean**2, 0.0)
        return mean, np.stack([noise / total, within / total, between, settings_apart / total], axis=1)

    def draws(self, x: Array, n: int, rng: np.random.Generator) -> tuple[Indices, Array]:
        """Joint draws: phase (draw, place) and noise-free properties (draw, place, property)."""
        phase = np.zeros((n, len(x)), dtype=np.intp)
        values = np.zeros((n, len(x), len(self.fit.properties)))
        nodes = rng.choice(len(self.fit.weights), n, p=self.fit.weights)
        known: dict[tuple[int, Measured], RegionFunction] = {}  # draws share most of their regions
        for d, node in enumerate(nodes):
            for first, last, k in self.fit.segmentations[node].draw(rng):
                # Regions come left to right, each from a boundary on; the next one overwrites the rest.
                here = x[:, 0] > self._boundary(first, rng)
                phase[d, here] = k
                for j, part in enumerate(self.fit.properties):
                    measured = _measured(part, first, last, int(self.fit.noises[node, j]))
                    if (j, measured) not in known:
                        known[j, measured] = RegionFunction.of(part, measured, self.fit.settings)
                    values[d, here, j] = known[j, measured].draw(x[here, 0], rng)
        return phase, values

    def leave_one_out(self) -> tuple[Array, Array, Array]:
        """Phase probabilities (row, K) without the row's label; means and variances (row, property)."""
        x = self.seen.x
        fit, without = self.fit, np.zeros(self.seen.label.shape)
        for w, error, segmentation in zip(fit.weights, fit.errors, fit.segmentations, strict=True):
            # What the label said is divided out, at the label error of each node.
            given = label_evidence(self.seen.label, error)
            without += w * self._inside(x, segmentation.probability) * np.exp(-given)
        mean, variance = np.full(self.seen.y.shape, np.nan), np.full(self.seen.y.shape, np.nan)
        for j in range(self.seen.y.shape[1]):
            rows = np.flatnonzero(~np.isnan(self.seen.y[:, j]))
            m, v = self._leave_one_out(j)
            order = rows[np.argsort(x[rows, 0], kind="stable")]
            mean[order, j], variance[order, j] = m, v
        return without / without.sum(1, keepdims=True), mean, variance

    def label_errors(self) -> tuple[Array, Array]:
        """Error rate (node, label set) of labels, of which there is one set, and the weight of each node."""
        return np.asarray(self.fit.errors, dtype=float)[:, None], self.fit.weights

    def loneliness(self) -> Array:
        """Probability (row, property) that a value is the only one of its region."""
        alone = np.zeros(self.seen.y.shape)
        for j, part in enumerate(self.fit.properties):
            rows = np.flatnonzero(~np.isnan(self.seen.y[:, j]))
            order = rows[np.argsort(self.seen.x[rows, 0], kind="stable")]
            for region in self._regions(j):
                first, last = part.first[region.first], part.last[region.last]
                if last - first == 1:
                    alone[order[first], j] += region.weight
        return alone

    def boundary_density(self, x: Array) -> Array:
        """Boundaries expected per unit of the scaled line at places (place)."""
        left, right = self.fit.right[:-1], self.fit.left[1:]
        gap = np.clip(np.searchsorted(left, x, side="right") - 1, 0, len(left) - 1)
        inside = (x >= left[gap]) & (x < right[gap])
        return np.where(inside, self.fit.boundary_probability[1:][gap] / (right - left)[gap], 0.0)

    def count_probability(self) -> Array:
        """Probability of each number of regions, from one up."""
        parts = [
            w * s.count_probability for w, s in zip(self.fit.weights, self.fit.segmentations, strict=True)
        ]
        return np.sum(parts, axis=0)

    def draw_boundaries(self, n: int, rng: np.random.Generator) -> list[list[float]]:
        """Draw the boundaries on the scaled line, left to right, n times."""
        nodes = rng.choice(len(self.fit.weights), n, p=self.fit.weights)
        return [
            [self._boundary(first, rng) for first, _, _ in self.fit.segmentations[node].draw(rng)[1:]]
            for node in nodes
        ]

    def _boundary(self, first: int, rng: np.random.Generator) -> float:
        return -np.inf if first == 0 else rng.uniform(self.fit.right[first - 1], self.fit.left[first])

    def _inside(self, x: Array, spans: Array) -> Array:
        """Probability (place, K) from that of every stretch (phase, i, j) being one region."""
        span = self._span(x[:, 0])
        inside = np.einsum("pi,kij,pj->pk", span.opened, spans, span.open_still, optimize=True)
        return inside / inside.sum(1, keepdims=True)

    def _span(self, x: Array) -> "Span":
        return Span.of(x, self.fit.left, self.fit.right)

    @cached_property
    def _likely(self) -> tuple[tuple[Region, ...], ...]:
        """For each property, the regions that matter, merged over nodes of equal noise."""
        found: list[dict[tuple[int, int, int, int], float]] = [{} for _ in self.fit.properties]
        for w, noises, fit in zip(self.fit.weights, self.fit.noises, self.fit.segmentations, strict=True):
            probability = fit.probability
            for k, i, last in np.argwhere(probability > RARE):
                for j, regions in enumerate(found):
                    key = (int(k), int(i), int(last), int(noises[j]))
                    regions[key] = regions.get(key, 0.0) + w * probability[k, i, last]
        return tuple(
            _enough([Region(*key, weight) for key, weight in f.items()], len(self.fit.left)) for f in found
        )

    def _regions(self, j: int) -> tuple[Region, ...]:
        return self._likely[j]

    def _alike(self, j: int) -> dict[Measured, list[Region]]:
        """Regions that hold the same measurements of a property at the same noise: one function for all."""
        part, found = self.fit.properties[j], defaultdict(list)
        for region in self._regions(j):
            found[_measured(part, region.first, region.last, region.noise)].append(region)
        return found

    def _leave_one_out(self, j: int) -> tuple[Array, Array]:
        """Mean and variance (measurement) of each value of property j given the others in its region."""
        part = self.fit.properties[j]
        total, first, second = (np.zeros(len(part.y)) for _ in range(3))
        for measured, regions in self._alike(j).items():
            own, weight = slice(measured.first, measured.last), sum(region.weight for region in regions)
            mean, square = RegionFunction.of(part, measured, self.fit.settings).leave_one_out()
            total[own] += weight
            first[own] += weight * mean
            second[own] += weight * square
        mean = first / total
        return mean, np.maximum(second / total - mean**2, 1e-12)


def _measured(part: Stretches, first: int, last: int, noise: int) -> Measured:
    """The measurements of a property in the cells from `first` to `last`."""
    return Measured(int(part.first[first]), int(part.last[last]), noise)


def _enough(regions: list[Region], n_cells: int) -> tuple[Region, ...]:
    """The likeliest regions, as many as every cell needs for almost all of its probability."""
    covered, kept = np.zeros(n_cells), []
    for region in sorted(regions, key=lambda r: -r.weight):
        cells = slice(region.first, region.last + 1)
        if covered[cells].min() < ENOUGH:
            covered[cells] += region.weight
            kept.append(region)
    return tuple(kept)


@dataclass(frozen=True)
class Span:
    """How places lie among the cells, for regions that end somewhere in a gap.

    Attributes:
        opened: probability (place, cell) that a region opening at the cell has begun at the place.
        open_still: probability (place, cell) that a region closing at the cell has not ended there.
    """

    opened: Array
    open_still: Array

    @classmethod
    def of(cls, x: Array, left: Array, right: Array) -> "Span":
        """Boundaries are uniform in their gaps."""
        before = np.r_[-np.inf, right[:-1]]
        after = np.r_[left[1:], np.inf]
        with np.errstate(invalid="ignore"):
            opened = np.clip((x[:, None] - before) / (left - before), 0.0, 1.0)
            closed = np.clip((x[:, None] - right) / (after - right), 0.0, 1.0)
        opened[:, 0], closed[:, -1] = 1.0, 0.0
        return cls(opened, 1.0 - closed)
