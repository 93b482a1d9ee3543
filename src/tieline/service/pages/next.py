"""The next experiments: what is proposed and why, who does it, and what came out, in one table."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.proposals import find_proposals
from tieline.campaign.store.event import now
from tieline.campaign.store.tables import LIVE
from tieline.campaign.telling import Vocabulary
from tieline.models.posterior import label_sets
from tieline.planning.listing import MARK, element_heading
from tieline.planning.wording import as_read, unbroken
from tieline.schema import specimens_of
from tieline.schema.wording import plus_minus
from tieline.service.answers import Proposal, proposal_of
from tieline.service.guard import READ, needs
from tieline.service.pages.made import fields_of_design
from tieline.service.pages.overview import given_texts, goal_in_words
from tieline.service.pages.router import add_page
from tieline.service.pages.words import STATES, spoken
from tieline.service.request import Viewed

ASKED, MOST_ASKED = 5, 50  # proposals at once
LATEST = 15  # of those that are over, on the page
MOST_LABELS = 30  # offered to choose from
OURS = ("instrument", "state", "taken by", "until", "reason")  # columns of a list beside what is filled in

router = APIRouter()


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    rows = find_proposals(campaign.store)
    live = [row for row in rows if row.state in LIVE]
    over = [row for row in rows if row.state not in LIVE][-LATEST:][::-1]
    unasked = fields_of_design(campaign)
    return {
        "goal": goal_in_words(campaign),
        "has_posterior": campaign.has_posterior,
        "can_ask": campaign.has_posterior or bool(campaign.settings.space or campaign.settings.pool),
        "goals": _goals(campaign),
        "chosen_goal": "",
        "asked": str(ASKED),
        "most": MOST_ASKED,
        "is_stale": campaign.is_stale and campaign.has_posterior,
        "settings": columns_of(live),
        "fields": fields_of(campaign),
        "rows": rows_of(campaign, live),
        "over": rows_of(campaign, over),
        "typed": {},
        "faults": {},
        "problem": None,
        "recorded": [],
        "design": [field.header for field in unasked],
        "choices": {field.header: list(field.choices) for field in unasked if field.choices},
    }


def _goals(campaign: Campaign) -> list[dict[str, str]]:
    """Other goals to choose experiments for: the ends of each property, and the phase map."""
    if not campaign.has_posterior:
        return []
    model = campaign.posterior().model
    goals = []
    for name in model.properties:
        for verb, word in (("maximize", "highest"), ("minimize", "lowest")):
            goals.append({"goal": f"{verb}:{name}", "words": f"{word} {name.replace('_', ' ')}"})
    if label_sets(model):
        goals.append({"goal": "learn-phase-map", "words": "learn the phase map"})
    return goals


def fields_of(campaign: Campaign) -> list[dict[str, Any]]:
    """What can be recorded: name, unit, whether it is a number, and labels that were given before."""
    words = campaign.vocabulary()
    known = specimens_of(campaign.record()) if campaign.has_record else {}
    fields = []
    for name in words.results:
        is_number = name in words.properties
        labels = []
        if not is_number and name in known and known[name].ndim == 1:
            labels = sorted(set(given_texts(known[name].values)))
        fields.append(
            {
                "name": name,
                "unit": words.units.get(name, ""),
                "is_number": is_number,
                "labels": labels[:MOST_LABELS],
            }
        )
    return fields


def columns_of(rows: Sequence[sa.Row[Any]]) -> list[str]:
    """Headers of the settings of proposals, elements in at.%."""
    headers: dict[str, None] = {}
    for row in rows:
        headers |= dict.fromkeys(_settings(proposal_of(row, now())))
    return list(headers)


def rows_of(campaign: Campaign, rows: Sequence[sa.Row[Any]]) -> list[dict[str, Any]]:
    """Proposals as the table shows them."""
    time, words = now(), campaign.vocabulary()
    return [_row(number, proposal_of(row, time), words) for number, row in enumerate(rows, start=1)]


def _row(number: int, proposal: Proposal, words: Vocabulary) -> dict[str, Any]:
    return {
        "number": number,
        "proposal": proposal.proposal,
        "state": proposal.state,
        "state_words": _state(proposal),
        "by": proposal.claimed_by,
        "until": proposal.lease_until,
        "instrument": proposal.instrument,
        "settings": _settings(proposal),
        "expected": _expected(proposal, words),
        "reason": unbroken(proposal.reason),
        "why": proposal.why,
    }


def _state(proposal: Proposal) -> str:
    return "overdue" if proposal.is_overdue else STATES[proposal.state]


def _short(value: float) -> str:
    return f"{value:.6g}"


def _settings(proposal: Proposal, write: Callable[[float], str] = _short) -> dict[str, str]:
    """Settings by header, as text; numbers as a function writes them."""
    said: dict[str, str] = {}
    for name, value in proposal.settings.items():
        if isinstance(value, Mapping):
            said |= {element_heading(e): write(round(100 * share, 12)) for e, share in value.items()}
        else:
            text = write(value) if isinstance(value, float | int) else str(value)
            said[spoken(name, proposal.units.get(name, ""))] = text
    return said


def _expected(proposal: Proposal, words: Vocabulary) -> dict[str, str]:
    """What is expected, as text: values with their uncertainty, and the most likely phase."""
    told = {}
    for name in words.properties:
        mean, sd = proposal.predicted.get(name), proposal.predicted.get(f"{name}_sd")
        if isinstance(mean, float) and isinstance(sd, float):
            unit = words.units.get(name, "")
            told[name] = plus_minus(mean, sd, as_read(unit))
    if proposal.predicted.get("most_likely_phase"):
        told["most likely phase"] = str(proposal.predicted["most_likely_phase"])
    return told


add_page(router, "/next", "next.html", view)


@router.get("/next.csv", include_in_schema=False)
@needs(READ)
def as_csv(campaign: Viewed) -> Response:
    """The open experiments as a list to fill in: settings, an empty column for each result, what is ours."""
    live = [row for row in find_proposals(campaign.store) if row.state in LIVE]
    settings, fields = columns_of(live), fields_of(campaign)
    text = io.StringIO()
    writer = csv.writer(text)
    results = [spoken(field["name"], field["unit"]) for field in fields]
    writer.writerow(["specimen", *settings, *results, *(MARK + word for word in OURS)])
    for one in (proposal_of(row, now()) for row in live):
        exact = _settings(one, write=str)  # it comes back with what was made
        ours = (one.instrument, _state(one), one.claimed_by, one.lease_until, one.reason)
        cells = [exact.get(name, "") for name in settings]
        writer.writerow([one.proposal, *cells, *[""] * len(fields), *ours])
    headers = {"Content-Disposition": 'attachment; filename="next-experiments.csv"'}
    # The mark tells Excel that this is UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
