"""Equilibrium of simulated phases: the lower convex hull of their free energies, tie lines included."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

SPACING = 40  # steps of the lattice of compositions on which free energies are laid out


@dataclass(frozen=True)
class FreeEnergies:
    """Phases with parabolic free energies over the compositions of three elements.

    Attributes:
        centre (phase, element): the composition of least energy.
        lowest (phase): the free energy there.
        stiffness (phase): how fast it rises; a stiff phase is a compound, a soft one a solid solution.
    """

    centre: np.ndarray
    lowest: np.ndarray
    stiffness: np.ndarray

    def equilibrium(self, composition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tell which phases coexist.

        Args:
            composition (specimen, element): mole fractions of three elements.

        Returns:
            The fraction of every phase (specimen, phase), and its own composition (specimen, phase, element),
            which is its centre where the phase is absent.
        """
        phase, place, triangles = self._lower_hull()
        corners = place[triangles]
        inverse = np.linalg.inv(np.swapaxes(corners[:, :2] - corners[:, 2:], 1, 2))
        fraction = np.zeros((len(composition), len(self.lowest)))
        amount = np.zeros((*fraction.shape, 3))
        for i, wanted in enumerate(composition[:, :2]):
            first = np.einsum("tij,tj->ti", inverse, wanted - corners[:, 2])
            shares = np.column_stack([first, 1 - first.sum(1)])
            best = int(shares.min(1).argmax())
            for corner, share in zip(triangles[best], np.maximum(shares[best], 0), strict=True):
                fraction[i, phase[corner]] += share
                amount[i, phase[corner], :2] += share * place[corner]
        amount[..., 2] = fraction - amount[..., :2].sum(2)
        present = fraction[..., None] > 0
        own = np.where(present, amount / np.where(present, fraction[..., None], 1), self.centre)
        return fraction / fraction.sum(1, keepdims=True), own

    def _lower_hull(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points of all phases by phase and place (point, 2), and the triangles of their lower hull."""
        steps = np.array([(a, b) for a in range(SPACING + 1) for b in range(SPACING + 1 - a)]) / SPACING
        places = [np.vstack([centre[:2], steps]) for centre in self.centre]
        phase = np.repeat(np.arange(len(places)), len(steps) + 1)
        place = np.vstack(places)
        away = np.column_stack([place, 1 - place.sum(1)]) - self.centre[phase]
        energy = self.lowest[phase] + self.stiffness[phase] * (away**2).sum(1)
        hull = ConvexHull(np.column_stack([place, energy]))
        lower = hull.simplices[hull.equations[:, 2] < -1e-9]
        first, second = (place[lower[:, i]] - place[lower[:, 2]] for i in (0, 1))
        area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
        return phase, place, lower[area > 1e-9]  # along an edge the hull has triangles without area
