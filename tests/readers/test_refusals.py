"""Files that cannot be read say what is wrong, what was found, and what to do."""

import io
import zipfile

import openpyxl
import pytest

import tieline as tl
from tieline.errors import SchemaError, TielineError

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde"


def refused(tmp_path, content, match, name="spread.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SchemaError, match=match) as caught:
        tl.load(path, **options)
    assert "\n  Found: " in str(caught.value)
    assert "\n  Try: " in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"\0\0\0\0", b",,,\n,,\n"])
def test_an_empty_file(tmp_path, content):
    refused(tmp_path, content, "is empty")


@pytest.mark.parametrize("name", ["spread.csv", "spread.xlsx"])
def test_a_picture_under_a_tables_name(tmp_path, name):
    refused(tmp_path, PNG * 20, "is not a table", name=name)


def test_a_web_page(tmp_path):
    refused(tmp_path, "<html><table><tr><td>1</td></tr></table></html>", "web page", name="spread.xls")


def test_no_numbers(tmp_path):
    refused(tmp_path, "sample,phase\na,fcc\nb,bcc\n", "no column of numbers")


def test_text_among_numbers_names_column_row_and_text(tmp_path):
    message = refused(tmp_path, "a title\n\nsample,T\na,1\n\nb,lost\nc,3\nd,4\n", "column 'T'|Column 'T'")
    assert "row 6: 'lost'" in message


def test_what_was_refused_can_be_said_to_be_missing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sample,T\na,1\nb,n.d.\nc,3\n")
    specimens = tl.load(path, columns={"T": {"missing": ["n.d."]}})["specimens"]
    assert specimens["t"].isnull().values.tolist() == [False, True, False]


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999", "∞"])
def test_infinite_values(tmp_path, text):
    assert f"row 3: '{text}'" in refused(tmp_path, f"sample,T\na,1\nb,{text}\nc,2\n", "infinite value")


def test_duplicate_headers_are_named_with_their_letters(tmp_path):
    assert "'T' (B), 'T' (D)" in refused(tmp_path, "sample,T,y,T\na,1,2,3\nb,2,3,4\n", "same header")


def test_a_decimal_comma_that_shifts_a_row(tmp_path):
    assert (
        "row 3" in refused(tmp_path, "sample,x,y\na,1,2\nb,1,5,2\nc,1,2\n", "Row 3 .* does not fit").lower()
    )


def test_a_missing_cell_between_spaces(tmp_path):
    refused(tmp_path, "sample x y\na 1 2\nb 3\nc 1 2\n", "Row 3 .* does not fit", name="a.dat")


def test_a_quote_that_never_closes(tmp_path):
    refused(tmp_path, 'sample,x\na,1\n"b,2\nc,3\n', "quotation mark")


def test_one_row_that_does_not_close_is_named_in_a_short_sheet_too(tmp_path):
    rows = "".join(f"s{i},{70 - i if i == 3 else 80 - i},{20 + i},{i}\n" for i in range(6))
    message = refused(tmp_path, "sample,Fe (at.%),Ga (at.%),y\n" + rows, "does not sum to 100")
    assert "s3 sums to 90" in message


def test_a_specimen_without_a_name(tmp_path):
    assert "row 3" in refused(tmp_path, "sample,x\na,1\n,2\nc,3\n", "have no name")


def test_a_missing_file_suggests_its_sibling(tmp_path):
    (tmp_path / "spread_2024.csv").write_text("x\n1\n")
    with pytest.raises(SchemaError, match=r"Did you mean 'spread_2024\.csv'"):
        tl.load(tmp_path / "spread_2042.csv")
    with pytest.raises(SchemaError, match="no folder"):
        tl.load(tmp_path / "nowhere" / "a.csv")


def workbook(**sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


ROWS = [["sample", "x"], ["a", 1], ["b", 2.5], ["c", 3]]


def test_several_sheets_ask_which_one(tmp_path):
    data = workbook(Data=ROWS, Old=ROWS, Empty=[])
    assert "Data, Old" in refused(tmp_path, data, "several sheets", name="a.xlsx")
    refused(tmp_path, data, "has no sheet 'Dat'.", name="a.xlsx", sheet="Dat")
    assert tl.load(tmp_path / "a.xlsx", sheet="Old")["specimens"]["x"].values.tolist() == [1, 2.5, 3]


def test_sheets_without_a_column_of_numbers_are_left_aside_with_a_note(tmp_path):
    notes = [["Ofen 3"], ["seit", 2019], ["war defekt"], ["", "bis Mai"], ["", "und Juni"]]
    (tmp_path / "a.xlsx").write_bytes(workbook(Notizen=[["Notizen"]], Data=ROWS, Ofen=notes))
    record = tl.load(tmp_path / "a.xlsx")
    assert record["specimens"]["x"].values.tolist() == [1, 2.5, 3]
    (note,) = [note for note in record.attrs["notes"] if "not read" in note]
    assert "Notizen (no column of numbers), Ofen (no column of numbers)" in note
    refused(tmp_path, workbook(A=[["a"]], B=[["b"]]), "no sheet with a column of numbers", name="b.xlsx")


def test_a_sheet_of_one_specimen_below_title_and_units_is_not_left_aside(tmp_path):
    one = [["Messung 1"], ["sample", "x"], ["", "nm"], ["a", 1]]
    refused(tmp_path, workbook(Old=ROWS, New=one), "several sheets", name="a.xlsx")


def test_a_choice_of_sheets_can_be_made_without_python(tmp_path):
    message = refused(tmp_path, workbook(**{"Messung 1": ROWS, "Old": ROWS}), "several", name="a.xlsx")
    assert '--sheet "Messung 1"' in message
    (tmp_path / "a.xlsx.columns.toml").write_text('sheet = "Messung 1"\n')
    assert "'a.xlsx.columns.toml'" in message
    assert 'sheet = "Messung 1"' in message
    assert tl.load(tmp_path / "a.xlsx")["specimens"].sizes["specimen"] == 3


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("sample;Härte\na;200\nb;n.b.\nc;210\n", "holds text"),
        ('sample;y\na;"1,234"\nb;"2,000"\n', "decimal mark"),
        ("sample;x (GPa);x sd (%)\na;1;10\nb;2;20\n", "different units"),
        ("sample;x y;x-y\na;1;10\nb;2;20\n", "same name"),
        ("sample;E;z\na;1 GPa;1\nb;2;2\nc;3 GPa;3\n", "with and without a unit"),
        ("sample;E;z\na;1 GPa;1\nb;2 mm;2\nc;3 GPa;3\n", "cannot be converted into one"),
    ],
)
def test_the_lines_that_a_message_names_mend_the_file(tmp_path, text, match):
    path = tmp_path / "spread.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TielineError, match=match) as caught:
        tl.load(path)
    assert "'spread.csv.columns.toml'" in caught.value.hint
    assert "in Python columns={" in caught.value.hint
    lines = [line.strip() for line in caught.value.hint.split("\n") if line.startswith("    ")]
    (tmp_path / "spread.csv.columns.toml").write_text("\n".join(lines), encoding="utf-8")
    assert tl.load(path)["specimens"].sizes["specimen"] == text.count("\n") - 1


def test_an_unclear_decimal_mark_offers_both(tmp_path):
    message = refused(tmp_path, 'sample;y\na;"1,234"\nb;"2,000"\n', "decimal mark")
    assert 'decimal = ","' in message
    assert '"." if the point is the mark' in message


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.98])
def test_a_workbook_cut_short(tmp_path, cut):
    data = workbook(Data=ROWS)
    refused(tmp_path, data[: int(len(data) * cut)], "damaged", name="a.xlsx")


def test_a_protected_workbook(tmp_path):
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 600
        + "EncryptedPackage".encode("utf-16-le")
        + b"\0" * 600
    )
    refused(tmp_path, data, "password", name="a.xlsx")


def test_a_stray_cell_does_not_cost_gigabytes(tmp_path):
    book = openpyxl.load_workbook(io.BytesIO(workbook(Data=ROWS)))
    book.active.cell(1_000_000, 16_000, "x")
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(SchemaError, match="too large"):
        tl.load(tmp_path / "a.xlsx")


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for i in range(5):
            package.writestr(f"xl/worksheets/sheet{i}.xml", b"0" * 90_000_000, compresslevel=1)
    with pytest.raises(SchemaError, match="too large"):
        tl.load(path)


def test_a_workbook_named_csv_and_a_text_named_xlsx_are_read_with_a_note(tmp_path):
    (tmp_path / "a.csv").write_bytes(workbook(Data=ROWS))
    (tmp_path / "b.xlsx").write_text("sample;x\na;1\nb;2,5\nc;3\n")
    for name in ("a.csv", "b.xlsx"):
        record = tl.load(tmp_path / name)
        assert record["specimens"]["x"].values.tolist() == [1, 2.5, 3]
        assert any("in spite of its name" in note for note in record.attrs["notes"])


def test_formulas_without_a_result_are_noted(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(workbook(Data=[*ROWS, ["d", "=1+1"]]))
    record = tl.load(tmp_path / "a.xlsx")
    assert record["specimens"]["x"].isnull().values.tolist() == [False, False, False, True]
    assert any("no stored result" in note for note in record.attrs["notes"])


def test_more_columns_than_anybody_names_are_refused_at_once(tmp_path):
    table = ",".join(f"c{k}" for k in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n"
    told = refused(tmp_path, table, "more columns than a table")
    assert "20,000 columns" in told
    assert "load_spectra" in told
