"""What goes wrong on a page, told on a page."""

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import Scope

from tieline.errors import TielineError, three_clauses
from tieline.service.pages.templates import environment


def wants_page(scope: Scope) -> bool:
    """Whether a person asks, at the address of a page."""
    path = scope.get("path", "")
    is_api = path.startswith("/v1/") or path.endswith(".json")
    return not is_api and "text/html" in Headers(scope=scope).get("accept", "")


def failure_page(status: int, error: TielineError) -> HTMLResponse:
    """An error as a page."""
    page = environment().get_template("failure.html").render(problem=three_clauses(error))
    return HTMLResponse(page, status)
