"""A page and its twin: the same view answers as HTML for people and as JSON for programs."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from tieline.errors import SchemaError
from tieline.service.guard import READ, needs
from tieline.service.intake import NotPlain, check_text
from tieline.service.pages.rendering import name_of_cookie, page, plain

View = Callable[..., dict[str, Any]]


def add_page(router: APIRouter, path: str, template: str, view: View) -> None:
    """Let a view answer at a path, and as JSON at the path with .json behind it.

    Args:
        router: that it becomes part of.
        path: of the page.
        template: of the page.
        view: a function of a request, as FastAPI reads its arguments; returns what is to be shown.
    """

    def as_page(request: Request, seen: Annotated[dict[str, Any], Depends(view)]) -> HTMLResponse:
        return page(request, template, seen)

    def as_json(seen: Annotated[dict[str, Any], Depends(view)]) -> JSONResponse:
        return JSONResponse(plain(seen))

    twin = f"{'/overview' if path == '/' else path}.json"
    router.get(twin, include_in_schema=False)(needs(READ)(as_json))  # first: a page's path may end in a name
    router.get(path, include_in_schema=False)(needs(READ)(as_page))


async def _fields(request: Request) -> dict[str, str]:
    """What a form says: text by name, surrounding blanks left out."""
    form: FormData = await request.form()
    fields = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    if not fields.get("by"):  # said before, on another page
        fields["by"] = name_of_cookie(request)
    try:
        check_text("".join([*fields, *fields.values()]))
    except NotPlain as error:
        raise SchemaError("A field cannot be stored.", found=str(error)) from error
    return fields


Fields = Annotated[dict[str, str], Depends(_fields)]


def see_other(path: str, said: str = "") -> RedirectResponse:
    """Show a page after something was done, so that a reload does not do it again."""
    return RedirectResponse(f"{path}?{urlencode({'said': said})}" if said else path, 303)
