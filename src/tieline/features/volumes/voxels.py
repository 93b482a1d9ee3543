"""What a user calls a volume -> the pores in it, and the names of its axes."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.schema.memory import require_memory
from tieline.schema.volumes import AXES, PORE, SOLID, shape_text

BYTES_OF_MASK = 2  # a voxel: the mask, and a comparison


class Pores(NamedTuple):
    """The pores of a volume.

    Attributes:
        mask (x, y, z): uint8, 1 for pore.
        axes: names of the axes.
        voxel_size: edge of a voxel; 1 where the volume does not tell.
        units: of the voxel size; "1" where the volume does not tell, so that lengths count voxels.
    """

    mask: np.ndarray
    axes: tuple[str, ...]
    voxel_size: float
    units: str

    def per_length_to(self, power: int) -> str:
        """Unit of what is counted in a length, an area (2) or a volume (3)."""
        return "1" if self.units == "1" else f"1/{self.units}^{power}"

    @property
    def per_length(self) -> str:
        """Unit of an area in a volume."""
        return "1" if self.units == "1" else f"1/{self.units}"

    @property
    def porosity(self) -> float:
        """Share of pore voxels."""
        return np.count_nonzero(self.mask) / self.mask.size


Volume = xr.DataArray | np.ndarray | Pores


def pores_of(volume: Volume, pore: int | None = None, *, bytes_a_voxel: float = BYTES_OF_MASK) -> Pores:
    """Find out which voxels are pores.

    Args:
        volume (x, y, z): two values, one of which is pore; or its pores, which are given back.
        pore: that value; not needed where the volume's attrs tell it.
        bytes_a_voxel: memory that the work on them will need at its peak.

    Raises:
        SchemaError: it is not known which value is pore, or it is none of the volume's; or the volume is no
            array, has not three axes, no voxels, more than two values, or holes.
        TielineError: the memory does not suffice.
    """
    if isinstance(volume, Pores):
        _require_memory(volume.mask.shape, bytes_a_voxel)
        return volume
    if not isinstance(volume, xr.DataArray | np.ndarray):
        raise SchemaError(
            "A volume is an array of voxels.",
            found=f"{volume!r:.80}",
            hint='tl.readers.volume("scan.tif", voxel_size=150, units="nm") reads a file',
        )
    values = np.asarray(volume)
    if values.ndim != len(AXES) or values.size == 0:
        raise SchemaError(
            "A volume has three axes and at least one voxel.",
            found=f"shape {values.shape}",
            hint="of several volumes take one: record['volumes']['volume'][0]",
        )
    _require_memory(values.shape, bytes_a_voxel)
    attrs = volume.attrs if isinstance(volume, xr.DataArray) else {}
    value = _pore_value(attrs) if pore is None else pore
    _require_two_values(values, value)
    return Pores(
        mask=(values == value).view(np.uint8),
        axes=tuple(map(str, volume.dims)) if isinstance(volume, xr.DataArray) else AXES,
        voxel_size=float(attrs.get("voxel_size", 1.0)),
        units=str(attrs.get("voxel_size_units", "1")),
    )


def axes_named(axis: str | int | None, axes: tuple[str, ...]) -> list[int]:
    """Give the numbers of the axes that are asked for; all for None.

    Raises:
        SchemaError: there is no such axis.
    """
    if axis is None:
        return list(range(len(axes)))
    if axis in axes:
        return [axes.index(str(axis))]
    if isinstance(axis, int | np.integer) and not isinstance(axis, bool) and 0 <= axis < len(axes):
        return [int(axis)]
    raise SchemaError(
        f"This volume has no axis {axis!r}.",
        found=f"{', '.join(axes)}.  {did_you_mean(str(axis), axes)}".rstrip(),
        hint="one of these names, or None for all of them",
    )


def _require_memory(shape: tuple[int, ...], bytes_a_voxel: float) -> None:
    work = f"Work on {shape_text(shape)} voxels"
    require_memory(bytes_a_voxel * np.prod(shape, dtype=float), work, hint="a part of the volume")


def _pore_value(attrs: dict) -> int:
    meanings = str(attrs.get("flag_meanings", "")).split()
    if "pore" in meanings and "flag_values" in attrs:
        return int(np.atleast_1d(attrs["flag_values"])[meanings.index("pore")])
    raise SchemaError(
        "It is not known which value of this volume is pore.",
        found="no flag_meanings in its attrs",
        hint=f"pore={PORE} if 0 is pore and 1 is solid, as in tl.worlds.membrane; else pore={SOLID}",
    )


def _require_two_values(values: np.ndarray, pore: int) -> None:
    low, high = values.min(), values.max()
    if values.dtype.kind not in "biu" and not np.isfinite([low, high]).all():
        raise SchemaError(
            "A volume has no holes.", found="values that are not numbers", hint="fill them first"
        )
    n_others = (
        values.size - np.count_nonzero(values == low) - np.count_nonzero(values == high) * (low != high)
    )
    if n_others:
        raise SchemaError(
            "A segmented volume has two values, pore and solid.",
            found=f"{n_others} of {shape_text(values.shape)} voxels between {low:g} and {high:g}",
            hint="segment(volume, porosity=...) for grey values; volume == 2 for one of several labels",
        )
    if low != high and pore not in (low, high):
        raise SchemaError(
            "The value that is to be pore is none of this volume's.",
            found=f"pore={pore}, values {low:g} and {high:g}",
            hint=f"pore={low:g} or pore={high:g}",
        )
