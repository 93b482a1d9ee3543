import os
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import tieline as tl
from tieline.errors import SchemaError

ANGLES = np.round(np.arange(30, 35, 0.1), 3)


def peak(centre: float, angles: np.ndarray = ANGLES) -> np.ndarray:
    return np.round(5 + 100 * np.exp(-(((angles - centre) / 0.4) ** 2)), 3)


def write_xy(path: Path, centre: float, angles: np.ndarray = ANGLES, start: str = "# Cu K-alpha\n") -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [f"{a:.3f} {i:.3f}" for a, i in zip(angles, peak(centre, angles), strict=True)]
    path.write_text(start + "\n".join(lines) + "\n")


def test_a_bare_matrix_whose_first_row_is_the_axis(tmp_path):
    rows = [ANGLES, peak(31), peak(32), peak(33)]
    (tmp_path / "xrd.txt").write_text("\n".join(",".join(map(str, row)) for row in rows))
    record = tl.load(tmp_path / "xrd.txt")
    xrd = record["xrd"]
    assert xrd["intensity"].dims == ("measurement", "two_theta")
    np.testing.assert_array_equal(xrd["two_theta"], ANGLES)
    np.testing.assert_array_equal(xrd["intensity"], [peak(31), peak(32), peak(33)])
    assert xrd["specimen"].values.tolist() == [1, 2, 3]
    assert (xrd["intensity"].attrs["units"], xrd["two_theta"].attrs["units"]) == ("counts", "deg")


def test_a_wide_table_with_settings_beside_the_patterns(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["sample", "Fe", "Ga", *ANGLES.tolist()])
    for name, fe, centre in (("a", 0.2, 31), ("b", 0.5, 32), ("c", 0.9, 33)):
        book.active.append([name, fe, 1 - fe, *peak(centre).tolist()])
    book.save(tmp_path / "wide.xlsx")
    record = tl.load(tmp_path / "wide.xlsx")
    assert record["xrd"]["specimen"].values.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(record["xrd"]["intensity"][1], peak(32))
    np.testing.assert_allclose(record["specimens"]["composition"].sel(element="Fe"), [0.2, 0.5, 0.9])


def test_a_table_with_one_specimen_a_column(tmp_path):
    table = np.column_stack([ANGLES, peak(31), peak(33)])
    text = "2θ (deg);S1;S2\n" + "\n".join(";".join(str(v).replace(".", ",") for v in row) for row in table)
    (tmp_path / "xrd.csv").write_text(text, encoding="utf-8")
    record = tl.load(tmp_path / "xrd.csv")
    assert record["xrd"]["specimen"].values.tolist() == ["S1", "S2"]
    np.testing.assert_array_equal(record["xrd"]["intensity"][1], peak(33))


def test_a_single_file_is_named_by_its_stem_and_may_run_downwards(tmp_path):
    write_xy(tmp_path / "S7.xy", 32, ANGLES[::-1])
    record = tl.load(tmp_path / "S7.xy")
    assert record["specimens"].specimen.values.tolist() == ["S7"]
    np.testing.assert_array_equal(record["xrd"]["intensity"][0], peak(32))


def test_a_third_column_of_xye_is_the_error(tmp_path):
    rows = np.column_stack([ANGLES, peak(31), np.sqrt(peak(31)).round(3)])
    (tmp_path / "S1.xye").write_text("\n".join(" ".join(map(str, row)) for row in rows))
    xrd = tl.load(tmp_path / "S1.xye")["xrd"]
    np.testing.assert_array_equal(xrd["intensity_sd"][0], np.sqrt(peak(31)).round(3))


def test_a_folder_of_a_sheet_and_patterns(tmp_path):
    (tmp_path / "spread.csv").write_text("sample,hardness (HV)\nS-01,200\nS-02,210\nS-03,220\n")
    (tmp_path / "photo.png").write_bytes(b"png")
    (tmp_path / "readme.txt").write_text("Measured on a Tuesday.\n")
    write_xy(tmp_path / "xrd" / "S-01.xy", 31)
    write_xy(tmp_path / "xrd" / "s2.dat", 32, start="")
    write_xy(tmp_path / "xrd" / "S-09.xy", 33)
    record = tl.load(tmp_path)
    assert record["xrd"]["specimen"].values.tolist() == ["S-01", "S-02"]
    assert record["specimens"]["hardness"].values.tolist() == [200, 210, 220]
    notes = "\n".join(record.attrs["notes"])
    for part in ("s2 as S-02", "left out: S-09", "without a pattern: S-03", "photo.png", "readme.txt"):
        assert part in notes
    assert set(record.attrs["files"]) == {
        "spread.csv", "readme.txt", "xrd/S-01.xy", "xrd/S-09.xy", "xrd/s2.dat"
    }  # fmt: skip
    tl.check(record)


def test_corrections_to_a_folder_are_remembered_beside_its_sheet(tmp_path):
    (tmp_path / "spread.csv").write_text("sample,h\nS1,200\nS2,210\nS3,230\n")
    write_xy(tmp_path / "S1.xy", 31)
    tl.load(tmp_path, columns={"h": {"name": "hardness", "units": "HV"}})
    assert tl.load(tmp_path)["specimens"]["hardness"].attrs["units"] == "HV"
    assert (tmp_path / "spread.csv.columns.toml").is_file()


def test_different_grids_meet_on_the_finest_common_one(tmp_path):
    write_xy(tmp_path / "a.xy", 32, np.round(np.arange(30, 35, 0.1), 3))
    write_xy(tmp_path / "b.xy", 32, np.round(np.arange(31, 36, 0.02), 3))
    record = tl.load(tmp_path)
    grid = record["xrd"]["two_theta"].values
    assert (grid[0], grid[-1]) == pytest.approx((31.0, 34.9))
    assert np.diff(grid) == pytest.approx(0.02)
    np.testing.assert_allclose(record["xrd"]["intensity"][0], peak(32, grid), atol=2.0)
    assert any("interpolated" in note for note in record.attrs["notes"])


def test_patterns_without_common_angles_are_refused(tmp_path):
    write_xy(tmp_path / "a.xy", 32, np.arange(10, 20, 0.1))
    write_xy(tmp_path / "b.xy", 32, np.arange(30, 40, 0.1))
    with pytest.raises(SchemaError, match="no range of angles in common"):
        tl.load(tmp_path)


def test_two_sheets_in_a_folder_are_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("sample,x\na,1\nb,2\n")
    with pytest.raises(SchemaError, match="several tables"):
        tl.load(tmp_path)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("36.0 abc", "holds text among its numbers"),
        ("36.0 inf", "infinite"),
        ("29.0 7", "two_theta"),
    ],
)
def test_a_broken_line_of_a_pattern_is_refused(tmp_path, line, match):
    write_xy(tmp_path / "S1.xy", 32)
    path = tmp_path / "S1.xy"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(SchemaError, match=match):
        tl.load(path)


@pytest.mark.skipif("TIELINE_DATA" not in os.environ, reason="no data: TIELINE_DATA is not set")
def test_the_published_fe_ga_pd_patterns():
    folder = Path(os.environ["TIELINE_DATA"]) / "sage" / "fegapd"
    xrd = tl.load(folder / "FeGaPd_XRD.txt")["xrd"]
    assert xrd["intensity"].shape == (278, 551)
    np.testing.assert_allclose(xrd["two_theta"][[0, -1]], [37, 48])
    assert tl.load(folder / "FeGaPd_CMP.txt")["specimens"]["composition"].shape == (278, 3)
