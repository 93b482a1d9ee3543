"""What unknown spectra are made of, told by spectra of pure compounds, and the ions that tell it."""

import re
from contextlib import ExitStack
from typing import Annotated, Any
from urllib.parse import urlencode

import numpy as np
import xarray as xr
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tieline.campaign.studies.kept import kept
from tieline.campaign.studies.spectra import KIND, Spectra, add_spectra, find_spectra, take_shares
from tieline.errors import NotFound, TielineError, three_clauses
from tieline.insight.characteristic_ions import characteristic_ions
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.schema.weights import atomic_weights
from tieline.service.charts.drawing import Drawings, as_json
from tieline.service.charts.shares import shares
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.pages.asides import add_aside
from tieline.service.pages.learning import badge_of_verdict
from tieline.service.pages.rendering import refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.request import Present, deed_of
from tieline.service.sent import Dropped, kept_for_a_moment, require_files

router = APIRouter()
PATH = "/measurements/spectra"
SHOWN = 20  # spectra of one figure and table
N_IONS = 6  # of a compound
BESIDE = ("H", "C", "N", "O")  # elements that ions have, whatever the compounds are
By = Annotated[str, Query(max_length=200, description="Column whose equal values are averaged.")]
Which = Annotated[str, Query(max_length=200, description="One spectrum alone.")]
Offset = Annotated[int, Query(ge=0, le=2**60)]


def view(
    request: Request, campaign: Present, by: By = "", specimen: Which = "", offset: Offset = 0
) -> dict[str, Any]:
    """What the page shows; always of now."""
    files = kept(campaign, KIND)
    seen: dict[str, Any] = {
        "as_of": "",
        "files": [{"digest": f.digest, "name": f.name, **f.about} for f in files],
        "groups": [],
        "by": "",
        "specimen": specimen,
        "offset": offset,
        "shown": SHOWN,
        "problem": None,
        "obstacle": None,
        "badge": None,
        "compounds": [],
        "specimens": [],
        "rows": [],
        "n_rows": 0,
        "ions": [],
        "notes": [],
        "notes_on_files": [],
        "figure": "",
    }
    if not files:
        return seen
    try:
        spectra = find_spectra(campaign)
        seen |= {"groups": spectra.groups, "notes_on_files": spectra.notes}
        seen["by"] = by if by in spectra.groups else ""
        posterior, found = _answer(request, spectra, seen["by"])
    except TielineError as error:
        return seen | {"obstacle": three_clauses(error)}
    part = _part(found, specimen, offset) if found is not None else None
    about = {"by": seen["by"], "specimen": specimen, "offset": offset, "of": len(spectra.files)}
    return seen | {
        "badge": badge_of_verdict(
            request.app.state.studies.once(("verdict", spectra.key), posterior.diagnose).attrs
        ),
        "compounds": posterior.compounds,
        "specimens": [] if found is None else found["specimen"].values.astype(str).tolist(),
        "rows": [] if part is None else [_row(part.isel(specimen=i)) for i in range(part.sizes["specimen"])],
        "n_rows": 0 if found is None or specimen else found.sizes["specimen"],
        "ions": _ions(request, spectra, posterior),
        "notes": [] if found is None else list(dict.fromkeys(found.attrs["notes"])),
        "figure": "" if part is None else f"{PATH}/figure.json?{urlencode(about)}",
    }


def _answer(request: Request, spectra: Spectra, by: str) -> tuple[SpectralPosterior, xr.Dataset | None]:
    """What was learned from the pure spectra, and what the others are made of."""
    drawings: Drawings = request.app.state.studies
    posterior = drawings.once(("spectra", spectra.key), spectra.learn)
    if spectra.unknown is None:
        return posterior, None
    unknown = spectra.unknown
    return posterior, drawings.once(
        ("shares", spectra.key, by), lambda: posterior.predict(unknown, by=by or None)
    )


def _part(found: xr.Dataset, specimen: str, offset: int) -> xr.Dataset:
    """What of it is shown: one spectrum, or some."""
    if not specimen:
        return found.isel(specimen=slice(offset, offset + SHOWN))
    is_this = found["specimen"].values.astype(str) == specimen
    if not is_this.any():
        raise NotFound(f"There is no spectrum '{specimen}'.", hint="choose one on the page")
    return found.isel(specimen=is_this)


def _row(one: xr.Dataset) -> dict[str, Any]:
    shown = [
        {"share": float(a), "low": float(b), "high": float(c), "is_present": bool(d)}
        for a, b, c, d in zip(
            *(one[v].values for v in ("share", "share_low", "share_high", "is_present")), strict=True
        )
    ]
    return {
        "specimen": str(one["specimen"].item()),
        "shares": shown,
        "unexplained": one["unexplained"].item(),
        "misfit": one["misfit"].item(),
        "is_strange": bool(one["is_none_of_references"]),
        "is_empty": bool(np.isnan(one["share"].values).all()),
    }


def _ions(request: Request, spectra: Spectra, posterior: SpectralPosterior) -> list[dict[str, Any]]:
    """For each compound the peaks that tell it from the others."""
    own = [e for c in posterior.compounds for e in re.findall("[A-Z][a-z]?", c) if e in atomic_weights()]
    n = min(N_IONS, len(posterior.references.channels))
    found = request.app.state.studies.once(
        ("ions", spectra.key),
        lambda: characteristic_ions(
            posterior, n=n, elements=[*dict.fromkeys([*own, *BESIDE])], charge=spectra.charge
        ),
    )
    axis = posterior.references.axis
    names = {axis: "mz", "ion": "ion", "level": "level", "next_level": "next_level", "frequency": "frequency"}
    return [
        {
            "compound": compound,
            "peaks": [
                {new: found[old].sel(compound=compound, rank=rank).item() for old, new in names.items()}
                for rank in found["rank"].values
            ],
        }
        for compound in posterior.compounds
    ]


add_page(router, PATH, "spectra.html", view)


@router.get(f"{PATH}/figure.json", include_in_schema=False)
@needs(READ)
def figure(
    request: Request, campaign: Present, by: By = "", specimen: Which = "", offset: Offset = 0
) -> Response:
    """Bars of shares, as Plotly reads them."""
    spectra = find_spectra(campaign)
    _, found = _answer(request, spectra, by if by in spectra.groups else "")
    if found is None:
        raise NotFound("There are no unknown spectra.", hint="drop some on the page")
    return Response(as_json(shares(_part(found, specimen, offset))), media_type="application/json")


@router.post(PATH, include_in_schema=False)
@needs(PROPOSE, takes_files=True)
def drop(request: Request, fields: Fields, sent: Dropped) -> Response:
    """Take files of spectra, all or none."""
    deed = deed_of(request, "")
    about = {name: fields.get(name, "") for name in ("column", "compound")}
    about |= {"ions": fields.get("ions") or "negative", "by": deed.by(fields.get("by", ""))}
    try:
        require_files(sent, "Which files?", "drop tables of peak areas, or raw spectra as text")
        with ExitStack() as moment:
            places = [moment.enter_context(kept_for_a_moment(file)) for file in sent]
            added = add_spectra(deed.campaign, places, **about)
    except TielineError as error:
        return refused(request, "spectra.html", view(request, deed.campaign), error)
    pure, unknown = (sum(one.about[n] for one in added) for n in ("n_pure", "n_unknown"))
    return see_other(PATH, f"Read {pure} spectra of pure compounds and {unknown} others.")


@router.post(f"{PATH}/columns", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def take(request: Request, fields: Fields) -> Response:
    """Make the shares columns of the campaign."""
    deed = deed_of(request, "")
    by = fields.get("average", "")
    try:
        spectra = find_spectra(deed.campaign)
        _, found = _answer(request, spectra, by if by in spectra.groups else "")
        if found is None:
            raise NotFound("There are no unknown spectra.", hint="drop some on the page")
        take_shares(deed.campaign, found, deed.by(fields.get("by", "")))
    except TielineError as error:
        return refused(request, "spectra.html", view(request, deed.campaign), error)
    n_strange = int(found["is_none_of_references"].sum())
    said = f"The shares of {found.sizes['specimen'] - n_strange} specimens are columns now."
    if n_strange:
        said += f" {n_strange} with something that is none of the references have none."
    return see_other("/data", said)


add_aside(router, PATH, KIND)
