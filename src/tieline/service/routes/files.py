"""Send files: look at how one would be read, import it, or keep one with a specimen."""

import json
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import File, Form, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from tieline.campaign.store import tables
from tieline.errors import NotFound, SchemaError
from tieline.readers.apart import previewed_apart, survive_apart
from tieline.readers.mapping import Mapped, corrections_of, write_mapping
from tieline.service.answers import Recorded, recorded
from tieline.service.bodies import LONGEST_NAME, LONGEST_TEXT
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.intake import NotPlain, check_json
from tieline.service.request import Viewed, Writing
from tieline.service.routes.router import api_router
from tieline.service.sent import kept_for_a_moment

router = api_router("files")
Sent = Annotated[UploadFile, File(description="A table, or a diffraction pattern.")]
Sheet = Annotated[str, Form(max_length=LONGEST_NAME, description="Of a spreadsheet file that has several.")]
Columns = Annotated[
    str,
    Form(
        max_length=50 * LONGEST_TEXT,
        description="Corrections as JSON, by header; null ignores a column.",
        examples=['{"T [C]": {"name": "temperature", "role": "process", "units": "degC"}, "remark": null}'],
    ),
]
Who = Annotated[str, Form(max_length=LONGEST_NAME, description="Who does it, for the log.")]


class Column(BaseModel):
    """How a column was understood."""

    column: Annotated[str, Field(description="Its letter.", examples=["B"])]
    header: Annotated[str, Field(examples=["T [C]"])]
    name: Annotated[str, Field(examples=["temperature"])]
    role: Annotated[str, Field(examples=["process"])]
    unit: Annotated[str, Field(description='"?" if there is a question in `why`.', examples=["degC"])]
    why: Annotated[str, Field(description="It was understood so.")]
    example: Annotated[str, Field(description="The first value as written.", examples=["760"])]
    n_missing: int
    min: float | None
    max: float | None


class Preview(BaseModel):
    """How a file would be read; nothing is kept."""

    columns: list[Column]


class Imported(BaseModel):
    """What an import did."""

    notes: Annotated[list[str], Field(description="What was guessed, and what changed.")]
    n_specimens: Annotated[int, Field(description="That the campaign has now.")]
    event: Annotated[int, Field(description="Number of the latest event.", examples=[17])]


class Artifact(BaseModel):
    """A file that is kept with a specimen."""

    event: Annotated[int, Field(examples=[17])]
    name: Annotated[str, Field(examples=["pattern.xy"])]
    sha256: str
    specimen: Annotated[str, Field(examples=["P2026-11-24-1"])]
    proposal: Annotated[str, Field(examples=["P2026-11-24-1"])]


class Artifacts(BaseModel):
    """Several of them."""

    artifacts: list[Artifact]


@router.post("/files/preview")
@needs(READ, takes_files=True)
def preview_file(file: Sent, sheet: Sheet = "", columns: Columns = "") -> Preview:
    """Show how a file would be read, column by column, with the question where one is open."""
    with kept_for_a_moment(file) as place:
        rows = previewed_apart(place, _corrections(columns), sheet or None)
    return Preview(columns=[Column(**row) for row in rows])


@router.post("/files")
@needs(PROPOSE, takes_files=True)
def import_file(
    deed: Writing, file: Sent, sheet: Sheet = "", columns: Columns = "", by: Who = ""
) -> Imported:
    """Add a file of measurements to the campaign; a file that is refused leaves it as it was."""
    campaign = deed.campaign
    with kept_for_a_moment(file) as place:
        if said := _corrections(columns):
            write_mapping(place, Mapped(columns=corrections_of(said), sheet=sheet or None))
        survive_apart(place, sheet or None)
        notes = campaign.import_file(place, sheet=sheet or None, by=deed.by(by), key=deed.key)
    n_specimens = campaign.record()["specimens"].sizes["specimen"]
    return Imported(notes=notes, n_specimens=n_specimens, event=campaign.store.last())


@router.post("/artifacts")
@needs(PROPOSE, takes_files=True)
def attach(
    deed: Writing,
    file: Annotated[UploadFile, File(description="A pattern, an image, whatever an instrument writes.")],
    specimen: Annotated[str, Form(max_length=LONGEST_NAME, description="That it is of.")] = "",
    proposal: Annotated[str, Form(max_length=LONGEST_NAME, description="That it belongs to.")] = "",
    by: Who = "",
) -> Recorded:
    """Keep a file with the specimen that it is of, as it came and named by its checksum."""
    about = {"specimen": specimen, "proposal": proposal, "by": deed.by(by), "key": deed.key}
    with kept_for_a_moment(file) as place:
        return recorded(deed.campaign.attach(place, **about))


@router.get("/artifacts")
@needs(READ)
def list_artifacts(campaign: Viewed, specimen: str = "") -> Artifacts:
    """List the files that are kept, all or those of a specimen."""
    table = tables.artifact
    query = sa.select(table).order_by(table.c.event)
    if specimen:
        query = query.where(table.c.specimen == specimen)
    rows = campaign.store.rows(query)
    return Artifacts(artifacts=[Artifact(**row._asdict()) for row in rows])


@router.get("/artifacts/{sha256}", response_class=FileResponse)
@needs(READ)
def fetch_artifact(campaign: Viewed, sha256: str) -> FileResponse:
    """Fetch a file that is kept, as it came."""
    table = tables.artifact
    rows = campaign.store.rows(sa.select(table.c.name).where(table.c.sha256 == sha256).limit(1))
    found = sorted((campaign.path / "artifacts").glob(f"{sha256}*")) if rows else []
    if not found:
        raise NotFound("No file of that checksum is kept.", hint="GET /v1/artifacts lists them")
    # Saved, never shown: a page or a picture that somebody sent is not one of ours.
    return FileResponse(found[0], media_type="application/octet-stream", filename=_plain(rows[0].name))


def _plain(name: str) -> str:
    return Path(name).name or "file"


def _corrections(columns: str) -> dict[str, Any] | None:
    if not columns.strip():
        return None
    try:
        check_json(columns.encode())
    except NotPlain as error:
        raise SchemaError("The corrections of columns are not JSON.", found=str(error)) from error
    said = json.loads(columns)
    if not isinstance(said, dict):
        raise SchemaError(
            "Corrections are given by header.", found=repr(said)[:80], hint='{"T [C]": {"units": "degC"}}'
        )
    return said
