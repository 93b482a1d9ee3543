"""One small table, written in the many ways in which labs write it."""

import io
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tieline as tl
from tieline.errors import SchemaError
from tieline.readers.sheet import read_sheet

FRAME = pd.DataFrame(
    {
        "specimen": ["A1", "A2", "B1", "B2"],
        "T (°C)": [850.0, 900.5, np.nan, 1000.25],
        "sigma [S/cm]": [5.67e-4, 7.21e-4, 1.06e-3, 7.23e-4],
        "time / min": [40.0, 360.0, 540.0, 20.0],
    }
)
LAYOUTS = ["plain", "title", "comments", "blank", "units row", "missing marks", "hash header"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]


def number_text(value: float, mark: str, missing: str = "") -> str:
    return missing if np.isnan(value) else repr(float(value)).replace(".", mark)


def table_lines(frame: pd.DataFrame, delimiter: str, mark: str, layout: str) -> list[str]:
    headers = list(frame.columns)
    missing = "n/a" if layout == "missing marks" else "-" if delimiter == " " else ""
    lines = []
    if layout == "title":
        lines += ["Measured by Müller", ""]
    if layout == "comments":
        lines += ["# instrument: furnace 3", "# run 17"]
    units = None
    if layout == "units row":
        units = ["", *(h.split(" ", 1)[1].strip("/ ()[]") for h in headers[1:])]
        headers = [h.split(" ", 1)[0] for h in headers]
    lines.append(("# " if layout == "hash header" else "") + delimiter.join(headers))
    if units:
        lines.append(delimiter.join(units))
    for row in frame.itertuples(index=False):
        lines.append(delimiter.join(c if isinstance(c, str) else number_text(c, mark, missing) for c in row))
        if layout == "blank":
            lines.append("")
    return lines


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("delimiter", "mark"), [(",", "."), (";", ","), (";", "."), ("\t", ","), ("\t", "."), ("|", ".")]
)
def test_every_layout_gives_the_same_numbers(tmp_path, layout, delimiter, mark):
    encoding = ENCODINGS[(LAYOUTS.index(layout) + ord(delimiter) + ord(mark)) % len(ENCODINGS)]
    path = tmp_path / "spread.csv"
    path.write_bytes("\r\n".join(table_lines(FRAME, delimiter, mark, layout)).encode(encoding))
    specimens = tl.load(path)["specimens"]
    assert specimens.specimen.values.tolist() == ["A1", "A2", "B1", "B2"]
    for name, header, units, role in (
        ("temperature", "T (°C)", "degC", "process"),
        ("sigma", "sigma [S/cm]", "S/cm", "property"),
        ("time", "time / min", "min", "process"),
    ):
        np.testing.assert_array_equal(specimens[name], FRAME[header])
        assert (specimens[name].attrs["units"], specimens[name].attrs["role"]) == (units, role)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_same_headers(tmp_path, encoding):
    path = tmp_path / "spread.csv"
    path.write_bytes("\n".join(table_lines(FRAME, ";", ",", "plain")).encode(encoding))
    assert tl.load(path)["specimens"]["temperature"].attrs["header"] == "T (°C)"


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("gap", [" ", "   "])
def test_columns_cut_by_spaces(tmp_path, gap, mark):
    frame = FRAME.rename(columns={"time / min": "time[min]"})
    path = tmp_path / "spread.dat"
    path.write_text("\n".join(table_lines(frame, " ", mark, "plain")).replace(" ", gap), encoding="utf-8")
    specimens = tl.load(path)["specimens"]
    np.testing.assert_array_equal(specimens["temperature"], FRAME["T (°C)"])
    np.testing.assert_array_equal(specimens["time"], FRAME["time / min"])


def write_workbook(path, frame: pd.DataFrame, *, top: int, left: int) -> None:
    book = openpyxl.Workbook()
    page = book.active
    if top > 2:
        page.cell(1, 1, "Conductivity study")
        page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=frame.shape[1])
    for j, header in enumerate(frame.columns):
        page.cell(top, left + j, header)
        for i, value in enumerate(frame[header]):
            page.cell(top + 1 + i, left + j, None if isinstance(value, float) and np.isnan(value) else value)
    book.save(path)


@pytest.mark.parametrize(("top", "left"), [(1, 1), (4, 1), (3, 3)])
def test_workbooks_with_titles_and_empty_margins(tmp_path, top, left):
    path = tmp_path / "spread.xlsx"
    write_workbook(path, FRAME, top=top, left=left)
    specimens = tl.load(path)["specimens"]
    np.testing.assert_array_equal(specimens["temperature"], FRAME["T (°C)"])
    assert specimens.specimen.values.tolist() == ["A1", "A2", "B1", "B2"]


def open_document(rows: list[list[str]]) -> bytes:
    """The least that a spreadsheet program would accept as .ods."""
    names = {
        part: f"urn:oasis:names:tc:opendocument:xmlns:{part}:1.0" for part in ("office", "table", "text")
    }
    spaces = " ".join(f'xmlns:{part}="{name}"' for part, name in names.items())
    cell = '<table:table-cell office:value-type="{}"{}><text:p>{}</text:p></table:table-cell>'
    body = ""
    for row in rows:
        cells = [
            cell.format("float", f' office:value="{c}"', c)
            if c[0].isdigit()
            else cell.format("string", "", c)
            for c in row
        ]
        body += f"<table:table-row>{''.join(cells)}</table:table-row>"
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="Data">'
    )
    content += f"{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr(
            "META-INF/manifest.xml", '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        package.writestr("content.xml", content)
    return buffer.getvalue()


def test_open_document_spreadsheets(tmp_path):
    path = tmp_path / "spread.ods"
    path.write_bytes(open_document([["sample", "T (K)"], ["a", "300.5"], ["b", "400"]]))
    assert tl.load(path)["specimens"]["temperature"].values.tolist() == [300.5, 400]


def test_merged_group_headers_name_the_columns_below_them(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    for row in (
        ["sample", "hardness (HV)", None, "density (g/cm3)", None],
        [None, "mean", "sd", "mean", "sd"],
    ):
        page.append(row)
    page.append(["a", 210, 4, 7.9, 0.1])
    page.append(["b", 250, 5, 7.8, 0.2])
    for area in ("A1:A2", "B1:C1", "D1:E1"):
        page.merge_cells(area)
    book.save(tmp_path / "merged.xlsx")
    specimens = tl.load(tmp_path / "merged.xlsx")["specimens"]
    assert set(specimens.data_vars) == {
        "hardness_mean",
        "hardness_mean_sd",
        "density_mean",
        "density_mean_sd",
    }
    assert specimens["hardness_mean_sd"].values.tolist() == [4, 5]
    assert specimens["density_mean_sd"].attrs["units"] == "g/cm^3"


def test_repeated_bare_sd_columns_belong_to_the_column_on_their_left(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sample,hardness (HV),sd,strength (MPa),sd\na,210,4,800,20\nb,220,5,810,21\n")
    specimens = tl.load(path)["specimens"]
    assert specimens["strength_sd"].values.tolist() == [20, 21]
    assert specimens["hardness_sd"].attrs["units"] == "HV"


def test_trailing_summary_rows_are_left_out_with_a_note(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sample,x\na,1.5\nb,2.5\n\nmean,2.0\nsd,0.7\n")
    record = tl.load(path)
    assert record["specimens"].sizes["specimen"] == 2
    assert any("Row 5 ('mean')" in note for note in record.attrs["notes"])


def test_a_summary_among_the_specimens_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sample,x\na,1.5\nb,2.5\nmean,2.0\nc,3.5\n")
    with pytest.raises(SchemaError, match="Row 4 seems to summarise"):
        tl.load(path)


def test_a_specimen_without_values_at_the_end_is_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sample,x,y\na,1.5,1\nb,2.5,2\nc,,\n")
    specimens = tl.load(path)["specimens"]
    assert specimens.specimen.values.tolist() == ["a", "b", "c"]
    assert np.isnan(specimens["x"].values[2])


def test_a_row_of_words_inside_the_data_does_not_hide_the_rows_above_it():
    text = "sample,x,y\na,1.5,2\nb,2.5,3\nlost,n/a,n/a\nc,3.5,4\nd,3.5,4\ne,3.5,4\n"
    assert len(read_sheet(text.encode(), "a.csv").cells) == 6


def test_values_with_errors_and_units_in_one_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "sample;T;hardness (HV);yield\na;850;3,1 ± 0,2;45 %\nb;900;3,4 ± 0,1;50 %\n", encoding="utf-8"
    )
    specimens = tl.load(path)["specimens"]
    assert specimens["hardness"].values.tolist() == [3.1, 3.4]
    assert specimens["hardness_sd"].values.tolist() == [0.2, 0.1]
    assert specimens["yield"].attrs["units"] == "%"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(1e-9, 1e3) | st.just(float("nan"))), min_size=2, max_size=12
    ),
    delimiter=st.sampled_from([";", "\t"]),
    mark=st.sampled_from([",", "."]),
    layout=st.sampled_from(LAYOUTS),
    encoding=st.sampled_from(ENCODINGS),
)
def test_load_gives_back_what_was_written(tmp_path, values, delimiter, mark, layout, encoding):
    frame = pd.DataFrame(values, columns=["alpha (GPa)", "beta (nm)"])
    frame.insert(0, "sample", [f"S{i}" for i in range(len(frame))])
    # A number of the form 1,234 alone could group thousands; a clear one settles the mark.
    frame.loc[0, ["alpha (GPa)", "beta (nm)"]] = 0.5
    path = tmp_path / "table.csv"
    path.write_bytes("\n".join(table_lines(frame, delimiter, mark, layout)).encode(encoding))
    specimens = tl.load(path)["specimens"]
    np.testing.assert_array_equal(specimens["alpha"], frame["alpha (GPa)"])
    np.testing.assert_array_equal(specimens["beta"], frame["beta (nm)"])
