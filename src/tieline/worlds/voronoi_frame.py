"""The edges of a periodic Voronoi diagram: the frame that a membrane's ligaments follow."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import Delaunay

FIRST_MARGIN = 2.5  # mean distances of seeds; large enough for nearly every diagram of ten seeds or more
GROWTH = 1.4  # of the margin, until every sphere around a vertex lies inside


class Frame(NamedTuple):
    """Edges of a periodic Voronoi diagram, each vertex of the box with all of its edges.

    Attributes:
        nodes (node, 3): vertices inside the box, in the unit of the box.
        starts (edge, 3): one end of each edge, inside the box.
        ends (edge, 3): the other end, not wrapped: it may lie outside.
    """

    nodes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def voronoi_frame(seeds: np.ndarray, box: np.ndarray, stretch: np.ndarray) -> Frame:
    """Find the Voronoi edges of seeds in a periodic box whose metric is stretched.

    Distances along an axis count `stretch` times, so cells are 1/stretch times as long along it.

    Args:
        seeds (seed, 3): places in the box, at least 8 in general position.
        box (3): edge lengths.
        stretch (3): factors of the metric.

    Returns:
        The frame. An edge through a face of the box comes twice, once from each of its ends.
    """
    places, period = seeds * stretch, box * stretch
    margin = FIRST_MARGIN * (period.prod() / len(seeds)) ** (1 / 3)
    while True:
        points = _copies(places, period, margin)
        tetrahedra = Delaunay(points)
        centres, radii = _circumspheres(points[tetrahedra.simplices])
        inside = np.flatnonzero(((centres >= 0) & (centres < period)).all(1))
        neighbours = tetrahedra.neighbors[inside]
        used = np.unique(np.append(neighbours, inside))
        # A sphere that reaches beyond the copies might hold a seed that was not copied.
        is_sure = (centres[used] - radii[used, None] > -margin) & (
            centres[used] + radii[used, None] < period + margin
        )
        if used[0] >= 0 and is_sure.all():
            break
        margin *= GROWTH
    # Of an edge with both ends in the box, the end that comes first keeps it.
    is_kept = (inside[:, None] < neighbours) | ~np.isin(neighbours, inside)
    first, which = np.nonzero(is_kept)
    starts, ends = centres[inside[first]], centres[neighbours[first, which]]
    return Frame(centres[inside] / stretch, starts / stretch, ends / stretch)


def _copies(places: np.ndarray, period: np.ndarray, margin: float) -> np.ndarray:
    """Copy seeds into all periods that a margin around the box meets."""
    reach = np.ceil(margin / period).astype(int)
    shifts = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 3)
    points = (places[None] + (shifts * period)[:, None]).reshape(-1, 3)
    return points[((points > -margin) & (points < period + margin)).all(1)]


def _circumspheres(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres and radii of the spheres through the corners (tetrahedron, 4, 3).

    Flat tetrahedra, which Qhull leaves at the rim of the copies, have infinite spheres.
    """
    a, b, c = (corners[:, i] - corners[:, 0] for i in (1, 2, 3))
    bc, ca, ab = np.cross(b, c), np.cross(c, a), np.cross(a, b)
    volume = 2 * (a * bc).sum(1)
    squares = [(edge**2).sum(1)[:, None] for edge in (a, b, c)]
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = (squares[0] * bc + squares[1] * ca + squares[2] * ab) / volume[:, None]
    offset[~np.isfinite(offset)] = np.inf
    return corners[:, 0] + offset, np.sqrt((offset**2).sum(1))
