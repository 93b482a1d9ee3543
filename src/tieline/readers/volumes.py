"""Scans as stacks of TIFF images -> a volume of grey values or labels."""

import os
import re
from pathlib import Path

import numpy as np
import tifffile
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.memory import require_memory
from tieline.schema.volumes import shape_text, volume_of
from tieline.schema.wording import name_some

ENDINGS = {".tif", ".tiff"}
COPIES = 2  # held at once: the pages as they lie in the file, and with the axes in our order


def volume(path: str | os.PathLike[str], *, voxel_size: float, units: str = "µm") -> xr.DataArray:
    """Read a scan: one TIFF file of many pages, or a folder of one TIFF file a slice.

    Args:
        path: the file or the folder; slices are taken in the order of the numbers in their names.
        voxel_size: edge of a voxel, as the instrument says.
        units: of the voxel size.

    Returns:
        (x, y, z): x along the columns of an image, y along its rows, z from image to image, in the number
        format of the file. `tl.features.volumes.segment` tells pore from solid.

    Raises:
        SchemaError: there is no such file, it is not readable, or it is not a stack of equal grey images.
        TielineError: the memory does not suffice.
    """
    place = Path(path)
    if place.is_dir():
        pages = _slices(place)
    elif place.is_file():
        pages = _pages(place)
    else:
        raise SchemaError(f"There is no file or folder '{place}'.", hint="check the name")
    if pages.ndim != 3:
        raise SchemaError(
            "A scan is a stack of grey images.",
            found=f"'{place.name}' holds an array of {shape_text(pages.shape)}",
            hint="export it as grey values, one image a slice",
        )
    made = volume_of(np.ascontiguousarray(pages.T), voxel_size, units, is_segmented=False)
    made.attrs["source_file"] = place.name
    return made


def _pages(file: Path) -> np.ndarray:
    try:
        with tifffile.TiffFile(file) as tiff:
            series = tiff.series[0]
            _require(series.nbytes, series.shape)
            return series.asarray()
    except (tifffile.TiffFileError, ValueError, IndexError, OSError) as error:
        raise _unreadable(file, error) from error


def _slices(folder: Path) -> np.ndarray:
    files = sorted((f for f in folder.iterdir() if f.suffix.lower() in ENDINGS), key=_by_number)
    if not files:
        raise SchemaError(
            f"The folder '{folder.name}' holds no TIFF files.", hint="their names end in .tif or .tiff"
        )
    first = _page(files[0])
    _require(first.nbytes * len(files), (len(files), *first.shape))
    pages = np.empty((len(files), *first.shape), first.dtype)
    strangers = []
    for index, file in enumerate(files):
        page = _page(file)
        if page.shape == first.shape and page.dtype == first.dtype:
            pages[index] = page
        else:
            strangers.append(file.name)
    if strangers:
        raise SchemaError(
            "The slices of a scan have one size and one number format.",
            found=f"other than in '{files[0].name}': {name_some(strangers)}",
            hint="keep only the slices in this folder",
        )
    return pages


def _page(file: Path) -> np.ndarray:
    try:
        return tifffile.imread(file)
    except (tifffile.TiffFileError, ValueError, IndexError, OSError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> SchemaError:
    return SchemaError(
        f"'{file.name}' cannot be read as TIFF.",
        found=str(error).splitlines()[0] if str(error) else type(error).__name__,
        hint="the file may be damaged or of another kind; export it again",
    )


def _require(n_bytes: int, shape: tuple[int, ...]) -> None:
    require_memory(
        COPIES * float(n_bytes), f"A scan of {shape_text(shape)} voxels", hint="crop it before export"
    )


def _by_number(file: Path) -> list[tuple[int, str]]:
    """Sort slice_2 before slice_10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", file.stem)]
