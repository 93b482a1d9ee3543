import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tieline.cli import app
from tieline.schema import open_netcdf

pytestmark = pytest.mark.usefixtures("nobody_outside")

runner = CliRunner()


def tieline(*words):
    return runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    file = tmp_path_factory.mktemp("backtest") / "known.csv"
    temperature = np.linspace(600, 900, 12)
    columns = {"temperature (°C)": temperature, "hardness (GPa)": 9 - ((temperature - 760) / 100) ** 2}
    pd.DataFrame(columns).to_csv(file, index=False)
    return file


def backtest(sheet, *words):
    return tieline("backtest", sheet, "--repeats", 2, "--n-start", "3,5", "--without-replacement", *words)


def test_a_table_is_enough(sheet, tmp_path):
    out = tmp_path / "out"
    result = backtest(sheet, "--out", out)
    assert result.exit_code == 0, result.output
    for word in ("log_ei", "ucb", "random, expected", "12 places, to maximize hardness", "100 %"):
        assert word in result.stdout
    assert {f.name for f in out.iterdir()} == {
        "backtest.nc",
        "found.png",
        "regret.png",
        "runs.jsonl",
        "summary.csv",
    }
    found = open_netcdf(out / "backtest.nc")
    assert found.attrs["goal"] == "maximize:hardness"
    assert found["strategy"].values.tolist() == ["log_ei", "ucb", "pi", "random"]
    assert len(pd.read_csv(out / "summary.csv")) == 4 * 2 + 2
    assert (out / "found.png").stat().st_size > 10_000


def test_the_same_command_goes_on_from_what_is_kept(sheet, tmp_path):
    words = ("--acquisition", "random", "--out", tmp_path / "out")
    assert backtest(sheet, *words).exit_code == 0
    before = (tmp_path / "out" / "runs.jsonl").read_text()
    assert backtest(sheet, *words, "--repeats", 3).exit_code == 0
    after = (tmp_path / "out" / "runs.jsonl").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 2
    other = backtest(sheet, *words, "--seed", 1)
    assert other.exit_code == 2
    assert "seed was 0, now 1" in other.stderr


def test_several_processes_give_the_same_answer(sheet, tmp_path):
    words = ("--acquisition", "log_ei,random", "--json")
    one, two = (
        json.loads(backtest(sheet, *words, "--out", tmp_path / str(n), "--workers", n).stdout) for n in (1, 2)
    )
    assert one["rows"] == two["rows"]


def test_a_campaign_is_asked_for_its_goal_and_design(sheet, tmp_path):
    folder = tmp_path / "steel"
    assert tieline("new", folder, "--goal", "minimize:hardness").exit_code == 0
    assert tieline("import", folder, sheet).exit_code == 0
    result = backtest(folder, "--acquisition", "log_ei", "--model", "phase", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "to minimize hardness" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--model", "gausian"), "Did you mean 'gaussian'"),
        (("--acquisition", "uvb"), "Did you mean 'ucb'"),
        (("--goal", "maximize:hardnes"), "Did you mean 'hardness'"),
        (("--goal", "learn-phase-map"), "--goal maximize:NAME"),
        (("--n-start", "many"), "whole numbers"),
        (("--workers", "0"), "At least one process"),
        (("--design", "heat"), "'heat'"),
        (("--acquisition", ""), "at least one strategy"),
    ],
)
def test_what_a_user_can_mend_is_a_message(words, told, sheet, tmp_path):
    result = backtest(sheet, "--out", tmp_path / "out", *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_a_source_that_is_not_there_is_named(tmp_path):
    result = tieline("backtest", tmp_path / "gone.csv", "--out", tmp_path)
    assert result.exit_code == 2
    assert "There are no results in" in result.stderr
