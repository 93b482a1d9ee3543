"""Stories of people who do not program, from the first page to a result, in a real browser."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from browsing import CHROMIUM, look_at, visit, wait_for_figures
from test_measurements import blobs, written

from tieline import datasets, worlds
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import COMPOSITION_PROPERTIES, Settings
from tieline.schema import specimens_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")
LONG = 240_000  # milliseconds that learning may take on a busy machine


def add(page, *files):
    """Drop files on the page Data, and add them."""
    page.get_by_role("link", name="Data", exact=True).click()
    page.set_input_files("input[type=file]", list(files))
    page.get_by_role("button", name="Add these data").click()
    page.get_by_text("Check what looks wrong").wait_for()


def learn(page):
    """Learn, and wait for the end."""
    page.get_by_role("link", name="Learn", exact=True).click()
    page.get_by_role("button", name="Learn").click()
    page.get_by_text("Learned in").wait_for(timeout=LONG)


def test_a_spread_with_patterns_and_a_property(browser, tmp_path):
    """A sheet and a pattern for each specimen; the map, and which specimens are alike."""
    rng, angles = np.random.default_rng(0), np.linspace(30, 60, 120)
    share, names = np.linspace(0, 1, 24), [f"W{k + 1}" for k in range(24)]
    is_bcc = share > 0.55
    hardness = np.where(is_bcc, 9 - 2 * share, 4 + share) + rng.normal(0, 0.1, 24)
    sheet = pd.DataFrame({"Specimen": names, "Fe": 100 - 100 * share, "Cr": 100 * share})
    sheet["hardness (GPa)"], sheet["phase"] = hardness.round(2), np.where(is_bcc, "bcc", "fcc")
    sheet.to_csv(tmp_path / "spread.csv", index=False)
    files = [tmp_path / "spread.csv"]
    for name, bcc in zip(names, is_bcc, strict=True):
        peak = 44.6 if bcc else 43.6
        counts = rng.poisson(20 + 900 * np.exp(-(((angles - peak) / 0.5) ** 2)))
        files.append(tmp_path / f"{name}.xy")
        files[-1].write_text("\n".join(f"{a:.3f} {c}" for a, c in zip(angles, counts, strict=True)))
    Campaign.create(tmp_path / "story", Settings("Iron and chromium")).close()
    with visit(browser, tmp_path / "story") as page:
        add(page, *files)
        learn(page)
        page.get_by_role("link", name="Map", exact=True).click()
        look_at(page, "spread-map")
        assert page.locator(".plot[data-drawn]").count() == 1
        page.get_by_role("link", name="Measurements").click()
        look_at(page, "measurements")
        page.get_by_role("link", name="Fingerprints").click()
        page.get_by_label("How many clusters").fill("2")
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("progressbar").wait_for()
        page.reload()  # it goes on whatever a page does
        page.get_by_role("link", name="See what came out").click(timeout=LONG)
        look_at(page, "fingerprints")
        page.get_by_text("24 of 24 specimens").click()
        assert (
            page.get_by_role("cell", name="cluster 1").count()
            + page.get_by_role("cell", name="cluster 2").count()
            == 24
        )
        page.get_by_role("button", name="Make the clusters a column").click()
        page.get_by_text("specimens are a column now").wait_for()


def test_an_unknown_spectrum(browser, tmp_path):
    """What a deposit on an electrode is made of, from spectra of pure compounds."""
    world = worlds.tofsims(1, n_spots=6, n_mixtures=5, spots_per_mixture=4, n_peaks=120, strangers=0.3)
    pure = written(world.references, tmp_path / "pure.csv", "reference")
    unknown = written(world.unknowns, tmp_path / "deposits.csv", "pellet")
    Campaign.create(tmp_path / "story", Settings("Deposits")).close()
    with visit(browser, tmp_path / "story") as page:
        page.get_by_role("link", name="Measurements").click()
        page.get_by_role("link", name="Spectra").click()
        look_at(page, "spectra-begin")
        for file in (pure, unknown):
            page.get_by_label("Files").set_input_files(file)
            page.get_by_label("Ions").select_option("positive")
            page.get_by_label("Your name").last.fill("Anna")
            page.get_by_role("button", name="Add spectra").click()
            page.get_by_role("cell", name=file.name).or_(
                page.get_by_role("rowheader", name=file.name)
            ).first.wait_for()
        page.get_by_label("Average spots").select_option("pellet")
        page.get_by_text("something is none of the references").wait_for()
        look_at(page, "spectra")
        assert page.locator(".plot[data-drawn]").count() == 1
        page.get_by_role("combobox", name="Spectrum").select_option("mixture 2")
        page.get_by_role("rowheader", name="mixture 2").wait_for()
        wait_for_figures(page)
        page.get_by_role("button", name="Make the shares columns").click()
        page.get_by_text("specimens are columns now").wait_for()
    with Campaign.open(tmp_path / "story") as campaign:
        assert "share_LiH_sd" in specimens_of(campaign.record())


def test_a_membrane(browser, tmp_path):
    """A scan, slice by slice and in numbers."""
    tifffile.imwrite(tmp_path / "M7.tif", blobs(32))
    Campaign.create(tmp_path / "story", Settings("Membranes")).close()
    with visit(browser, tmp_path / "story", allowed=("422",)) as page:
        page.goto("/measurements/volumes")
        look_at(page, "volumes-begin")
        page.get_by_label("Scans").set_input_files(tmp_path / "M7.tif")
        page.get_by_label("Edge of a voxel").fill("a")
        page.get_by_role("button", name="Add the scan").click()
        page.get_by_text("needs the size of its voxels").wait_for()
        page.get_by_label("Scans").set_input_files(tmp_path / "M7.tif")
        page.get_by_label("Edge of a voxel").fill("0,2")
        page.get_by_label("Porosity").fill("0.6")
        page.get_by_role("button", name="Add the scan").click()
        page.get_by_text("share of pores").first.wait_for()
        look_at(page, "volumes")
        image, slider = page.locator("#plane-z"), page.get_by_label("Plane across z")
        before = image.get_attribute("src")
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.get_by_text("voxel 18 of 32").wait_for()
        assert "at=17" in image.get_attribute("src") != before
        page.get_by_role("button", name="Make the numbers of all volumes columns").click()
        page.get_by_text("numbers of 1 specimens are columns now").wait_for()


def test_compositions_are_screened(browser, tmp_path):
    """Which of many formulas to make: measured alloys, and a list of candidates beside them."""
    rng = np.random.default_rng(0)
    metals = ["Ni", "Cu", "Fe", "Mn"]
    shares = rng.dirichlet(np.ones(4), 70)
    strength = shares @ [600, 300, 450, 350] + 500 * shares[:, 0] * shares[:, 1] + rng.normal(0, 10, 70)
    sheet = pd.DataFrame(100 * shares, columns=metals).round(1)
    sheet.insert(0, "Specimen", [f"A{k + 1}" for k in range(70)])
    candidates = sheet.iloc[40:].copy()
    sheet["strength (MPa)"], sheet["elongation (%)"] = strength.round(), (60 - strength / 15).round(1)
    sheet.iloc[:40].to_csv(tmp_path / "alloys.csv", index=False)
    about = {"model": COMPOSITION_PROPERTIES, "goal": "maximize:strength", "pool": "candidates.csv"}
    Campaign.create(tmp_path / "story", Settings("Alloys", **about)).close()
    candidates.to_csv(tmp_path / "story" / "candidates.csv", index=False)
    with visit(browser, tmp_path / "story") as page:
        add(page, tmp_path / "alloys.csv")
        learn(page)
        page.get_by_role("link", name="Map", exact=True).click()
        look_at(page, "compositions-map")
        page.get_by_role("link", name="Next experiments").click()
        page.get_by_role("button", name="Choose the next experiments").click()
        page.get_by_role("button", name="Record results").wait_for()
        look_at(page, "compositions-next")
        page.get_by_role("link", name="Trust").click()
        look_at(page, "compositions-trust")
    with Campaign.open(tmp_path / "story") as campaign:
        chosen = campaign.proposals()["composition"].values
    wanted = candidates[metals].to_numpy() / candidates[metals].to_numpy().sum(1, keepdims=True)
    assert all(np.abs(wanted - one).max(1).min() < 1e-6 for one in chosen)


def test_a_campaign_of_solid_electrolytes(browser, tmp_path):
    """Sintered LATP: which settings to try next, and a result typed in."""
    datasets.load("latp").to_netcdf(tmp_path / "latp.nc", engine="h5netcdf")
    with Campaign.create(
        tmp_path / "story", Settings("LATP", goal="maximize:ionic_conductivity")
    ) as campaign:
        campaign.import_file(tmp_path / "latp.nc", by="Anna")
    with visit(browser, tmp_path / "story") as page:
        learn(page)
        page.get_by_role("link", name="Next experiments").click()
        page.get_by_role("button", name="Choose the next experiments").click()
        page.get_by_role("button", name="Record results").wait_for()
        look_at(page, "latp-next")
        field = page.locator("table").get_by_label("ionic conductivity").first
        field.fill("4,1e-4")
        page.get_by_role("button", name="Record results").click()
        page.get_by_text("Recorded P").first.wait_for()
        page.get_by_role("link", name="Trust").click()
        look_at(page, "latp-trust")
