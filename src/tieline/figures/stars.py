"""Proposals on a map: numbered stars that give way to each other."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from tieline.figures.style import INK, PAPER

RADIUS = 9.0  # of a star, in points: its middle holds two digits
PLUMP = 0.62  # of the radius, where the points of the star meet: a slim star has no room for a number
GAP = 1.5  # points between stars, and between a star and the place of another
RINGS = (0.0, 20.0, 25.0, 31.0, 38.0, 46.0, 55.0, 65.0, 80.0, 100.0)  # points from a place to its star
N_DIRECTIONS = 24
STAR = Path.unit_regular_star(5, innerCircle=PLUMP)


def number_stars(axes: Axes, x: np.ndarray, y: np.ndarray, strength: np.ndarray) -> None:
    """Mark proposals by stars that hold their number, in the order they were chosen.

    A star for which there is no room at its place stands beside it, and a line leads to the place. The layout
    of the figure has to be done before, since room is a matter of size on paper.

    Args:
        axes: of the map.
        x: where the proposals lie.
        y: where the proposals lie.
        strength: opacity of each star.
    """
    on_paper = 72 / axes.figure.dpi
    places = axes.transData.transform(np.column_stack([x, y])) * on_paper
    corners = axes.get_window_extent().get_points() * on_paper
    offsets = set_apart(places, corners) - places
    halo = [withStroke(linewidth=2.4, foreground=PAPER)]
    for i, (place, offset) in enumerate(zip(np.column_stack([x, y]), offsets, strict=True)):
        look: dict[str, Any] = {"clip_on": False, "in_layout": False, "alpha": strength[i]}
        if offset.any():
            axes.annotate(
                "",
                place,
                offset,
                textcoords="offset points",
                zorder=6,
                in_layout=False,
                annotation_clip=False,
                arrowprops={
                    "arrowstyle": "-",
                    "color": INK,
                    "shrinkA": 0,
                    "shrinkB": 0,
                    "path_effects": halo,
                },
            )
            axes.plot(*place, "o", color=INK, mec=PAPER, mew=0.7, markersize=4.5, zorder=6.1, **look)
        moved = axes.transData + ScaledTranslation(
            offset[0] / 72, offset[1] / 72, axes.figure.dpi_scale_trans
        )
        axes.plot(
            *place,
            marker=STAR,
            markersize=2 * RADIUS,
            color=PAPER,
            mec=INK,
            mew=0.9,
            transform=moved,
            zorder=6.2,
            **look,
        )
        axes.annotate(
            str(i + 1),
            place,
            offset - (0, 0.5),  # the middle of a star's body lies below the middle of its five points
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.5,
            fontweight="bold",
            color=INK,
            zorder=6.3,
            in_layout=False,
            annotation_clip=False,
        )


def set_apart(places: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Choose where stars stand so that none covers another, its place, or the line that leads there.

    Each star takes the nearest such position to its place; if there is none, that which is least in the way.

    Args:
        places: (star, 2), in points.
        corners: lower left and upper right of where stars may stand that have to leave their place.

    Returns:
        (star, 2): middles of the stars, in points.
    """
    middles = np.empty((0, 2))
    for i, place in enumerate(places):
        found = _candidates(place, places)
        others = np.delete(places, i, axis=0)
        others = others[np.linalg.norm(others - place, axis=1) > GAP]  # its own place may be that of others
        # A line may leave from below a star that stands at the same place.
        passed = middles[np.linalg.norm(middles - place, axis=1) > GAP]
        room = [
            _distance(middles, found, found).min(1, initial=np.inf) - 2 * RADIUS,
            _distance(others, found, found).min(1, initial=np.inf) - RADIUS,
            _distance(passed, place[None], found).min(1, initial=np.inf) - RADIUS,
            _distance(found, places[: len(middles)], middles).min(0, initial=np.inf) - RADIUS,
            np.where(_crosses(place, found, places[: len(middles)], middles), -RADIUS, np.inf),
        ]
        outside = np.maximum(corners[0] - found, found - corners[1]).max(1)
        room.append(np.where((found == place).all(1), np.inf, GAP - outside))
        lacking = np.maximum(GAP - np.min(room, axis=0), 0)
        middles = np.vstack([middles, found[np.argmin(lacking)]])
    return middles


def _candidates(place: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions around a place, the nearest first; on each ring those away from its neighbours first."""
    away = place - places
    distance = np.linalg.norm(away, axis=1, keepdims=True)
    push = (away / np.maximum(distance, 1.0) ** 2).sum(0)
    start = np.arctan2(push[1], push[0]) if push.any() else np.pi / 2
    turns = np.arange(N_DIRECTIONS)
    angles = start + np.where(turns % 2, 1, -1) * ((turns + 1) // 2) * 2 * np.pi / N_DIRECTIONS
    rings = np.array(RINGS[1:])[:, None, None] * np.stack([np.cos(angles), np.sin(angles)], -1)
    return np.vstack([place, place + rings.reshape(-1, 2)])


def _distance(points: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Distance of points (b, 2) from stretches (a, 2), as (a, b)."""
    along = stop - start
    length = np.maximum((along**2).sum(-1), 1e-12)
    share = (
        np.einsum("abk,ak->ab", points[None] - start[:, None], along * np.ones_like(stop)) / length[:, None]
    )
    nearest = start[:, None] + np.clip(share, 0, 1)[..., None] * along[:, None]
    return np.linalg.norm(points[None] - nearest, axis=-1)


def _crosses(start: np.ndarray, stops: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Tell which stretches from one place (to a, 2) cross any of other stretches (b, 2), as (a)."""

    def side(origin: np.ndarray, along: np.ndarray, point: np.ndarray) -> np.ndarray:
        away = point - origin
        return along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]

    mine, theirs = (stops - start)[:, None], ends - starts
    parted = side(start, mine, starts) * side(start, mine, ends) < 0
    parted &= side(starts, theirs, start) * side(starts, theirs, stops[:, None]) < 0
    return np.asarray(parted.any(1))
