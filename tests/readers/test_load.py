import hashlib

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError, UnitError
from tieline.readers import preview


def write(tmp_path, text, name="spread.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_record_knows_its_file(tmp_path):
    path = write(tmp_path, "My study\n\nsample,x (nm)\na,1\nb,2\nc,3\n")
    record = tl.load(path)
    assert record.attrs["source_file"] == "spread.csv"
    assert record.attrs["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.attrs["title"] == "My study"
    assert record["specimens"]["x"].attrs == {
        "role": "property", "units": "nm", "header": "x (nm)",
        "guess": "property: numbers, and no word in the header says otherwise",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "whole"), [("Fe (at.%),Ga (at.%),Pd (at.%)", 100), ("x_Fe,x_Ga,x_Pd", 1), ("Fe,Ga,Pd", 100)]
)
def test_element_columns_become_one_composition(tmp_path, header, whole):
    rows = np.array([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0]]) * whole
    path = write(tmp_path, header + ",T (K)\n" + "\n".join(f"{a},{b},{c},300" for a, b, c in rows))
    specimens = tl.load(path)["specimens"]
    assert specimens["element"].values.tolist() == ["Fe", "Ga", "Pd"]
    np.testing.assert_allclose(specimens["composition"], rows / whole)
    assert "Fe" not in specimens.data_vars


def test_weight_percent_becomes_mole_fractions(tmp_path):
    path = write(tmp_path, "Fe (wt.%),O (wt.%),y\n69.94,30.06,1\n77.73,22.27,2\n72.36,27.64,3\n")
    oxygen = tl.load(path)["specimens"]["composition"].sel(element="O")
    np.testing.assert_allclose(oxygen, [0.6, 0.5, 4 / 7], atol=2e-4)


def test_element_symbols_that_share_no_whole_stay_columns(tmp_path):
    specimens = tl.load(write(tmp_path, "V,I,y\n1,20,3\n2,31,4\n3,45,5\n"))["specimens"]
    assert set(specimens.data_vars) == {"v", "i", "y"}


def test_parts_of_a_mixture_become_a_composition(tmp_path):
    text = "P3HT content (%),D1 content (%),D2 content (%),y (S/cm)\n45,0,55,1\n60,40,0,2\n20,30,50,3\n"
    assert tl.load(write(tmp_path, text))["specimens"]["element"].values.tolist() == ["P3HT", "D1", "D2"]


def test_a_composition_can_be_said_or_refused(tmp_path):
    path = write(tmp_path, "binder,filler,y\n10,90,1\n20,80,2\n30,70,3\n")
    said = tl.load(path, composition={"slurry": ["binder", "filler"]}, basis="at.%", remember=False)
    np.testing.assert_allclose(said["specimens"]["slurry"].values[:, 0], [0.1, 0.2, 0.3])
    path = write(tmp_path, "Fe,Ga,y\n10,90,1\n20,80,2\n30,70,3\n")
    assert "fe" in tl.load(path, composition=[], remember=False)["specimens"]
    with pytest.raises(SchemaError, match="names a column 'Fee'"):
        tl.load(path, composition=["Fee", "Ga"], remember=False)


def test_standard_errors_find_their_values_and_units(tmp_path):
    path = write(tmp_path, "sample,x (GPa),x sd (MPa)\na,1,10\nb,2,20\nc,3,30\n")
    specimens = tl.load(path)["specimens"]
    np.testing.assert_allclose(specimens["x_sd"], [0.01, 0.02, 0.03])
    assert specimens["x_sd"].attrs["units"] == "GPa"


def test_a_relative_error_is_refused(tmp_path):
    path = write(tmp_path, "sample,x (GPa),x sd (%)\na,1,10\nb,2,20\n")
    with pytest.raises(UnitError, match="have different units"):
        tl.load(path)


def test_an_unknown_unit_is_a_question(tmp_path):
    record = tl.load(write(tmp_path, "sample,width (furlong)\na,1\nb,2\nc,4\n"))
    width = record["specimens"]["width"]
    assert width.values.tolist() == [1, 2, 4]
    assert "units" not in width.attrs
    assert width.attrs["unit_as_written"] == "furlong"
    assert "furlong" in width.attrs["unit_question"]
    assert any("furlong" in note for note in record.attrs["notes"])


def test_sodium_nitride_is_no_missing_value(tmp_path):
    text = "formula,phase,remark,y\nNaN,NaN,NA,1\nNaCl,halite,,2\nNaN,-,n/a,NaN\n"
    specimens = tl.load(write(tmp_path, text))["specimens"]
    assert specimens["formula"].values.tolist() == ["NaN", "NaCl", "NaN"]
    assert specimens["phase"].values.tolist() == ["NaN", "halite", ""]
    assert specimens["phase"].attrs["role"] == "structure"
    assert specimens["remark"].values.tolist() == ["NA", "", ""]
    assert np.isnan(specimens["y"].values[2])


def test_text_for_people_stands_in_coordinates(tmp_path):
    record = tl.load(write(tmp_path, "sample,date,y\na,2024-01-05,1\nb,2024-01-06,2\nc,2024-02-01,3\n"))
    assert list(record["specimens"].data_vars) == ["y"]
    assert record["specimens"].coords["date"].values[0] == "2024-01-05"
    tl.check(record)


def test_names_that_differ_only_in_case_or_unit_stay_apart(tmp_path):
    specimens = tl.load(write(tmp_path, "sample,T,t,x (mm),x (in)\na,1,2,3,4\nb,2,3,4,5\n"))["specimens"]
    assert set(specimens.data_vars) == {"T", "t", "x_mm", "x_in"}


def test_repeated_specimens_are_more_rows(tmp_path):
    record = tl.load(write(tmp_path, "sample,y\na,1\na,2\nb,3\n"))
    assert record["specimens"].specimen.values.tolist() == ["a", "a", "b"]
    assert any("repeated measurements" in note for note in record.attrs["notes"])


def test_rows_without_a_name_are_numbered_and_said_so(tmp_path):
    record = tl.load(write(tmp_path, "hardness (HV),T (K)\n1,300\n2,400\n3,500\n"))
    assert record["specimens"].specimen.values.tolist() == [1, 2, 3]
    assert any("numbered from 1" in note for note in record.attrs["notes"])


def test_leading_zeros_of_a_name_are_kept(tmp_path):
    assert tl.load(write(tmp_path, "id,y\n001,1\n002,2\n"))["specimens"].specimen.values.tolist() == [
        "001",
        "002",
    ]


def test_thousands_are_read_only_when_clear_and_with_a_note(tmp_path):
    record = tl.load(write(tmp_path, 'sample;y\na;"1,234.5"\nb;"2,000.0"\n'))
    assert record["specimens"]["y"].values.tolist() == [1234.5, 2000.0]
    assert any("'1,234.5' was read as 1234.5" in note for note in record.attrs["notes"])
    with pytest.raises(SchemaError, match="decimal mark of column 'y'"):
        tl.load(write(tmp_path, "sample;y\na;1,234\nb;2,000\n"))
    said = tl.load(write(tmp_path, "sample;y\na;1,234\nb;2,000\n"), columns={"y": {"decimal": ","}})
    assert said["specimens"]["y"].values.tolist() == [1.234, 2.0]


@pytest.mark.parametrize("notes", [["one alone"], ["the first", "the second"], "as text", []])
def test_notes_of_a_file_that_xarray_wrote_are_a_list(tmp_path, notes):
    specimens = xr.Dataset({"y": ("specimen", [1.0, 2.0])}, {"specimen": ["a", "b"]}, {"notes": notes})
    record = xr.DataTree.from_dict({"/specimens": specimens})
    record.attrs["notes"] = notes
    record.to_netcdf(tmp_path / "record.nc", engine="h5netcdf")
    loaded = tl.load(tmp_path / "record.nc")
    wanted = [notes] if isinstance(notes, str) else notes
    assert loaded["specimens"].attrs["notes"] == wanted
    assert loaded.attrs["notes"][: len(wanted)] == wanted
    assert all(len(note) > 1 for note in tl.represent(loaded).attrs["notes"])


def test_the_record_survives_netcdf(tmp_path):
    record = tl.load(
        write(tmp_path, "sample,phase,Fe,Ga,x (nm),note\na,fcc,1,0,1,ok\nb,bcc,.5,.5,2,-\nc,,0,1,3,\n")
    )
    tl.save_netcdf(record, tmp_path / "record.nc")
    again = tl.open_netcdf(tmp_path / "record.nc")
    assert again["specimens"].to_dataset().equals(record["specimens"].to_dataset())
    assert again.attrs["notes"] == record.attrs["notes"]


def test_preview_shows_each_column_and_its_problems(tmp_path):
    path = write(tmp_path, "sample,T (°C),w (furlong),y\na,850,1,n.d.\nb,,2,2\nc,900,3,4\n")
    shown = preview(path).set_index("name")
    assert shown.loc["temperature", ["column", "role", "unit", "n_missing", "min", "max"]].tolist() == [
        "B", "process", "degC", 1, 850, 900,
    ]  # fmt: skip
    assert shown.loc["w", "unit"] == "?"
    assert "row 2: 'n.d.'" in shown.loc["y", "why"]
    assert shown.loc["sample", "example"] == "a"
