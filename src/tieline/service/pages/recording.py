"""Ask, take, give back, record: what is done in the table of the next experiments."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.proposals import find_proposals
from tieline.campaign.store.event import now
from tieline.campaign.telling import Vocabulary, read_results_told
from tieline.errors import SchemaError, TielineError, three_clauses
from tieline.planning.goals import parse_goal
from tieline.service.answers import proposal_of
from tieline.service.failures import status_of
from tieline.service.guard import PROPOSE, needs
from tieline.service.pages.made import fields_of_settings, read_made
from tieline.service.pages.next import MOST_ASKED, view
from tieline.service.pages.rendering import NAME_COOKIE, page
from tieline.service.pages.router import Fields, see_other
from tieline.service.pages.typed import read_typed
from tieline.service.request import Deed, deed_of

router = APIRouter()
YEAR = 365 * 24 * 3600
RESULT = "r:"  # begins the name of a field: r:PROPOSAL:PROPERTY
MADE = "m:"  # m:PROPOSAL:HEADER, a setting that was not as asked
NO_RESULT = {
    "what": "What came out of it?",
    "found": "settings alone",
    "hint": "a result in the same row, or failed",
}


@router.post("/next/ask", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def ask(request: Request, fields: Fields) -> Response:
    """Choose the next experiments."""
    deed = deed_of(request, fields.get("key", ""))
    said = fields.get("n", "")
    try:
        if not said.isdecimal() or not 0 < int(said) <= MOST_ASKED:
            raise SchemaError(
                "How many?", found=said or "nothing", hint=f"a whole number from 1 to {MOST_ASKED}"
            )
        goal = parse_goal(fields["goal"]) if fields.get("goal") else None
        chosen = deed.campaign.ask(int(said), goal=goal, by=deed.by(fields.get("by", "")), key=deed.key)
    except TielineError as error:
        return _again(request, deed, fields, error, {"asked": said, "chosen_goal": fields.get("goal", "")})
    notes = " ".join(f"{note.rstrip('.')}." for note in chosen.attrs.get("notes", []))
    return remembering(see_other("/next", f"Chosen: {int(said)}. {notes}"), fields)


@router.post("/next/{proposal}/take", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def take(request: Request, proposal: str, fields: Fields) -> Response:
    """Take an experiment for oneself, so that nobody else does the same work."""
    deed = deed_of(request, fields.get("key", ""))
    try:
        deed.campaign.claim(proposal, by=_somebody(deed, fields), key=deed.key)
    except TielineError as error:
        return _again(request, deed, fields, error)
    return remembering(see_other("/next", f"{proposal} is yours. Record what comes out here."), fields)


@router.post("/next/{proposal}/give-back", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def give_back(request: Request, proposal: str, fields: Fields) -> Response:
    """Give an experiment back for somebody else to take."""
    deed = deed_of(request, fields.get("key", ""))
    try:
        deed.campaign.release(proposal, by=_somebody(deed, fields), key=deed.key)
    except TielineError as error:
        return _again(request, deed, fields, error)
    return see_other("/next", f"{proposal} is open again.")


@router.post("/next/{proposal}/end", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def end(request: Request, proposal: str, fields: Fields) -> Response:
    """Say that an experiment could not be made, or will not be."""
    deed = deed_of(request, fields.get("key", ""))
    about = {"why": fields.get("why", ""), "by": deed.by(fields.get("by", "")), "key": deed.key}
    try:
        if fields.get("how") == "failed":
            deed.campaign.fail(proposal, **about)
        else:
            deed.campaign.abandon(proposal, **about)
    except TielineError as error:
        return _again(request, deed, fields, error)
    words = "could not be made" if fields.get("how") == "failed" else "will not be made"
    return see_other("/next", f"Noted: {proposal} {words}.")


@router.post("/next", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def record(request: Request, fields: Fields) -> Response:
    """Record what was typed into the table, row by row; a row that is not right stays as it was typed."""
    deed = deed_of(request, fields.get("key", ""))
    by, recorded, typed, faults = deed.by(fields.get("by", "")), [], {}, {}
    made = _rows(fields, MADE)
    for proposal, said in _rows(fields, RESULT).items():
        differs = made.pop(proposal, {})
        if wrong := _record(deed, proposal, said, differs, by, fields):
            typed |= _named(RESULT, proposal, said) | _named(MADE, proposal, differs)
            faults |= {f"{place}:{proposal}:{name}": fault for (place, name), fault in wrong.items()}
        else:
            recorded.append(proposal)
    for proposal, differs in made.items():
        typed |= _named(MADE, proposal, differs)
        faults[f"{MADE}{proposal}:{next(iter(differs))}"] = NO_RESULT
    if faults:
        seen = view(deed.campaign) | {"typed": typed, "faults": faults, "recorded": recorded}
        said = f"Recorded {', '.join(recorded)}. Please look at the others again." if recorded else ""
        return remembering(page(request, "next.html", seen, status=422, said=said), fields)
    if not recorded:
        return see_other("/next", "Nothing was typed, so nothing was recorded.")
    seen = view(deed.campaign) | {"recorded": recorded}
    return remembering(page(request, "next.html", seen, said=f"Recorded {', '.join(recorded)}."), fields)


def _rows(fields: Mapping[str, str], begin: str) -> dict[str, dict[str, str]]:
    """What was typed for each proposal into fields whose names begin alike, empty fields left out."""
    rows: dict[str, dict[str, str]] = {}
    for field, text in fields.items():
        if field.startswith(begin) and text:
            proposal, _, name = field.removeprefix(begin).partition(":")
            rows.setdefault(proposal, {})[name] = text
    return rows


def _named(begin: str, proposal: str, said: Mapping[str, str]) -> dict[str, str]:
    """What was typed, by the whole names of the fields."""
    return {f"{begin}{proposal}:{name}": text for name, text in said.items()}


def _record(
    deed: Deed,
    proposal: str,
    said: Mapping[str, str],
    differs: Mapping[str, str],
    by: str,
    fields: Mapping[str, str],
) -> dict[tuple[str, str], dict[str, str]]:
    """Record one row; what is wrong with each field of it, by kind of field and name in three clauses."""
    results, wrong = read_results_typed(said, deed.campaign.vocabulary())
    made, not_settings = _made_of(deed.campaign, proposal, differs)
    faults = {("r", name): fault for name, fault in wrong.items()}
    faults |= {("m", name): fault for name, fault in not_settings.items()}
    if faults:
        return faults
    about = {"proposal": proposal, "made": made, "is_partial": f"more:{proposal}" in fields}
    try:
        deed.campaign.tell(results, **about, by=by, key=f"{deed.key}/{proposal}" if deed.key else "")
    except TielineError as error:
        return {("r", next(iter(said))): three_clauses(error)}
    return {}


def _made_of(
    campaign: Campaign, proposal: str, differs: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The settings that were not as a proposal asked, and what is wrong with them."""
    if not differs:
        return {}, {}
    rows = find_proposals(campaign.store, names=[proposal])
    if not rows:  # `tell` says so
        return {}, {}
    asked = proposal_of(rows[0], now())
    return read_made(fields_of_settings(asked.settings, asked.units), differs, asked.settings)


def read_results_typed(
    said: Mapping[str, str], words: Vocabulary
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Read results as somebody typed them.

    Args:
        said: by property.
        words: what may be told.

    Returns:
        Results as `Campaign.tell` takes them; and what is wrong, by property in three clauses.
    """
    results, wrong = {}, {}
    for name, text in said.items():  # each is looked over alone, to say beside which field it is wrong
        is_label = name in words.results and name not in words.properties
        try:
            results[name] = read_typed(text, is_number=not is_label)
            read_results_told({name: results[name]}, words)
        except TielineError as error:
            wrong[name] = three_clauses(error)
    return results, wrong


def _somebody(deed: Deed, fields: Mapping[str, str]) -> str:
    """Who takes something.

    Raises:
        SchemaError: nobody said a name.
    """
    by = deed.by(fields.get("by", ""))
    if not by:
        raise SchemaError("Who are you?", found="no name", hint="type your name above the table first")
    return by


def _again(
    request: Request, deed: Deed, fields: Mapping[str, str], error: TielineError, more: Mapping[str, Any] = {}
) -> Response:
    """The page once more, with what is wrong and all that was typed."""
    typed = {field: text for field, text in fields.items() if field.startswith((RESULT, MADE))}
    seen = view(deed.campaign) | {"typed": typed, "problem": three_clauses(error), **more}
    return page(request, "next.html", seen, status=status_of(error))


def remembering(answer: Response, fields: Mapping[str, str]) -> Response:
    """The answer, and the name of whoever sits at this browser, for the next time."""
    if name := fields.get("by", ""):
        answer.set_cookie(NAME_COOKIE, quote(name[:80]), max_age=YEAR, httponly=True, samesite="strict")
    return answer
