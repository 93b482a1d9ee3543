"""Leaving out a file that is kept for a study."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.campaign.studies.kept import set_aside
from tieline.service.guard import PROPOSE, needs
from tieline.service.pages.router import Fields, see_other
from tieline.service.request import deed_of


def add_aside(router: APIRouter, path: str, kind: str) -> None:
    """Let the files of a page be left out of its study.

    Args:
        router: that it becomes part of.
        path: of the page.
        kind: of the study.
    """

    def aside(request: Request, fields: Fields, digest: str) -> Response:
        deed = deed_of(request, "")
        left = set_aside(deed.campaign, kind, digest, deed.by(fields.get("by", "")))
        return see_other(path, f"{left.name} is left out.")

    router.post(f"{path}/aside/{{digest}}", include_in_schema=False)(needs(PROPOSE, takes_form=True)(aside))
