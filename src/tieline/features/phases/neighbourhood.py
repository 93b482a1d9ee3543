"""Which specimens are neighbours in composition, or wherever specimens are laid out."""

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from scipy.spatial import Delaunay, KDTree, QhullError

from tieline.features.phases.arrays import Array

FARTHEST = 3.0  # in units of the median distance: across holes of the map there are no neighbours
MOST_DIMENSIONS = 4  # beyond, a triangulation has too many edges
N_NEAREST = 6


@dataclass(frozen=True)
class Neighbourhood:
    """Neighbours of specimens.

    Attributes:
        mean (specimen, specimen): a row sums to one over the neighbours of a specimen; 0 if it has none.
        roughness (specimen, specimen): e' roughness e is the sum over pairs of ((e_i - e_j) / distance)^2,
            divided by the number of neighbours that a specimen typically has on its side.
    """

    mean: Array
    roughness: Array


def neighbourhood(points: Array) -> Neighbourhood:
    """Connect specimens.

    Args:
        points (specimen, d): where they are.
    """
    n = len(points)
    linked = np.zeros((n, n), dtype=bool)
    for i, j in _edges(points):
        linked[i, j] = linked[j, i] = True
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    linked &= distance > 0  # repeats at one place are told apart by their noise only
    same = (distance == 0) & ~np.eye(n, dtype=bool)
    if linked.any():
        linked &= distance < FARTHEST * np.median(distance[linked])
    either = linked | same
    count = either.sum(1, keepdims=True)
    nearest = np.median(distance[linked]) if linked.any() else 1.0
    stiffness = np.where(either, 1 / np.maximum(distance, nearest / 10) ** 2, 0) / 3
    return Neighbourhood(either / np.maximum(count, 1), np.diag(stiffness.sum(1)) - stiffness)


def isolated(n: int) -> Neighbourhood:
    """No specimen has a neighbour."""
    return Neighbourhood(np.zeros((n, n)), np.zeros((n, n)))


def _edges(points: Array) -> set[tuple[int, int]]:
    """Pairs of neighbours: the edges of a triangulation, or the nearest where there is none."""
    n, d = points.shape
    if d == 1:
        order = np.argsort(points[:, 0], kind="stable")
        return set(pairwise(order.tolist()))
    if d <= MOST_DIMENSIONS and n > d + 2:
        try:
            corners = Delaunay(points).simplices
        except QhullError:  # all on a line or a plane
            corners = np.zeros((0, d + 1), dtype=int)
        if len(corners):
            return {(int(a), int(b)) for triangle in corners for a, b in combinations(triangle, 2)}
    found = KDTree(points).query(points, min(N_NEAREST + 1, n))[1]
    return {(i, int(j)) for i, row in enumerate(np.atleast_2d(found)) for j in row[1:]}
