"""Show a token once in a browser, which remembers it as a cookie."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from tieline.campaign.tokens import find_token
from tieline.errors import NotAllowed
from tieline.service.entrance import cookie_name, entrance
from tieline.service.guard import ENTER, needs
from tieline.service.request import Present

router = APIRouter()
DAY = 24 * 3600


@router.post("/enter", include_in_schema=False)
@needs(ENTER)
def enter(request: Request, campaign: Present, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Let a browser in that shows a token which the campaign knows."""
    if find_token(campaign.store, token.strip()) is None:
        return entrance(NotAllowed("This token is not known. Perhaps it was taken back."))
    answer = RedirectResponse("/", 303)
    # Only our own pages send it, no script reads it, and it ends with the token at the latest.
    answer.set_cookie(
        cookie_name(request.headers["host"]),
        token.strip(),
        max_age=90 * DAY,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer
