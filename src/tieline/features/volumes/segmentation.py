"""From a real scan to pore and solid: smooth, threshold, cut, resample."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter, zoom

from tieline.errors import SchemaError
from tieline.schema.memory import require_memory
from tieline.schema.volumes import AXES, PORE, SOLID, shape_text, volume_of

BYTES_OF_SMOOTHING = 8  # a voxel
HALF = 0.5  # between pore and solid, where a resampled surface lies


def segment(
    volume: xr.DataArray,
    *,
    porosity: float | None = None,
    threshold: float | None = None,
    smooth: float = 0.0,
    pores_are: str = "dark",
) -> xr.DataArray:
    """Tell pore from solid by the grey value, at a threshold or so that a measured porosity results.

    Args:
        volume (x, y, z): grey values.
        porosity: measured on the specimen; the threshold that gives it is found.
        threshold: a grey value, if the porosity is not known.
        smooth: standard deviation of a Gaussian filter before, voxels; the published study used sqrt(3).
        pores_are: "dark" or "bright".

    Returns:
        (x, y, z): 0 for pore and 1 for solid, places and voxel size as before; attrs `threshold` and the
        `porosity` that came out. Where many voxels share the grey value of the threshold it may differ from
        the one that was asked for.

    Raises:
        SchemaError: not exactly one of porosity and threshold is given, or the grey values have holes.
    """
    if (porosity is None) == (threshold is None):
        raise SchemaError(
            "A volume is segmented by a porosity or by a threshold.",
            found=f"{porosity=}, {threshold=}",
            hint="porosity=0.85, as measured",
        )
    if porosity is not None and not 0 < porosity < 1:
        raise SchemaError("A porosity lies between 0 and 1.", found=f"{porosity=}")
    if pores_are not in ("dark", "bright") or not smooth >= 0:
        raise SchemaError(
            "Pores are dark or bright, and smoothing is not negative.", found=f"{pores_are=}, {smooth=}"
        )
    grey = _grey(volume, smooth)
    if threshold is None:
        assert porosity is not None  # one of the two is given
        n_below = round((porosity if pores_are == "dark" else 1 - porosity) * grey.size)
        rank = min(n_below, grey.size - 1) if pores_are == "dark" else max(n_below - 1, 0)
        threshold = float(np.partition(grey.ravel(), rank)[rank])
    is_solid = grey >= threshold if pores_are == "dark" else grey <= threshold
    made = volume_of(
        np.where(is_solid, SOLID, PORE).astype(np.uint8), *_voxel(volume), is_segmented=True
    ).assign_coords(_places(volume))
    made.attrs |= {"threshold": float(threshold), "porosity": 1 - np.count_nonzero(is_solid) / is_solid.size}
    return made


def crop(volume: xr.DataArray, size: int | Sequence[int], start: Sequence[int] = (0, 0, 0)) -> xr.DataArray:
    """Cut a box out of a volume; its places stay those of the whole.

    Args:
        volume (x, y, z): of any kind.
        size: voxels along an edge, or along x, y and z.
        start: first voxel of the box.

    Raises:
        SchemaError: the box reaches beyond the volume.
    """
    sizes = tuple(size) if isinstance(size, Sequence) else (size,) * len(AXES)
    shape = tuple(volume.sizes[d] for d in volume.dims)
    is_inside = len(sizes) == len(start) == len(shape) and all(
        first >= 0 and n > 0 and first + n <= length
        for first, n, length in zip(start, sizes, shape, strict=True)
    )
    if not is_inside:
        raise SchemaError(
            "The box does not lie in the volume.",
            found=f"{shape_text(sizes)} voxels from {tuple(start)} in {shape_text(shape)}",
        )
    box = {d: slice(first, first + n) for d, first, n in zip(volume.dims, start, sizes, strict=True)}
    return volume.isel(box)


def resample(volume: xr.DataArray, size: int | Sequence[int], *, order: int = 1) -> xr.DataArray:
    """Give a volume another number of voxels, with the same edge in each direction.

    Args:
        volume (x, y, z): pore and solid, or grey values.
        size: new number of voxels along an edge of a cube, or along x, y and z in the same proportion.
        order: of the spline; the published study used splines. Pore and solid are told apart again at half.

    Returns:
        (x, y, z): with the new voxel size.

    Raises:
        SchemaError: voxels would not be cubes any more.
    """
    shape = volume.shape
    sizes = tuple(size) if isinstance(size, Sequence) else (size,) * len(shape)
    factors = [new / old for new, old in zip(sizes, shape, strict=True)] if len(sizes) == len(shape) else []
    if not factors or min(sizes) < 1 or max(factors) > 1.01 * min(factors):
        raise SchemaError(
            "A volume is resampled to cubic voxels.",
            found=f"{shape_text(shape)} voxels to {shape_text(sizes)}",
            hint="crop it first, or keep the proportion",
        )
    is_segmented = "flag_meanings" in volume.attrs
    values = np.asarray(
        zoom(volume.values.astype(np.float32), factors, order=order, mode="nearest", grid_mode=True)
    )
    if is_segmented:
        values = np.where(values >= HALF, SOLID, PORE).astype(np.uint8)
    voxel_size, units = _voxel(volume)
    made = volume_of(values, voxel_size / factors[0], units, is_segmented=is_segmented)
    made.attrs = {**volume.attrs, **made.attrs}
    return made


def _grey(volume: xr.DataArray, smooth: float) -> np.ndarray:
    """Smoothed grey values of a volume."""
    if not isinstance(volume, xr.DataArray) or volume.ndim != len(AXES):
        raise SchemaError(
            "A scan is a volume of grey values with its voxel size.",
            found=f"{type(volume).__name__} of {np.ndim(volume)} dimensions",
            hint="tl.readers.volume('scan.tif', voxel_size=0.15, units='µm')",
        )
    size = float(BYTES_OF_SMOOTHING) * volume.size
    require_memory(size, f"Segmenting {shape_text(volume.shape)} voxels", hint="crop it first")
    grey = np.asarray(volume.values, np.float32)
    if not np.isfinite(grey).all():
        raise SchemaError("A scan has no holes.", found="grey values that are not numbers")
    return np.asarray(gaussian_filter(grey, smooth, mode="nearest")) if smooth else grey


def _voxel(volume: xr.DataArray) -> tuple[float, str]:
    return float(volume.attrs.get("voxel_size", 1.0)), str(volume.attrs.get("voxel_size_units", "1"))


def _places(volume: xr.DataArray) -> dict[str, xr.DataArray]:
    return {str(d): volume[d] for d in volume.dims if d in volume.coords}
