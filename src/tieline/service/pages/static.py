"""Files that pages are made with: a style, two libraries, a script of our own; none is from elsewhere."""

from importlib.resources import as_file, files

from fastapi import APIRouter
from starlette.responses import Response

from tieline.errors import NotFound
from tieline.service.guard import READ, needs

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
KEPT = "private, max-age=31536000, immutable"  # a changed file has a changed address

router = APIRouter()


@router.get("/static/{name}", include_in_schema=False)
@needs(READ, is_before=True)
def static_file(name: str) -> Response:
    """A file of that name, of those that there are."""
    folder = files("tieline.service").joinpath("static")
    if name not in {file.name for file in folder.iterdir()}:
        raise NotFound("There is no such file.", found=name)
    with as_file(folder.joinpath(name)) as place:
        kind = KINDS[place.suffix]
        return Response(place.read_bytes(), media_type=kind, headers={"Cache-Control": KEPT})
