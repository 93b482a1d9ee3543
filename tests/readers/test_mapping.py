import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tieline as tl
from tieline.errors import SchemaError, UnitError
from tieline.readers.mapping import (
    _TEXTS,
    KEYS,
    Correction,
    Mapped,
    _toml_lines,
    mapping_path,
    read_mapping,
)

TEXT = "sample,T,junk,y (HV)\na,850,1,200\nb,900,2,210\nc,950,3,220\n"
SAID = {"T": {"name": "anneal", "role": "process", "units": "degC"}, "junk": None}


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "spread.csv"
    path.write_text(TEXT)
    return path


def test_corrections_are_used_and_remembered(sheet):
    first = tl.load(sheet, columns=SAID)
    again = tl.load(sheet)
    for record in (first, again):
        assert set(record["specimens"].data_vars) == {"anneal", "y"}
        assert record["specimens"]["anneal"].attrs["units"] == "degC"
    remembered = tomllib.loads((sheet.parent / "spread.csv.columns.toml").read_text())
    assert remembered["columns"] == {
        "T": {"name": "anneal", "role": "process", "units": "degC"}, "junk": {"ignore": True}
    }  # fmt: skip


def test_a_new_word_wins_over_the_remembered_one(sheet):
    tl.load(sheet, columns=SAID)
    tl.load(sheet, columns={"T": {"name": "bake"}})
    assert set(tl.load(sheet)["specimens"].data_vars) == {"bake", "y"}


def test_nothing_is_remembered_unless_said_or_when_told_not_to(sheet):
    tl.load(sheet)
    tl.load(sheet, columns=SAID, remember=False)
    assert not mapping_path(sheet).exists()
    tl.load(sheet, columns=SAID)
    assert "junk" in tl.load(sheet, remember=False)["specimens"]


def test_a_refused_correction_is_not_remembered(sheet):
    with pytest.raises(UnitError):
        tl.load(sheet, columns={"T": {"units": "furlong"}})
    assert not mapping_path(sheet).exists()


def test_a_composition_is_remembered(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Fe,O,y\n69.94,30.06,1\n77.73,22.27,2\n72.36,27.64,3\n")
    tl.load(path, basis="wt.%")
    assert float(tl.load(path)["specimens"]["composition"][0, 1]) == pytest.approx(0.6, abs=2e-4)


def test_a_column_that_is_gone_leaves_a_note(sheet):
    tl.load(sheet, columns=SAID)
    sheet.write_text(TEXT.replace("junk", "other"))
    record = tl.load(sheet)
    assert any("'junk', which is no longer in the file" in note for note in record.attrs["notes"])


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"TT": {"name": "x"}}, "no column 'TT'"),
        ({"T": {"nam": "x"}}, "'T' is not possible"),
        ({"T": {"role": "proces"}}, "'T' is not possible"),
        ({"T": {"name": "two words"}}, "'T' is not possible"),
        ({"T": "temperature"}, "'T' is not possible"),
        ({"T": {"name": "z"}, "junk": {"name": "z"}}, "same name"),
    ],
)
def test_impossible_corrections_are_refused(sheet, columns, match):
    with pytest.raises(SchemaError, match=match):
        tl.load(sheet, columns=columns)


@pytest.mark.parametrize("content", [b"columns = [", b"\xff\xfe\xff", b"columns = 3", b"sheet = 4"])
def test_a_damaged_memory_is_refused(sheet, content):
    mapping_path(sheet).write_bytes(content)
    with pytest.raises(SchemaError, match=r"which remembers how to read 'spread\.csv'"):
        tl.load(sheet)


def test_a_memory_that_cannot_be_written_costs_only_a_note(sheet):
    mapping_path(sheet).mkdir()  # stands for a folder without the right to write, which root would not notice
    record = tl.load(sheet, columns=SAID)
    assert "anneal" in record["specimens"]
    assert any("could not be remembered" in note for note in record.attrs["notes"])
    assert not list(sheet.parent.glob("*.part"))


def test_a_file_written_by_hand_may_begin_with_a_byte_order_mark_but_not_misspell_a_key(sheet):
    mapping_path(sheet).write_text('[columns."T"]\nname = "bake"\n', encoding="utf-8-sig")
    assert "bake" in tl.load(sheet)["specimens"]
    mapping_path(sheet).write_text('[column."T"]\nname = "bake"\n')
    with pytest.raises(SchemaError, match="'column' is none of sheet, basis"):
        tl.load(sheet)


def test_the_page_shows_every_key_that_can_be_written_by_hand(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "loading-files.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    said = tomllib.loads(block)
    assert set(said) == {*_TEXTS, "composition", "columns"}
    assert set().union(*said["columns"].values()) == {*KEYS, "ignore"}
    mapping_path(tmp_path / "a.xlsx").write_text(block, encoding="utf-8")
    assert set(read_mapping(tmp_path / "a.xlsx").columns) == set(said["columns"])


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(header=words, missing=st.lists(words, max_size=3), sheet=words)
def test_any_header_survives_the_file(header, missing, sheet):
    said = Correction(name="x", role="process", units="degC", missing=tuple(missing))
    mapped = Mapped(columns={header: said}, composition=(header, sheet), sheet=sheet)
    read = tomllib.loads("\n".join(_toml_lines("file\n.csv", mapped)))
    assert read["sheet"] == sheet
    assert read["composition"] == [header, sheet]
    assert read["columns"][header].get("missing", []) == missing
