"""Volumes by slice: three planes through a scan, and the numbers that describe it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import numpy as np
import xarray as xr
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.studies.volumes import (
    KIND,
    Description,
    Found,
    add_volume,
    described,
    find_volumes,
    is_segmented,
    read_volume,
    take_descriptors,
    voxel_of,
)
from tieline.errors import NotFound, SchemaError, TielineError
from tieline.planning.wording import as_read
from tieline.schema.volumes import AXES
from tieline.service.charts.drawing import Drawings
from tieline.service.charts.slices import plane
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.pages.asides import add_aside
from tieline.service.pages.rendering import refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.pages.typed import plain_number
from tieline.service.request import Present, deed_of
from tieline.service.sent import Dropped, kept_for_a_moment, require_files

router = APIRouter()
PATH = "/measurements/volumes"
WORDS = {  # of what describes a volume along an axis, or as a whole
    "porosity": "share of pores",
    "pore_radius_10": "distance to solid: a tenth of the pores is nearer than",
    "pore_radius_50": "distance to solid: half of the pores is nearer than",
    "pore_radius_90": "distance to solid: nine tenths of the pores are nearer than",
    "percolation": "share of the pores that lead through",
    "pore_chord": "mean straight run in pores",
    "solid_chord": "mean straight run in solid",
    "surface": "surface across the axis in the volume",
    "covariance": "how alike voxels are that lie apart by",
}
Key = Annotated[str, Query(max_length=80, description="Of the volume.")]
At = Annotated[int, Query(ge=-1, le=10**6, description="Number of the voxel; -1 is the middle.")]


def view(
    request: Request, campaign: Present, volume: Key = "", x: At = -1, y: At = -1, z: At = -1
) -> dict[str, Any]:
    """What the page shows; always of now."""
    known = find_volumes(campaign)
    seen: dict[str, Any] = {
        "as_of": "",
        "volumes": [{"key": one.key, "specimen": one.specimen} for one in known],
        "volume": volume,
        "problem": None,
        "specimen": "",
        "digest": "",
        "is_segmented": False,
        "shape": [],
        "voxel": "",
        "planes": [],
        "note": "",
        "whole": [],
        "along": [],
        "typed": {},
    }
    if not known:
        return seen
    one = _found(known, volume or known[0].key)
    voxels, known_of_it = _read(request, campaign, one), _described(request, campaign, one)
    numbers = {} if known_of_it is None else known_of_it.numbers
    size, units = voxel_of(voxels)
    return seen | {
        "volume": one.key,
        "specimen": one.specimen,
        "digest": one.digest,
        "is_segmented": is_segmented(voxels),
        "shape": list(voxels.shape),
        "voxel": f"{size:.4g} {as_read(units)}".strip(),
        "planes": [_plane(one.key, voxels, axis, at) for axis, at in zip(AXES, (x, y, z), strict=True)],
        "note": one.note,
        "whole": _whole(numbers),
        "along": _along(numbers),
    }


def _found(known: list[Found], key: str) -> Found:
    one = next((one for one in known if one.key == key), None)
    if one is None:
        raise NotFound("This volume is not here.", hint="choose one on the page")
    return one


def _read(request: Request, campaign: Campaign, one: Found) -> xr.DataArray:
    drawings: Drawings = request.app.state.studies
    return drawings.once(("volume", one.key, one.stamp), lambda: read_volume(campaign, one))


def _described(request: Request, campaign: Campaign, one: Found) -> Description | None:
    if one.known is not None:
        return one.known
    voxels = _read(request, campaign, one)
    return request.app.state.studies.once(("described", one.key, one.stamp), lambda: described(voxels))


def _plane(key: str, voxels: xr.DataArray, axis: str, at: int) -> dict[str, Any]:
    n = voxels.sizes[axis]
    at = n // 2 if at < 0 else min(at, n - 1)
    across, up = (a for a in AXES if a != axis)
    address = f"{PATH}/plane.png?{urlencode({'volume': key, 'axis': axis, 'at': at})}"
    return {"axis": axis, "at": at, "last": n - 1, "across": across, "up": up, "address": address}


def _whole(numbers: Mapping[str, tuple[float, str]]) -> list[dict[str, Any]]:
    """Numbers of the volume as a whole."""
    return [_said(WORDS[name], *numbers[name]) for name in WORDS if name in numbers]


def _along(numbers: Mapping[str, tuple[float, str]]) -> list[dict[str, Any]]:
    """Numbers along each axis, a row for each kind."""
    rows = []
    for name in numbers:
        kind, _, rest = name.partition("_x")
        if not name.startswith(f"{kind}_x") or kind not in WORDS:
            continue
        lag = rest.strip("_")
        values = [numbers[f"{kind}_{axis}{rest}"] for axis in AXES]
        row = _said(f"{WORDS[kind]} {lag} voxels" if lag else WORDS[kind], *values[0])
        rows.append(row | {"values": [value for value, _ in values]})
    return rows


def _said(what: str, value: float, units: str) -> dict[str, Any]:
    return {"what": what, "value": value, "unit": as_read(units)}


add_page(router, PATH, "volumes.html", view)


@router.get(f"{PATH}/plane.png", include_in_schema=False)
@needs(READ)
def image(
    request: Request, campaign: Present, volume: Key, axis: Annotated[str, Query(max_length=1)], at: At
) -> Response:
    """One plane of a volume."""
    one = _found(find_volumes(campaign), volume)
    voxels = _read(request, campaign, one)
    if axis not in AXES or not 0 <= at < voxels.sizes[axis]:
        hint = "the sliders on the page say which there are"
        raise NotFound("There is no such plane.", found=f"{axis} {at}", hint=hint)
    ends = request.app.state.studies.once(
        ("greys", one.key, one.stamp), lambda: tuple(np.percentile(voxels.values, (0.5, 99.5)).tolist())
    )
    return Response(plane(voxels, axis, at, ends), media_type="image/png")


@router.post(PATH, include_in_schema=False)
@needs(PROPOSE, takes_files=True)
def drop(request: Request, fields: Fields, sent: Dropped) -> Response:
    """Take scans, each by itself."""
    deed = deed_of(request, "")
    try:
        require_files(sent, "Which scan?", "drop a stack of TIFF images")
        if len(sent) > 1 and fields.get("specimen"):
            raise SchemaError(
                "Several scans are not one specimen's.",
                hint="leave the specimen empty: each is named by its file",
            )
        about: dict[str, Any] = _about(fields) | {"by": deed.by(fields.get("by", ""))}
        for file in sent:
            with kept_for_a_moment(file) as place:
                one = add_volume(deed.campaign, place, specimen=fields.get("specimen", ""), **about)
    except TielineError as error:
        return refused(request, "volumes.html", view(request, deed.campaign) | {"typed": fields}, error)
    return see_other(f"{PATH}?volume={one.digest}")


def _about(fields: dict[str, str]) -> dict[str, Any]:
    """What is said of scans."""
    about: dict[str, Any] = {"units": fields.get("units", "µm"), "pores_are": fields.get("pores", "dark")}
    size = plain_number(fields.get("voxel_size", ""))
    if size is None:
        raise SchemaError(
            "A scan needs the size of its voxels.",
            found=repr(fields.get("voxel_size", "")),
            hint="as the instrument says: 0.15",
        )
    about["voxel_size"] = size
    for name in ("porosity", "threshold"):
        text = fields.get(name, "")
        value = plain_number(text)
        if text and value is None:
            raise SchemaError(
                f"This {name} is not a number.", found=repr(text), hint="0.85, or leave it empty"
            )
        about[name] = value
    return about


@router.post(f"{PATH}/columns", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def take(request: Request, fields: Fields) -> Response:
    """Make the numbers of all volumes columns of the campaign."""
    deed = deed_of(request, "")
    try:
        described = [(one, _described(request, deed.campaign, one)) for one in find_volumes(deed.campaign)]
        volumes = [(one, found) for one, found in described if found is not None]
        if not volumes:
            raise NotFound(
                "No volume is told apart into pore and solid.", hint="say its porosity, or a grey value"
            )
        _, n_columns = take_descriptors(deed.campaign, volumes, deed.by(fields.get("by", "")))
    except TielineError as error:
        return refused(request, "volumes.html", view(request, deed.campaign), error)
    n_specimens = len({one.specimen for one, _ in volumes})
    return see_other("/data", f"{n_columns} numbers of {n_specimens} specimens are columns now.")


add_aside(router, PATH, KIND)
