"""The log: read it, follow it while it grows, undo an event."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from tieline.campaign.campaign import Campaign
from tieline.errors import TielineError
from tieline.service.answers import LogEvent, Recorded, log_event, recorded
from tieline.service.bodies import GiveUp
from tieline.service.failures import status_of
from tieline.service.guard import ADMIN, READ, needs
from tieline.service.request import Present, Viewed, Writing
from tieline.service.routes.results import PAGE, After, Limit
from tieline.service.routes.router import api_router

router = api_router("log")
LOOK = 0.5  # seconds between two looks at the log; other processes write into it too
EXAMPLE = 'id: 17\nevent: told\ndata: {"number": 17}\n\n'
SIGN = 15.0  # seconds after which a silent stream gives a sign of life, before a proxy gives it up


class Events(BaseModel):
    """A part of the log."""

    events: list[LogEvent]


@router.get("/events")
@needs(READ)
def list_events(campaign: Viewed, after: After = 0, limit: Limit = PAGE) -> Events:
    """Read the log, from the event after a number."""
    return Events(events=[log_event(event) for event in campaign.events(after=after, limit=limit)])


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}}},
)
@needs(READ)
async def follow_events(
    campaign: Present,
    after: After = 0,
    last_event_id: Annotated[str, Header(max_length=20, description="As browsers send it.")] = "",
) -> StreamingResponse:
    """Follow the log while it grows, as server-sent events; `id` is the number of each.

    Who comes again with the number of the last event that arrived misses nothing and gets nothing twice.
    """
    if last_event_id.isascii() and last_event_id.isdecimal():
        after = min(int(last_event_id), 2**60)
    # A proxy that gathers answers would hold the events back.
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_follow(campaign, after), media_type="text/event-stream", headers=headers)


async def _follow(campaign: Campaign, after: int) -> AsyncIterator[str]:
    silence = SIGN
    while True:
        try:
            events = await run_in_threadpool(campaign.events, after=after, limit=PAGE)
        except TielineError as error:
            yield _said("failure", {"status": status_of(error), "what": error.what})
            return  # a follower comes again
        for event in events:
            yield f"id: {event.number}\n{_said(event.kind, log_event(event).model_dump())}"
            after = event.number
        if events:
            silence = 0.0
        elif silence >= SIGN:
            silence = 0.0
            yield ": still here\n\n"
        if len(events) < PAGE:
            await asyncio.sleep(LOOK)
            silence += LOOK


def _said(kind: str, content: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


@router.post("/events/{number}/undo")
@needs(ADMIN)
def undo(deed: Writing, number: Annotated[int, Path(ge=1, le=2**60)], body: GiveUp) -> Recorded:
    """Let an event count no longer, by a counter-event: it stays in the log, with the reason."""
    return recorded(deed.campaign.undo(number, why=body.why, by=deed.by(body.by), key=deed.key))
