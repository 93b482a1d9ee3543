"""Record what was made and measured without having been proposed."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.errors import SchemaError, TielineError, three_clauses
from tieline.service.failures import status_of
from tieline.service.guard import PROPOSE, needs
from tieline.service.pages.made import fields_of_design, read_made
from tieline.service.pages.next import view
from tieline.service.pages.recording import read_results_typed, remembering
from tieline.service.pages.rendering import page
from tieline.service.pages.router import Fields, see_other
from tieline.service.pages.words import say_event
from tieline.service.request import Deed, deed_of

router = APIRouter()
SETTING, RESULT = "s:", "o:"  # begin the names of fields: s:HEADER and o:PROPERTY


@router.post("/next/other", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def record(request: Request, fields: Fields) -> Response:
    """Record an experiment of one's own; what is not right stays as it was typed."""
    deed = deed_of(request, fields.get("key", ""))
    made, faults_made = read_made(fields_of_design(deed.campaign), _said(fields, SETTING), {})
    results, faults = read_results_typed(_said(fields, RESULT), deed.campaign.vocabulary())
    faults = {SETTING + name: fault for name, fault in faults_made.items()} | {
        RESULT + name: fault for name, fault in faults.items()
    }
    if faults:
        return _again(request, deed, fields, {"faults": faults}, 422)
    try:
        if not results:
            raise SchemaError("What came out of it?", found="no result", hint="a value, a label, or failed")
        by, name = deed.by(fields.get("by", "")), fields.get("specimen", "")
        event = deed.campaign.tell(results, made=made, specimen=name, by=by, key=deed.key)
    except TielineError as error:
        return _again(request, deed, fields, {"problem": three_clauses(error)}, status_of(error))
    return remembering(see_other("/next", f"{say_event(event)}."), fields)


def _said(fields: dict[str, str], begin: str) -> dict[str, str]:
    """What was typed into fields whose names begin alike, empty fields left out."""
    return {n.removeprefix(begin): text for n, text in fields.items() if n.startswith(begin) and text}


def _again(
    request: Request, deed: Deed, fields: dict[str, str], more: dict[str, Any], status: int
) -> Response:
    typed = {name: text for name, text in fields.items() if name.startswith((SETTING, RESULT, "specimen"))}
    return page(request, "next.html", view(deed.campaign) | {"typed": typed} | more, status=status)
