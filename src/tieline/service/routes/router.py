"""A router of the API: every route of it may fail in the same ways, and shows a token in the same header."""

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer

from tieline.service.answers import Failure

BEARER = Security(HTTPBearer(auto_error=False, description="Needed beyond the machine itself."))
FAILURES = {
    400: "The request is no plain JSON",
    401: "A token is needed",
    403: "The token may not do this, or a page from elsewhere sent the request",
    404: "There is nothing of that name",
    409: "It contradicts what is recorded",
    413: "The request is too large",
    415: "The request does not say that it is JSON",
    422: "Something in the request is not possible",
    503: "The record cannot be reached or written now; the same may work later",
}


def api_router(tag: str) -> APIRouter:
    """A router for one group of routes."""
    failures = {status: {"model": Failure, "description": text} for status, text in FAILURES.items()}
    return APIRouter(
        prefix="/v1",
        tags=[tag],
        dependencies=[BEARER],
        responses=failures,  # type: ignore[arg-type]
        generate_unique_id_function=lambda route: route.name,  # what generated clients call it
    )
