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
