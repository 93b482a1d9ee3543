"""The pages of the dashboard, over plain HTTP: what they say, as HTML and as JSON, and what they take."""

import csv
import io
import re
import shutil
from pathlib import Path

import pytest
from robots import run_all
from server import visiting

import tieline as tl
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.errors import TielineError
from tieline.service.app import create_app

pytestmark = pytest.mark.usefixtures("nobody_outside")

SPREAD = Path(__file__).parents[2] / "examples" / "spread.csv"
PAGES = (
    "/",
    "/data",
    "/check",
    "/learn",
    "/map",
    "/next",
    "/trust",
    "/history",
    "/compare",
    "/goal",
    "/rehearsal",
    "/measurements",
    "/measurements/spectra",
    "/measurements/fingerprints",
    "/measurements/volumes",
)
HTML = {"accept": "text/html"}


def twin(path):
    return f"{'/overview' if path == '/' else path}.json"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A campaign that has learned from a spread, with three experiments that are open."""
    folder = tmp_path_factory.mktemp("fitted") / "spread"
    with Campaign.create(folder, Settings("Hard <alloys>", goal="maximize:hardness")) as campaign:
        campaign.import_file(SPREAD, by="Anna")
        campaign.fit(by="Anna")
        campaign.ask(3, by="Anna")
    return folder


@pytest.fixture(scope="module")
def reader(fitted):
    """A visitor who changes nothing."""
    with visiting(create_app(fitted), **HTML) as client:
        yield client


@pytest.fixture
def writer(fitted, tmp_path):
    """A visitor of a copy of the campaign."""
    shutil.copytree(fitted, tmp_path / "copy")
    with visiting(create_app(tmp_path / "copy"), **HTML) as client:
        yield client


@pytest.fixture(scope="module")
def onlooker(tmp_path_factory):
    """A visitor of a campaign that has nothing yet, and gets nothing."""
    folder = tmp_path_factory.mktemp("nothing") / "empty"
    Campaign.create(folder).close()
    with visiting(create_app(folder), **HTML) as client:
        yield client


@pytest.fixture
def newcomer(tmp_path):
    """A visitor of a campaign that has nothing yet."""
    Campaign.create(tmp_path / "empty").close()
    with visiting(create_app(tmp_path / "empty"), **HTML) as client:
        yield client


def proposals(client):
    return [row["proposal"] for row in client.get("/next.json").json()["rows"]]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_as_html_and_as_json(reader, path):
    page, data = reader.get(path), reader.get(twin(path))
    assert page.status_code == data.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert twin(path) in page.text
    assert isinstance(data.json(), dict)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_empty_campaign_says_what_to_do(onlooker, path):
    page = onlooker.get(path)
    assert page.status_code == 200
    assert re.search(r'href="/(data|learn)"', page.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_main_action_at_most(reader, path):
    assert len(re.findall(r'class="main( button)?"', reader.get(path).text)) <= 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_script_of_its_text_and_asks_nobody_else(reader, path):
    page = reader.get(path).text
    assert "Hard &lt;alloys&gt;" in page
    assert "Hard <alloys>" not in page
    assert not re.search(r"<script(?![^>]*src=\"/static/)", page)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", page)
    assert " onclick" not in page


def test_the_overview_says_what_is_measured_and_what_is_next(reader):
    seen = reader.get("/overview.json").json()
    assert seen["n_specimens"] == 45
    assert {m["name"]: m["n"] for m in seen["measured"]} == {"phase": 18, "hardness": 27}
    assert seen["next"]["where"] == "/next"
    assert seen["badge"]["verdict"] in ("green", "amber", "red")


def test_what_was_is_shown_as_it_was_and_cannot_be_changed(reader):
    before = reader.get("/learn", params={"as_of": "2"}).text
    assert "as it was (2)" in before
    assert 'method="post"' not in before
    assert reader.get("/overview.json", params={"as_of": "2"}).json()["badge"] is None


def test_files_of_pages_are_kept_by_browsers_and_no_others_are_given(reader):
    assert "immutable" in reader.get("/static/tieline.css").headers["cache-control"]
    assert reader.get("/static/..%2Fapp.py").status_code in (400, 404)
    assert reader.get("/static/app.py").status_code == 404


def test_a_page_that_is_not_there_says_so_on_a_page(reader):
    page = reader.get("/nothing")
    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert reader.get("/v1/nothing").json()["error"] == "NotFound"


def test_the_map_tells_every_phase_at_every_place(reader):
    figures = reader.get("/map.json").json()["figures"]
    assert [f["what"] for f in figures] == ["phases", "hardness", "± hardness"]
    drawn = reader.get(figures[0]["address"]).json()
    pointer = next(t for t in drawn["data"] if t.get("customdata"))
    inside = [c for row, zs in zip(pointer["customdata"], pointer["z"], strict=True)
              for c, z in zip(row, zs, strict=True) if z is not None]  # fmt: skip
    for a, b, c, *phases, _, _ in inside:
        assert a + b + c == pytest.approx(100, abs=0.3)
        assert sum(phases) == pytest.approx(100, abs=0.6)
    stars = next(t for t in drawn["data"] if t.get("name") == "next experiment")
    assert stars["text"] == ["1", "2", "3"]


def test_maps_beside_each_other_are_of_one_size(reader):
    seen = reader.get("/map.json").json()
    layouts = [reader.get(figure["address"]).json()["layout"] for figure in seen["figures"]]
    assert len({one["height"] - one["margin"]["t"] - one["margin"]["b"] for one in layouts}) == 1
    assert len({(one["margin"]["l"], one["margin"]["r"], one["margin"]["t"]) for one in layouts}) == 1
    assert [star["proposal"] for star in seen["stars"]] == proposals(reader)


def test_every_figure_of_the_map_is_light_and_no_other_is_drawn(reader):
    for figure in reader.get("/map.json").json()["figures"]:
        assert len(reader.get(figure["address"]).content) < 300_000
    assert reader.get("/map/figure.json", params={"what": "softness"}).status_code == 404
    assert reader.get("/map/figure.json", params={"what": "phases", "cut": 7}).status_code == 404


def test_experiments_come_as_a_list_to_fill_in(reader):
    rows = list(csv.reader(io.StringIO(reader.get("/next.csv").content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["specimen", "Fe (at.%)", "Ga (at.%)", "Pd (at.%)"]
    assert "hardness (GPa)" in rows[0]
    assert [row[0] for row in rows[1:]] == proposals(reader)
    assert rows[0][-5:-1] == [f"tieline: {word}" for word in ("instrument", "state", "taken by", "until")]
    assert {row[-4] for row in rows[1:]} == {"open"}


def test_a_list_to_fill_in_says_for_which_instrument_it_is_and_rounds_no_setting(tmp_path):
    space = tl.Space([tl.Levels("temperature", (500.0, 2000 / 3), units="degC")])
    settings = Settings("runs", space=space.to_dict(), properties=["hardness"])
    with Campaign.create(tmp_path / "runs", settings) as campaign:
        first, *_ = campaign.ask(2, instrument="furnace-2")["proposal"].values.tolist()
        campaign.claim(first, by="Anna")
    with visiting(create_app(tmp_path / "runs"), **HTML) as client:
        rows = list(csv.DictReader(io.StringIO(client.get("/next.csv").content.decode("utf-8-sig"))))
        assert "for furnace-2" in client.get("/next").text
    assert {row["tieline: instrument"] for row in rows} == {"furnace-2"}
    assert [row["tieline: state"] for row in rows] == ["taken", "open"]
    assert 2000 / 3 in [float(row["temperature (°C)"]) for row in rows]


def test_results_are_recorded_in_the_table(writer):
    first, second, _ = proposals(writer)
    sent = {
        f"r:{first}:hardness": "8,1 ± 0.2 GPa",
        f"r:{first}:phase": "fcc",
        f"r:{second}:hardness": "failed",
    }
    page = writer.post("/next", data={**sent, "by": "Anna", "key": "k1"})
    assert page.status_code == 200
    assert len(proposals(writer)) == 1
    told = writer.get("/v1/measurements").json()["measurements"]
    assert [(m["specimen"], m["property"], m["value"], m["sd"], m["label"]) for m in told[:2]] == [
        (first, "hardness", 8.1, 0.2, None),
        (first, "phase", None, None, "fcc"),
    ]
    assert told[2]["flag"] == "failed"


def test_a_wrong_row_stays_as_typed_with_the_fault_beside_the_field_and_the_right_one_is_kept(writer):
    first, second, third = proposals(writer)
    sent = {f"r:{first}:hardness": "8.1", f"r:{second}:hardness": "abc", f"r:{third}:hardness": "7 K"}
    page = writer.post("/next", data={**sent, "key": "k2"})
    assert page.status_code == 422
    assert 'value="abc"' in page.text
    assert "This is not a number." in page.text
    assert 'value="7 K"' in page.text
    assert "not measured in K" in page.text
    assert page.text.count("aria-invalid") == 2
    assert proposals(writer) == [second, third]


def test_the_same_form_sent_twice_counts_once(writer):
    first = proposals(writer)[0]
    sent = {f"r:{first}:hardness": "8.1", "key": "k3"}
    for _ in range(2):
        assert writer.post("/next", data=sent).status_code == 200
    assert len(writer.get("/v1/measurements").json()["measurements"]) == 1


def test_experiments_are_asked_for_taken_given_back_and_given_up(writer):
    assert writer.post("/next/ask", data={"n": "2", "by": "Anna"}).status_code == 303
    names = proposals(writer)
    assert len(names) == 5
    nobody = writer.post(f"/next/{names[0]}/take", data={})
    assert nobody.status_code in (303, 422)  # the name may be known from before, by its cookie
    writer.post(f"/next/{names[0]}/take", data={"by": "Anna"})
    assert writer.get("/next.json").json()["rows"][0]["by"] == "Anna"
    other = writer.post(f"/next/{names[0]}/take", data={"by": "Ben"})
    assert other.status_code == 409
    assert "Anna" in other.text
    writer.post(f"/next/{names[0]}/give-back", data={"by": "Anna"})
    writer.post(f"/next/{names[0]}/end", data={"how": "failed", "why": "it cracked"})
    over = writer.get("/next.json").json()["over"][0]
    assert (over["proposal"], over["state"], over["why"]) == (names[0], "failed", "it cracked")


def test_a_number_of_experiments_that_is_none_keeps_what_was_typed(writer):
    page = writer.post("/next/ask", data={"n": "many"})
    assert page.status_code == 422
    assert 'value="many"' in page.text


def test_files_are_looked_at_corrected_and_added(newcomer):
    sent = newcomer.post("/data", files={"files": ("spread.csv", SPREAD.read_bytes())})
    look = sent.headers["location"]
    (sheet,) = newcomer.get(f"{look}.json").json()["sheets"]
    assert {c["header"]: c["role"] for c in sheet["columns"]}["hardness (GPa)"] == "property"
    assert newcomer.get("/overview.json").json()["n_specimens"] == 0
    at = next(i for i, c in enumerate(sheet["columns"]) if c["header"] == "hardness (GPa)")
    fields = {}
    for i, c in enumerate(sheet["columns"]):
        begin = f"c:spread.csv:{i}:"
        was = {"was:name": c["name"], "was:role": c["role"], "was:units": c["unit"]}
        said = {"header": c["header"], "name": c["name"], "role": c["role"], "units": c["unit"], **was}
        fields |= {begin + key: value or "" for key, value in said.items()}
    fields[f"c:spread.csv:{at}:name"] = "vickers"
    again = newcomer.post(look, data={**fields, "do": "look"})
    assert 'was:name" value="hardness"' in again.text
    assert ':name" value="vickers"' in again.text
    wrong = newcomer.post(look, data={**fields, f"c:spread.csv:{at}:name": "no name", "do": "add"})
    assert wrong.status_code == 422
    assert "hardness (GPa)" in wrong.text
    added = newcomer.post(look, data={**fields, "do": "add", "by": "Anna"})
    assert "knows 45 specimens" in added.text
    assert "vickers" in [m["name"] for m in newcomer.get("/overview.json").json()["measured"]]
    assert newcomer.get(look).status_code == 404


def test_files_under_names_that_do_harm_are_refused(newcomer):
    page = newcomer.post("/data", files={"files": ("con.csv", b"a,b\n1,2\n")})
    assert page.status_code == 422
    assert "plain name" in page.text


def test_a_sheet_and_its_patterns_are_added_together(newcomer):
    sheet = "specimen,Fe (at.%),Ga (at.%),hardness (GPa)\nS1,60,40,5\nS2,70,30,6\nS3,80,20,7\n"
    pattern = "\n".join(f"{20 + 0.1 * i:.1f} {100 + i}" for i in range(50))
    files = [("files", ("alloys.csv", sheet.encode()))]
    files += [("files", (f"S{i}.xy", pattern.encode())) for i in (1, 2, 3)]
    look = newcomer.post("/data", files=files).headers["location"]
    assert newcomer.get(f"{look}.json").json()["n_others"] == 3
    assert "knows 3 specimens" in newcomer.post(look, data={"do": "add"}).text
    assert any("xrd" in other for other in newcomer.get("/data.json").json()["others"])


def test_why_a_fit_failed_stands_on_the_page_and_in_the_history(folder):
    with Campaign.open(folder) as campaign:
        run_all(campaign, 1)
        with pytest.raises(TielineError, match="at least 2 values"):
            campaign.fit()
    with visiting(create_app(folder)) as client:
        assert "at least 2 values" in client.get("/learn").text
        assert "at least 2 values" in client.get("/history").text


def test_a_slip_is_undone_and_stays_in_the_history(writer):
    first = proposals(writer)[0]
    writer.post("/next", data={f"r:{first}:hardness": "81"})
    event = writer.get("/history.json").json()["events"][0]["number"]
    assert writer.post(f"/history/{event}/undo", data={"why": "a slip"}).status_code == 303
    rows = writer.get("/history.json").json()["events"]
    assert rows[0]["what"] == f"Undid event {event} (a slip)"
    assert rows[1]["is_undone"]


def test_the_report_comes_as_one_file(writer):
    report = writer.get("/report")
    assert report.status_code == 200
    assert "attachment" in report.headers["content-disposition"]
    assert "data:image/png" in report.text


def test_trust_shows_the_figure_of_calibration(reader):
    assert reader.get("/trust/calibration.png").content.startswith(b"\x89PNG")


def test_experiments_are_chosen_for_another_goal(writer):
    goals = [goal["goal"] for goal in writer.get("/next.json").json()["goals"]]
    assert goals == ["maximize:hardness", "minimize:hardness", "learn-phase-map"]
    assert writer.post("/next/ask", data={"n": "1", "goal": "minimize:hardness"}).status_code == 303
    assert "below the lowest" in writer.get("/next.json").json()["rows"][-1]["reason"] or (
        "lowest so far" in writer.get("/next.json").json()["rows"][-1]["reason"]
    )


def test_the_whole_campaign_comes_as_a_crate_or_says_what_it_lacks(writer):
    page = writer.get("/everything.zip")
    assert page.status_code == 422
    assert "campaign.toml" in page.text


def test_two_times_of_learning_are_compared(fitted, tmp_path):
    shutil.copytree(fitted, tmp_path / "copy")
    with Campaign.open(tmp_path / "copy") as campaign:
        for name in campaign.proposals("proposed")["proposal"].values.tolist():
            campaign.tell({"hardness": 9.5}, proposal=name)
        campaign.fit()
    with visiting(create_app(tmp_path / "copy"), **HTML) as client:
        seen = client.get("/compare.json").json()
        same = client.get("/compare.json", params={"before": seen["after"]["fit"]}).json()
        assert client.get("/compare").status_code == 200
        assert client.get("/map", params={"as_of": seen["before"]["ended"]}).status_code == 200
        assert client.get("/compare", params={"before": "fit-999"}).status_code == 404
    assert (seen["before"]["n_specimens"], seen["after"]["n_specimens"]) == (45, 48)
    assert [row["value"] for row in same["rows"]] == [
        "0 %",
        "by 0 GPa or less at half of the places, by 0 GPa or less at 95 %",
        "1.00 times what it was",
    ]
    assert seen["rows"] != same["rows"]


def test_every_part_of_a_composition_and_every_label_has_a_row_of_the_check(reader):
    seen = reader.get("/check.json").json()
    rows = {row["name"]: row for row in seen["columns"]}
    assert {"composition: Fe", "composition: Ga", "composition: Pd", "phase"} <= set(rows)
    assert rows["phase"]["role"] == "structure"
    assert all(row["n_different"] <= row["n_known"] <= seen["n_specimens"] for row in rows.values())
    page = reader.get("/check").text
    assert '<th scope="row">composition: Fe</th>' in page
    assert '<th scope="row">phase</th>' in page
