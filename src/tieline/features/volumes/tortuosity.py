"""Tortuosity: how much longer diffusion through the pores of a volume takes than through open space."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from tieline.errors import NotConverged, TielineError
from tieline.features.volumes import diffusion
from tieline.features.volumes.multigrid import Multigrid, multigrid
from tieline.features.volumes.percolation import connected, through
from tieline.features.volumes.voxels import Pores, Volume, axes_named, pores_of

BYTES_A_VOXEL = 37  # at the peak, besides the volume itself
FLUX_TOLERANCE = 10  # times the tolerance: three estimates of the flux may differ by so much
TINY = 1e-30  # where open space leaves nothing over, the residual is 0
WORST_RATIO = 0.95  # of one step's gain to the one before, when the rest is extrapolated


class _Solution(NamedTuple):
    """What solving one axis gave; fluxes relative to that through open space."""

    diffusivity: float = 0.0
    residual: float = 0.0
    flux_mismatch: float = 0.0
    n_iterations: int = 0


def tortuosity(
    volume: Volume,
    axis: str | int | None = None,
    *,
    pore: int | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
) -> xr.DataArray:
    """Compute the tortuosity factor of a porous volume along one axis, or along all three.

    Laplace's equation is solved in the pores between two faces kept at 1 and 0, with no flux through solid
    and through the other faces. The factor is porosity / (effective diffusivity / free diffusivity): 1 in
    open space and in straight channels, infinite where no pore leads through. Pores that do not lead
    through count in the porosity and carry nothing.

    Args:
        volume (x, y, z): pore and solid.
        axis: of the diffusion; None for all three.
        pore: the value that is pore, where the volume's attrs do not tell.
        tolerance: relative error of the answer at which to stop. The fluxes at both faces and the dissipation
            must also agree within ten times that.
        max_iterations: of conjugate gradients; 5 to 30 are usual.

    Returns:
        (axis) or one number, with coordinates `effective_diffusivity` (relative to free diffusion),
        `residual` (of the equations, relative), `flux_mismatch` (relative) and `n_iterations`; attrs
        `porosity`.

    Raises:
        SchemaError: the volume is not pore and solid, or has no such axis.
        NotConverged: the tolerance was not reached.
        TielineError: the memory does not suffice.

    Source:
        Zhao, KIT (2024), appendix B. The walls lie on the outer faces of the volume, half a voxel from the
        first centres, as in Cooper et al., SoftwareX 5 (2016) 203, doi:10.1016/j.softx.2016.09.002.

    Example:
        >>> import numpy as np
        >>> layers = np.zeros((8, 8, 8), np.uint8)
        >>> layers[:, ::2] = 1  # solid
        >>> tortuosity(layers, pore=0).values.round(4).tolist()
        [1.0, inf, 1.0]
    """
    if not 1e-6 <= tolerance < 1:
        raise TielineError(
            "The tolerance is a relative error, from 1e-6 to 1: voxels are computed in single precision.",
            found=f"tolerance={tolerance:g}",
        )
    pores = pores_of(volume, pore, bytes_a_voxel=BYTES_A_VOXEL)
    numbers = axes_named(axis, pores.axes)
    labels = connected(pores.mask)
    answers = [_solve_axis(labels, number, tolerance, max_iterations) for number in numbers]
    answer = _answer(pores, numbers, answers)
    return answer if axis is None else answer[0]


def _solve_axis(labels: np.ndarray, number: int, tolerance: float, max_iterations: int) -> _Solution:
    """Solve along one axis, in the parts of the pores that lead through."""
    leads = np.zeros(labels.max() + 1, np.uint8)
    leads[through(labels, number)] = 1
    if not leads.any():
        return _Solution()
    pore = np.pad(np.moveaxis(leads[labels], number, 0), 1)
    solution = _solve(multigrid(pore), pore, tolerance, max_iterations)
    if solution is None:
        raise NotConverged(
            f"The diffusion along axis {number} was not solved.",
            found=f"{max_iterations} iterations",
            hint="a larger max_iterations, or a larger tolerance",
        )
    return solution


def _solve(grids: Multigrid, pore: np.ndarray, tolerance: float, max_iterations: int) -> _Solution | None:
    """Solve for the concentration by preconditioned conjugate gradients; None if the tolerance is not met.

    Unknown is the deviation from open space, where single precision loses least. The dissipation of any
    concentration is above the true flux, by the square of its error in the energy norm. Each step says how
    much it takes off, so what is left can be extrapolated; it is small long before concentrations are exact.
    """
    n_x, n_y, n_z = (n - 2 for n in pore.shape)
    deviation, start, residual, direction, image, solved = (
        np.zeros(pore.shape, np.float32) for _ in range(6)
    )
    straight = diffusion.start_straight(pore, start)
    residual[:] = start
    through_wall = [np.count_nonzero(pore[i]) / n_x for i in (1, n_x)]
    gains: list[float] = []
    along = 0.0
    for n_iterations in range(1, max_iterations + 1):
        grids.cycle(residual, solved, image)
        before, along = along, diffusion.dot(residual, solved)
        diffusion.scale_and_add(direction, along / before if before > 0 else 0.0, solved)
        curvature = diffusion.multiply(grids.diagonal, direction, image)
        step = along / curvature if curvature > 0 else 0.0
        diffusion.add(deviation, step, direction)
        diffusion.add(residual, -step, image)
        gains.append(max(step * along, 0.0))
        fluxes = (
            through_wall[0] - diffusion.WALL * float(deviation[1].sum(dtype=float)),
            through_wall[1] + diffusion.WALL * float(deviation[n_x].sum(dtype=float)),
            straight - diffusion.dot(start, deviation) - diffusion.dot(residual, deviation),
        )
        mismatch = (max(fluxes) - min(fluxes)) / fluxes[2]
        if _left(gains) <= tolerance * fluxes[2] and mismatch <= FLUX_TOLERANCE * tolerance:
            size = np.sqrt(diffusion.dot(residual, residual) / max(diffusion.dot(start, start), TINY))
            return _Solution(fluxes[2] * n_x / (n_y * n_z), size, mismatch, n_iterations)
    return None


def _left(gains: list[float]) -> float:
    """Extrapolate what further steps would gain, from the slower of the last two decays."""
    if len(gains) < 3:
        return gains[-1] / (1 - WORST_RATIO) if gains[-1] > 0 else 0.0
    last, before, first = gains[-1], gains[-2], gains[-3]
    if last == 0:
        return 0.0
    ratio = min(max(last / before, before / first), WORST_RATIO)
    return last * ratio / (1 - ratio)


def _answer(pores: Pores, numbers: list[int], answers: list[_Solution]) -> xr.DataArray:
    diffusivity = np.array([a.diffusivity for a in answers])
    with np.errstate(divide="ignore"):
        factor = np.where(diffusivity > 0, pores.porosity / np.where(diffusivity > 0, diffusivity, 1), np.inf)
    one = {"units": "1"}
    coords = {
        "axis": [pores.axes[n] for n in numbers],
        "effective_diffusivity": ("axis", diffusivity, one),
        "residual": ("axis", [a.residual for a in answers], one),
        "flux_mismatch": ("axis", [a.flux_mismatch for a in answers], one),
        "n_iterations": ("axis", [a.n_iterations for a in answers], one),
    }
    attrs = {"units": "1", "role": "property", "porosity": pores.porosity}
    return xr.DataArray(factor, coords, "axis", name="tortuosity", attrs=attrs)
