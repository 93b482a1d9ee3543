"""The page of back-tests: what it is about, how far it is, what came out, and when it cannot."""

import os
import signal
import time
from pathlib import Path

import pytest
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.campaign.rehearsal import RUNS, begin_rehearsal, find_rehearsal
from tieline.campaign.settings import Settings
from tieline.errors import Conflict
from tieline.service.app import create_app

HTML = {"accept": "text/html"}


def films(folder, n, **about):
    """A campaign of n films whose hardness has one summit."""
    settings = Settings("films", design=["temperature"], properties=["hardness"], **about)
    with Campaign.create(folder, settings) as campaign:
        for place in range(600, 600 + 10 * n, 10):
            campaign.tell({"hardness": 6 - ((place - 690) / 100) ** 2}, made={"temperature": float(place)})
    return folder


def wait_for(state, look):
    for _ in range(1200):
        if (found := look())["state"] == state:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_back_test_is_begun_watched_and_read(tmp_path):
    folder = films(tmp_path / "films", 18, goal="maximize:hardness")
    with visiting(create_app(folder), **HTML) as client:
        assert client.get("/rehearsal.json").json()["rehearsal"] is None
        assert client.post("/rehearsal", data={"by": "Anna"}).status_code == 303
        with Campaign.open(folder) as campaign, pytest.raises(Conflict, match="is running"):
            begin_rehearsal(campaign)
        assert "virtual campaigns" in client.get("/rehearsal/progress").text or (
            "begins" in client.get("/rehearsal/progress").text
        )
        found = wait_for("done", lambda: client.get("/rehearsal.json").json()["rehearsal"])
        told = client.get("/rehearsal.json").json()["told"]
        image = client.get("/rehearsal/figure.png").content
    assert (found["n_done"], found["by"]) == (40, "Anna")
    ours, chance = told["rows"]
    assert ours["found"] == chance["found"] == "100 %"
    assert ours["tries"] < chance["tries"]
    assert told["sentence"].startswith("tieline needed")
    assert told["n_places"] == 18
    assert image.startswith(b"\x89PNG")


def test_a_back_test_whose_process_died_goes_on_where_it_was(tmp_path):
    folder = films(tmp_path / "films", 18, goal="maximize:hardness")
    with Campaign.open(folder) as campaign:
        begin_rehearsal(campaign)
        runs = Path(folder) / "backtest" / RUNS
        while not (runs.is_file() and len(runs.read_text().splitlines()) > 4):
            time.sleep(0.05)
        os.kill(find_rehearsal(campaign).about["process"]["pid"], signal.SIGKILL)
        wait_for("interrupted", lambda: {"state": find_rehearsal(campaign).state})
        kept = runs.read_text()
        begin_rehearsal(campaign)
        wait_for("done", lambda: {"state": find_rehearsal(campaign).state})
        assert runs.read_text().startswith(kept)


@pytest.mark.parametrize(
    ("n", "goal", "words"),
    [
        (0, "maximize:hardness", "has no data yet"),
        (6, "maximize:hardness", "too few results"),
        (14, "learn-level-set:hardness=5", "this goal does not have"),
    ],
)
def test_it_is_said_when_a_back_test_cannot_be(tmp_path, n, goal, words):
    folder = films(tmp_path / "films", n, goal=goal)
    with visiting(create_app(folder), **HTML) as client:
        assert words in client.get("/rehearsal").text
        page = client.post("/rehearsal", data={})
        assert page.status_code == 422
        assert words in page.text
        assert client.get("/rehearsal/figure.png").status_code == 404
    assert not (folder / "backtest").exists()
