"""Long texts of patterns are read as every line on its own would have been."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError

ANGLES = np.linspace(20, 80, 900).round(4)
COUNTS = (100 + 900 * np.exp(-(((ANGLES - 44.5) / 0.4) ** 2))).round(1)
THREE = np.column_stack([ANGLES, COUNTS, np.sqrt(COUNTS).round(3)])
REMARK = "# the end\n"  # below the numbers nobody reads it, but every line is looked at


def text(rows, delimiter=" ", head="", end="\n"):
    return head + "".join(delimiter.join(f"{v:g}" if v else "" for v in row) + end for row in rows)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("S1.xy", text(THREE[:, :2])),
        ("S1.xy", text(THREE[::-1, :2], "\t", "; measured at night\n", "\r\n")),
        ("S1.xye", text(THREE, "  ")),
        ("S1.csv", text(THREE[:, :2], ",", "# Fe, annealed\n2theta (deg),counts\n")),
        ("both.csv", text(THREE, ";", "2theta;S1;S2\n")),
        ("S1.xy", text(THREE[:, :2].astype(int) + np.c_[np.arange(900) / 10, np.zeros(900)], "\t")),
    ],
)
def test_all_numbers_are_read_as_line_by_line(tmp_path, name, data):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / name).write_text(data)
    (tmp_path / "b" / name).write_text(data + REMARK)
    at_once, line_by_line = tl.load(tmp_path / "a" / name), tl.load(tmp_path / "b" / name)
    xr.testing.assert_identical(at_once["xrd"].to_dataset(), line_by_line["xrd"].to_dataset())
    assert at_once["xrd"].sizes["two_theta"] == 900
    assert at_once.attrs["notes"] == line_by_line.attrs["notes"]
    assert at_once.attrs.get("title") == line_by_line.attrs.get("title")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [("44.4.4 7", "row 701"), ("66.7 inf", "row 701"), ("66.7 abc", "row 701"), ("10 7", "angles must rise")],
)
def test_what_is_wrong_far_below_is_told_with_its_line(tmp_path, wrong, says):
    lines = text(THREE[:, :2]).splitlines()
    lines[700] = wrong
    (tmp_path / "S1.xy").write_text("\n".join(lines))
    with pytest.raises(SchemaError, match=says):
        tl.load(tmp_path / "S1.xy")


def test_a_count_that_is_missing_far_below_stays_missing(tmp_path):
    lines = text(THREE[:, :2]).splitlines()
    lines[700] = f"{ANGLES[700]} nan"
    (tmp_path / "S1.xy").write_text("\n".join(lines))
    counts = tl.load(tmp_path / "S1.xy")["xrd"]["intensity"].values[0]
    assert np.flatnonzero(np.isnan(counts)).tolist() == [700]
    np.testing.assert_allclose(np.delete(counts, 700), np.delete(COUNTS, 700))
