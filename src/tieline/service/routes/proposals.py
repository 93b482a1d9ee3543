"""Ask, claim, and the life of a proposal."""

from typing import Annotated, Any, cast

from fastapi import Query

from tieline.campaign.campaign import Campaign
from tieline.campaign.proposals import find_proposals
from tieline.campaign.store.event import now
from tieline.errors import SchemaError
from tieline.planning.goals import parse_goal
from tieline.service.answers import Proposal, Proposals, Recorded, proposal_of, proposals_of, recorded
from tieline.service.bodies import Ask, Claim, GiveUp, Renew
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.request import Viewed, Visiting, Writing
from tieline.service.routes.router import api_router

router = api_router("proposals")


@router.post("/ask")
@needs(PROPOSE)
def ask(deed: Writing, body: Ask) -> Proposals:
    """Ask what to do next. What is answered is remembered as under way, and never proposed to two."""
    options: dict[str, Any] = {"instrument": body.instrument, "audit": body.audit, "batch": body.batch}
    chosen = deed.campaign.ask(
        body.n,
        goal=parse_goal(body.goal) if body.goal else None,
        acquisition=cast("Any", body.acquisition or None),  # checked where it is used
        by=deed.by(body.by),
        key=deed.key,
        **options,
    )
    rows = find_proposals(deed.campaign.store, names=chosen["proposal"].values.tolist())
    return proposals_of(rows, chosen.attrs.get("notes", []))


@router.get("/proposals")
@needs(READ)
def list_proposals(
    campaign: Viewed,
    visitor: Visiting,
    state: Annotated[list[str], Query(description="Only of these states.", examples=[["proposed"]])] = [],  # noqa: B006 - FastAPI copies it
    instrument: Annotated[str, Query(description="Only what was asked for this one.")] = "",
    claimed_by: Annotated[str, Query(description="Only what somebody claimed, as the log names them.")] = "",
    mine: Annotated[bool, Query(description="Only what one has claimed oneself.")] = False,
    by: Annotated[str, Query(description="Who one is, for `mine`.")] = "",
) -> Proposals:
    """List proposals in the order in which they were made."""
    claimed_by = _named(visitor.signs(by)) if mine else claimed_by
    wanted = {"states": state, "instrument": instrument, "claimed_by": claimed_by}
    return proposals_of(find_proposals(campaign.store, **wanted))


@router.get("/proposals/{name}")
@needs(READ)
def show_proposal(campaign: Viewed, name: str) -> Proposal:
    """One proposal."""
    return _shown(campaign, name)


@router.post("/claim")
@needs(PROPOSE)
def claim(deed: Writing, body: Claim) -> Proposal:
    """Take a proposal for oneself, so that nobody else does the same work; 404 if none is open."""
    options = {"lease": body.lease, "instrument": body.instrument, "key": deed.key}
    name = deed.campaign.claim(body.proposal, by=deed.by(body.by), **options)
    return _shown(deed.campaign, name)


@router.post("/proposals/{name}/renew")
@needs(PROPOSE)
def renew(deed: Writing, name: str, body: Renew) -> Recorded:
    """Say that one is at work on a proposal that one has claimed, and will be for some time."""
    options = {"lease": body.lease, "is_running": body.is_running, "key": deed.key}
    return recorded(deed.campaign.renew(name, by=deed.by(body.by), **options))


@router.post("/proposals/{name}/release")
@needs(PROPOSE)
def release(deed: Writing, name: str, body: GiveUp) -> Recorded:
    """Give a proposal back that one has claimed, for somebody else to take."""
    return recorded(deed.campaign.release(name, by=deed.by(body.by), why=body.why, key=deed.key))


@router.post("/proposals/{name}/fail")
@needs(PROPOSE)
def fail(deed: Writing, name: str, body: GiveUp) -> Recorded:
    """Record that what was proposed could not be made, which a model may learn from."""
    return recorded(deed.campaign.fail(name, by=deed.by(body.by), why=body.why, key=deed.key))


@router.post("/proposals/{name}/abandon")
@needs(PROPOSE)
def abandon(deed: Writing, name: str, body: GiveUp) -> Recorded:
    """Give a proposal up; nothing is learned from that, and its place may be proposed again."""
    return recorded(deed.campaign.abandon(name, by=deed.by(body.by), why=body.why, key=deed.key))


def _named(signature: str) -> str:
    if not signature:
        raise SchemaError(
            "What is yours can only be told if you say who you are.",
            found="mine, and nobody's name",
            hint='by=furnace-2, or tl.connect(address, by="furnace-2")',
        )
    return signature


def _shown(campaign: Campaign, name: str) -> Proposal:
    (row,) = find_proposals(campaign.store, names=[name])
    return proposal_of(row, now())
