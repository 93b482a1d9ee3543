"""Everything that happened; look at the campaign as it was, and let a slip of the pen count no longer."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from tieline.campaign.store.replay import undone_numbers
from tieline.campaign.undoing import CAN_BE_UNDONE
from tieline.errors import TielineError
from tieline.service.guard import ADMIN, needs
from tieline.service.pages.overview import latest_events
from tieline.service.pages.rendering import refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.request import Viewed, deed_of

SHOWN = 50  # events on a page

router = APIRouter()


def view(campaign: Viewed, before: Annotated[int | None, Query(ge=1, le=2**60)] = None) -> dict[str, Any]:
    """What the page shows."""
    rows = latest_events(campaign, SHOWN, before)
    undone = undone_numbers(campaign.events())
    for row in rows:
        row["is_undone"] = row["number"] in undone
        row["can_be_undone"] = row["kind"] in CAN_BE_UNDONE and not row["is_undone"]
    return {
        "events": rows,
        "earlier": rows[-1]["number"] if rows and rows[-1]["number"] > 1 else None,
        "last": campaign.store.last(),
        "problem": None,
    }


add_page(router, "/history", "history.html", view)


@router.post("/history/{number}/undo", include_in_schema=False)
@needs(ADMIN, takes_form=True)
def undo(request: Request, number: Annotated[int, Path(ge=1, le=2**60)], fields: Fields) -> Response:
    """Let an event count no longer; it stays in the history, with the reason."""
    deed = deed_of(request, fields.get("key", ""))
    try:
        deed.campaign.undo(number, why=fields.get("why", ""), by=deed.by(fields.get("by", "")), key=deed.key)
    except TielineError as error:
        return refused(request, "history.html", view(deed.campaign), error)
    return see_other("/history", f"Event {number} does not count any more. It stays in the history.")
