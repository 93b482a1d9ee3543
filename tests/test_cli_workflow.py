"""The commands from task to application."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

import tieline as tl
from tieline.campaign.places import read_places
from tieline.cli import app

pytestmark = pytest.mark.usefixtures("nobody_outside")

SPREAD = "examples/spread.csv"


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_inspect_prints_findings_and_draws_them(tmp_path):
    picture = tmp_path / "found.png"
    result = run("inspect", SPREAD, "--target", "hardness", "--out", str(picture))
    assert result.exit_code == 0
    assert "27 specimens have a value of hardness" in " ".join(result.stdout.split())
    assert picture.stat().st_size > 5000


def test_inspect_answers_json():
    found = json.loads(run("inspect", SPREAD, "--target", "hardness", "--json").stdout)
    assert found["verdict"] == "amber"
    assert "few_specimens" in {finding["kind"] for finding in found["findings"]}
    assert {"composition", "hardness"} == {column["column"] for column in found["columns"]}


MESSY = """Sample,Temp [degC],Pressure [Pa],Hardness [GPa],Layer [um]
A1,700,0.5,4.2 ± 0.1,1-2
A2,700,0.5,4.2 ± 0.1,2-3
A3,650,0.4,,1-2
A4,600,0.4,5.3,2-3
A5,973 K,0.4,>6,n.d.
A6,550,0.3,5.9,1-2
A7,500,0.3,<2,2-3
mean,600,0.4,4.1,
"""


def test_inspect_tells_what_of_a_messy_sheet_was_not_read(tmp_path):
    file = tmp_path / "messy.csv"
    file.write_text(MESSY, encoding="utf-8")
    found = json.loads(run("inspect", str(file), "--json").stdout)
    assert "duplicates" not in {finding["kind"] for finding in found["findings"]}  # their layers differ
    notes = found["notes"]
    assert len(notes) == len(set(notes)) == 7
    assert "Row 9 ('mean') summarises the others and was left out." in notes
    assert any("'973 K' was read as 699.85" in note for note in notes)
    assert any("'Hardness [GPa]': '>6' and the like were read as limits" in n for n in notes)
    assert any("'Hardness [GPa]': '4.2 ± 0.1' was read as a value" in n for n in notes)
    assert any("'Layer [um]' has a unit, but was read as text (row 2: '1-2'" in n for n in notes)
    assert "Text that was not looked at: layer." in notes


def test_inspect_finds_rows_that_are_copies_in_their_text_too(tmp_path):
    file = tmp_path / "messy.csv"
    file.write_text(MESSY.replace("2-3", "1-2"), encoding="utf-8")
    found = json.loads(run("inspect", str(file), "--json").stdout)
    (copies,) = [finding for finding in found["findings"] if finding["kind"] == "duplicates"]
    assert copies["specimens"] == ["A1", "A2"]


def test_inspect_refuses_what_is_not_there():
    result = run("inspect", "nowhere.csv")
    assert result.exit_code == 2
    assert "There are no data in 'nowhere.csv'" in result.stderr


def test_screened_formulas_are_written_with_what_is_predicted(tmp_path):
    sheet = pd.read_csv("examples/semiconductors.csv", keep_default_na=False, na_values=[""])
    model = tl.Learner(["composition"], "band_gap", way="ridge")
    model.fit(tl.table(sheet, formula="formula"), seed=0).save(tmp_path / "gaps.nc")
    (tmp_path / "new.csv").write_text("formula\nGaAs\nInP\nAlN\n", encoding="utf-8")
    words = ["--goal", "maximize:band_gap", "--out", str(tmp_path / "best.csv")]
    assert run("screen", str(tmp_path / "gaps.nc"), str(tmp_path / "new.csv"), *words).exit_code == 0
    best = pd.read_csv(tmp_path / "best.csv")
    assert set(best["formula"]) == {"GaAs", "InP", "AlN"}
    assert best["band_gap"].is_monotonic_decreasing


def test_compare_recommends_and_keeps(tmp_path):
    words = ["compare", SPREAD, "--target", "hardness", "--models", "ridge,neighbours", "--folds", "3"]
    kept = tmp_path / "model.nc"
    result = run(*words, "--out", str(tmp_path / "out"), "--save", str(kept))
    assert result.exit_code == 0, result.output
    assert "Recommended for hardness" in result.stdout
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"scores.csv", "comparison.png", "hardness"} <= names
    assert kept.exists()
    assert "## Quality" in kept.with_suffix(".md").read_text()
    again = json.loads(run(*words, "--out", str(tmp_path / "out"), "--json").stdout)
    assert again["recommended"]["hardness"] in {"mean", "ridge", "neighbours"}
    assert len(again["scores"]) == 3


def test_compare_refuses_a_model_that_does_not_exist(tmp_path):
    result = run("compare", SPREAD, "--target", "hardness", "--models", "forest", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "There is no way 'forest'" in result.stderr


def test_screen_keeps_the_best_of_a_table(tmp_path):
    model, pool, out = tmp_path / "model.nc", tmp_path / "pool.csv", tmp_path / "best.csv"
    words = ["compare", SPREAD, "--target", "hardness", "--models", "ridge", "--folds", "3"]
    assert run(*words, "--out", str(tmp_path / "out"), "--save", str(model)).exit_code == 0
    pool.write_text(
        "name,Fe (at.%),Ga (at.%),Pd (at.%)\n" + "".join(f"p{i},{i},{50 - i},50\n" for i in range(5, 46)),
        encoding="utf-8",
    )
    asked = ["screen", str(model), str(pool), "--goal", "maximize:hardness", "-n", "3", "--out", str(out)]
    result = run(*asked)
    assert result.exit_code == 0, result.output
    assert "The best 3 of 41 candidates, to maximize hardness" in " ".join(result.stdout.split())
    kept = pd.read_csv(out)
    assert len(kept) == 3
    assert kept["hardness"].is_monotonic_decreasing
    found = json.loads(run(*asked, "--json").stdout)
    assert found["best"][0]["candidate"] == int(kept["candidate"][0])
    every = tl.screen(tl.load_posterior(model), read_places(pool), "maximize:hardness", n=41)
    assert float(kept["hardness"][0]) == pytest.approx(float(every["hardness"].max()))


def test_screen_refuses_what_was_not_learned(tmp_path):
    result = run("screen", str(tmp_path), SPREAD, "--goal", "maximize:hardness")
    assert result.exit_code == 2
    assert "Nothing was learned in" in result.stderr


def test_screen_of_a_campaign_takes_its_goal(tmp_path):
    assert run("new", str(tmp_path / "lab"), "--goal", "maximize:hardness").exit_code == 0
    assert run("import", str(tmp_path / "lab"), SPREAD).exit_code == 0
    assert run("fit", str(tmp_path / "lab")).exit_code == 0
    result = run("screen", str(tmp_path / "lab"), SPREAD, "-n", "2", "--out", str(tmp_path / "best.csv"))
    assert result.exit_code == 0, result.output
    assert "to maximize hardness" in result.stdout


def test_compare_fits_what_it_recommends_where_limits_stand_among_the_values(tmp_path):
    sheet, kept = tmp_path / "limits.csv", tmp_path / "model.nc"
    rows = [f"s{i},{600 + 10 * i},{'>6' if i % 7 == 6 else round(3 + 0.1 * i, 2)}" for i in range(28)]
    sheet.write_text("specimen,temperature (degC),hardness (GPa)\n" + "\n".join(rows), encoding="utf-8")
    words = ["compare", str(sheet), "--target", "hardness", "--models", "GaussianProcess", "--folds", "3"]
    result = run(*words, "--out", str(tmp_path / "out"), "--save", str(kept))
    assert result.exit_code == 0, result.output
    assert "4 limits left out" in " ".join(result.stdout.split())
    assert kept.exists()


def test_what_was_said_about_a_sheet_counts_wherever_it_is_read(tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("specimen,temperature (degC),hardness (GPa)\na,1,3\nb,2,n.d.\nc,3,4\n", encoding="utf-8")
    assert run("inspect", str(sheet)).exit_code == 2
    tl.load(sheet, columns={"hardness (GPa)": {"missing": ["n.d."]}})
    assert run("inspect", str(sheet)).exit_code == 0


def test_a_sheet_of_several_is_named(tmp_path):
    book, place = tmp_path / "book.xlsx", range(30)
    table = pd.DataFrame(
        {"T (degC)": [600 + 5 * k for k in place], "hardness (GPa)": [5 + k % 7 for k in place]}
    )
    with pd.ExcelWriter(book) as writer:
        table.to_excel(writer, sheet_name="June", index=False)
        table.head(20).to_excel(writer, sheet_name="July", index=False)
    assert run("inspect", str(book), "--target", "hardness").exit_code == 2
    told = run("inspect", str(book), "--target", "hardness", "--sheet", "June")
    assert told.exit_code == 0
    assert "30 specimens have a value of hardness" in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", ","], "predicts something"),
        (["--target", "hardness", "--folds", "1"], "at least 2 folds"),
        (["--target", "hardness", "--seed", "-1"], "equal to 0"),
        (["--target", "hardness", "--out", SPREAD], "cannot be kept"),
    ],
)
def test_compare_refuses_what_cannot_be_run(words, message):
    result = run("compare", SPREAD, "--models", "ridge", *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
