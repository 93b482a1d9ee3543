"""A campaign of compositions: `model = "CompositionProperties"`, from a sheet to what is next."""

from pathlib import Path

import httpx
import numpy as np
import pytest

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError
from tieline.models.composition_properties import CompositionProperties
from tieline.service.app import create_app
from tieline.service.serving import in_background

SPREAD = Path(__file__).parents[2] / "examples" / "spread.csv"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alloys") / "alloys"
    settings = Settings("alloys", model="CompositionProperties", goal="maximize:hardness")
    with Campaign.create(folder, settings) as found:
        found.import_file(SPREAD)
        found.fit()
        yield found


def test_the_composition_is_the_design_and_labels_are_left_aside(campaign):
    assert campaign.posterior().model == CompositionProperties("composition", ["hardness"])
    line, _ = campaign.uses()
    assert line.startswith("Learned hardness from composition. Not used: phase")


def test_it_proposes_and_learns_from_what_is_told(campaign):
    batch = campaign.ask(3)
    assert np.unique(batch["composition"].values.round(6), axis=0).shape[0] == 3
    assert batch["hardness_sd"].values.min() > 0
    before = campaign.posterior().table.sizes["specimen"]
    campaign.tell({"hardness": 9.0}, proposal=batch["proposal"].values[0])
    assert campaign.fit().table.sizes["specimen"] == before + 1


def test_every_page_of_it_answers(campaign):
    with in_background(create_app(campaign.path)) as address:
        for path in ("/", "/check", "/learn", "/map", "/next", "/trust", "/goal", "/trust/calibration.png"):
            assert httpx.get(address + path, timeout=60).status_code == 200, path
        figures = httpx.get(f"{address}/map.json").json()["figures"]
        assert [f["what"] for f in figures] == ["hardness", "± hardness"]
        for figure in figures:
            assert httpx.get(address + figure["address"], timeout=60).status_code == 200


def test_it_learns_no_phase_map_and_has_no_labels(tmp_path):
    with pytest.raises(SchemaError, match="CompositionProperties has no phases"):
        Campaign.create(tmp_path / "a", Settings("a", model="CompositionProperties", goal="learn-phase-map"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "campaign.toml").write_text('model = "CompositionProperties"\nphase = "phase"\n')
    with pytest.raises(SchemaError, match="is not one of CompositionProperties"):
        Campaign.open(tmp_path / "b")
