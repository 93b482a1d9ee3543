"""Where there is no campaign yet, one begins: with a name. The data and the goal come next."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError, TielineError, three_clauses
from tieline.service.failures import status_of
from tieline.service.guard import ADMIN, BEGIN, READ, needs
from tieline.service.pages.recording import remembering
from tieline.service.pages.router import Fields, see_other
from tieline.service.pages.templates import environment

LONGEST = 80  # letters of a name

router = APIRouter()


@router.get(BEGIN, include_in_schema=False)
@needs(READ, is_before=True)
def begin(request: Request) -> Response:
    """The form; the overview where there is a campaign already."""
    if request.app.state.campaign is not None:
        return see_other("/")
    return _form(request.app.state.folder, "", None)


@router.post(BEGIN, include_in_schema=False)
@needs(ADMIN, takes_form=True, is_before=True)
def make(request: Request, fields: Fields) -> Response:
    """Make the folder's campaign, and go on to its data."""
    state = request.app.state
    name = fields.get("name", "") or _called(state.folder)
    try:
        if len(name) > LONGEST or not name.isprintable():
            hint = f"1 to {LONGEST} letters that can be printed"
            raise SchemaError("A campaign cannot have this name.", found=name[:40], hint=hint)
        Campaign.create(state.folder, Settings(name)).close()
    except TielineError as error:
        return _form(state.folder, name, error)
    state.open_campaign()
    return remembering(see_other("/data", f"The campaign '{name}' has begun. Now add your data."), fields)


def _form(folder: Path, name: str, error: TielineError | None) -> HTMLResponse:
    seen = {
        "folder": str(folder.resolve()),
        "name": name or _called(folder),
        "longest": LONGEST,
        "problem": None if error is None else three_clauses(error),
    }
    status = 200 if error is None else status_of(error)
    return HTMLResponse(environment().get_template("begin.html").render(**seen), status)


def _called(folder: Path) -> str:
    return folder.resolve().name
