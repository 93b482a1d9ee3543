"""How it stands with a campaign."""

from collections import Counter
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Request
from pydantic import BaseModel, Field

import tieline
from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import latest_fit
from tieline.campaign.proposals import find_proposals, is_overdue
from tieline.campaign.store import tables
from tieline.campaign.store.event import now
from tieline.errors import TielineError
from tieline.service.answers import Fit, Units, fit_of
from tieline.service.guard import READ, needs
from tieline.service.request import Present, Viewed
from tieline.service.routes.router import api_router

router = api_router("overview")


class Health(BaseModel):
    """The service works, and its record can be read."""

    status: Annotated[str, Field(examples=["ok"])]
    tieline: Annotated[str, Field(description="Its version.", examples=["0.1.0"])]
    event: Annotated[int, Field(description="Number of the latest event.", examples=[17])]


class Vocabulary(BaseModel):
    """What may be told."""

    design: Annotated[list[str], Field(description="Settings that a place has.", examples=[["temperature"]])]
    settings: Annotated[list[str], Field(description="Others that may be told of how a specimen was made.")]
    results: Annotated[
        list[str], Field(description="Properties and labels.", examples=[["hardness", "phase"]])
    ]
    units: Units


class Overview(BaseModel):
    """How it stands with a campaign."""

    name: Annotated[str, Field(examples=["hard-films"])]
    model: Annotated[str | None, Field(examples=["GaussianProcess"])]
    goal: Annotated[
        str | None, Field(description="As campaign.toml says it.", examples=["maximize:hardness"])
    ]
    imports: Annotated[list[str], Field(description="Files that were imported.", examples=[["spread.csv"]])]
    n_specimens: int
    proposals: Annotated[
        dict[str, int],
        Field(description="How many are in each state.", examples=[{"done": 12, "claimed": 1}]),
    ]
    n_overdue: Annotated[int, Field(description="Claimed ones whose lease has run out.")]
    fit: Annotated[Fit | None, Field(description="The latest fit that began.")]
    learned: Annotated[Fit | None, Field(description="The fit that predictions and proposals come from.")]
    use: Annotated[
        str,
        Field(
            description="What a fit would learn from what, and what it would not use.",
            examples=["Learned hardness from temperature."],
        ),
    ]
    notes: Annotated[list[str], Field(description="What the campaign is after but lacks.")]
    is_stale: Annotated[bool, Field(description="Data or settings changed since then.")]
    event: Annotated[int, Field(description="Number of the latest event.", examples=[17])]
    words: Vocabulary


@router.get("/health")
@needs(READ)
def health(campaign: Present) -> Health:
    """Whether the service works and its record can be read."""
    return Health(status="ok", tieline=tieline.__version__, event=campaign.store.last())


@router.get("/campaign")
@needs(READ)
def overview(campaign: Viewed) -> Overview:
    """How it stands with the campaign: what is known, under way and learned, and what may be told."""
    settings, words, time = campaign.settings, campaign.vocabulary(), now()
    found = find_proposals(campaign.store)
    fits, learned = campaign.fits(), latest_fit(campaign.store)
    use, notes = _uses(campaign)
    told = {row.name for row in campaign.store.rows(sa.select(tables.specimen.c.name))}
    return Overview(
        name=settings.name,
        model=settings.model,
        goal=settings.goal,
        imports=campaign.imports(),
        n_specimens=len(told | words.specimens),
        proposals=dict(Counter(row.state for row in found)),
        n_overdue=sum(is_overdue(row, time) for row in found),
        fit=fit_of(fits[-1]) if fits else None,
        learned=None if learned is None else fit_of(learned),
        use=use,
        notes=notes,
        is_stale=campaign.is_stale,
        event=campaign.store.last(),
        words=Vocabulary(
            design=list(words.design),
            settings=list(words.settings),
            results=list(words.results),
            units=dict(words.units),
        ),
    )


def _uses(campaign: Campaign) -> tuple[str, list[str]]:
    """What would be learned from what, with notes; why it cannot is one of them."""
    if not campaign.has_record:
        return "", []
    try:
        return campaign.uses()
    except TielineError as error:
        return "", [" ".join(clause for clause in (error.what, error.found, error.hint) if clause)]


@router.get("/openapi.json", include_in_schema=False)
@needs(READ)
def openapi(request: Request) -> dict[str, Any]:
    """All routes with their forms and examples, as OpenAPI."""
    return request.app.openapi()
