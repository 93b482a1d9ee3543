"""Pages are templates filled with what a view knows; the same as JSON."""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import numpy as np
from fastapi import Request
from starlette.responses import HTMLResponse

import tieline
from tieline.campaign.campaign import Campaign
from tieline.errors import TielineError, three_clauses
from tieline.service.failures import status_of
from tieline.service.guard import ADMIN, PROPOSE, Visitor
from tieline.service.pages.learning import learning_now
from tieline.service.pages.templates import environment

NAME_COOKIE = "tieline-name"  # what whoever sits at this browser calls themselves
NAVIGATION = (
    ("/", "Overview"),
    ("/data", "Data"),
    ("/check", "Check"),
    ("/measurements", "Measurements"),
    ("/learn", "Learn"),
    ("/map", "Map"),
    ("/next", "Next experiments"),
    ("/trust", "Trust"),
    ("/history", "History"),
)


def page(
    request: Request, template: str, seen: Mapping[str, Any], *, status: int = 200, said: str = ""
) -> HTMLResponse:
    """Fill a page.

    Args:
        request: that asked for it.
        template: its name.
        seen: what its view knows.
        status: of the answer.
        said: one sentence about what was just done.
    """
    campaign: Campaign = request.app.state.campaign
    visitor: Visitor = request.state.visitor
    path, query = request.url.path, f"?{request.url.query}" if request.url.query else ""
    around = {
        "title": campaign.settings.name,
        "here": "/" + path.strip("/").partition("/")[0],
        "twin": f"{path if path != '/' else '/overview'}.json{query}" if request.method == "GET" else "",
        "navigation": NAVIGATION,
        "as_of": request.query_params.get("as_of", ""),
        "learning": learning_now(campaign),
        "name": visitor.name or name_of_cookie(request),
        "knows_name": bool(visitor.name),
        "may_do": visitor.may(PROPOSE),
        "may_undo": visitor.may(ADMIN),
        "said": said or request.query_params.get("said", "")[:300],
        "version": tieline.__version__,
    }
    return HTMLResponse(environment().get_template(template).render(around | dict(seen)), status)


def refused(request: Request, template: str, seen: Mapping[str, Any], error: TielineError) -> HTMLResponse:
    """A page once more, with what was wrong with what was asked of it on top."""
    return page(request, template, {**seen, "problem": three_clauses(error)}, status=status_of(error))


def name_of_cookie(request: Request) -> str:
    """What whoever sits at this browser called themselves last; "" if nobody said so."""
    return unquote(request.cookies.get(NAME_COOKIE, ""))[:80]


def fragment(template: str, seen: Mapping[str, Any]) -> HTMLResponse:
    """Fill a part of a page."""
    return HTMLResponse(environment().get_template(template).render(**seen))


def plain(value: Any) -> Any:
    """What a view knows as plain JSON: numbers that are none become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
