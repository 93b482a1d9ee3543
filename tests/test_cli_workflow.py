"""The commands from task to application."""

import json

from typer.testing import CliRunner

from tieline.cli import app

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


def test_inspect_refuses_what_is_not_there():
    result = run("inspect", "nowhere.csv")
    assert result.exit_code == 2
    assert "There are no data in 'nowhere.csv'" in result.stderr


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
