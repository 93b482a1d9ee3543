"""A campaign that is after something else: one line of campaign.toml changes, and the log remembers."""

import tomllib

import pytest

from tieline.campaign.aiming import aim, with_goal
from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError
from tieline.planning.goals import LearnPhaseMap, Maximize, Minimize

SAID = """# ours
name = "films"  # never rename
goal = "maximize:hardness" # for now

[[space.inputs]]
goal = 3
"""


@pytest.fixture
def films(tmp_path):
    about = {"properties": ["hardness"], "goal": "maximize:hardness"}
    with Campaign.create(tmp_path / "films", Settings("films", **about)) as campaign:
        yield campaign


def test_only_the_line_of_the_goal_changes():
    changed = with_goal(SAID, "minimize:hardness")
    assert changed == SAID.replace('"maximize:hardness" # for now', '"minimize:hardness"')


@pytest.mark.parametrize("text", ["", "# nothing\n", 'name = "a"', '[citation]\ntitle = "b"\n'])
def test_a_goal_that_was_not_said_is_added_before_all_tables(text):
    assert tomllib.loads(with_goal(text, "learn-phase-map")) == tomllib.loads(text) | {
        "goal": "learn-phase-map"
    }


@pytest.mark.parametrize("text", ['goal = """\nmaximize:a"""\n', "'goal' = 'maximize:a'\n"])
def test_a_line_that_cannot_be_found_for_sure_is_left_alone(text):
    with pytest.raises(SchemaError, match="cannot be written"):
        with_goal(text, "minimize:a")


def test_the_log_remembers_what_was_before(films):
    event = aim(films, Minimize("hardness"), by="Anna", key="k")
    assert films.settings.goal == "minimize:hardness"
    assert event.told == {"goal": "minimize:hardness", "before": "maximize:hardness"}
    assert aim(films, Minimize("hardness"), by="Anna", key="k") == event
    assert films.verify() == []


def test_a_goal_that_the_campaign_cannot_have_changes_nothing(films):
    with pytest.raises(SchemaError, match="'softness', which is not among"):
        aim(films, Maximize("softness"))
    assert films.settings.goal == "maximize:hardness"


def test_a_model_without_phases_learns_no_phase_map(tmp_path):
    about = {"properties": ["hardness"], "model": "GaussianProcess"}
    with (
        Campaign.create(tmp_path / "films", Settings("films", **about)) as campaign,
        pytest.raises(SchemaError, match="has no phases"),
    ):
        aim(campaign, LearnPhaseMap())
