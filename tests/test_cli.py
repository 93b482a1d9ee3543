import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tieline.cli import app

pytestmark = pytest.mark.usefixtures("nobody_outside")

runner = CliRunner()


def tieline(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    place = tmp_path_factory.mktemp("cli")
    temperature = np.linspace(600, 900, 12)
    sheet = {"specimen": range(12), "temperature (°C)": temperature, "hardness (GPa)": 1e-2 * temperature}
    pd.DataFrame(sheet).to_csv(place / "runs.csv", index=False)
    folder = place / "steel"
    for words in (("new", folder), ("import", folder, place / "runs.csv"), ("fit", folder)):
        result = tieline(*words)
        assert result.exit_code == 0, result.output
    return folder


def test_help_names_every_command():
    result = tieline("--help")
    assert result.exit_code == 0
    for command in (
        "demo",
        "new",
        "import",
        "fit",
        "predict",
        "propose",
        "record",
        "show",
        "doctor",
        "backtest",
    ):
        assert command in result.output


def test_help_loads_nothing_heavy():
    heavy = ("numpy", "pandas", "xarray", "matplotlib")
    code = f"import sys, tieline.cli; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_import_prints_columns_with_roles_and_units(campaign):
    result = tieline("show", campaign)
    assert result.exit_code == 0
    assert "temperature (degC)" in result.output
    assert "hardness (GPa)" in result.output


def test_proposals_come_as_table_and_as_json(campaign):
    printed = tieline("propose", campaign, "-n", 2, "--goal", "maximize:hardness")
    assert printed.exit_code == 0, printed.output
    assert "to maximize hardness" in printed.output
    told = json.loads(tieline("propose", campaign, "-n", 2, "--goal", "maximize:hardness", "--json").stdout)
    assert told["goal"] == "maximize:hardness"
    assert len(told["proposals"]) == 2
    assert told["proposals"][0]["temperature"] > 850
    assert "hardness predicted" in told["proposals"][0]["reason"]


@pytest.mark.parametrize("command", ["fit", "show"])
def test_verdict_comes_as_json(campaign, command):
    told = json.loads(tieline(command, campaign, "--json").stdout)
    assert told["verdict"] in ("green", "amber", "red")
    assert told["n_measured"] == {"hardness": 12}


@pytest.fixture(scope="module")
def with_gross_error(tmp_path_factory):
    place = tmp_path_factory.mktemp("gross")
    temperature = np.linspace(600, 900, 24)
    hardness = 1e-2 * temperature + 0.02 * np.random.default_rng(0).standard_normal(24)
    hardness[10] = 60.0
    sheet = {"specimen": range(24), "temperature (°C)": temperature, "hardness (GPa)": hardness}
    pd.DataFrame(sheet).to_csv(place / "runs.csv", index=False)
    assert tieline("new", place / "steel").exit_code == 0
    assert tieline("import", place / "steel", place / "runs.csv").exit_code == 0
    return place / "steel", tieline("fit", place / "steel")


def test_what_a_fit_set_aside_is_told_beside_it(with_gross_error, tmp_path):
    campaign, fitted = with_gross_error
    told = "hardness: 1 of its values set aside as gross error."
    assert told in fitted.output
    assert told in tieline("show", campaign).output
    assert told in tieline("predict", campaign, "--out", tmp_path / "map.csv").output
    assert told in json.loads(tieline("show", campaign, "--json").stdout)["notes"]


def test_predictions_are_written(campaign, tmp_path):
    grid = tmp_path / "grid.csv"
    pd.DataFrame({"temperature (°C)": [650.0, 800.0]}).to_csv(grid, index=False)
    result = tieline("predict", campaign, grid, "--out", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["hardness"], [6.5, 8.0], atol=0.3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "nowhere"), "There is no campaign in 'nowhere'"),
        (("new", "x", "--goal", "maximse:a"), "Did you mean 'maximize'"),
        (("new", "x", "--challengers", "GausianProcess"), "Did you mean 'GaussianProcess'"),
        (("show", "nowhere", "--json"), "Try: tieline new nowhere"),
    ],
)
def test_what_a_user_can_mend_is_a_message_and_exit_code_two(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = tieline(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_unknown_property_is_answered_with_the_nearest(campaign):
    result = tieline("propose", campaign, "--goal", "maximize:hardnes")
    assert result.exit_code == 2
    assert "Did you mean 'hardness'" in result.stderr


def test_doctor_states_versions_and_data(monkeypatch, tmp_path):
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path / "gone"))
    result = tieline("doctor")
    assert result.exit_code == 0
    for word in ("tieline", "numpy", "cores", "which is no folder"):
        assert word in " ".join(result.output.split())


def test_the_loop_closes_with_the_list_that_was_proposed(tmp_path):
    temperature = np.linspace(600, 900, 12)
    sheet = {"specimen": range(12), "temperature (°C)": temperature, "hardness (GPa)": 1e-2 * temperature}
    pd.DataFrame(sheet).to_csv(tmp_path / "runs.csv", index=False)
    steel, filled = tmp_path / "steel", tmp_path / "steel" / "proposals.csv"
    for words in (("new", steel), ("import", steel, tmp_path / "runs.csv"), ("fit", steel)):
        assert tieline(*words).exit_code == 0
    proposed = tieline("propose", steel, "-n", 3)
    assert f"Next: tieline import {steel} {filled}" in proposed.output.replace("\n", "")
    listed = pd.read_csv(filled)
    listed["hardness (GPa)"] = [8.9, 8.5, np.nan]
    listed.to_csv(filled, index=False)
    imported = tieline("import", steel, filled)
    assert "the campaign has 14 specimens" in " ".join(imported.output.split())
    assert "property   hardness (GPa)\n" in imported.output
    assert tieline("fit", steel).exit_code == 0
    told = json.loads(tieline("propose", steel, "-n", 2, "--json").stdout)
    assert listed["specimen"][2] not in [proposal["proposal"] for proposal in told["proposals"]]
    assert any("1 earlier proposal without a result counts as under way" in note for note in told["notes"])
    afresh = json.loads(tieline("propose", steel, "-n", 2, "--json", "--anew").stdout)
    assert not any("under way" in note for note in afresh["notes"])


def test_fit_says_what_it_learns_from_what(tmp_path):
    temperature = np.linspace(600, 900, 12)
    sheet = {"temperature (°C)": temperature, "pressure (bar)": 1, "hardness (GPa)": temperature / 100}
    pd.DataFrame(sheet | {"ductility (%)": np.nan}).to_csv(tmp_path / "runs.csv", index=False)
    assert tieline("new", tmp_path / "c", "--goal", "maximize:hardnes").exit_code == 0
    imported = tieline("import", tmp_path / "c", tmp_path / "runs.csv").output
    assert imported.count("The goal asks for 'hardnes'") == 1
    assert "Did you mean 'hardness'" in imported
    assert 'Try: goal = "maximize:hardness" in campaign.toml' in imported
    printed = " ".join(tieline("fit", tmp_path / "c").output.split())
    assert "Learned hardness from temperature. Not used: pressure (always 1)." in printed
    assert "ductility: never measured" in printed
    told = json.loads(tieline("fit", tmp_path / "c", "--json").stdout)
    assert told["use"].startswith("Learned hardness")
    assert any("'hardnes'" in note for note in told["notes"])


def test_a_mistake_in_the_settings_is_named_by_its_line(tmp_path, campaign):
    settings = campaign / "campaign.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + 'properties = ["hardnes"]\n', encoding="utf-8")
    result = tieline("fit", campaign)
    settings.write_text(before, encoding="utf-8")
    assert result.exit_code == 2
    assert "properties in campaign.toml" in result.stderr
    assert "rename" not in result.stderr


def test_results_are_recorded_shown_undone_and_verified(tmp_path):
    temperature = np.linspace(600, 900, 12)
    sheet = {"specimen": range(12), "temperature (°C)": temperature, "hardness (GPa)": 1e-2 * temperature}
    pd.DataFrame(sheet).to_csv(tmp_path / "runs.csv", index=False)
    steel = tmp_path / "steel"
    for words in (("new", steel), ("import", steel, tmp_path / "runs.csv"), ("fit", steel)):
        assert tieline(*words).exit_code == 0
    told = json.loads(tieline("propose", steel, "-n", 3, "--json").stdout)["proposals"]
    one, two, three = [proposal["proposal"] for proposal in told]
    recorded = tieline("record", steel, "hardness=8.5+-0.1", "--proposal", one, "--made", "temperature=851")
    assert "Next: tieline fit" in recorded.output
    assert tieline("record", steel, "hardness=below:2", "--proposal", two).exit_code == 0
    assert tieline("record", steel, "--proposal", three, "--failed", "cracked").exit_code == 0
    shown = json.loads(tieline("show", steel, "--json", "--events", 2).stdout)
    assert shown["proposals"] == {"done": 2, "failed": 1}
    assert shown["is_stale"]
    assert [event["kind"] for event in shown["events"]] == ["told", "told"]
    number = shown["events"][-1]["number"]
    assert tieline("undo", steel, number, "--why", "not cracked after all").exit_code == 0
    assert "2 done, 1 proposed" in tieline("show", steel).output
    assert "3 proposed" in tieline("show", steel, "--as-of", number - 3).output
    assert "All is as it was written" in tieline("verify", steel).output
    (raw,) = (steel / "raw").glob("*/runs.csv")
    raw.write_bytes(raw.read_bytes() + b" ")
    damaged = tieline("verify", steel)
    assert damaged.exit_code == 2
    assert "runs.csv was changed" in damaged.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("hardness",), "typed as NAME=VALUE"),
        (("hardness=5+-x",), "no number"),
        (("hardness=5", "--failed", "cracked"), "has no results"),
        (("hardnes=5", "--specimen", "0"), "Did you mean 'hardness'"),
    ],
)
def test_a_slip_in_a_result_is_a_message(campaign, words, message):
    result = tieline("record", campaign, *words)
    assert result.exit_code == 2
    assert message in result.stderr
