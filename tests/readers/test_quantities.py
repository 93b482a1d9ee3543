"""Cells that hold a number and a unit, an error or the sign of a limit."""

import numpy as np
import pytest

import tieline as tl
from tieline.errors import SchemaError
from tieline.readers import preview


def load(tmp_path, cells, header="E", **options):
    path = tmp_path / "spread.csv"
    rows = "".join(f"s{i};{cell};{i}\n" for i, cell in enumerate(cells))
    path.write_text(f"sample;{header};z\n{rows}", encoding="utf-8")
    return tl.load(path, remember=False, **options)


@pytest.mark.parametrize(
    ("cells", "units", "values"),
    [
        (["1 GPa", "2000 MPa", "3 GPa"], "GPa", [1, 2, 3]),
        (["1,5 GPa", "2000 MPa", "", "3 GPa"], "GPa", [1.5, 2, np.nan, 3]),
        (["850 °C", "900 °C", "1123,15 K"], "degC", [850, 900, 850]),
        (["30 min", "2 h"], "min", [30, 120]),
    ],
)
def test_cells_in_several_units_are_converted_into_the_commonest(tmp_path, cells, units, values):
    record = load(tmp_path, cells)
    column = record["specimens"]["e"]
    np.testing.assert_allclose(column, values)
    assert column.attrs["units"] == units
    assert any(f"all were converted into {units} (row " in note for note in record.attrs["notes"])


def test_a_unit_that_a_person_states_is_the_one_to_convert_into(tmp_path):
    column = load(tmp_path, ["1 GPa", "2000 MPa", "3 GPa"], columns={"E": {"units": "MPa"}})["specimens"]["e"]
    assert column.values.tolist() == [1000, 2000, 3000]
    assert column.attrs["units"] == "MPa"


def test_a_bare_number_has_the_unit_of_the_header_or_is_refused(tmp_path):
    column = load(tmp_path, ["1", "2000 MPa", "3"], header="E (GPa)")["specimens"]["e"]
    assert column.values.tolist() == [1, 2, 3]
    with pytest.raises(SchemaError, match="'E' holds numbers with and without a unit") as caught:
        load(tmp_path, ["1 GPa", "2", "3 GPa"])
    assert "row 2: '1 GPa', row 3: '2'" in str(caught.value)


def test_the_unit_in_the_cells_wins_over_a_row_of_units(tmp_path):
    path = tmp_path / "spread.csv"
    path.write_text("sample,E,y\n,GPa,mm\na,2000 MPa,1\nb,3000 MPa,2\n")
    column = tl.load(path)["specimens"]["e"]
    assert (column.values.tolist(), column.attrs["units"]) == ([2000, 3000], "MPa")


@pytest.mark.parametrize("cells", [["1 GPa", "2 mm", "3 GPa"], ["1 wt.%", "2 at.%"], ["1 wt.%", "200 ppm"]])
def test_units_of_different_things_are_refused_by_name(tmp_path, cells):
    with pytest.raises(SchemaError, match="'E' mixes units that cannot be converted into one"):
        load(tmp_path, cells)


def test_text_among_numbers_with_units_is_refused_or_said_to_be_missing(tmp_path):
    with pytest.raises(SchemaError, match="holds text among its numbers") as caught:
        load(tmp_path, ["1 GPa", "n.b.", "3 GPa"])
    assert "row 3: 'n.b.'" in str(caught.value)
    column = load(tmp_path, ["1 GPa", "n.b.", "3 GPa"], columns={"E": {"missing": ["n.b."]}})["specimens"][
        "e"
    ]
    assert column.isnull().values.tolist() == [False, True, False]


def test_differences_of_temperature_convert_without_offset(tmp_path):
    path = tmp_path / "spread.csv"
    path.write_text("sample,T (°C),T sd\na,850,5 K\nb,900,5 degC\nc,910,5 degC\n")
    np.testing.assert_allclose(tl.load(path)["specimens"]["temperature_sd"], 5)


def test_remarks_and_places_stay_as_written(tmp_path):
    remarks = load(tmp_path, ["2 h", "30 min", "3 h"], header="Kommentar")["specimens"].coords["kommentar"]
    assert remarks.values.tolist() == ["2 h", "30 min", "3 h"]
    places = load(tmp_path, ["1 A", "1 C", "2 A"], header="Ort")["specimens"].coords["ort"]
    assert places.values.tolist() == ["1 A", "1 C", "2 A"]


def test_preview_shows_a_column_that_load_would_refuse(tmp_path):
    path = tmp_path / "spread.csv"
    path.write_text("sample,E,z\na,1 GPa,1\nb,2 mm,2\n")
    assert "mixes units" in preview(path).set_index("name").loc["e", "why"]


def test_a_column_with_a_unit_that_is_read_as_text_is_told(tmp_path):
    cells = ["3.1", "n.d.", "soft", "> hard"]
    (note,) = [n for n in load(tmp_path, cells, "E (GPa)").attrs["notes"] if "read as text" in n]
    assert all(f"row {row}: '{cells[row - 2]}'" in note for row in (3, 4, 5))
    assert "'3.1'" not in note


def test_limits_and_errors_among_numbers_are_read_as_such(tmp_path):
    cells = ["3.1", "4.2 ± 0.1", "", ">6", "< 2 MPa", "(5 +- 1) MPa", "≥7", "n.d."]
    record = load(tmp_path, cells, "E (MPa)", columns={"E (MPa)": {"missing": ["n.d."]}})
    read = record["specimens"]
    np.testing.assert_array_equal(read["e"], [3.1, 4.2, np.nan, 6, 2, 5, 7, np.nan])
    np.testing.assert_array_equal(read["e_sd"], [np.nan, 0.1, np.nan, np.nan, np.nan, 1, np.nan, np.nan])
    assert read["e_flag"].values.tolist() == ["", "", "", "above", "below", "", "above", ""]
    assert any("'>6' and the like were read as limits (3 of 6 values)" in n for n in record.attrs["notes"])


def test_a_limit_keeps_its_unit_and_the_name_that_a_person_gave(tmp_path):
    read = load(tmp_path, ["1 GPa", "<500 MPa", "3 GPa"], columns={"E": {"name": "stiffness"}})["specimens"]
    np.testing.assert_allclose(read["stiffness"], [1, 0.5, 3])
    assert read["stiffness_flag"].values.tolist() == ["", "below", ""]


def test_an_error_in_another_unit_than_its_value_is_converted(tmp_path):
    read = load(tmp_path, ["1 GPa ± 50 MPa", "2 ± 0.1 GPa", "3 GPa"])["specimens"]
    np.testing.assert_allclose(read["e"], [1, 2, 3])
    np.testing.assert_allclose(read["e_sd"], [0.05, 0.1, np.nan])


@pytest.mark.parametrize(
    ("cells", "header"), [(["<10", ">10", "<10"], "size"), (["<10", ">10", "5", "7"], "phase")]
)
def test_classes_are_no_limits(tmp_path, cells, header):
    read = load(tmp_path, cells, header)["specimens"]
    assert read[header].values.tolist() == cells
    assert f"{header}_flag" not in read.coords


def test_a_limit_of_a_setting_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="holds text among its numbers"):
        load(tmp_path, ["700", "<800", "900"], "T (°C)")
    path = tmp_path / "below.csv"
    path.write_text("sample,T,hardness\n,°C,GPa\na,700,1\nb,<800,2\nc,900,3\n")
    with pytest.raises(SchemaError, match="'T' holds text among its numbers"):
        tl.load(path)


def test_a_limit_of_an_element_is_no_mole_fraction(tmp_path):
    path = tmp_path / "steel.csv"
    path.write_text("sample,Fe,Ga,C,hardness (GPa)\na,60,39,1,3\nb,70,29.9,<0.1,4\nc,50,48,2,5\n")
    with pytest.raises(SchemaError, match="'C' holds text among its numbers"):
        tl.load(path)


@pytest.mark.parametrize("cells", [["4.3 ± 5 %", "4.1 ± 5 %"], ["45 %", "50 %"]])
def test_cells_of_another_unit_than_the_header_are_refused(tmp_path, cells):
    with pytest.raises(SchemaError, match="is in GPa, and its cells are in %"):
        load(tmp_path, cells, "E (GPa)")


def test_percent_in_the_cells_may_be_those_of_the_header(tmp_path):
    read = load(tmp_path, ["45 %", "50 %"], "ammonia content (wt.%)")["specimens"]
    assert read["ammonia_content"].values.tolist() == [45, 50]


def test_text_that_a_person_said_is_text_is_not_doubted(tmp_path):
    record = load(tmp_path, ["3.1", ">6", "<2"], "E (GPa)", columns={"E (GPa)": {"role": "note"}})
    assert record["specimens"].coords["e"].values.tolist() == ["3.1", ">6", "<2"]
    assert not any("read as" in note for note in record.attrs["notes"])
