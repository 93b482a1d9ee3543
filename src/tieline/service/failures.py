"""Errors as answers: always the same three clauses as JSON, and the status that says whose turn it is."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args, get_type_hints

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from tieline.errors import (
    Conflict,
    MissingExtra,
    NotAllowed,
    NotFound,
    SchemaError,
    TielineError,
    Unavailable,
    did_you_mean,
    three_clauses,
)
from tieline.service.pages.failing import failure_page, wants_page

STATUS: tuple[tuple[type[TielineError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 403),
    (Unavailable, 503),
    (MissingExtra, 501),
    (TielineError, 422),
)
RETRY = {503: "1"}  # seconds to wait before the same is worth trying again
SHOWN = 3  # faults of one request that are named


def failure(status: int, error: TielineError, scope: Scope) -> Response:
    """An error as an answer: a page for people, JSON for programs."""
    if wants_page(scope):
        return failure_page(status, error)
    content = {"error": type(error).__name__, **three_clauses(error)}
    headers = {"Retry-After": RETRY[status]} if status in RETRY else {}
    return JSONResponse(content, status, headers)


def status_of(error: TielineError) -> int:
    """The status of an error."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def explain_failures(app: FastAPI) -> None:
    """Let an app answer every error in three clauses."""

    @app.exception_handler(TielineError)
    def _(request: Request, error: TielineError) -> Response:
        return failure(status_of(error), error, request.scope)

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> Response:
        fields = _fields_of(request.scope["endpoint"])
        return failure(422, _misformed(error.errors(), fields), request.scope)

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> Response:
        kind = NotFound if error.status_code == 404 else SchemaError
        return failure(
            error.status_code, kind(f"The request was not understood: {error.detail}"), request.scope
        )

    @app.exception_handler(Exception)
    def _(request: Request, error: Exception) -> Response:
        hint = "the server printed where; what was acknowledged before is safe"
        error_of_ours = TielineError("A fault of tieline's own.", found=type(error).__name__, hint=hint)
        return failure(500, error_of_ours, request.scope)


def _fields_of(endpoint: Any) -> list[str]:
    """Names of the fields of what an endpoint takes; none if it takes no form."""
    told = [kind for hint in get_type_hints(endpoint).values() for kind in (hint, *get_args(hint))]
    forms = [kind for kind in told if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [name for form in forms for name in form.model_fields]


def _misformed(faults: Iterable[Mapping[str, Any]], fields: Collection[str]) -> SchemaError:
    """What FastAPI found wrong with a request, in our words."""
    told = [_told(fault, fields) for fault in faults]
    found = "; ".join(told[:SHOWN]) + ("; ..." if len(told) > SHOWN else "")
    hint = "GET /v1/openapi.json says what every request looks like"
    return SchemaError("The request does not have the form that was asked for.", found=found, hint=hint)


def _told(fault: Mapping[str, Any], fields: Collection[str]) -> str:
    where = ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        return f"there is no '{where}'. {did_you_mean(where, fields)}".strip()
    message = str(fault["msg"])
    return f"{where}: {message[:1].lower()}{message[1:]}"
