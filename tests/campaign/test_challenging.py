"""A campaign whose campaign.toml names several models: which is used, since when, and why."""

import json

import httpx
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tieline.campaign.campaign import Campaign
from tieline.campaign.challenging import FEWEST, in_use
from tieline.campaign.export.sheets import sheets_of
from tieline.campaign.export.view import viewed
from tieline.campaign.settings import Settings
from tieline.campaign.store.replay import rebuild
from tieline.cli.commands import app
from tieline.errors import SchemaError
from tieline.service.app import create_app
from tieline.service.serving import in_background

GP, PHASES = "GaussianProcess", "PhaseProperty"


def with_a_jump(names, seed):
    """Hardness jumps by far more than its noise, which is what phases are for."""
    rng = np.random.default_rng(seed)
    temperature = np.linspace(600, 900, len(names)) + rng.uniform(-3, 3, len(names))
    hardness = np.where(temperature > 741, 9.0, 4.0) + 0.1 * rng.standard_normal(len(names))
    columns = {
        "specimen": names,
        "temperature (°C)": temperature.round(1),
        "hardness (GPa)": hardness.round(3),
    }
    return pd.DataFrame(columns)


def learn(campaign, names, seed=0):
    file = campaign.path.parent / f"{names[0]}.csv"
    with_a_jump(names, seed).to_csv(file, index=False)
    campaign.import_file(file)
    campaign.fit()
    return campaign.fits()[-1].outcome


def set_line(campaign, key, line):
    file = campaign.path / "campaign.toml"
    kept = [s for s in file.read_text(encoding="utf-8").splitlines() if not s.startswith(f"{key} =")]
    file.write_text("\n".join([*kept, line, ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A campaign that learned of few, of enough, and of one more specimen, with what the log says of each."""
    folder = tmp_path_factory.mktemp("jump") / "jump"
    with Campaign.create(folder, Settings("jump", model=GP, challengers=[PHASES])) as campaign:
        few = learn(campaign, [f"A{i}" for i in range(FEWEST - 8)])
        enough = learn(campaign, [f"B{i}" for i in range(14)], seed=1)
        at = campaign.store.last()
        more = learn(campaign, ["C0"], seed=2)
        yield campaign, few, enough, more, at


def test_of_few_specimens_no_model_is_chosen(story):
    _, few, *_ = story
    assert few["model"] == GP
    decision = "No model was challenged: it takes 20 specimens with a value, and there are 12."
    assert few["challenge"] == {"decision": decision}


def test_the_better_model_is_used_from_then_on(story):
    campaign, _, enough, more, _ = story
    assert enough["model"] == PHASES
    judged = enough["challenge"]
    assert judged["decision"].startswith(f"{PHASES} takes the place of {GP}")
    assert judged["scores"]["model"] == [GP, PHASES]
    assert judged["scores"]["behind"][1] < -judged["scores"]["behind_se"][1]
    assert judged["n_specimens"] == 26
    assert more["model"] == PHASES
    assert type(campaign.posterior().model).__name__ == PHASES
    assert not campaign.is_stale


def test_one_more_specimen_is_no_reason_to_judge_again(story):
    _, _, enough, more, _ = story
    assert more["challenge"] == enough["challenge"]
    assert more["arrived"].startswith("On 1 value of hardness that arrived it was off by ")


def test_the_card_tells_the_decision(story):
    campaign, _, enough, *_ = story
    assert enough["challenge"]["decision"] in enough["card"]
    assert enough["arrived"] in enough["card"]
    assert campaign.verify() == []


def test_a_replay_and_the_past_use_the_same_model(story):
    campaign, *_, at = story
    with campaign.store.database.writing() as connection:
        rebuild(connection)
    assert in_use(campaign.store, campaign.settings).model == PHASES
    with Campaign.open(campaign.path, as_of=at) as past:
        assert in_use(past.store, past.settings).model == PHASES
    with Campaign.open(campaign.path, as_of=at - 4) as past:
        assert in_use(past.store, past.settings).model == GP


def test_other_models_in_the_file_begin_anew(story):
    campaign, *_ = story
    text = (campaign.path / "campaign.toml").read_text(encoding="utf-8")
    set_line(campaign, "challengers", f'challengers = ["{PHASES}", "CompositionProperties"]')
    assert campaign.is_stale
    assert in_use(campaign.store, campaign.settings).model == GP
    (campaign.path / "campaign.toml").write_text(text, encoding="utf-8")
    assert not campaign.is_stale


def test_the_command_line_tells_it(story):
    campaign, *_ = story
    shown = CliRunner().invoke(app, ["show", str(campaign.path)]).output
    assert f"model      {PHASES}" in shown
    assert f"takes the place of {GP}" in shown
    told = json.loads(CliRunner().invoke(app, ["show", str(campaign.path), "--json"]).output)
    assert told["model"] == PHASES
    assert told["challenge"]["scores"]["model"] == [GP, PHASES]


def test_the_page_tells_it(story):
    campaign, *_ = story
    with in_background(create_app(campaign.path)) as address:
        assert f"takes the place of {GP}" in httpx.get(f"{address}/learn", timeout=60).text
        told = httpx.get(f"{address}/learn.json", timeout=60).json()
    assert told["model"] == PHASES
    assert told["fits"][0]["judged"] == campaign.fits()[-1].judged


def test_an_export_tells_it(story):
    campaign, *_ = story
    with viewed(campaign.path, campaign.store, campaign.settings) as view:
        fits = next(sheet.rows for sheet in sheets_of(view) if sheet.name == "fits.csv")
    assert fits["model"].tolist() == [GP, PHASES, PHASES]
    assert fits["decision"].str.contains("takes the place").tolist() == [False, True, True]
    assert fits["arrived"].iloc[0] == ""


def test_a_fit_of_before_there_were_challengers_is_not_stale(tmp_path):
    with Campaign.create(tmp_path / "old", Settings("old", model=GP)) as campaign:
        learn(campaign, [f"A{i}" for i in range(8)])
        (fit,) = campaign.fits()
        settings = {k: v for k, v in fit.about["settings"].items() if k != "challengers"}
        started = {"fit": "fit-old", "data": fit.data, "about": {**fit.about, "settings": settings}}
        campaign.store.write("fit_started", started)
        outcome = {k: v for k, v in fit.outcome.items() if k not in ("model", "arrived", "challenge")}
        ended = {"fit": "fit-old", "state": "done", "posterior": fit.posterior, "outcome": outcome}
        campaign.store.write("fit_ended", ended)
        assert not campaign.is_stale
        set_line(campaign, "challengers", f'challengers = ["{PHASES}"]')
        assert campaign.is_stale
        assert in_use(campaign.store, campaign.settings).model == GP


def test_labels_are_not_given_up_for_a_better_property(tmp_path):
    sheet = with_a_jump([f"A{i}" for i in range(22)], 0)
    sheet["phase"] = np.where(sheet["temperature (°C)"] > 741, "hard", "soft")
    sheet.to_csv(tmp_path / "labelled.csv", index=False)
    with Campaign.create(tmp_path / "labelled", Settings("labelled", challengers=[GP])) as campaign:
        campaign.import_file(tmp_path / "labelled.csv")
        campaign.fit()
        outcome = campaign.fits()[-1].outcome
    assert outcome["model"] == PHASES
    assert "phase would be learned no more" in outcome["challenge"]["decision"]


def test_a_challenger_that_cannot_read_the_data_is_told_and_left_out(tmp_path):
    settings = Settings("temperatures", model=GP, challengers=["CompositionProperties"])
    with Campaign.create(tmp_path / "temperatures", settings) as campaign:
        outcome = learn(campaign, [f"A{i}" for i in range(FEWEST)])
    assert outcome["model"] == GP
    assert outcome["challenge"]["decision"].startswith("No model was challenged: The design of Comp")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            'challengers = ["GausianProcess"]',
            "no model 'GausianProcess'(.|\n)*Did you mean 'GaussianProcess'",
        ),
        (f'challengers = ["{PHASES}"]', "PhaseProperty cannot challenge itself"),
        (f'model = "{GP}"\nchallengers = ["{PHASES}", "{PHASES}"]', "PhaseProperty cannot challenge itself"),
        (f'challengers = "{GP}"', "'challengers'(.|\n)*wrong form"),
        (
            f'challengers = ["{GP}"]\nphase = "phase"',
            "GaussianProcess has no phases, and cannot take the place",
        ),
        (f'challengers = ["{GP}"]\ngoal = "learn-phase-map"', "GaussianProcess has no phases"),
        (f'challengers = ["{GP}"]\nkernel = "rbf"\ninstrument = ["a"]', "'instrument'(.|\n)*wrong form"),
    ],
)
def test_challengers_that_cannot_be_are_refused(story, tmp_path, lines, message):
    (tmp_path / "campaign.toml").write_text(lines, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        Campaign.open(tmp_path)


def test_settings_of_a_challenger_are_taken(tmp_path):
    (tmp_path / "campaign.toml").write_text(f'challengers = ["{GP}"]\nkernel = "rbf"\n', encoding="utf-8")
    with Campaign.open(tmp_path) as campaign:
        assert campaign.settings.challengers == [GP]


def test_a_campaign_begins_with_challengers(tmp_path):
    words = ["new", str(tmp_path / "c"), "--model", GP, "--challengers", f"{PHASES}, CompositionProperties"]
    assert CliRunner().invoke(app, words).exit_code == 0
    with Campaign.open(tmp_path / "c") as campaign:
        assert campaign.settings.challengers == [PHASES, "CompositionProperties"]
