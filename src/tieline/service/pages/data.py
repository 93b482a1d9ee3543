"""The data: add files after looking at how they would be read, and see what there is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tieline.campaign.aiming import notes_beside_fault
from tieline.campaign.places import flat
from tieline.campaign.store import tables
from tieline.errors import SchemaError, TielineError, three_clauses
from tieline.readers.apart import previewed_apart, survive_apart
from tieline.readers.folder import MEASUREMENT_ENDINGS
from tieline.readers.mapping import Mapped, corrections_of, write_mapping
from tieline.schema import specimens_of
from tieline.service.failures import status_of
from tieline.service.guard import PROPOSE, needs
from tieline.service.pages.aims import problem_of_goal
from tieline.service.pages.rendering import page
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.pages.tray import Tray
from tieline.service.pages.words import spoken
from tieline.service.request import Viewed, deed_of
from tieline.service.sent import Dropped

SHOWN = 100  # specimens on a page
LOOKED_AT = 3  # tables of a heap that are looked at; patterns are only counted
ROLES = {
    "identity": "name of the specimen",
    "synthesis": "what it is made of",
    "process": "how it was made",
    "structure": "what formed",
    "property": "what was measured",
    "note": "a remark, not used",
}
COLUMN = "c"  # begins the name of a field: c:FILE:COLUMN:WHAT

router = APIRouter()


def view(campaign: Viewed, offset: Annotated[int, Query(ge=0, le=2**60)] = 0) -> dict[str, Any]:
    """What the page shows."""
    seen = {"files": _files(campaign), "problem": None, "offset": offset, "shown": SHOWN}
    if not campaign.has_record:
        return seen | {"columns": [], "rows": [], "n_specimens": 0, "others": []}
    record = campaign.record()
    specimens = specimens_of(record)
    part = specimens.isel(specimen=slice(offset, offset + SHOWN))
    part = part.reset_coords([c for c in part.coords if c not in part.dims])
    thin = part[[n for n, v in part.data_vars.items() if "specimen" in v.dims and v.ndim <= 2]]
    table = flat(thin)
    units = {str(n): str(v.attrs.get("units", "")) for n, v in thin.data_vars.items()}
    return seen | {
        "columns": [spoken(str(name), units.get(str(name), "")) for name in table.columns],
        "rows": [[str(name), *map(_cell, row)] for name, *row in table.itertuples(name=None)],
        "n_specimens": specimens.sizes["specimen"],
        "others": [_modality(name, node) for name, node in record.children.items() if name != "specimens"],
    }


def _files(campaign: Any) -> list[dict[str, Any]]:
    table = tables.imported
    query = sa.select(table.c.file, table.c.sheet, table.c.event).order_by(table.c.position)
    return [row._asdict() for row in campaign.store.rows(query)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.5g}"
    return "" if value is None or str(value) in ("nan", "None") else str(value)


def _modality(name: str, node: Any) -> str:
    sizes = ", ".join(f"{n} {dim.replace('_', ' ')}s" for dim, n in node.sizes.items() if dim != "specimen")
    return f"{name}: {sizes}"


add_page(router, "/data", "data.html", view)


@router.post("/data", include_in_schema=False)
@needs(PROPOSE, takes_files=True)
def drop(request: Request, sent: Dropped) -> Response:
    """Take files that are dropped, and show how they would be read; nothing is added yet."""
    tray: Tray = request.app.state.tray
    try:
        heap = tray.put(sent)
    except SchemaError as error:
        campaign = request.app.state.campaign
        return page(request, "data.html", view(campaign, 0) | {"problem": three_clauses(error)}, status=422)
    return see_other(f"/data/look/{heap}")


def look(request: Request, heap: str) -> dict[str, Any]:
    """How dropped files would be read, column by column, with the question where one is open."""
    return looked_at(request.app.state.tray, heap, {}, None)


def looked_at(tray: Tray, heap: str, said: Mapping[str, Any], problem: TielineError | None) -> dict[str, Any]:
    """How files would be read if what was said about their columns holds.

    Args:
        tray: that they lie in.
        heap: of them.
        said: by name of a file its corrections, by header.
        problem: that came up before.
    """
    files = tray.files(heap)
    shown = [f for f in files if f.suffix.lower() not in MEASUREMENT_ENDINGS][:LOOKED_AT] or files[:1]
    return {
        "heap": heap,
        "names": [file.name for file in files],
        "sheets": [_sheet(file, said.get(file.name)) for file in shown],
        "n_others": len(files) - len(shown),
        "roles": ROLES,
        "problem": None if problem is None else three_clauses(problem),
    }


def _sheet(file: Path, said: Mapping[str, Any] | None) -> dict[str, Any]:
    """One file: its columns, or why it cannot be read."""
    problem, columns = None, []
    try:
        columns = _columns(file, said)
    except TielineError as error:
        problem = three_clauses(error)
        if said:
            columns = _columns(file, None)
    return {"name": file.name, "columns": columns, "problem": problem}


def _columns(file: Path, said: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Columns as they would be read, each with what was guessed of it before anything was said."""
    guessed = {row["header"]: row for row in previewed_apart(file, None)}
    read = {row["header"]: row for row in (previewed_apart(file, said) if said else guessed.values())}
    columns = []
    for header, guess in guessed.items():
        is_ignored = bool(said) and header in said and said[header] is None
        row = guess if is_ignored else read.get(header, guess)
        columns.append(
            row | {"was": {k: guess[k] for k in ("name", "role", "unit")}, "is_ignored": is_ignored}
        )
    return columns


add_page(router, "/data/look/{heap}", "look.html", look)


@router.post("/data/look/{heap}", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def settle(request: Request, heap: str, fields: Fields) -> Response:
    """Look again with corrections, or add the files to the campaign."""
    tray: Tray = request.app.state.tray
    said = _said(tray.files(heap), fields)
    if fields.get("do") != "add":
        return page(request, "look.html", looked_at(tray, heap, said, None))
    deed = deed_of(request, fields.get("key", ""))
    try:
        for file in tray.files(heap):
            if corrections := said.get(file.name):
                write_mapping(file, Mapped(columns=corrections_of(corrections)))
        survive_apart(tray.whole(heap))
        notes = deed.campaign.import_file(tray.whole(heap), by=deed.by(fields.get("by", "")), key=deed.key)
    except TielineError as error:
        seen = looked_at(tray, heap, said, error)
        return page(request, "look.html", seen, status=status_of(error))
    tray.take_away(heap)
    n = specimens_of(deed.campaign.record()).sizes["specimen"]
    notes = notes_beside_fault(deed.campaign, notes)
    seen = {"n_specimens": n, "notes": notes, "goal_problem": problem_of_goal(deed.campaign)}
    return page(request, "added.html", seen)


def _said(files: Sequence[Path], fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What somebody changed of what was guessed, by file and header; None leaves a column out."""
    said: dict[str, dict[str, Any]] = {}
    for file in files:
        for place in range(len(fields)):
            begin = f"{COLUMN}:{file.name}:{place}:"
            if f"{begin}header" not in fields:
                break
            header = fields[f"{begin}header"]
            if f"{begin}skip" in fields:
                said.setdefault(file.name, {})[header] = None
                continue
            changed = {
                key: fields.get(begin + key, "")
                for key in ("name", "role", "units")
                if fields.get(begin + key, "") != fields.get(f"{begin}was:{key}", "")
            }
            if changed:
                said.setdefault(file.name, {})[header] = changed
    return said
