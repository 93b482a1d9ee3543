"""Tell results; what is known of specimens; predictions."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field

from tieline.campaign.fits import latest_fit
from tieline.campaign.kept_models import kept_model
from tieline.campaign.outside import notes_outside
from tieline.campaign.rows import to_rows
from tieline.campaign.store import tables
from tieline.campaign.telling import read_places_told
from tieline.errors import Conflict
from tieline.schema import specimens_of
from tieline.service.answers import Recorded, Units, recorded
from tieline.service.bodies import Predict, Tell
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.request import Present, Viewed, Writing
from tieline.service.routes.router import api_router

router = api_router("results")
PAGE, LONGEST_PAGE = 1000, 10_000  # rows of one answer
After = Annotated[int, Query(ge=0, le=2**60, description="Only what came after this event.")]
Offset = Annotated[int, Query(ge=0, le=2**60, description="How many rows to pass over.")]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many at most.")]


class Rows(BaseModel):
    """One row a specimen or place; what was not measured is null."""

    rows: Annotated[
        list[dict[str, Any]],
        Field(examples=[[{"specimen": "P2026-11-24-1", "temperature": 763.0, "hardness": 5.2}]]),
    ]
    units: Units
    notes: list[str] = []
    total: Annotated[int, Field(description="How many there are, of which these are a part.")]


class Measurement(BaseModel):
    """A value that was told."""

    event: Annotated[int, Field(description="That told it.", examples=[17])]
    line: Annotated[int, Field(description="Its place in there, from 0.", examples=[0])]
    specimen: Annotated[str, Field(examples=["P2026-11-24-1"])]
    proposal: Annotated[str, Field(examples=["P2026-11-24-1"])]
    property: Annotated[str, Field(examples=["hardness"])]
    value: float | None
    label: str | None
    sd: float | None
    flag: Annotated[str, Field(description="ok, failed, below or above.", examples=["ok"])]
    unit: Annotated[str | None, Field(examples=["GPa"])]
    at: Annotated[str, Field(description="UTC.", examples=["2026-11-24T14:07:31.018915Z"])]


class Measurements(BaseModel):
    """Several of them, in the order in which they were told."""

    measurements: list[Measurement]


@router.post("/tell")
@needs(PROPOSE)
def tell(deed: Writing, body: Tell) -> Recorded:
    """Record what came out of an experiment, with or without a proposal. It is on disk when this answers."""
    about = {"proposal": body.proposal, "specimen": body.specimen, "is_partial": body.is_partial}
    event = deed.campaign.tell(body.results, made=body.made, by=deed.by(body.by), key=deed.key, **about)
    return recorded(event, notes_outside(deed.campaign.settings, event))


@router.get("/measurements")
@needs(READ)
def list_measurements(
    campaign: Viewed,
    after: After = 0,
    limit: Limit = PAGE,
    specimen: Annotated[str, Query(description="Only of this one.")] = "",
) -> Measurements:
    """List the values that were told, with the event that told each; imported files are not among them."""
    table = tables.measurement
    query = sa.select(table).where(table.c.event > after).order_by(table.c.event, table.c.line).limit(limit)
    if specimen:
        query = query.where(table.c.specimen == specimen)
    rows = campaign.store.rows(query)
    return Measurements(measurements=[Measurement(**row._asdict()) for row in rows])


@router.get("/specimens")
@needs(READ)
def list_specimens(campaign: Viewed, offset: Offset = 0, limit: Limit = PAGE) -> Rows:
    """Everything that is known of specimens, from files and told; a repeat is a row of its own."""
    if not campaign.has_record:
        return Rows(rows=[], units={}, total=0)
    specimens = specimens_of(campaign.record())
    total = specimens.sizes["specimen"]
    return _rows(specimens.isel(specimen=slice(offset, offset + limit)), total)


@router.post("/predict")
@needs(READ)
def predict(campaign: Present, body: Predict) -> Rows:
    """Predict at places, by default all over the explored region; by a kept model, if one is named."""
    if body.model:
        model = kept_model(campaign, body.model)
        predicted = model.predict(None if body.places is None else model.places(body.places))
        return _rows(predicted, predicted.sizes["specimen"])
    if not campaign.has_posterior:
        raise Conflict("Nothing was learned yet.", found="no fit", hint="POST /v1/fits")
    places = None
    if body.places is not None:
        places = read_places_told(body.places, campaign.vocabulary())
    predicted, fit = campaign.predict(places), latest_fit(campaign.store)
    use = "" if fit is None else fit.outcome.get("use", "")  # earlier fits do not say
    if use:
        predicted.attrs["notes"] = [*predicted.attrs["notes"], use]
    return _rows(predicted, predicted.sizes["specimen"])


def _rows(table: Any, total: int) -> Rows:
    names = table["specimen"].values.tolist()
    rows = [{"specimen": name, **row} for name, row in zip(names, to_rows(table), strict=True)]
    units = {str(n): v.attrs["units"] for n, v in table.data_vars.items() if v.attrs.get("units")}
    return Rows(rows=rows, units=units, notes=table.attrs.get("notes", []), total=total)
