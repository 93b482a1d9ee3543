import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError


@pytest.fixture
def table():
    sheet = pd.DataFrame(
        {
            "specimen": ["s1", "s2", "Ω3"],
            "Fe": [20, 30.2, 40],
            "Ga": [80, 70, 60],
            "phase": ["bcc", "", "fcc"],
            "dwell_time": [10.0, np.nan, 30],
            "remark": ["a", "b", "c"],
        }
    )
    return tl.table(sheet, composition=["Fe", "Ga"], units={"dwell_time": "min"})


@pytest.fixture
def record(table):
    patterns = xr.Dataset(
        {
            "intensity": (
                ("measurement", "two_theta"),
                np.ones((2, 3), np.float32),
                {"range": np.array([0.0, 9.0])},
            ),
            "image": (("measurement", "row", "column"), np.full((2, 2, 2), 255, np.uint8)),
        },
        coords={
            "specimen": ("measurement", ["s1", "s1"]),
            "two_theta": ("two_theta", [1.0, 2, 3], {"units": "deg"}),
        },
    )
    tree = xr.DataTree.from_dict({"/specimens": table, "/xrd": patterns})
    tree.attrs |= {"source": "a lab", "rows": [1], "empty": [], "is_real": True, "nested": {"a": [1, None]}}
    tree.attrs |= {"blank": "", "mark": "json: a word", "count": 3}
    return tree


def test_a_table_survives(table, tmp_path):
    path = tl.save_netcdf(table, tmp_path / "table.nc")
    xr.testing.assert_identical(tl.open_netcdf(path), table)


def test_a_record_survives(record, tmp_path):
    loaded = tl.open_netcdf(tl.save_netcdf(record, tmp_path / "record.nc"))
    xr.testing.assert_identical(loaded, record)
    assert loaded.attrs == record.attrs
    assert loaded["xrd"]["image"].dtype == np.uint8
    assert loaded["specimens"]["phase"].dtype.kind == "U"


def test_minutes_stay_numbers(table, tmp_path):
    loaded = tl.open_netcdf(tl.save_netcdf(table, tmp_path / "table.nc"))
    assert loaded["dwell_time"].dtype == float
    assert loaded["dwell_time"].attrs["units"] == "min"


def test_one_note_or_none_stays_a_list(table, tmp_path):
    for notes in ([], ["one"], ["one", "two"]):
        loaded = tl.open_netcdf(tl.save_netcdf(table.assign_attrs(notes=notes), tmp_path / "table.nc"))
        assert loaded.attrs["notes"] == notes


def test_saving_leaves_its_input_alone(record, tmp_path):
    before = record.copy(deep=True)
    tl.save_netcdf(record, tmp_path / "record.nc")
    xr.testing.assert_identical(record, before)
    assert record.attrs == before.attrs


def test_a_failed_save_keeps_the_old_file_and_leaves_nothing_behind(table, tmp_path):
    path = tl.save_netcdf(table, tmp_path / "table.nc")
    old = path.read_bytes()
    with pytest.raises(SchemaError, match=r"'table.nc' could not be written"):
        tl.save_netcdf(table.assign_attrs(model=object()), path)
    with pytest.raises(SchemaError, match=r"'table.nc' could not be written"):
        tl.save_netcdf(table.assign(odd=("specimen", np.array([{}, [], 1], dtype=object))), path)
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["table.nc"]


def test_a_name_with_a_slash_is_refused(table, tmp_path):
    with pytest.raises(SchemaError, match="stress/strain"):
        tl.save_netcdf(table.rename(dwell_time="stress/strain"), tmp_path / "table.nc")


def test_missing_folders_and_files_are_named(table, tmp_path):
    with pytest.raises(SchemaError, match=r"There is no folder .*nowhere"):
        tl.save_netcdf(table, tmp_path / "nowhere" / "table.nc")
    with pytest.raises(SchemaError, match=r"There is no file .*absent\.nc"):
        tl.open_netcdf(tmp_path / "absent.nc")


def test_what_is_no_netcdf_is_refused(tmp_path):
    for content in (b"", b"hardness\n1.0\n", b"\x89HDF\r\n\x1a\n" + b"\x00" * 64):
        path = tmp_path / "bad.nc"
        path.write_bytes(content)
        with pytest.raises(SchemaError, match=r"'bad.nc' cannot be read as netCDF-4") as caught:
            tl.open_netcdf(path)
        assert caught.value.found


def test_a_file_cut_short_is_refused(record, tmp_path):
    path = tl.save_netcdf(record, tmp_path / "record.nc")
    whole = path.read_bytes()
    for fraction in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * fraction)])
        with pytest.raises(SchemaError, match=r"'record.nc' cannot be read"):
            tl.open_netcdf(path)


def test_a_file_of_another_program_is_read(tmp_path):
    foreign = xr.Dataset({"t": ("x", [1.0, 2.0], {"units": "h", "valid_range": np.array([0.0, 9.0])})})
    foreign.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    np.testing.assert_array_equal(tl.open_netcdf(tmp_path / "foreign.nc")["t"], [1.0, 2.0])
