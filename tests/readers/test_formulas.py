"""A column of formulas in a file of the lab is a composition."""

from pathlib import Path

import numpy as np
import pytest

import tieline as tl
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings

SEMICONDUCTORS = Path(__file__).parents[2] / "examples" / "semiconductors.csv"
SHEET = "sample,{0},T (K),zt\na,Bi2Te3,300,0.9\nb,PbTe,600,1.1\nc,Bi2(Te0.9Se0.1)3,300,1.0\nd,{1},700,1.3\n"


def load(tmp_path, header="formula", last="SnSe", **said):
    path = tmp_path / "sheet.csv"
    path.write_text(SHEET.format(header, last), encoding="utf-8")
    return tl.load(path, **said)


@pytest.mark.parametrize("header", ["formula", "Composition", "pretty_formula", "Chemical Formula"])
def test_formulas_are_read_as_mole_fractions(tmp_path, header):
    table = tl.represent(load(tmp_path, header))
    assert table["element"].values.tolist() == ["Se", "Sn", "Te", "Pb", "Bi"]
    assert table["composition"].values[0] == pytest.approx([0, 0, 0.6, 0, 0.4])
    assert table["composition"].attrs["role"] == "synthesis"
    assert table["formula"].values.tolist() == ["Bi2Te3", "PbTe", "Bi2(Te0.9Se0.1)3", "SnSe"]
    assert table["specimen"].values.tolist() == list("abcd")


def test_a_row_without_a_formula_has_no_known_composition(tmp_path):
    table = tl.represent(load(tmp_path, last=""))
    assert np.isnan(table["composition"].values[3]).all()
    assert table["zt"].values[3] == 1.3


def test_one_cell_that_is_no_formula_keeps_the_column_text_and_is_named(tmp_path):
    record = load(tmp_path, last="tin-rich")
    assert "composition" not in record["specimens"]
    (note,) = [n for n in record.attrs["notes"] if "kept as text" in n]
    assert "'tin-rich'" in note
    assert "(row 5)" in note


@pytest.mark.parametrize("cells", [("60:40", "50:50"), ("A", "B"), ("C", "N")])
def test_names_of_mixtures_and_letters_are_no_formulas(tmp_path, cells):
    path = tmp_path / "names.csv"
    path.write_text(f"sample,composition,y\na,{cells[0]},1\nb,{cells[1]},2\n", encoding="utf-8")
    record = tl.load(path)
    assert "element" not in record["specimens"].dims
    assert not any("kept as text" in note for note in record.attrs["notes"])


def test_another_header_is_named_and_any_column_can_stay_text(tmp_path):
    named = load(tmp_path, "Compound", columns={"Compound": {"name": "formula"}}, remember=False)
    assert named["specimens"]["composition"].attrs["header"] == "Compound"
    assert "composition" not in load(tmp_path, "Compound")["specimens"]
    assert (
        "composition"
        not in load(tmp_path, columns={"formula": {"role": "note"}}, remember=False)["specimens"]
    )
    assert "composition" not in load(tmp_path, composition=[], remember=False)["specimens"]


def test_columns_of_elements_come_first(tmp_path):
    path = tmp_path / "both.csv"
    path.write_text("formula,Fe,Ga,y\nFe3Ga,60,40,1\nFeGa,50,50,2\n", encoding="utf-8")
    table = tl.represent(tl.load(path))
    assert table["composition"].sel(element="Fe").values == pytest.approx([0.6, 0.5])


@pytest.mark.parametrize("head", ["formula", "sample,formula"])
def test_a_list_of_formulas_needs_no_numbers(tmp_path, head):
    path = tmp_path / "candidates.csv"
    rows = ["GaAs", "InP", "Ga0.5In0.5P"]
    named = [f"c{i},{row}" for i, row in enumerate(rows)] if "," in head else rows
    path.write_text("\n".join([head, *named, ""]), encoding="utf-8")
    table = tl.represent(tl.load(path))
    assert table["composition"].sel(element="Ga").values == pytest.approx([0.5, 0, 0.25])


def test_words_below_formula_are_no_table(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("formula\nas printed\nin the book\n", encoding="utf-8")
    with pytest.raises(tl.SchemaError, match="no column of numbers"):
        tl.load(path)


def test_a_campaign_learns_from_formulas(tmp_path):
    with Campaign.create(tmp_path / "gaps", Settings("gaps", model="CompositionProperties")) as campaign:
        campaign.import_file(SEMICONDUCTORS)
        line, _ = campaign.uses()
    assert line == "Learned band_gap, bulk_modulus from composition."
