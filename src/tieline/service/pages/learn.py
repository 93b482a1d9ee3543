"""Begin to learn, watch it, stop it; earlier ones beside each other."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import find_fit, latest_fit
from tieline.errors import TielineError, three_clauses
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.pages.learning import badge_of, learning_now, progress_of, seconds_of
from tieline.service.pages.rendering import fragment, refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.pages.words import ENDS
from tieline.service.request import Present, Viewed, deed_of

router = APIRouter()


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    line, notes, problem = _uses(campaign)
    fit = latest_fit(campaign.store)
    return {
        "has_record": campaign.has_record,
        "is_stale": campaign.is_stale,
        "learns": line,
        "notes": notes,
        "problem": problem,
        "badge": badge_of(fit),
        "model": "" if fit is None else fit.outcome.get("model", ""),
        "judged": [] if fit is None else fit.judged,
        "latest": "" if fit is None else fit.name,
        "running": learning_now(campaign),
        "fits": [_row(campaign, fit) for fit in reversed(campaign.fits())],
    }


def _uses(campaign: Campaign) -> tuple[str, list[str], dict[str, str] | None]:
    """What would be learned from what, or why it cannot."""
    if not campaign.has_record:
        return "", [], None
    try:
        line, notes = campaign.uses()
    except TielineError as error:
        return "", [], three_clauses(error)
    return line.replace("Learned", "tieline learns", 1), [*notes, *_others(campaign)], None


def _others(campaign: Campaign) -> list[str]:
    """What the campaign keeps and does not learn from, and who does."""
    names = [str(name) for name in campaign.record().children if name != "specimens"]
    if not names:
        return []
    return [
        f"{', '.join(names)}: kept, and not learned from as they are. A campaign learns from numbers, labels "
        "and compositions; the page Measurements makes columns of spectra, fingerprints and volumes, and a "
        "notebook finds phases in patterns."
    ]


def _row(campaign: Campaign, fit: Any) -> dict[str, Any]:
    return {
        "fit": fit.name,
        "state": fit.state,
        "words": ENDS.get(fit.state, "Learning"),
        "started": fit.started,
        "seconds": seconds_of(fit),
        "data": fit.data,
        "judged": fit.judged,
        "badge": badge_of(fit),
        "problem": {key: fit.outcome.get(key, "") for key in ("what", "found", "hint")},
    }


add_page(router, "/learn", "learn.html", view)


@router.post("/learn", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def begin(request: Request, fields: Fields) -> Response:
    """Begin to learn."""
    deed = deed_of(request, fields.get("key", ""))
    try:
        deed.campaign.start_fit(by=deed.by(fields.get("by", "")), key=deed.key)
    except TielineError as error:
        return refused(request, "learn.html", view(deed.campaign), error)
    return see_other("/learn")


@router.post("/learn/{name}/stop", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def stop(campaign: Present, name: str) -> Response:
    """Stop learning; what was learned before stays."""
    if find_fit(campaign.store, name).state == "running":
        campaign.cancel_fit(name)
    return see_other("/learn", "Stopped. What was learned before is still there.")


@router.get("/learn/{name}/progress", include_in_schema=False)
@needs(READ)
def progress(campaign: Present, name: str) -> HTMLResponse:
    """How a fit stands, as the part of a page that asks again by itself."""
    return fragment("progress.html", {"learning": progress_of(campaign, find_fit(campaign.store, name))})


@router.get("/learn/{name}/progress.json", include_in_schema=False)
@needs(READ)
def progress_as_json(campaign: Present, name: str) -> dict[str, Any]:
    """The same for programs."""
    return progress_of(campaign, find_fit(campaign.store, name))
