"""The first page: what is measured, how far it can be trusted, what happened, what to do next."""

from typing import Any

import numpy as np
from fastapi import APIRouter

from tieline.campaign.aiming import fault_in_aim
from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import latest_fit
from tieline.campaign.proposals import find_proposals
from tieline.campaign.store.tables import LIVE
from tieline.planning.goals import parse_goal
from tieline.schema import specimens_of
from tieline.service.pages.learning import badge_of, learning_now
from tieline.service.pages.router import add_page
from tieline.service.pages.words import say_event
from tieline.service.request import Viewed

LATEST = 8  # events on the page

router = APIRouter()


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    fit = latest_fit(campaign.store)
    return {
        "campaign": campaign.settings.name,
        "goal": goal_in_words(campaign),
        "n_specimens": _n_specimens(campaign),
        "measured": _measured(campaign),
        "files": campaign.imports(),
        "badge": badge_of(fit),
        "learned_at": fit.ended if fit else "",
        "is_stale": campaign.is_stale,
        "proposals": _counts(campaign),
        "next": _next_step(campaign),
        "events": latest_events(campaign, LATEST),
    }


def goal_in_words(campaign: Campaign) -> str:
    """What the campaign is after; "" where that is not said yet."""
    if campaign.settings.goal:
        return str(parse_goal(campaign.settings.goal))
    return str(campaign.goal()) if campaign.has_posterior else ""


def latest_events(campaign: Campaign, n: int, before: int | None = None) -> list[dict[str, Any]]:
    """The last n events, the latest first.

    Args:
        campaign: whose log is read.
        n: how many.
        before: only those before this number.
    """
    end = campaign.store.last() + 1 if before is None else before
    events = campaign.events(after=max(end - 1 - n, 0), limit=n)
    rows = [
        {"number": e.number, "at": e.at, "by": e.by, "kind": e.kind, "what": say_event(e)}
        for e in events
        if e.number < end
    ]
    return rows[::-1]


def _n_specimens(campaign: Campaign) -> int:
    return specimens_of(campaign.record()).sizes["specimen"] if campaign.has_record else 0


def _measured(campaign: Campaign) -> list[dict[str, Any]]:
    """Of each property and label how many specimens have it, with unit and range."""
    if not campaign.has_record:
        return []
    known = specimens_of(campaign.record())
    units = campaign.vocabulary().units
    rows = []
    for name in campaign.vocabulary().results:
        if name not in known:
            continue
        values = known[name].values
        row: dict[str, Any] = {"name": name, "unit": units.get(name, "")}
        if values.dtype.kind in "iuf" and values.ndim == 1:
            values = values[np.isfinite(values)]
            ends = (float(values.min()), float(values.max())) if values.size else (None, None)
            row |= {"n": int(values.size), "low": ends[0], "high": ends[1], "labels": []}
        else:
            text = given_texts(values)
            row |= {"n": len(text), "low": None, "high": None, "labels": sorted(set(text))}
        rows.append(row)
    return rows


def given_texts(values: np.ndarray) -> list[str]:
    """Values as text, those that are missing left out."""
    return [str(v) for v in values.ravel() if v is not None and str(v) not in ("", "nan")]


def _counts(campaign: Campaign) -> dict[str, int]:
    states = [row.state for row in find_proposals(campaign.store)]
    live = sum(state in LIVE for state in states)
    return {"live": live, "open": states.count("proposed"), "done": states.count("done")}


def _next_step(campaign: Campaign) -> dict[str, str]:
    """The one thing to do now: words, where, and why."""
    if not campaign.has_record:
        return _step("Add your first file", "/data", "There are no measurements yet.")
    if learning_now(campaign):
        return _step("Watch it learn", "/learn", "tieline is learning from your data.")
    if fault := fault_in_aim(campaign):
        return _step("Correct the goal", "/goal", fault.what)
    if not campaign.has_posterior:
        return _step("Learn from the data", "/learn", "Nothing was learned from your data yet.")
    if campaign.is_stale:
        return _step("Learn again", "/learn", "There is something new since tieline last learned.")
    if live := _counts(campaign)["live"]:
        why = f"{live} experiment{'s are' if live > 1 else ' is'} waiting for a result."
        return _step("Record results", "/next", why)
    return _step("Choose the next experiments", "/next", "Everything that was proposed has a result.")


def _step(words: str, where: str, why: str) -> dict[str, str]:
    return {"words": words, "where": where, "why": why}


add_page(router, "/", "overview.html", view)
