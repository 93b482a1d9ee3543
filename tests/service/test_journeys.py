"""Journeys through the dashboard in a real browser, from the first page to a result."""

from pathlib import Path

import pytest
from browsing import CHROMIUM, DESK, LOOK, TABLET, visit, wait_for_figures

from tieline import datasets
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.planning.spaces.inputs import Numeric
from tieline.planning.spaces.space import Space

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")

SPREAD = Path(__file__).parents[2] / "examples" / "spread.csv"
PAGES = (
    *(
        "/",
        "/data",
        "/check",
        "/measurements",
        "/learn",
        "/map",
        "/next",
        "/trust",
        "/history",
        "/goal",
        "/rehearsal",
    ),
    *("/measurements/spectra", "/measurements/fingerprints", "/measurements/volumes"),
)
HEAVIEST = 300_000  # bytes of a page without Plotly


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """A campaign with a map of three elements, a property, and experiments that are open."""
    folder = tmp_path_factory.mktemp("journey") / "spread"
    with Campaign.create(folder, Settings("Hard alloys")) as campaign:
        campaign.import_file(SPREAD, by="Anna")
        campaign.fit(by="Anna")
        campaign.ask(5, by="Anna")
    return folder


def test_from_the_first_page_to_a_result(browser, tmp_path):
    Campaign.create(tmp_path / "first").close()
    with visit(browser, tmp_path / "first", allowed=("422",)) as page:
        page.get_by_role("link", name="Add your first file").click()
        page.set_input_files("input[type=file]", SPREAD)
        page.get_by_label("Your name").fill("Anna")
        page.get_by_role("button", name="Add these data").click()
        page.get_by_role("link", name="Check what looks wrong").click()
        page.get_by_role("link", name="Go on to learn").click()
        page.get_by_role("button", name="Learn from the data").click()
        page.get_by_role("progressbar").wait_for()
        page.reload()  # a fit goes on whatever a page does
        page.get_by_text("Learned in").wait_for(timeout=120_000)
        page.get_by_role("link", name="See the map").first.click()
        wait_for_figures(page)
        assert page.locator(".plot[data-drawn]").count() == 3
        page.get_by_role("link", name="Next experiments").click()
        page.get_by_role("button", name="Choose the next experiments").click()
        record = page.get_by_role("button", name="Record results")
        record.wait_for()
        hardness = page.get_by_label("hardness (GPa) of")
        hardness.nth(0).fill("8,1 ± 0.2")
        hardness.nth(1).fill("abc")
        page.reload()
        assert hardness.nth(1).input_value() == "abc"  # nothing typed is lost
        record.click()
        page.get_by_text("This is not a number").wait_for()
        assert hardness.count() == 4
        assert hardness.nth(0).input_value() == "abc"
        hardness.nth(0).fill("7.7")
        record.click()
        page.get_by_text("Recorded P").first.wait_for()
        assert hardness.count() == 3
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("link", name="Learn again").wait_for()


@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
def test_every_page_can_be_read_by_everybody(browser, spread, size):
    with visit(browser, spread, size) as page:
        for path in PAGES:
            page.goto(path)
            wait_for_figures(page)
            assert (path, page.evaluate(LOOK)) == (path, [])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("", ""),
        ('<p style="color: #999; background: #fff">pale</p>', "contrast 2.85"),
        ('<input name="dose">', "no label: dose"),
        ("<button></button>", "no words"),
        ('<img src="data:,">', "no alt"),
        ('<div class="plot"></div>', "a figure without words"),
        ("<h1>Another</h1>", "not one first heading"),
        ('<p style="width: 3000px">wide</p>', "wider than the screen"),
        ('<i id="a"></i><i id="a"></i>', "an id twice"),
    ],
)
def test_what_keeps_somebody_from_reading_is_found(browser, fault, words):
    page = browser.new_page(viewport=DESK)
    page.set_content(f'<!doctype html><html lang="en"><title>A page</title><h1>One</h1>{fault}</html>')
    found = page.evaluate(LOOK)
    page.close()
    assert len(found) == bool(words)
    assert all(one.startswith(words) for one in found)


def test_pages_are_light_without_the_drawing_library(browser, spread):
    with visit(browser, spread) as page:
        weights = {}
        page.on("response", lambda r: weights.update({r.url: len(r.body())}) if r.ok else None)
        for path in PAGES:
            weights.clear()
            page.goto(path)
            page.wait_for_load_state("load")
            own = {u: n for u, n in weights.items() if "plotly" not in u and "figure.json" not in u}
            assert sum(own.values()) < HEAVIEST, path


def test_a_page_is_gone_through_by_keyboard(browser, spread):
    with visit(browser, spread) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Next experiments").wait_for()


def test_the_pointer_tells_the_alternatives(browser, spread):
    with visit(browser, spread) as page:
        page.goto("/map")
        wait_for_figures(page)
        box = page.locator(".plot").first.locator(".nsewdrag").bounding_box()
        told = page.locator(".plot").first.locator(".hovertext")
        for step in range(20):  # specimens tell of themselves: go on until there is none below the pointer
            page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + (0.4 + 0.02 * step) * box["height"])
            page.wait_for_timeout(150)
            if told.count() and "at.%" in (told.first.text_content() or ""):
                break
        words = told.first.text_content()  # SVG has no inner text
        assert "at.%" in words
        assert all(f"{phase}:" in words for phase in ("L10", "bcc", "fcc"))


def test_a_campaign_of_settings_has_cuts_to_choose_from(browser, tmp_path):
    record = datasets.load("latp")
    with Campaign.create(tmp_path / "latp", Settings("LATP", goal="maximize:ionic_conductivity")) as campaign:
        record.to_netcdf(tmp_path / "latp.nc", engine="h5netcdf")
        campaign.import_file(tmp_path / "latp.nc", by="Anna")
        campaign.fit(by="Anna")
        campaign.ask(3, by="Anna")
    with visit(browser, tmp_path / "latp") as page:
        page.goto("/map")
        wait_for_figures(page)
        cuts = page.get_by_label("Cut through")
        assert cuts.locator("option").count() == 3
        cuts.select_option(index=2)
        page.get_by_text("Held at").wait_for()
        wait_for_figures(page)
        assert page.locator(".plot[data-drawn]").count() >= 2


def test_a_line_is_drawn_with_its_band(browser, tmp_path):
    space = Space([Numeric("temperature", 600, 900, step=5, units="degC")])
    about = {"model": "GaussianProcess", "properties": ["hardness"], "goal": "maximize:hardness"}
    with Campaign.create(tmp_path / "line", Settings("Films", space=space.to_dict(), **about)) as campaign:
        for place in (610, 660, 700, 745, 790, 830, 880):
            value = 6 - ((place - 760) / 100) ** 2
            campaign.tell({"hardness": {"value": value, "unit": "GPa"}}, made={"temperature": place})
        campaign.fit()
        campaign.ask(2)
    with visit(browser, tmp_path / "line") as page:
        page.goto("/map")
        wait_for_figures(page)
        assert "temperature (°C)" in page.locator(".plot").inner_text()
        assert page.locator(".plot[data-drawn]").count() == 1
