"""Fit both learners of `CompositionProperties`, and learn from left-out rows how to join them."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.composition_field import CompositionField, fit_field, leave_out
from tieline.models.composition_folds import leave_out as leave_out_groups
from tieline.models.composition_limits import labels_of
from tieline.models.composition_reading import CompositionReading
from tieline.models.stacking import KNOWN, NEW, Guesses, Stack, fit_stack
from tieline.models.tree_ensemble import TreeEnsemble, fit_trees, leave_out_trees

FAR = 0.95  # quantile of how little is known of left-out places, beyond which a place is far from all data


@dataclass(frozen=True, eq=False)
class CompositionFit:
    """Both learners, and how they are joined.

    Attributes:
        field: the Gaussian process.
        trees: the trees.
        stack: how their guesses become a distribution.
        rows: of the reading that the process learned from, and that were left out in turn.
        left_out: what the others say of each, left out with its material and with its chemical system
            (way, row, property), of order one.
        left_out_regime: the regime of each (way, row).
        furthest: how little is known of a place until it counts as far from all data (property).
    """

    field: CompositionField
    trees: TreeEnsemble
    stack: Stack
    rows: Indices
    left_out: tuple[Guesses, ...]
    left_out_regime: Indices
    furthest: Array

    def guess(self, x: Array, group: Indices) -> Guesses:
        """What both learners say of places (place, coordinate), not divided by lengths."""
        scaled = x / self.field.lengths[group]
        process = self.field.answer(scaled)
        return Guesses(process.mean, self.trees.mean(x), process.reach)


def fit(reading: CompositionReading, seed: int) -> CompositionFit:
    """Fit both learners to what was read, and leave materials and chemical systems out in turn."""
    group, first = reading.coordinates.group, reading.coordinates.first_lengths
    labels = labels_of(reading, leave_out_groups(reading.material, reading.system, seed).parts, seed)
    field, rows = fit_field(reading.x, labels.value, labels.variance, group, first, seed)
    # A value that is less certain than the noise at one specimen counts less.
    noise = field.coupling.residual.diagonal()
    weight = noise / (noise + reading.variance)
    trees = fit_trees(reading.x, labels.expected, weight, seed)
    # What is left out is predicted from rows of the process: beyond its limit, rows serve the trees only.
    x, y, system = reading.x[rows], labels.expected[rows], reading.system[rows]
    several = len(np.unique(system)) > 1
    ways = [leave_out_groups(reading.material[rows], system, seed)]
    if several:
        ways.append(leave_out_groups(system, system, seed))
    processes = leave_out(field, labels.value[rows], [way.parts for way in ways])
    guesses = [
        Guesses(process.mean, leave_out_trees(x, y, weight[rows], way.parts, seed + 1000 * i), process.reach)
        for i, (way, process) in enumerate(zip(ways, processes, strict=True))
    ]
    stack = fit_stack(labels.drawn[rows], reading.variance[rows], guesses, [way.is_new for way in ways])
    regime = np.stack([np.where(way.is_new, NEW, KNOWN) for way in ways])
    furthest = np.quantile(processes[-1].reach, FAR, axis=0)
    return CompositionFit(field, trees, stack, rows, tuple(guesses), regime, furthest)
