"""What the service answers: the forms, and how they are made of what a campaign knows."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from tieline.campaign import fits
from tieline.campaign.proposals import is_overdue
from tieline.campaign.store.event import Event, now

Settings = Annotated[
    dict[str, Any],
    Field(
        description="By name: a number, a text, or a composition as a mapping of elements.",
        examples=[{"temperature": 760.0, "substrate": "steel"}],
    ),
]
Units = Annotated[
    dict[str, str], Field(description="Of each name that has one.", examples=[{"temperature": "degC"}])
]


class Failure(BaseModel):
    """What went wrong, in three clauses."""

    error: Annotated[str, Field(description="Its kind.", examples=["SchemaError"])]
    what: Annotated[
        str, Field(description="What is wrong.", examples=["The campaign measures no 'hardnes'."])
    ]
    found: Annotated[
        str, Field(description="What was found.", examples=["hardness. Did you mean 'hardness'?"])
    ]
    hint: Annotated[str, Field(description="What to try.", examples=["name one of these"])]


class Proposal(BaseModel):
    """A place to make or measure, and how it goes with it."""

    proposal: Annotated[str, Field(description="Its name.", examples=["P2026-11-24-1"])]
    state: Annotated[
        str, Field(description="proposed, claimed, running, done, failed or abandoned.", examples=["claimed"])
    ]
    settings: Settings
    units: Units
    instrument: Annotated[
        str, Field(description="Who or what will do the work; empty for any.", examples=["furnace-2"])
    ]
    value: Annotated[
        float | None, Field(description="How good it is for the goal; null before the first fit.")
    ]
    reason: Annotated[str, Field(examples=["most likely to beat the best so far, 6.1 GPa"])]
    predicted: Annotated[
        dict[str, Any],
        Field(description="What is expected there.", examples=[{"hardness": 6.4, "hardness_sd": 0.3}]),
    ]
    claimed_by: Annotated[str, Field(examples=["furnace-2"])]
    lease_until: Annotated[str, Field(description="UTC.", examples=["2026-11-24T15:00:00.000000Z"])]
    is_overdue: Annotated[bool, Field(description="The lease has run out, which has no other consequence.")]
    why: Annotated[str, Field(description="Why it failed or was given up.", examples=[""])]


class Proposals(BaseModel):
    """Several of them."""

    proposals: list[Proposal]
    notes: Annotated[list[str], Field(description="What should be known about the choice.")] = []


class Recorded(BaseModel):
    """What was written down; it is on disk."""

    event: Annotated[int, Field(description="Its number in the log.", examples=[17])]
    at: Annotated[str, Field(description="UTC.", examples=["2026-11-24T14:07:31.018915Z"])]
    kind: Annotated[str, Field(examples=["told"])]
    by: Annotated[str, Field(examples=["furnace-2"])]
    specimen: Annotated[str, Field(description="That it is about, if it is.", examples=["P2026-11-24-1"])]
    notes: Annotated[
        list[str],
        Field(
            description="What should be known about it.",
            examples=[["temperature: 950 degC lies outside the space of campaign.toml."]],
        ),
    ] = []


class LogEvent(BaseModel):
    """Something that happened."""

    number: Annotated[int, Field(examples=[17])]
    at: Annotated[str, Field(description="UTC.", examples=["2026-11-24T14:07:31.018915Z"])]
    kind: Annotated[str, Field(examples=["told"])]
    by: Annotated[str, Field(examples=["furnace-2"])]
    key: Annotated[str, Field(description="Of the request.")]
    content: dict[str, Any]
    digest: Annotated[str, Field(description="SHA-256 over this event and the digest before it.")]


class Fit(BaseModel):
    """A fit as it stands."""

    fit: Annotated[str, Field(description="Its name.", examples=["fit-18"])]
    state: Annotated[
        str, Field(description="running, done, failed, cancelled or interrupted.", examples=["running"])
    ]
    stage: Annotated[str, Field(description="What a running fit is doing.", examples=["fitting"])]
    started: Annotated[str, Field(description="UTC.", examples=["2026-11-24T14:07:31.018915Z"])]
    ended: Annotated[str, Field(description="UTC; empty while it runs.", examples=[""])]
    data: Annotated[int, Field(description="The last event that it learns from.", examples=[17])]
    outcome: Annotated[
        dict[str, Any],
        Field(
            description="Verdict, sentence, action, notes, and use: what was learned from what, and what was"
            " not used; card: the model card, as Markdown; model, arrived and challenge: how it came that"
            " this model is in use; or the error.",
            examples=[{"verdict": "green", "use": "Learned hardness from temperature."}],
        ),
    ]


def proposal_of(row: sa.Row[Any], time: str) -> Proposal:
    """A proposal as an answer.

    Args:
        row: of the table `proposal`.
        time: of the answer, UTC.
    """
    settings, about, attrs = json.loads(row.design), json.loads(row.about), json.loads(row.attrs)
    value, reason = about.pop("value", None), about.pop("reason", "")
    units = {n: a["units"] for n, a in attrs.items() if a.get("units") and (n in settings or n in about)}
    return Proposal(
        proposal=row.name,
        state=row.state,
        settings=settings,
        units=units,
        instrument=row.instrument,
        value=value,
        reason=reason,
        predicted=about,
        claimed_by=row.claimed_by,
        lease_until=row.lease_until,
        is_overdue=is_overdue(row, time),
        why=row.why,
    )


def proposals_of(rows: Sequence[sa.Row[Any]], notes: Sequence[str] = ()) -> Proposals:
    """Proposals as an answer."""
    time = now()
    return Proposals(proposals=[proposal_of(row, time) for row in rows], notes=list(notes))


def recorded(event: Event, notes: Sequence[str] = ()) -> Recorded:
    """An event that somebody caused, as an answer."""
    specimen = str(event.told.get("specimen", ""))
    about = {name: getattr(event, name) for name in ("at", "kind", "by")}
    return Recorded(event=event.number, **about, specimen=specimen, notes=list(notes))


def log_event(event: Event) -> LogEvent:
    """An event of the log, as an answer."""
    about = {name: getattr(event, name) for name in ("number", "at", "kind", "by", "key", "digest")}
    return LogEvent(**about, content=event.told)


def fit_of(fit: fits.Fit) -> Fit:
    """A fit as an answer."""
    about = {name: getattr(fit, name) for name in ("state", "stage", "started", "ended", "data")}
    return Fit(fit=fit.name, **about, outcome=dict(fit.outcome))
