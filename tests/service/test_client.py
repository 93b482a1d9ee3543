"""The client: the verbs of a campaign, and nothing lost or doubled on a bad line."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from furnace_runs import SHEET
from robots import hardness
from server import bad_line

import tieline as tl
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.campaign.tokens import add_token
from tieline.client.sending import KINDS
from tieline.service.access import Access
from tieline.service.app import create_app
from tieline.service.serving import in_background


@pytest.fixture
def address(folder):
    with in_background(create_app(folder)) as place:
        yield place


@pytest.fixture
def lab(address):
    with tl.connect(address, by="furnace-2") as client:
        yield client


def run(lab, proposal, **about):
    value = hardness(proposal["temperature"], proposal["substrate"])
    return lab.tell({"hardness": {"value": value, "unit": "GPa"}}, proposal=proposal, **about)


def test_a_robot_finds_the_best_place(lab, folder):
    for proposal in lab.ask(6):
        run(lab, lab.claim(proposal))
    assert lab.learn()["outcome"]["verdict"] in ("green", "amber", "red")
    for _ in range(6):
        run(lab, lab.take(instrument="furnace-2"))
    best = max(lab.specimens(), key=lambda row: row["hardness"])
    assert abs(best["temperature"] - 760) <= 30
    assert best["substrate"] == "steel"
    (there,) = lab.predict([{"temperature": np.float64(760), "substrate": "steel"}])
    assert there["hardness"] == pytest.approx(7, abs=1)
    assert lab.overview()["proposals"] == {"done": 12}
    assert lab.overview(as_of=1)["proposals"] == {}
    with Campaign.open(folder) as campaign:
        assert campaign.verify() == []


def test_settings_that_are_not_used_are_told_wherever_one_asks(tmp_path):
    gases = np.where(np.arange(len(SHEET)) % 2, "argon", "nitrogen")
    SHEET.drop(columns="phase").assign(atmosphere=gases).to_csv(tmp_path / "runs.csv", index=False)
    settings = Settings(
        "furnace",
        model="GaussianProcess",
        design=["temperature"],
        properties=["hardness"],
        goal="maximize:hardness",
    )
    Campaign.create(tmp_path / "furnace", settings).close()
    with in_background(create_app(tmp_path / "furnace")) as place, tl.connect(place, by="robot") as lab:
        assert (lab.overview()["use"], lab.overview()["notes"]) == ("", [])
        lab.import_file(tmp_path / "runs.csv")
        use = lab.overview()["use"]
        assert use.startswith("Learned hardness from temperature. Not used: atmosphere")
        assert lab.learn()["outcome"]["use"] == use
        predicted = lab.predict([{"temperature": 700, "atmosphere": "argon"}])
        assert use in predicted.notes
        assert predicted.units["hardness"] == "GPa"
        assert len(predicted) == 1
        chosen = lab.ask(1, goal="target:hardness=4", batch="liar_min")
        assert "batch='liar_min' is not used" in chosen.notes[0]


def test_on_a_bad_line_nothing_is_lost_or_doubled(address):
    with bad_line(address) as (place, requests), tl.connect(place, by="robot") as lab:
        one, two, three = (lab.take() for _ in range(3))
        assert len({one.name, two.name, three.name}) == 3
        lab.renew(one)
        run(lab, one, is_partial=True)
        run(lab, one)
        lab.fail(two, why="cracked")
        lab.release(three)
        lab.attach(__file__, proposal=one)
        kinds = [event["kind"] for event in lab.events()]
        assert len(lab.specimens()) == 3  # two measurements of one, and one that failed
    assert len(requests) > 1.8 * 12  # each was sent twice
    asked = ["proposed", "claimed"]
    assert kinds == [
        "created",
        *asked,
        *asked,
        *asked,
        "renewed",
        "told",
        "told",
        "told",
        "moved",
        "attached",
    ]


def test_a_service_that_was_away_is_waited_for(folder):
    with in_background(create_app(folder)) as place:
        lab = tl.connect(place, by="robot", patience=30)
    port = int(place.rpartition(":")[2])
    back = threading.Event()

    def come_back():
        time.sleep(0.5)
        with in_background(create_app(folder), port=port):
            back.wait(60)

    thread = threading.Thread(target=come_back)
    thread.start()
    try:
        assert lab.ask()[0].state == "proposed"
    finally:
        back.set()
        thread.join()
        lab.close()


def test_the_log_is_followed_across_a_restart(folder):
    with in_background(create_app(folder)) as place:
        lab = tl.connect(place, patience=30)
        lab.ask()
        log = lab.follow()
        assert [next(log)["kind"] for _ in range(2)] == ["created", "proposed"]
    port = int(place.rpartition(":")[2])
    with in_background(create_app(folder), port=port):
        lab.ask()
        assert next(log)["number"] == 3
        log.close()
        lab.close()


def test_nobody_there_is_said_so(folder):
    with pytest.raises(tl.Unavailable, match=r"does not answer(.|\n)*tieline serve"):
        tl.connect("http://127.0.0.1:9", patience=0.1)


def test_errors_are_those_of_a_campaign(lab, address):
    (proposal,) = lab.ask()
    with pytest.raises(tl.SchemaError, match="Did you mean 'hardness'"):
        lab.tell({"hardnes": 5.0}, proposal=proposal)
    with pytest.raises(tl.SchemaError, match="cannot be sent"):
        lab.tell({"hardness": float("nan")}, proposal=proposal)
    with pytest.raises(tl.SchemaError, match="cannot be sent"):
        lab.tell({"hardness": object()}, proposal=proposal)
    with pytest.raises(tl.NotFound, match="no proposal 'P1'"):
        lab.claim("P1")
    lab.claim(proposal)
    with pytest.raises(tl.NotFound, match="No proposal is open"):
        lab.claim()
    with tl.connect(address) as nobody, pytest.raises(tl.SchemaError, match=r"who you are(.|\n)*by="):
        nobody.proposals(mine=True)
    with pytest.raises(tl.Conflict, match="Nothing was learned"):
        lab.predict()
    with pytest.raises(tl.TielineError, match="There is no file"):
        lab.import_file("nowhere.csv")
    lab.tell({"hardness": 5.0}, proposal=proposal, key="mine")
    with pytest.raises(tl.Conflict, match="another request"):
        lab.tell({"hardness": 6.0}, proposal=proposal, key="mine")
    assert set(KINDS) >= {"SchemaError", "UnitError", "Conflict", "NotFound", "NotAllowed", "Unavailable"}


def test_a_fit_that_cannot_be_is_told(lab):
    (proposal,) = lab.ask()
    run(lab, proposal)
    with pytest.raises(tl.TielineError, match=r"was failed(.|\n)*at least 2 values"):
        lab.learn()


def test_the_name_of_the_token_stands_before_what_one_calls_oneself(folder, monkeypatch):
    with Campaign.open(folder) as campaign:
        secret = add_token(campaign.store, "lab-pc", "propose")
        reader = add_token(campaign.store, "guest", "read")
    with in_background(create_app(folder, Access.at("127.0.0.1", needs_token=True))) as place:
        with pytest.raises(tl.NotAllowed, match="asks for a token"):
            tl.connect(place)
        monkeypatch.setenv("TIELINE_TOKEN", secret)
        with tl.connect(place, by="furnace-2") as lab:
            taken = lab.take()
            assert taken.claimed_by == "lab-pc/furnace-2"
            assert lab.proposals(mine=True) == [taken]
            event = lab.renew(taken)["event"]
            with pytest.raises(tl.NotAllowed, match=r"may not do this(.|\n)*role admin"):
                lab.undo(event)
        with tl.connect(place, by="furnace-3") as other:
            assert other.proposals(mine=True) == []
            with pytest.raises(tl.Conflict, match="did not claim"):
                other.release(taken)
        with tl.connect(place, token=reader) as guest, pytest.raises(tl.NotAllowed):
            guest.ask()


def test_files_are_sent(lab, tmp_path):
    sheet = tmp_path / "spread.csv"
    sheet.write_text("specimen,T,substrate,hardness (GPa)\nA,700,steel,3\nB,710,glass,4\n", encoding="utf-8")
    said = {"T": {"name": "temperature", "role": "process", "units": "degC"}}
    assert [row["name"] for row in lab.preview(sheet, columns=said)][:2] == ["specimen", "temperature"]
    lab.import_file(sheet, columns=said, key="once")
    lab.import_file(sheet, columns=said, key="once")
    assert [row["temperature"] for row in lab.specimens()] == [700, 710]


def test_a_robot_loads_nothing_heavy():
    code = "import sys, tieline; tieline.connect; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()).isdisjoint({"numpy", "pandas", "xarray", "fastapi", "sqlalchemy", "jax"})
    assert "httpx" in loaded.split()
