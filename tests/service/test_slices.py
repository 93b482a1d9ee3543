"""Slices of maps of more than two settings: held where somebody wants them."""

import numpy as np
import pandas as pd
import pytest
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.service.app import create_app


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A visitor of a campaign of three numbers and a category, of which hardness follows all."""
    folder, rng = tmp_path_factory.mktemp("slices"), np.random.default_rng(0)
    n = 40
    sheet = pd.DataFrame({f"{name} (degC)": rng.uniform(0, 100, n).round(1) for name in ("first", "second")})
    sheet["time (h)"], sheet["gas"] = rng.uniform(1, 9, n).round(2), rng.choice(["air", "argon"], n)
    sheet["hardness (GPa)"] = sheet["time (h)"] + (sheet["gas"] == "air") + 0.01 * sheet["first (degC)"]
    sheet.to_csv(folder / "sheet.csv", index=False)
    about = {"model": "GaussianProcess", "design": ["first", "second", "time", "gas"]}
    with Campaign.create(folder / "slices", Settings("slices", properties=["hardness"], **about)) as campaign:
        campaign.import_file(folder / "sheet.csv")
        campaign.fit()
    with visiting(create_app(folder / "slices"), accept="text/html") as client:
        yield client


def figure(reader, **held):
    said = {f"h:{name}": value for name, value in held.items()}
    seen = reader.get("/map.json", params=said).json()
    drawn = reader.get(seen["figures"][0]["address"]).json()
    return seen, np.nanmean(np.array(drawn["data"][0]["z"], dtype=float))


def test_what_a_cut_does_not_span_can_be_moved(reader):
    seen, _ = figure(reader)
    controls = {c["name"]: c for c in seen["controls"]}
    assert set(controls) == {"time", "gas"}
    assert controls["gas"]["choices"] == ["air", "argon"]
    assert 1 <= controls["time"]["low"] < controls["time"]["value"] < controls["time"]["high"] <= 9


def test_a_slice_is_drawn_where_it_is_held(reader):
    low, first = figure(reader, time=2.0, gas="argon")
    high, second = figure(reader, time=8.0, gas="argon")
    _, third = figure(reader, time=8.0, gas="air")
    assert "time = 2" in low["resting"]
    assert "time = 8" in high["resting"]
    assert second - first == pytest.approx(6, abs=0.5)
    assert third - second == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(
    "said", [{"time": "1000"}, {"time": "nan"}, {"time": "soon"}, {"gas": "steam"}, {"patience": "1"}]
)
def test_a_place_where_nothing_was_learned_is_refused(reader, said):
    name, value = next(iter(said.items()))
    assert reader.get("/map.json", params={f"h:{name}": value}).status_code == 422
