"""What endpoints take from a request: the campaign, as it is or as it was, who asks, and the key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from tieline.campaign.ahead import Ahead
from tieline.campaign.campaign import Campaign
from tieline.campaign.memory import Memory
from tieline.service.guard import Visitor

AS_OF = Query(
    description="The campaign as it was: a day, a time, or the number of an event.",
    max_length=40,
    examples=["2026-11-24"],
)
KEY = Header(
    alias="Idempotency-Key",
    description="Names the request: sent again under the same key it counts once and is answered as before.",
    max_length=200,
    examples=["furnace-2 P2026-11-24-1 hardness"],
)


def _campaign(request: Request) -> Campaign:
    return request.app.state.campaign


def _viewed(request: Request, as_of: Annotated[str, AS_OF] = "") -> Iterator[Campaign]:
    campaign = _campaign(request)
    if not as_of:
        yield campaign
        return
    store = campaign.store.as_of(int(as_of) if as_of.isdecimal() and as_of.isascii() else as_of)
    with Campaign(campaign.path, store, Memory(campaign.path, store), Ahead()) as past:
        yield past


@dataclass(frozen=True)
class Deed:
    """A request that writes.

    Attributes:
        campaign: that is written into.
        visitor: who writes.
        key: names the request; of each token its own.
    """

    campaign: Campaign
    visitor: Visitor
    key: str

    def by(self, said: str) -> str:
        """Who does it, for the log."""
        return self.visitor.signs(said)


def _visitor(request: Request) -> Visitor:
    return request.state.visitor


def deed_of(request: Request, key: str) -> Deed:
    """A request that writes, under a key."""
    visitor = _visitor(request)
    whole = f"{visitor.name}/{key}" if key and visitor.name else key
    return Deed(_campaign(request), visitor, whole)


def _deed(request: Request, key: Annotated[str, KEY] = "") -> Deed:
    return deed_of(request, key)


Present = Annotated[Campaign, Depends(_campaign)]
Visiting = Annotated[Visitor, Depends(_visitor)]
Viewed = Annotated[Campaign, Depends(_viewed)]
Writing = Annotated[Deed, Depends(_deed)]
