"""Fits as processes of their own: seen, cancelled, interrupted, and done again when data arrived."""

import os
import signal
import time

import pytest
from robots import SETTINGS, run_all

from tieline.campaign import fits
from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import beat, begin, end
from tieline.campaign.fitting import plan
from tieline.errors import Conflict, NotFound, TielineError


@pytest.fixture
def campaign(tmp_path):
    with Campaign.create(tmp_path / "robots", SETTINGS) as made:
        run_all(made, 5)
        yield made


def wait(campaign, name, states=("done", "failed", "cancelled", "interrupted")):
    for _ in range(600):
        (fit,) = [fit for fit in campaign.fits() if fit.name == name]
        if fit.state in states:
            return fit
        time.sleep(0.1)
    raise AssertionError(f"{fit} does not end")


def process_of(campaign, name):
    import json

    with campaign.store.reading() as connection:
        text = connection.exec_driver_sql("SELECT process FROM beat WHERE fit = ?", (name,)).scalar()
    return json.loads(text)["pid"]


def test_a_fit_runs_as_its_own_process_and_again_for_what_arrived(campaign):
    name = campaign.start_fit(by="ada")
    with pytest.raises(Conflict, match="A fit is running"):
        campaign.start_fit()
    run_all(campaign, 1)
    fit = wait(campaign, name)
    assert fit.state == "done", (campaign.path / "fit.log").read_text(encoding="utf-8")
    assert fit.outcome["verdict"] in ("green", "amber", "red")
    assert len(fit.outcome["table_sha256"]) == 64
    assert fit.outcome["sentence"] in fit.outcome["card"]
    assert "## How to cite" in fit.outcome["card"]
    again = [f.name for f in campaign.fits() if f.name != name]
    assert all(wait(campaign, other).state == "done" for other in again)
    for _ in range(100):
        if not campaign.is_stale:
            break
        time.sleep(0.1)
    assert not campaign.is_stale
    assert campaign.posterior().table.sizes["specimen"] == 6
    assert campaign.verify() == []


def test_a_killed_fit_is_interrupted_and_the_next_one_goes_on(campaign):
    name = campaign.start_fit()
    os.kill(process_of(campaign, name), signal.SIGKILL)
    assert wait(campaign, name).state == "interrupted"
    assert not campaign.has_posterior
    campaign.fit()
    assert campaign.has_posterior
    assert campaign.verify() == []


def test_a_cancelled_fit_leaves_what_was_learned_before(campaign):
    before = campaign.fit()
    name = campaign.start_fit()
    campaign.cancel_fit(name)
    assert wait(campaign, name).state == "cancelled"
    with pytest.raises(Conflict, match="it is cancelled"):
        campaign.cancel_fit(name)
    with pytest.raises(NotFound, match="no fit 'fit-999'"):
        campaign.cancel_fit("fit-999")
    time.sleep(3 * fits.BEAT)
    assert campaign.posterior().table.identical(before.table)
    assert [f.state for f in campaign.fits()] == ["done", "cancelled"]


def test_silence_makes_a_fit_interrupted_and_a_late_end_still_counts(campaign, monkeypatch):
    name = begin(campaign.store, plan(campaign.store, campaign.settings), by="")
    elsewhere = {"host": "another machine", "boot": "x", "pid": 1}
    beat(campaign.store, name, "fitting", elsewhere)
    assert campaign.fits()[-1].state == "running"
    monkeypatch.setattr(fits, "SILENCE", -1.0)
    assert campaign.fits()[-1].state == "interrupted"
    end(campaign.store, name, "failed", outcome={"what": "x"})
    assert campaign.fits()[-1].state == "failed"


def test_a_fit_that_cannot_be_says_why(tmp_path):
    with Campaign.create(tmp_path / "c", SETTINGS) as campaign:
        with pytest.raises(TielineError, match="no data yet"):
            campaign.start_fit()
        run_all(campaign, 1)
        with pytest.raises(TielineError, match="at least 2 values"):
            campaign.fit()
        (fit,) = campaign.fits()
        assert fit.state == "failed"
        assert "at least 2 values" in fit.outcome["what"]


def test_the_same_data_and_seed_give_the_same_predictions(campaign):
    one, two = campaign.fit(), campaign.fit()
    assert one.predict(one.table).identical(two.predict(two.table))
    first, second = campaign.fits()
    assert first.outcome["table_sha256"] == second.outcome["table_sha256"]
