import numpy as np
import pytest
import tifffile

import tieline as tl
from tieline.features import volumes


@pytest.fixture
def stacks():
    """Grey stacks (z, y, x) of two specimens."""
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 250, (9, 10, 12)).astype(np.uint8) for name in ("M-01", "M-02")}


@pytest.fixture
def folder(stacks, tmp_path):
    """A table with two porosities, and the scans of its specimens: one a stack, one a folder of slices."""
    (tmp_path / "sheet.csv").write_text("specimen,porosity\nM1,0.6\nM2,0.8\n")
    tifffile.imwrite(tmp_path / "M-01.tif", stacks["M-01"])
    (tmp_path / "M-02").mkdir()
    for index, page in enumerate(stacks["M-02"]):
        tifffile.imwrite(tmp_path / "M-02" / f"s{index}.tif", page)
    return tmp_path


def test_a_stack_is_a_record_of_one_specimen(stacks, tmp_path):
    tifffile.imwrite(tmp_path / "M-01.tif", stacks["M-01"])
    record = tl.load(tmp_path / "M-01.tif", voxel_size=150, voxel_units="nm")
    assert record["specimens"]["specimen"].values.tolist() == ["M-01"]
    node = record["volumes"]
    assert node["specimen"].values.tolist() == ["M-01"]
    np.testing.assert_array_equal(node["volume"][0].transpose("z", "y", "x"), stacks["M-01"])
    assert node["volume"].dtype == np.uint8
    assert node["x"].attrs["units"] == "nm"
    assert len(record.attrs["source_sha256"]) == 64


def test_a_folder_of_slices_is_one_scan(stacks, tmp_path):
    place = tmp_path / "M-02"
    place.mkdir()
    for index, page in enumerate(stacks["M-02"]):
        tifffile.imwrite(place / f"s{index}.tif", page)
    record = tl.load(place, voxel_size=0.15)
    assert record["volumes"]["specimen"].values.tolist() == ["M-02"]
    np.testing.assert_array_equal(record["volumes"]["volume"][0].transpose("z", "y", "x"), stacks["M-02"])


def test_scans_meet_the_specimens_of_the_table(folder):
    record = tl.load(folder, voxel_size=0.15)
    assert sorted(record["volumes"]["specimen"].values) == ["M1", "M2"]
    assert set(record.attrs["files"]) == {"sheet.csv", "M-01.tif", "M-02"}
    assert any("Scans matched in spite of their spelling" in note for note in record.attrs["notes"])


def test_segmented_scans_have_the_porosity_of_the_table_and_are_described(folder):
    record = volumes.segment_scans(tl.load(folder, voxel_size=0.15), porosity="porosity")
    found = record["volumes"]["porosity"].values
    np.testing.assert_allclose(np.sort(found), [0.6, 0.8], atol=0.01)
    table = tl.represent(record)
    assert {"surface_x", "pore_chord_z"} <= set(table)
    assert table["surface_x"].notnull().all()


def test_images_are_left_aside_without_a_voxel_size(folder):
    record = tl.load(folder)
    assert "volumes" not in record.children
    assert any("M-01.tif" in note and "voxel_size" in note for note in record.attrs["notes"])


def test_a_scan_alone_needs_its_voxel_size(folder):
    with pytest.raises(tl.SchemaError, match="size of its voxels"):
        tl.load(folder / "M-01.tif")
    with pytest.raises(tl.SchemaError, match="say how large a voxel is"):
        tl.load(folder / "M-02")


def test_refuses_scans_of_different_shapes(folder, stacks):
    tifffile.imwrite(folder / "M-03.tif", stacks["M-01"][:-1])
    with pytest.raises(tl.SchemaError, match="one shape"):
        tl.load(folder, voxel_size=0.15)


def test_refuses_to_segment_what_is_not_there(folder):
    with pytest.raises(tl.SchemaError, match="no scans"):
        volumes.segment_scans(tl.load(folder), porosity=0.8)
    (folder / "sheet.csv").write_text("specimen,porosity\nM1,0.6\nM2,80\n")
    with pytest.raises(tl.SchemaError, match="no porosity between 0 and 1 for M2"):
        volumes.segment_scans(tl.load(folder, voxel_size=0.15), porosity="porosity")
