"""The scripts in examples/ run, and do what they say."""

import runpy
from pathlib import Path

import tieline as tl

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    return runpy.run_path(str(EXAMPLES / name))


def test_closed_loop_learns_the_map(tmp_path, monkeypatch):
    found = run("closed_loop.py", tmp_path, monkeypatch)
    assert found["table"].sizes["specimen"] == 15 + found["N_ROUNDS"] * found["N_PER_ROUND"]
    assert found["history"][-1] > found["history"][0] + 0.05


def test_the_robot_lab_finds_a_conducting_phase(tmp_path, monkeypatch):
    found = run("robot_lab.py", tmp_path, monkeypatch)
    assert found["best"]["phase"] == "beta"
    assert found["best"]["conductivity"] > 0.7  # mS/cm; 1 is the best there is
    with tl.Campaign.open(tmp_path / "robot-lab") as campaign:
        assert campaign.proposals().sizes["specimen"] == 14
        assert campaign.verify() == []


def test_latp_proposes_recipes_of_the_study_and_draws_them(tmp_path, monkeypatch):
    found = run("latp.py", tmp_path, monkeypatch)
    assert found["proposals"]["dwell_time"].attrs["units"] == "min"
    assert (tmp_path / "latp.png").stat().st_size > 10_000
