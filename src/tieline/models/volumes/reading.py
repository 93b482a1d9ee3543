"""Volumes as a user has them -> blocks of voxels as a network reads them, and what is known of each."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.models.arrays import Array
from tieline.schema import require, specimens_of
from tieline.schema.memory import require_memory
from tieline.schema.volumes import AXES, shape_text
from tieline.schema.wording import name_some

READER = "VolumeAutoencoder"
NODE = "volumes"
SMALLEST_EDGE = 16  # blocks; a network halves it four times


@dataclass(frozen=True, eq=False)
class Volumes:
    """Porous volumes in blocks of voxels.

    Attributes:
        solid (specimen, x, y, z): voxels of solid in every block.
        block: voxels in a block.
        specimen (specimen): identities.
        known: numeric columns on `specimen`, of what was asked for.
    """

    solid: np.ndarray
    block: int
    specimen: np.ndarray
    known: xr.Dataset

    @property
    def edge(self) -> int:
        """Blocks along an edge."""
        return self.solid.shape[1]

    @property
    def porosity(self) -> Array:
        """Share of pore voxels (specimen); blocks lose nothing of it."""
        return 1 - self.solid.mean((1, 2, 3), dtype=float) / self.block

    def shares(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Share of solid in every block (specimen, x, y, z), single precision."""
        return self.solid[rows].astype(np.float32) / np.float32(self.block)


def read_volumes(
    source: xr.DataTree | xr.Dataset | xr.DataArray,
    name: str,
    pore: int | None,
    size: int | None,
    columns: tuple[str, ...] = (),
) -> Volumes:
    """Read volumes, and the columns that are known of their specimens.

    Args:
        source: a record with the node /volumes; a table with a variable of volumes (specimen, x, y, z); or
            one volume (x, y, z), or several (specimen, x, y, z).
        name: of the variable of volumes.
        pore: the value that is pore, where attrs do not tell.
        size: blocks along an edge; None for one voxel a block.
        columns: names of the columns that are wanted.

    Raises:
        SchemaError: there are no volumes, or not cubes of pore and solid that divide into such blocks; or a
            column is missing.
        TielineError: the memory does not suffice.
    """
    volumes, known = _find(source, name, columns)
    first = volumes.dims[0]
    shape = volumes.shape[1:]
    edge = _edge(shape, size)
    factor = shape[0] // edge
    block = factor ** len(AXES)
    kind = np.dtype(np.uint8 if block < 2**8 else np.uint16 if block < 2**16 else np.uint32)
    n = volumes.sizes[first]
    work = f"{n} volumes of {shape_text((edge,) * 3)} blocks"
    require_memory(float(n) * edge**3 * kind.itemsize, work, hint="fewer volumes, or a smaller size=")
    solid = np.empty((n, edge, edge, edge), kind)
    for i in range(n):
        solid[i] = _blocks(_solid(volumes[i], pore, i), edge, factor).astype(kind)
    names = known["specimen"].values if "specimen" in known.coords else np.arange(n)
    return Volumes(solid, block, names, known)


def _find(
    source: xr.DataTree | xr.Dataset | xr.DataArray, name: str, columns: tuple[str, ...]
) -> tuple[xr.DataArray, xr.Dataset]:
    """The stack of volumes (specimen, x, y, z), and the columns that go with it."""
    if isinstance(source, xr.DataTree):
        if NODE not in source.children or name not in source[NODE].to_dataset():
            raise SchemaError(
                f"{READER} reads volumes, and this record has none.",
                found=f"nodes {name_some(source.children)}",
                hint="tl.load(path, voxel_size=...) reads scans; a table holds volumes (specimen, x, y, z)",
            )
        node = source[NODE].to_dataset()
        specimens = specimens_of(source)
        require(specimens, list(columns), READER)
        owners = node["specimen"].values
        rows = {str(s): i for i, s in enumerate(specimens["specimen"].values)}
        picked = specimens[list(columns)].isel(specimen=[rows[str(o)] for o in owners])
        return node[name], _numbers(picked.assign_coords(specimen=owners))
    if isinstance(source, xr.Dataset):
        require(source, [name, *columns], READER)
        stack = _stacked(source[name])
        known = source[list(columns)].drop_vars(AXES, errors="ignore")
        return stack, _numbers(known.assign_coords(specimen=source["specimen"]))
    if isinstance(source, xr.DataArray) and not columns:
        stack = _stacked(source)
        has_names = "specimen" in source.coords
        names = {"specimen": np.atleast_1d(source["specimen"].values)} if has_names else {}
        return stack, xr.Dataset(coords=names)
    raise SchemaError(
        f"{READER} reads a record, a table, or volumes with the axes x, y and z.", found=type(source).__name__
    )


def _stacked(volumes: xr.DataArray) -> xr.DataArray:
    missing = [axis for axis in AXES if axis not in volumes.dims]
    others = [str(d) for d in volumes.dims if d not in AXES]
    if missing or len(others) > 1:
        near = [did_you_mean(axis, others) for axis in missing]
        raise SchemaError(
            "Volumes have the axes x, y and z, and one more where there are several.",
            found=f"dimensions {name_some(volumes.dims)}. {' '.join(n for n in near if n)}".rstrip(),
            hint="volume.rename(...), or volume.expand_dims('specimen')",
        )
    return (volumes if others else volumes.expand_dims("specimen")).transpose(..., *AXES)


def _numbers(columns: xr.Dataset) -> xr.Dataset:
    text = [str(n) for n, v in columns.data_vars.items() if v.dtype.kind not in "biuf" or v.ndim != 1]
    if text:
        raise SchemaError(
            f"{READER} predicts columns of numbers.",
            found=f"{name_some(text)} are none",
            hint="leave them out",
        )
    return columns.astype(float)


def _edge(shape: tuple[int, ...], size: int | None) -> int:
    if len(set(shape)) > 1:
        raise SchemaError(
            f"{READER} reads cubes.",
            found=f"volumes of {shape_text(shape)} voxels",
            hint="tl.features.volumes.crop(volume, size)",
        )
    edge = shape[0] if size is None else size
    if edge < SMALLEST_EDGE or edge & (edge - 1) or shape[0] % edge:
        raise SchemaError(
            f"The edge that a network reads is a power of two, at least {SMALLEST_EDGE}, and divides that of "
            "the volumes.",
            found=f"size={edge}, volumes of {shape_text(shape)} voxels",
            hint="size=32 for volumes of 64, 96 or 128; tl.features.volumes.resample or crop for others",
        )
    return edge


def _solid(volume: xr.DataArray, pore: int | None, number: int) -> np.ndarray:
    from tieline.features.volumes.voxels import pores_of  # late: it loads the compiler of voxels

    try:
        return 1 - pores_of(volume, pore).mask
    except SchemaError as error:
        raise SchemaError(f"Volume {number}: {error.what}", found=error.found, hint=error.hint) from error


def _blocks(solid: np.ndarray, edge: int, factor: int) -> np.ndarray:
    if factor == 1:
        return solid
    return solid.reshape(edge, factor, edge, factor, edge, factor).sum((1, 3, 5), dtype=np.uint32)
