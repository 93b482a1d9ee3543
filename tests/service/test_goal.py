"""The page of the goal: what it says in plain words, and how another one is chosen."""

import pytest
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings, fault_of_goal
from tieline.planning.goals import parse_goal
from tieline.service.app import create_app
from tieline.service.pages.aims import fields_of_goal, is_said_by_form, read_goal, sentence_of

HTML = {"accept": "text/html"}
NAMES = ["hardness", "cost"]


@pytest.fixture
def visitor(tmp_path):
    settings = Settings("films", properties=NAMES, phase="phase", goal="maximize:hardness")
    Campaign.create(tmp_path / "films", settings).close()
    with visiting(create_app(tmp_path / "films"), **HTML) as client:
        yield client


@pytest.mark.parametrize(
    "text",
    [
        "maximize:hardness",
        "target:cost=3.5",
        "learn-phase-map",
        "learn-level-set:hardness=7.0",
        "pareto(maximize:hardness, minimize:cost)",
        "0.5*maximize:hardness + 0.5*learn-phase-map",
    ],
)
def test_the_form_says_what_the_goal_says(text):
    goal = parse_goal(text)
    assert is_said_by_form(goal)
    assert read_goal(fields_of_goal(goal), NAMES) == goal


@pytest.mark.parametrize(
    "text",
    ["0.7*maximize:hardness + 0.3*learn-phase-map", "pareto(maximize:hardness, minimize:cost from 9)",
     "0.5*maximize:hardness + 0.5*minimize:cost"],
)  # fmt: skip
def test_the_form_knows_what_it_cannot_say(text):
    assert not is_said_by_form(parse_goal(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maximize:hardness", "beat the best so far, where high hardness is wanted"),
        ("target:cost=3", "cost close to 3"),
        ("learn-phase-map", "which phase is where"),
        ("0.5*maximize:hardness + 0.5*learn-phase-map", "At the same time: tieline proposes what tells most"),
        ("pareto(maximize:hardness, minimize:cost)", "compromises between high hardness and low cost"),
    ],
)
def test_a_goal_is_told_in_plain_words(text, words):
    assert words in sentence_of(parse_goal(text))


def test_another_goal_is_chosen_and_stands_in_the_file_and_in_the_history(visitor, tmp_path):
    sent = {"wish:hardness": "target", "value:hardness": "7,5", "wish:cost": "", "by": "Anna"}
    assert visitor.post("/goal", data=sent).status_code == 303
    assert 'goal = "target:hardness=7.5"' in (tmp_path / "films" / "campaign.toml").read_text()
    assert visitor.get("/goal.json").json()["typed"] == {"wish:hardness": "target", "value:hardness": "7.5"}
    event = visitor.get("/history.json").json()["events"][0]
    assert (event["what"], event["by"]) == ("Set the goal: bring hardness to 7.5", "Anna")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "What are you after?"),
        ({"wish:hardness": "target", "value:hardness": "much"}, "This is not a number."),
        ({"wish:hardness": "level", "value:hardness": ""}, "Which value of hardness?"),
        ({"wish:hardness": "maximise"}, "There is no such wish."),
        ({"wish:hardness": "maximize", "wish:cost": "minimize", "phases": "on"}, "cannot be sought beside"),
    ],
)
def test_a_wish_that_cannot_be_stays_as_it_was_said(visitor, sent, words):
    page = visitor.post("/goal", data=sent)
    assert page.status_code == 422
    assert words in page.text
    assert visitor.get("/goal.json").json()["line"] == "maximize:hardness"
    assert all(f'value="{v}"' in page.text for n, v in sent.items() if n.startswith("value:") and v)


def test_a_mistyped_goal_is_said_on_every_page_where_it_is_mended(tmp_path):
    sheet = "".join(f"{i},{i / 2}\n" for i in range(6))
    (tmp_path / "runs.csv").write_text(f"time (h),hardness (GPa)\n{sheet}", encoding="utf-8")
    with Campaign.create(tmp_path / "c", Settings("c", goal="maximize:hardnes")) as campaign:
        campaign.import_file(tmp_path / "runs.csv")
    with visiting(create_app(tmp_path / "c"), **HTML) as client:
        assert client.get("/overview.json").json()["next"]["where"] == "/goal"
        for path in ("/check", "/goal"):
            page = client.get(path).text
            assert "The goal asks for &#39;hardnes&#39;" in page
            assert "goal = &#34;maximize:hardness&#34; in campaign.toml" in page
        assert client.post("/goal", data={"wish:hardness": "maximize"}).status_code == 303
        assert client.get("/check.json").json()["goal_problem"] is None
        assert client.get("/overview.json").json()["next"]["where"] == "/learn"


@pytest.mark.parametrize(
    ("goal", "hint"),
    [
        ("0.5*maximize:hardnes + 0.5*minimize:hard", 'goal = "0.5*maximize:hardness + 0.5*minimize:hard"'),
        ("target:Cost=3", 'goal = "target:cost=3.0"'),
        ("maximize:zeta", "name one of these"),
    ],
)
def test_a_mistyped_goal_is_answered_with_the_line_to_type(goal, hint):
    fault = fault_of_goal(goal, ["hardness", "hard", "cost"])
    assert fault is not None
    assert hint in fault.hint
    assert fault_of_goal("maximize:cost", ["cost"]) is None
    assert fault_of_goal(None, ["cost"]) is None
