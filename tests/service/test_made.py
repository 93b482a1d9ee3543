"""What was made without a proposal, or otherwise than proposed, typed into the page of next experiments."""

import shutil
import time
from pathlib import Path

import pytest
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.planning.spaces.inputs import Categorical, Numeric
from tieline.planning.spaces.space import Space
from tieline.schema import specimens_of
from tieline.service.app import create_app
from tieline.service.charts.drawing import Drawings
from tieline.service.pages.map import draw_each, scene_of

SPREAD = Path(__file__).parents[2] / "examples" / "spread.csv"
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def alloys(tmp_path_factory):
    """A campaign with a composition, and two experiments that are open."""
    folder = tmp_path_factory.mktemp("made") / "alloys"
    with Campaign.create(folder, Settings("Alloys", goal="maximize:hardness")) as campaign:
        campaign.import_file(SPREAD)
        campaign.fit()
        campaign.ask(2)
    return folder


@pytest.fixture
def copy(alloys, tmp_path):
    shutil.copytree(alloys, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def writer(copy):
    with visiting(create_app(copy), **HTML) as client:
        yield client


@pytest.fixture
def furnace(tmp_path):
    """A visitor of a campaign of a furnace, which has a space and no data."""
    space = Space([Numeric("temperature", 600, 900, units="degC"), Categorical("gas", ["air", "argon"])])
    about = {"model": "GaussianProcess", "properties": ["hardness"], "goal": "maximize:hardness"}
    Campaign.create(tmp_path / "furnace", Settings("Furnace", space=space.to_dict(), **about)).close()
    with visiting(create_app(tmp_path / "furnace"), **HTML) as client:
        yield client


def rows(client):
    return client.get("/next.json").json()["rows"]


def specimens(folder):
    with Campaign.open(folder) as campaign:
        return specimens_of(campaign.record())


def test_a_result_is_told_with_the_settings_that_were_really_made(writer, copy):
    row = rows(writer)[0]
    name = row["proposal"]
    sent = {f"r:{name}:hardness": "8.1", f"m:{name}:Fe (at.%)": "50", f"m:{name}:Ga (at.%)": "30",
            f"m:{name}:Pd (at.%)": "20"}  # fmt: skip
    assert writer.post("/next", data=sent).status_code == 200
    made = specimens(copy)["composition"].sel(specimen=name, element=["Fe", "Ga", "Pd"])
    assert made.values.tolist() == pytest.approx([0.5, 0.3, 0.2])


def test_elements_that_were_as_asked_need_not_be_typed(writer, copy):
    row = rows(writer)[0]
    name, asked = row["proposal"], {header: float(text) for header, text in row["settings"].items()}
    gallium, iron = asked["Ga (at.%)"] + 1, asked["Fe (at.%)"] - 1
    sent = {
        f"r:{name}:hardness": "8.1",
        f"m:{name}:Fe (at.%)": str(iron),
        f"m:{name}:Ga (at.%)": str(gallium),
    }
    assert writer.post("/next", data=sent).status_code == 200
    made = 100 * specimens(copy)["composition"].sel(specimen=name, element=["Fe", "Ga", "Pd"])
    assert made.values.tolist() == pytest.approx([iron, gallium, asked["Pd (at.%)"]], abs=0.02)


def test_settings_that_cannot_be_are_marked_and_stay_as_typed(writer):
    name = rows(writer)[0]["proposal"]
    sent = {f"r:{name}:hardness": "8.1", f"m:{name}:Fe (at.%)": "150"}
    page = writer.post("/next", data=sent)
    assert page.status_code == 422
    assert "do not add up to 100 at.%" in page.text
    assert 'value="150"' in page.text
    assert 'value="8.1"' in page.text
    assert len(rows(writer)) == 2


def test_settings_without_a_result_are_asked_for_one(writer):
    name = rows(writer)[0]["proposal"]
    page = writer.post("/next", data={f"m:{name}:Fe (at.%)": "50"})
    assert page.status_code == 422
    assert "What came out of it?" in page.text


def test_an_experiment_of_ones_own_is_recorded(furnace, tmp_path):
    assert furnace.get("/next.json").json()["design"] == ["temperature (°C)", "gas"]
    sent = {"s:temperature (°C)": "1033.15 K", "s:gas": "argon", "o:hardness": "5,2 ± 0.1", "by": "Anna"}
    answer = furnace.post("/next/other", data=sent)
    assert answer.status_code == 303
    told = specimens(tmp_path / "furnace")
    assert told["temperature"].item() == pytest.approx(760)
    assert told["gas"].item() == "argon"
    assert told["hardness"].item() == 5.2


def test_an_experiment_of_ones_own_has_a_composition_of_known_elements(writer, copy):
    sent = {"s:Fe (at.%)": "60", "s:Ga (at.%)": "40", "o:hardness": "7", "specimen": "mine"}
    assert writer.post("/next/other", data=sent).status_code == 303
    made = specimens(copy)["composition"].sel(specimen="mine", element=["Fe", "Ga", "Pd"])
    assert made.values.tolist() == pytest.approx([0.6, 0.4, 0.0])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"s:temperature (°C)": "hot", "s:gas": "air", "o:hardness": "5"}, "This is not a number."),
        ({"s:temperature (°C)": "< 700", "s:gas": "air", "o:hardness": "5"}, "This is not a setting."),
        ({"s:temperature (°C)": "700", "s:gas": "air", "o:hardness": "soft"}, "This is not a number."),
        ({"s:temperature (°C)": "700", "s:gas": "air"}, "What came out of it?"),
        ({"s:temperature (°C)": "700", "o:hardness": "5"}, "are not complete: gas"),
        ({"s:temperature (°C)": "-300", "s:gas": "air", "o:hardness": "5"}, "below absolute zero"),
    ],
)
def test_what_is_not_right_about_ones_own_stays_as_typed(furnace, said, words):
    page = furnace.post("/next/other", data=said)
    assert page.status_code == 422
    assert words in page.text
    assert all(f'value="{text}"' in page.text.replace("&lt;", "<") for text in said.values())
    assert furnace.get("/overview.json").json()["n_specimens"] == 0


def test_figures_are_drawn_before_anybody_asks_and_again_after_a_fit(copy):
    app = create_app(copy)
    with visiting(app, **HTML) as client:
        before = _drawn(app, set())
        client.post("/next", data={f"r:{rows(client)[0]['proposal']}:hardness": "9"})
        app.state.campaign.fit()
        after = _drawn(app, before)
    assert len(before) == 1
    assert len(after) == 2


def test_figures_are_drawn_one_after_the_other(copy):
    """A service that ends waits for one of them at most."""
    drawings = Drawings()
    with Campaign.open(copy) as campaign:
        one_by_one = draw_each(scene_of(campaign, drawings))
        n_drawn = [sum(len(key) == 5 for key in drawings.kept) for _ in one_by_one]
    assert n_drawn == [1, 2, 3]


def _drawn(app, before):
    """The posteriors of which all three figures were drawn, once there is another one among them."""
    for _ in range(600):
        kinds = [(key[0], key[1]) for key in list(app.state.drawings.kept) if len(key) == 5]
        found = {digest for digest, _ in kinds if len({what for d, what in kinds if d == digest}) == 3}
        if found - before:
            return found
        time.sleep(0.1)
    raise AssertionError("nothing was drawn ahead")
