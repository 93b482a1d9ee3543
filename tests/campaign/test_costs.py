"""Costs of measurements in campaign.toml: each proposal is for one instrument."""

from pathlib import Path

import pytest

import tieline as tl

SHEET = Path(__file__).parents[2] / "examples" / "spread.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("costs") / "spread"
    settings = tl.Settings("spread", goal="learn-phase-map", costs={"phase": 1.0, "hardness": 1000.0})
    with tl.Campaign.create(path, settings) as made:
        assert made.settings == settings
        made.import_file(SHEET)
        made.fit()
    return path


def test_a_proposal_is_for_the_instrument_that_tells_most_for_its_cost(folder):
    with tl.Campaign.open(folder) as campaign:
        chosen = campaign.ask(2)
        assert chosen.attrs["costs"] == "phase=1.0, hardness=1000.0"
        assert chosen["instrument"].values.tolist() == ["phase", "phase"]
        with pytest.raises(tl.NotFound):
            campaign.claim(by="indenter", instrument="hardness")
        name = campaign.claim(by="diffractometer", instrument="phase")
        assert name == chosen["proposal"].values[0]


def test_what_costs_less_is_measured_instead(folder):
    file = folder / "campaign.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("1000.0", "0.001"), encoding="utf-8")
    try:
        with tl.Campaign.open(folder, ahead=3) as campaign:
            assert not campaign.is_stale  # costs change nothing that was learned
            asked = [campaign.ask(1)["instrument"].values[0] for _ in range(2)]
    finally:
        file.write_text(text, encoding="utf-8")
    assert asked == ["hardness", "hardness"]


def test_an_instrument_that_asks_for_itself_is_answered(folder):
    with tl.Campaign.open(folder) as campaign:
        chosen = campaign.ask(1, instrument="hardness")
        assert chosen["instrument"].values.tolist() == ["hardness"]
