"""Fit the learners of `CompositionProperties`, and learn from left-out rows how to join them."""

from dataclasses import dataclass

import numpy as np

from tieline.models.aligned_network import AlignedNetwork
from tieline.models.arrays import Array, Indices
from tieline.models.attention_network import AttentionNetwork
from tieline.models.basis_choice import choose_basis
from tieline.models.composition_field import CompositionField, fit_field, leave_out
from tieline.models.composition_folds import leave_out as leave_out_groups
from tieline.models.composition_limits import labels_of
from tieline.models.composition_reading import CompositionReading
from tieline.models.element_slots import Slots
from tieline.models.joint_bands import fit_bands
from tieline.models.network_ensemble import Lesson, NetworkEnsemble, fit_networks
from tieline.models.stacking import KNOWN, NEW, Guesses, Stack, fit_stack
from tieline.models.tree_ensemble import TreeEnsemble, fit_trees, leave_out_trees

FAR = 0.95  # quantile of how little is known of left-out places, beyond which a place is far from all data
METHODS = {"stack": ("process", "trees"), "encoder": ("process", "trees", "encoder"), "hclmp": ("hclmp",)}
NETWORKS = {"encoder": AttentionNetwork, "hclmp": AlignedNetwork}


@dataclass(frozen=True, eq=False)
class CompositionFit:
    """The learners, and how they are joined.

    Attributes:
        learners: names of those that are joined, in order.
        field: the Gaussian process, which also says how little is known of a place.
        trees: the trees, if they are joined.
        networks: over elements, if they are joined.
        stack: how their guesses become a distribution.
        bands: factors of the bands that hold whole spectra (regime, property).
        rows: of the reading that the process learned from, and that were left out in turn.
        left_out: what the others say of each, left out with its material and with its chemical system
            (way, row, property), of order one.
        left_out_regime: the regime of each (way, row).
        furthest: how little is known of a place until it counts as far from all data (property).
    """

    learners: tuple[str, ...]
    field: CompositionField
    trees: TreeEnsemble | None
    networks: NetworkEnsemble | None
    stack: Stack
    bands: Array
    rows: Indices
    left_out: tuple[Guesses, ...]
    left_out_regime: Indices
    furthest: Array

    def guess(self, x: Array, slots: Slots, group: Indices) -> Guesses:
        """What the learners say of places (place, coordinate), not divided by lengths."""
        process = self.field.answer(x / self.field.lengths[group])
        means = [process.mean] if "process" in self.learners else []
        if self.trees is not None:
            means.append(self.trees.mean(x))
        if self.networks is not None:
            means.append(self.networks.mean(x, slots))
        return Guesses(np.stack(means), process.reach)


def fit(reading: CompositionReading, method: str, seed: int, earlier: Lesson | None = None) -> CompositionFit:
    """Fit the learners to what was read, and leave materials and chemical systems out in turn.

    Args:
        reading: of a table.
        method: one of `METHODS`.
        seed: of all randomness.
        earlier: what networks learn before.
    """
    learners, group, first = METHODS[method], reading.coordinates.group, reading.coordinates.first_lengths
    basis = choose_basis(reading, seed)
    labels = labels_of(reading, leave_out_groups(reading.material, reading.system, seed).parts, basis, seed)
    told = (labels.value, labels.variance)
    field, rows = fit_field(reading.x, *told, group, first, seed, basis, reading.material)
    # A value that is less certain than the noise at one specimen counts less.
    weight = reading.alike(field.noise / (field.noise + reading.variance))
    lesson = Lesson(reading.x, reading.slots, labels.expected, weight)
    # What is left out is predicted from rows of the process: beyond its limit, rows serve the others only.
    few, system = lesson.at(rows), reading.system[rows]
    together = [reading.material]
    if len(np.unique(system)) > 1:
        together.append(reading.system)
    ways = [leave_out_groups(same[rows], system, seed) for same in together]
    processes = leave_out(field, labels.value[rows], [way.parts for way in ways])
    said = [[answer.mean] if "process" in learners else [] for answer in processes]
    trees = networks = None
    if "trees" in learners:
        trees = fit_trees(lesson.x, lesson.y, lesson.weight, seed)
        for i, (means, way) in enumerate(zip(said, ways, strict=True)):
            means.append(leave_out_trees(few.x, few.y, few.weight, way.parts, seed + 1000 * i))
    if learners[-1] in NETWORKS:
        parts = [
            [np.flatnonzero(np.isin(same, same[rows[part]])) for part in way.parts]
            for same, way in zip(together, ways, strict=True)
        ]
        is_read = group > 0  # mole fractions are read with their elements
        kind = NETWORKS[learners[-1]]
        networks, of_networks = fit_networks(kind, lesson, is_read, parts, seed, earlier)
        for means, mean in zip(said, of_networks, strict=True):
            means.append(mean[rows])
    guesses = [Guesses(np.stack(m), p.reach) for m, p in zip(said, processes, strict=True)]
    stack = fit_stack(labels.drawn[rows], reading.variance[rows], guesses, [way.is_new for way in ways])
    regime = np.stack([np.where(way.is_new, NEW, KNOWN) for way in ways])
    bands = fit_bands(stack, reading.y[rows], reading.variance[rows], guesses, regime, reading.spans)
    furthest = np.quantile(processes[-1].reach, FAR, axis=0)
    parts = (learners, field, trees, networks, stack, bands, rows, tuple(guesses), regime, furthest)
    return CompositionFit(*parts)
