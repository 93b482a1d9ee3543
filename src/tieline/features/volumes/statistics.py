"""What can be counted in a volume: pairs of pore voxels, chords, surface, sizes of pores."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.volumes.counting import FAR, count_chords, count_pairs, count_values, squared_distances
from tieline.features.volumes.voxels import Pores, Volume, axes_named, pores_of
from tieline.schema.volumes import shape_text

LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # voxels
FACES_TO_SURFACE = 2 / 3  # of all orientations: a surface shows half of itself along each of three axes
BYTES_OF_DISTANCES = 8  # a voxel


def porosity(volume: Volume, *, pore: int | None = None) -> xr.DataArray:
    """Share of the voxels that are pore.

    Args:
        volume (x, y, z): pore and solid.
        pore: the value that is pore, where the volume's attrs do not tell.
    """
    return _named("porosity", pores_of(volume, pore).porosity, "1")


def two_point(
    volume: Volume, axis: str | None = None, *, lags: Sequence[int] = LAGS, pore: int | None = None
) -> xr.DataArray:
    """How likely two voxels, a distance apart along an axis, are both pore.

    Args:
        volume (x, y, z): pore and solid.
        axis: along which; None for all three.
        lags: distances, voxels, from 0 to less than the volume is long.
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        (axis, lag) or (lag): probabilities, from the porosity at lag 0 towards its square far away; `lag` in
        the unit of the voxels.

    Raises:
        SchemaError: a lag that the volume does not have.
    """
    pores = pores_of(volume, pore)
    numbers = axes_named(axis, pores.axes)
    shortest = min(pores.mask.shape[n] for n in numbers)
    if not lags or not all(0 <= lag < shortest for lag in lags):
        raise SchemaError(
            "Lags run from 0 to less than the volume is long.",
            found=f"lags {list(lags)} in {shape_text(pores.mask.shape)} voxels",
            hint="lags=range(10)",
        )
    values = np.array([[_two_point(pores.mask, number, int(lag)) for lag in lags] for number in numbers])
    lag_attrs = {"units": pores.units}
    coords = {
        "axis": [pores.axes[n] for n in numbers],
        "lag": ("lag", np.array(lags) * pores.voxel_size, lag_attrs),
    }
    answer = xr.DataArray(values, coords, ("axis", "lag"), name="two_point", attrs=_attrs("1"))
    return answer if axis is None else answer[0]


def chord_lengths(
    volume: Volume, axis: str | None = None, *, of: str = "pore", pore: int | None = None
) -> xr.DataArray:
    """Count the chords of each length: straight runs of pore, or of solid, along an axis.

    Args:
        volume (x, y, z): pore and solid.
        axis: along which; None for all three.
        of: "pore" or "solid".
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        (axis, length) or (length): how many chords there are; `length` in the unit of the voxels. A chord
        that a face of the volume cuts off counts with what is left of it.
    """
    if of not in ("pore", "solid"):
        raise SchemaError("Chords are those of pore or of solid.", found=f"of={of!r}")
    pores = pores_of(volume, pore)
    numbers = axes_named(axis, pores.axes)
    mask = pores.mask if of == "pore" else 1 - pores.mask
    longest = max(pores.mask.shape[n] for n in numbers)
    counts = np.zeros((len(numbers), longest + 1), int)
    for row, number in zip(counts, numbers, strict=True):
        found = count_chords(np.moveaxis(mask, number, 0))
        row[: len(found)] = found
    length = np.arange(1, longest + 1) * pores.voxel_size
    coords = {"axis": [pores.axes[n] for n in numbers], "length": ("length", length, {"units": pores.units})}
    answer = xr.DataArray(counts[:, 1:], coords, ("axis", "length"), name="chords", attrs=_attrs("1"))
    return answer if axis is None else answer[0]


def specific_surface(volume: Volume, *, pore: int | None = None) -> xr.DataArray:
    """Area between pore and solid in a volume, over the volume.

    Faces between voxels are counted along each axis. A surface shows, on average over its orientations, half
    of its area along an axis, so the area is two thirds of that of all faces: right for spheres and for
    surfaces without a preferred direction, and two thirds of the area of a cube that lies along the axes.

    Args:
        volume (x, y, z): pore and solid.
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        One number, in one over the unit of the voxels.
    """
    pores = pores_of(volume, pore)
    return _named("specific_surface", sum(faces(pores)) * FACES_TO_SURFACE, pores.per_length)


def pore_sizes(
    volume: Volume, *, quantiles: Sequence[float] = (0.1, 0.5, 0.9), pore: int | None = None
) -> xr.DataArray:
    """How far the places in the pores are from the nearest solid.

    Args:
        volume (x, y, z): pore and solid.
        quantiles: which to give, in [0, 1].
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        (quantile): distances from the centre of a voxel, in the unit of the voxels. What lies beyond the
        faces of the volume does not count. NaN without pores, infinite without solid.
    """
    if not all(0 <= q <= 1 for q in quantiles):
        raise SchemaError("Quantiles lie between 0 and 1.", found=str(list(quantiles)))
    pores = pores_of(volume, pore, bytes_a_voxel=BYTES_OF_DISTANCES)
    squares = squared_distances(pores.mask)
    counts = count_values(squares, min(int(squares.max()), 3 * max(pores.mask.shape) ** 2) + 1)
    counts[0] = 0
    if not counts.any():
        values = np.full(len(quantiles), np.nan)
    elif squares.flat[0] >= FAR:
        values = np.full(len(quantiles), np.inf)
    else:
        below = np.cumsum(counts) / counts.sum()
        values = np.sqrt(
            [int(np.argmax(below >= q)) if q > 0 else int(np.argmax(counts > 0)) for q in quantiles]
        )
    coords = {"quantile": list(quantiles)}
    return xr.DataArray(
        values * pores.voxel_size, coords, "quantile", name="pore_sizes", attrs=_attrs(pores.units)
    )


def faces(pores: Pores) -> list[float]:
    """Area of the faces between pore and solid across each axis, over the volume."""
    mask, areas = pores.mask, []
    for axis in range(mask.ndim):
        first, second = _apart(mask, axis, 1)
        n = np.count_nonzero(first) + np.count_nonzero(second) - 2 * count_pairs(first, second)
        areas.append(n / (first.size * pores.voxel_size) if first.size else 0.0)
    return areas


def _two_point(mask: np.ndarray, axis: int, lag: int) -> float:
    first, second = _apart(mask, axis, lag)
    return count_pairs(first, second) / first.size


def _apart(mask: np.ndarray, axis: int, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask without its last, and without its first, planes."""
    rolled = np.moveaxis(mask, axis, 0)
    n = len(rolled) - lag
    return np.moveaxis(rolled[:n], 0, axis), np.moveaxis(rolled[lag:], 0, axis)


def _named(name: str, value: float, units: str) -> xr.DataArray:
    return xr.DataArray(value, name=name, attrs=_attrs(units))


def _attrs(units: str) -> dict[str, str]:
    return {"units": units, "role": "structure"}
