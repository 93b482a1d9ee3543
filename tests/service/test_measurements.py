"""Spectra, fingerprints and volumes of a campaign: as they are dropped, as pages, as columns."""

import json
import time
from dataclasses import replace
from urllib.parse import unquote_plus

import numpy as np
import pandas as pd
import pytest
import tifffile
import xarray as xr
from server import visiting

from tieline import worlds
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.campaign.studies.fingerprints import errand_of
from tieline.schema import save_netcdf, specimens_of
from tieline.service.app import create_app

SPECTRA, VOLUMES, FINGERPRINTS = (f"/measurements/{name}" for name in ("spectra", "volumes", "fingerprints"))
PATIENCE = 120  # seconds


def written(table, file, *texts):
    """A table of peak areas, as a lab would send it."""
    areas = pd.DataFrame(
        table["area"].values, table["specimen"].values, [f"{m:.4f}" for m in table["mz"].values]
    )
    for name in texts:
        areas.insert(0, name, table[name].values)
    areas.to_csv(file, index_label="specimen")
    return file


def send(visitor, path, *files, **fields):
    parts = [("files", (file.name, file.read_bytes())) for file in files]
    return visitor.post(path, files=parts, data=fields, headers={"accept": "text/html"})


@pytest.fixture(scope="module")
def world():
    return worlds.tofsims(1, n_spots=6, n_mixtures=5, spots_per_mixture=4, n_peaks=120, strangers=0.3)


@pytest.fixture
def lab(tmp_path):
    """A service of a campaign without data."""
    Campaign.create(tmp_path / "lab", Settings("Lab")).close()
    with visiting(create_app(tmp_path / "lab"), accept="text/html") as client:
        client.timeout = PATIENCE  # what counts voxels is compiled when it is first needed
        yield client


def test_an_unknown_spectrum_is_told_by_pure_ones(lab, world, tmp_path):
    assert "Begin with spectra" in lab.get(SPECTRA).text
    pure = written(world.references, tmp_path / "pure.csv", "reference")
    assert send(lab, SPECTRA, pure, by="Anna").headers["location"].startswith(SPECTRA)
    unknown = written(world.unknowns, tmp_path / "unknown.csv", "pellet")
    assert "20%20others" in send(lab, SPECTRA, unknown).headers["location"].replace("+", "%20")
    seen = lab.get(f"{SPECTRA}.json", params={"by": "pellet"}).json()
    assert seen["compounds"] == ["Li2CO3", "Li2O", "Li3N", "LiH", "LiOH"]
    truth = world.truth.isel(specimen=slice(None, None, 4))
    strange = truth["has_stranger"].values
    assert [row["is_strange"] for row in seen["rows"]] == strange.tolist()
    for row, share, is_strange in zip(seen["rows"], truth["share"].values, strange, strict=True):
        found = [s["share"] for s in row["shares"]]
        assert is_strange or np.abs(np.array(found) - share).max() < 0.12
    assert {peak["ion"] for one in seen["ions"] for peak in one["peaks"]} - {""}
    text = lab.get(SPECTRA, params={"by": "pellet"}).text
    assert "something here is none of the references" in text
    figure = lab.get(seen["figure"]).json()
    assert [trace["name"] for trace in figure["data"]] == seen["compounds"]
    assert lab.get(f"{SPECTRA}.json", params={"specimen": "no such"}).status_code == 404


def test_shares_become_columns_with_their_errors(lab, world, tmp_path):
    send(lab, SPECTRA, written(world.references, tmp_path / "pure.csv", "reference"))
    send(lab, SPECTRA, written(world.unknowns, tmp_path / "unknown.csv", "pellet"))
    seen = lab.get(f"{SPECTRA}.json", params={"by": "pellet"}).json()
    is_strange = np.array([row["is_strange"] for row in seen["rows"]])
    assert 0 < is_strange.sum() < 5
    for _ in range(2):  # the second time takes the place of the first
        answer = lab.post(f"{SPECTRA}/columns", data={"average": "pellet", "by": "Anna"})
        assert f"shares of {5 - is_strange.sum()} specimens" in unquote_plus(answer.headers["location"])
    with Campaign.open(tmp_path / "lab") as campaign:
        specimens = specimens_of(campaign.record())
        assert campaign.verify() == []
        assert {e.by for e in campaign.events() if e.kind == "imported"} == {"Anna"}
        (note,) = [n for n in campaign.record().attrs["notes"] if "No shares of" in n]
    assert specimens.sizes["specimen"] == 5
    shares = np.stack([specimens[f"share_{c}"].values for c in ("Li2CO3", "Li2O", "Li3N", "LiH", "LiOH")])
    assert np.allclose(shares[:, ~is_strange].sum(0), 1)
    assert np.isnan(shares[:, is_strange]).all()
    assert (specimens["share_LiH_sd"].values[~is_strange] > 0).all()
    assert all(name in note for name in specimens["specimen"].values[is_strange])
    assert specimens["unexplained_share"].values == pytest.approx(
        [row["unexplained"] for row in seen["rows"]]
    )


def test_raw_spectra_of_a_named_compound_are_references(lab, tmp_path):
    rng = np.random.default_rng(0)
    for name, centre in (("a", 10), ("b", 30)):
        files = []
        for spot in range(3):
            counts = rng.poisson(400 * np.exp(-(((np.arange(40) - centre) / 3) ** 2)) + 2)
            file = tmp_path / f"{name}-{spot}.txt"
            file.write_text("\n".join(f"{20 + m} {c}" for m, c in enumerate(counts)))
            files.append(file)
        send(lab, SPECTRA, *files, compound=name.upper())
    seen = lab.get(f"{SPECTRA}.json").json()
    assert seen["compounds"] == ["A", "B"]
    assert len(seen["files"]) == 6
    assert lab.post(f"{SPECTRA}/aside/{seen['files'][0]['digest']}").status_code == 303
    assert len(lab.get(f"{SPECTRA}.json").json()["files"]) == 5
    (said,) = (tmp_path / "lab/studies/spectra/aside").glob("*.json")
    assert json.loads(said.read_text())["name"] == seen["files"][0]["name"]
    assert said.with_suffix(".nc").is_file()
    assert lab.post(f"{SPECTRA}/aside/{seen['files'][0]['digest']}").status_code == 404
    told = [one["what"] for one in lab.get("/history.json").json()["events"]]
    assert f"Left {seen['files'][0]['name']} out of spectra" in told
    assert f"Read {seen['files'][1]['name']} for spectra" in told
    with Campaign.open(tmp_path / "lab") as campaign:
        studied = [event.told for event in campaign.events() if event.kind == "studied"]
        assert [told["settings"].get("compound") for told in studied] == [*"AAABBB", None]
        assert campaign.verify() == []
        said.with_suffix(".nc").write_bytes(b"something else")
        assert campaign.verify() == [
            f"What was read in {seen['files'][0]['name']} (studies/spectra) is gone or was changed."
        ]


def test_what_are_no_spectra_is_told_and_nothing_is_kept(lab, tmp_path):
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    answer = send(lab, SPECTRA, tmp_path / "no.csv")
    assert answer.status_code == 422
    assert "is no table of peak areas" in answer.text
    assert send(lab, SPECTRA).status_code == 422
    one = tmp_path / "one.csv"
    one.write_text("specimen,reference,10,11,12,13\n" + "".join(f"s{i},X,{i},2,3,4\n" for i in range(3)))
    assert send(lab, SPECTRA, one, column="compund").status_code == 422
    assert lab.get(f"{SPECTRA}.json").json()["files"] == []
    assert send(lab, SPECTRA, one).status_code == 303
    assert "at least two compounds" in lab.get(SPECTRA).text
    other = tmp_path / "other.csv"
    other.write_text("specimen,110,111,112,113\ns,1,2,3,4\n")
    assert "lack" in send(lab, SPECTRA, other).text


def blobs(n=24, seed=0):
    """Grey values of a scan: pores are dark."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(n, n, n)), 2)
    return (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)


def test_a_scan_is_gone_through_and_described(lab, tmp_path):
    assert "Begin with a scan" in lab.get(VOLUMES).text
    scan = tmp_path / "M7.tif"
    tifffile.imwrite(scan, blobs())
    assert send(lab, VOLUMES, scan, voxel_size="").status_code == 422
    assert send(lab, VOLUMES, scan, voxel_size="0,2", porosity="0.6", threshold="9").status_code == 422
    answer = send(lab, VOLUMES, scan, voxel_size="0,2", porosity="0.6", by="Anna")
    assert answer.status_code == 303
    seen = lab.get(f"{VOLUMES}.json").json()
    assert seen["specimen"] == "M7"
    assert seen["voxel"] == "0.2 µm"
    assert seen["whole"][0] == {"what": "share of pores", "value": pytest.approx(0.6, abs=0.01), "unit": ""}
    assert len(seen["along"]) == 8
    image = lab.get(seen["planes"][2]["address"])
    assert image.headers["content-type"] == "image/png"
    assert lab.get(seen["planes"][2]["address"].replace("at=12", "at=24")).status_code == 404
    mask = tmp_path / "M9.tif"
    tifffile.imwrite(mask, 255 * (blobs(seed=1) > 120).astype(np.uint8))
    place = send(lab, VOLUMES, mask, voxel_size="200", units="nm").headers["location"]
    assert "0 was taken for pore and 255 for solid" in lab.get(place).text
    assert lab.post(f"{VOLUMES}/columns", data={"by": "Anna"}).status_code == 303
    with Campaign.open(tmp_path / "lab") as campaign:
        specimens = specimens_of(campaign.record())
    assert specimens["porosity"].sel(specimen="M7").item() == pytest.approx(0.6, abs=0.01)
    assert specimens["pore_radius_50"].attrs["units"] == "µm"
    assert (np.abs(specimens["pore_radius_50"] - 0.4) < 0.3).all()
    assert "covariance_x_4" in specimens


def test_a_scan_of_unknown_porosity_is_shown_without_numbers(lab, tmp_path):
    scan = tmp_path / "M8.tif"
    tifffile.imwrite(scan, blobs())
    assert send(lab, VOLUMES, scan, voxel_size="2").status_code == 303
    seen = lab.get(f"{VOLUMES}.json").json()
    assert seen["whole"] == []
    assert "tieline must know what is pore" in lab.get(VOLUMES).text
    assert lab.post(f"{VOLUMES}/columns").status_code == 404
    assert send(lab, VOLUMES, scan, voxel_size="2", threshold="120").status_code == 303
    assert lab.get(f"{VOLUMES}.json").json()["whole"][0]["value"] == pytest.approx((blobs() < 120).mean())


def alike(n=40):
    """A record of two kinds of specimens, which patterns and hardness tell."""
    rng = np.random.default_rng(0)
    kind = np.arange(n) % 2
    angles = np.linspace(20, 80, 300)
    peaks = np.exp(-(((angles - np.where(kind, 35, 60)[:, None]) / 2) ** 2))
    specimens = xr.Dataset(
        {
            "hardness": (
                "specimen",
                3 + 4 * kind + rng.normal(0, 0.2, n),
                {"units": "GPa", "role": "property"},
            )
        },
        {"specimen": [f"S{i + 1}" for i in range(n)]},
    )
    about = {"units": "counts", "role": "structure"}
    xrd = xr.Dataset(
        {"intensity": (("measurement", "two_theta"), 100 * peaks + rng.normal(5, 1, peaks.shape), about)},
        {
            "two_theta": ("two_theta", angles, {"units": "deg"}),
            "specimen": ("measurement", specimens["specimen"].values),
        },
    )
    return xr.DataTree.from_dict({"/specimens": specimens, "/xrd": xrd}), kind


def test_a_fingerprint_is_learned_beside_the_campaign(tmp_path):
    record, kind = alike()
    with Campaign.create(tmp_path / "lab", Settings("Lab")) as campaign:
        campaign.import_file(save_netcdf(record, tmp_path / "record.nc"))
    with visiting(create_app(tmp_path / "lab"), accept="text/html") as lab:
        offered = {one["name"]: one["n"] for one in lab.get(f"{FINGERPRINTS}.json").json()["offers"]}
        assert offered == {"property": 40, "xrd/intensity": 40}
        assert lab.post(FINGERPRINTS, data={}).status_code == 422
        assert lab.post(FINGERPRINTS, data={"m:property": "on", "n_clusters": "x"}).status_code == 422
        chosen = {"m:property": "on", "m:xrd/intensity": "on", "n_clusters": "2", "by": "Anna"}
        assert lab.post(FINGERPRINTS, data=chosen).status_code == 303
        assert "Learning a fingerprint" in lab.get(f"{FINGERPRINTS}/progress").text
        assert lab.post(FINGERPRINTS, data=chosen).status_code == 409
        errand, end = errand_of(tmp_path / "lab"), time.monotonic() + PATIENCE
        while errand.state() == "running" and time.monotonic() < end:
            time.sleep(0.3)
        seen = lab.get(f"{FINGERPRINTS}.json").json()
        assert seen["work"]["state"] == "done", errand.progress()
        found = np.array([one["cluster"] for one in seen["specimens"]])
        assert len(set(found[kind == 0])) == len(set(found[kind == 1])) == 1
        assert {m["name"] for m in seen["modalities"]} == {"property", "intensity"}
        assert all(m["agrees"] > 0.9 for m in seen["modalities"])
        figure = lab.get(f"{FINGERPRINTS}/figure.json").json()
        assert sum(len(trace.get("text", [])) for trace in figure["data"]) == 40
        assert lab.get(f"{FINGERPRINTS}/cards.png").headers["content-type"] == "image/png"
        assert "neighbours were averaged" in lab.get(FINGERPRINTS).text
        assert lab.post(f"{FINGERPRINTS}/columns").status_code == 303
        replace(errand, module="tieline.no_such_module").begin(errand.about(), errand.answer)
        while errand.state() == "running" and time.monotonic() < end:
            time.sleep(0.1)
        after = lab.get(f"{FINGERPRINTS}.json").json()
        assert after["work"]["state"] == "interrupted"
        assert after["stamp"] == seen["stamp"]
        assert after["specimens"] == seen["specimens"]
        assert lab.get(f"{FINGERPRINTS}/figure.json").status_code == 200
    with Campaign.open(tmp_path / "lab") as campaign:
        labels = specimens_of(campaign.record())["cluster"]
        (learned,) = [event for event in campaign.events() if event.kind == "studied"]
        assert campaign.verify() == []
    assert learned.by == "Anna"
    assert learned.told["settings"]["modalities"] == ["property", "xrd/intensity"]
    assert set(labels.values) == {"cluster 1", "cluster 2"}


def test_without_measurements_there_is_nothing_to_learn(lab):
    assert "nothing yet that it could be made of" in lab.get(FINGERPRINTS).text
    assert "None yet" in lab.get("/measurements").text
    assert lab.get(f"{FINGERPRINTS}/figure.json").status_code == 404
