import numpy as np
import pytest
import tifffile

import tieline as tl
from tieline.readers import volume


@pytest.fixture
def pages():
    """Slices (z, y, x) of 16-bit grey values."""
    return np.random.default_rng(0).integers(0, 2**16, (12, 5, 7)).astype(np.uint16)


def test_a_stack_is_read_with_its_axes_in_order(pages, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", pages)
    read = volume(tmp_path / "scan.tif", voxel_size=150, units="nm")
    assert read.dims == ("x", "y", "z")
    np.testing.assert_array_equal(read.transpose("z", "y", "x"), pages)
    assert read.dtype == np.uint16
    assert read["z"].attrs["units"] == "nm"
    assert read.attrs["source_file"] == "scan.tif"


def test_slices_are_read_in_the_order_of_their_numbers(pages, tmp_path):
    for index, page in enumerate(pages):
        tifffile.imwrite(tmp_path / f"slice_{index}.tif", page)
    (tmp_path / "remarks.txt").write_text("x")
    read = volume(tmp_path, voxel_size=0.15)
    np.testing.assert_array_equal(read.transpose("z", "y", "x"), pages)


def test_refuses_what_is_no_stack(pages, tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"no image")
    tifffile.imwrite(tmp_path / "flat.tif", pages[0])
    (tmp_path / "empty").mkdir()
    for name, said in {
        "missing.tif": "no file or folder",
        "broken.tif": "cannot be read as TIFF",
        "flat.tif": "stack of grey images",
        "empty": "no TIFF files",
    }.items():
        with pytest.raises(tl.SchemaError, match=said):
            volume(tmp_path / name, voxel_size=1.0)


def test_refuses_slices_of_different_sizes(pages, tmp_path):
    tifffile.imwrite(tmp_path / "a1.tif", pages[0])
    tifffile.imwrite(tmp_path / "a2.tif", pages[0, :3])
    with pytest.raises(tl.SchemaError, match=r"a2\.tif"):
        volume(tmp_path, voxel_size=1.0)


def test_a_voxel_has_a_size_in_a_known_unit(pages, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", pages)
    with pytest.raises(tl.SchemaError, match="positive size"):
        volume(tmp_path / "scan.tif", voxel_size=0)
    with pytest.raises(tl.UnitError):
        volume(tmp_path / "scan.tif", voxel_size=1, units="furlongs")
