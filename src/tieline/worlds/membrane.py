"""Simulated porous membranes: solid ligaments along the edges of a Voronoi diagram.

Seed points are scattered evenly in a periodic box. The edges of their Voronoi diagram, taken in a
stretched metric, are the frame; every edge becomes a ligament with a round section. Spheres of solid can
stand on the nodes of the frame, spherical pores of log-normal radii can be cut out, and the surface can
be smoothed. The box is periodic throughout: what leaves it on one side comes back on the other.

Source:
    Y. Zhao, KIT (2024), section 4.2.1, which describes such a generator in words. Departs from it: the box
    is periodic; radii are real numbers; a wanted porosity is met by finding the radius.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter
from scipy.optimize import root_scalar

from tieline.errors import NotIdentified, TielineError
from tieline.schema.memory import require_memory
from tieline.schema.volumes import AXES, PORE, SOLID, shape_text, volume_of
from tieline.worlds.voronoi_frame import Frame, voronoi_frame

DEFAULT_RADIUS = 3.4  # voxels; of the published data set
FEWEST_POINTS = 8  # with fewer seeds a cell touches its own copies
SMALLEST_SIZE = 8  # voxels
SHARPEST_STRETCH = 0.1  # beyond it cells are longer than any box that could be computed
RADIUS_TOLERANCE = 1e-4  # voxels; moves the porosity of a membrane by less than 1e-5
SMOOTHING_BYTES = 8  # a voxel: the blurred volume, and the one it is made of


@dataclass(frozen=True)
class Pores:
    """Spherical pores to cut out of a membrane, at random places.

    Attributes:
        n: how many.
        radius: median radius, voxels.
        spread: standard deviation of the logarithm of the radius; 0 for equal spheres.
    """

    n: int
    radius: float
    spread: float = 0.0

    def __post_init__(self) -> None:
        """Refuse spheres that cannot be."""
        if self.n < 0 or not self.radius > 0 or not self.spread >= 0:
            raise TielineError("Pores have a number, a positive radius and a spread.", found=repr(self))


@dataclass(frozen=True, eq=False)
class _Plan:
    """Everything of a membrane but the radius of its ligaments; lengths in voxels."""

    shape: tuple[int, ...]
    frame: Frame
    node_radius: float
    centres: np.ndarray
    pore_radii: np.ndarray
    smooth: float

    def build(self, radius: float) -> np.ndarray:
        """Rasterise (x, y, z): 1 for solid."""
        from tieline.worlds.capsules import draw_capsules

        volume = np.full(self.shape, PORE, np.uint8)
        starts, ends, nodes = self.frame.starts, self.frame.ends, self.frame.nodes
        draw_capsules(volume, starts, ends, np.full(len(starts), float(radius)), SOLID)
        draw_capsules(volume, nodes, nodes, np.full(len(nodes), self.node_radius), SOLID)
        draw_capsules(volume, self.centres, self.centres, self.pore_radii, PORE)
        if self.smooth:
            volume = (gaussian_filter(volume.astype(np.float32), self.smooth, mode="wrap") > 0.5).view(
                np.uint8
            )
        return volume

    def porosity(self, radius: float) -> float:
        return 1 - np.count_nonzero(self.build(radius)) / np.prod(self.shape)

    def radius_for(self, porosity: float) -> float:
        """Find the radius at which the membrane has a porosity.

        Raises:
            NotIdentified: no radius gives it.
        """
        low, high = 0.0, 1.0
        most = self.porosity(low)
        while most > porosity and self.porosity(high) > porosity and high < max(self.shape):
            low, high = high, 2 * high
        least = self.porosity(high)
        if not least <= porosity <= most:
            raise NotIdentified(
                f"No radius of the ligaments gives a porosity of {porosity:g}.",
                found=f"between {least:.3f} and {most:.3f}",
                hint="smaller spheres on the nodes, fewer pores, or less smoothing",
            )
        if porosity in (least, most):
            return high if porosity == least else low
        found = root_scalar(
            lambda r: self.porosity(r) - porosity, bracket=(low, high), method="brentq", xtol=RADIUS_TOLERANCE
        )
        return float(found.root)


def membrane(
    n_points: int,
    stretch: Sequence[float] = (1.0, 1.0, 1.0),
    radius: float | None = None,
    size: int | Sequence[int] = 200,
    seed: int = 0,
    *,
    porosity: float | None = None,
    spheres: float | None = None,
    pores: Pores | None = None,
    smooth: float = 0.0,
    voxel_size: float = 0.15,
) -> xr.DataArray:
    """Make a porous membrane: ligaments along the edges of a periodic Voronoi diagram.

    Args:
        n_points: seeds of the diagram in the box, at least 8; more of them make smaller pores.
        stretch: of the metric along x, y and z, in [0.1, 1]; cells are 1/stretch times as long along an
            axis, so 1 leaves it alone and a smaller number stretches more.
        radius: of the ligaments, voxels; by default 3.4, as published.
        size: voxels along an edge of a cube, or along x, y and z.
        seed: of the places of seeds and pores; the same seed gives the same membrane.
        porosity: wanted; the radius that gives it is found.
        spheres: radius of a sphere of solid on every node of the frame, voxels.
        pores: spheres to cut out.
        smooth: standard deviation of a Gaussian that rounds the surface, voxels.
        voxel_size: edge of a voxel, µm.

    Returns:
        (x, y, z): 0 for pore and 1 for solid, places in µm. attrs has `voxel_size`, what it was made of, and
        the `radius` that was found.

    Raises:
        NotIdentified: no radius gives the wanted porosity.
        TielineError: a number that makes no sense, or more voxels than the memory holds.

    Example:
        >>> made = membrane(20, stretch=(1, 0.75, 1), size=48, porosity=0.85, seed=1)
        >>> made.sizes["x"], round(1 - float(made.mean()), 3)
        (48, 0.85)
    """
    shape = _shape(size)
    _check(n_points, stretch, radius, porosity, spheres, smooth)
    bytes_a_voxel = 1 + (SMOOTHING_BYTES if smooth else 0)
    require_memory(
        float(np.prod(shape, dtype=float)) * bytes_a_voxel, f"A membrane of {shape_text(shape)} voxels"
    )
    places, holes = np.random.default_rng(seed).spawn(2)
    box = np.array(shape, float)
    n_pores = pores.n if pores else 0
    plan = _Plan(
        shape=shape,
        frame=voronoi_frame(places.random((n_points, 3)) * box, box, np.array(stretch, float)),
        node_radius=float(spheres or 0),
        centres=holes.random((n_pores, 3)) * box,
        pore_radii=pores.radius * np.exp(pores.spread * holes.standard_normal(n_pores))
        if pores
        else np.zeros(0),
        smooth=float(smooth),
    )
    if porosity is not None:
        radius = plan.radius_for(porosity)
    elif radius is None:
        radius = DEFAULT_RADIUS
    made = volume_of(plan.build(radius), voxel_size, "µm", is_segmented=True)
    made.attrs |= {"n_points": int(n_points), "radius": float(radius), "seed": int(seed)}
    made.attrs |= {f"stretch_{axis}": float(e) for axis, e in zip(AXES, stretch, strict=True)}
    made.attrs |= {"node_radius": plan.node_radius, "n_pores": n_pores, "smooth": plan.smooth}
    return made


def _shape(size: int | Sequence[int]) -> tuple[int, ...]:
    shape = tuple(size) if isinstance(size, Sequence) else (size,) * len(AXES)
    is_whole = all(isinstance(n, int | np.integer) for n in shape)
    if len(shape) != len(AXES) or not is_whole or min(shape) < SMALLEST_SIZE:
        raise TielineError(
            f"The size of a membrane is one or three whole numbers of voxels, at least {SMALLEST_SIZE}.",
            found=f"size={size}",
            hint="200, or (200, 200, 100)",
        )
    return tuple(int(n) for n in shape)


def _check(
    n_points: int,
    stretch: Sequence[float],
    radius: float | None,
    porosity: float | None,
    spheres: float | None,
    smooth: float,
) -> None:
    """Refuse settings that make no membrane."""
    factors = np.atleast_1d(np.asarray(stretch, float))
    wrong = {
        f"n_points is a whole number, at least {FEWEST_POINTS}": (
            not isinstance(n_points, int | np.integer) or n_points < FEWEST_POINTS,
            f"n_points={n_points}",
        ),
        f"stretch is three factors from {SHARPEST_STRETCH:g} to 1": (
            factors.shape != (3,) or not ((factors >= SHARPEST_STRETCH) & (factors <= 1)).all(),
            f"stretch={stretch}",
        ),
        "radius is a positive number of voxels": (
            radius is not None and not 0 < radius < np.inf,
            f"radius={radius}",
        ),
        "porosity lies between 0 and 1": (
            porosity is not None and not 0 < porosity < 1,
            f"porosity={porosity}",
        ),
        "of radius and porosity one is given, as one follows from the other": (
            radius is not None and porosity is not None,
            f"radius={radius}, porosity={porosity}",
        ),
        "spheres is a radius in voxels": (
            spheres is not None and not 0 <= spheres < np.inf,
            f"spheres={spheres}",
        ),
        "smooth is a number of voxels, not negative": (not 0 <= smooth < np.inf, f"smooth={smooth}"),
    }
    for rule, (is_broken, found) in wrong.items():
        if is_broken:
            raise TielineError(f"Of a membrane, {rule}.", found=found)
