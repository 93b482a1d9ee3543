"""Fingerprints: which specimens are alike in all that was measured, and which measurement tells it."""

from io import BytesIO
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.errands import Errand
from tieline.campaign.studies.fingerprints import (
    agreement,
    begin_fingerprint,
    errand_of,
    read_fingerprint,
    take_clusters,
)
from tieline.campaign.studies.modalities import offers
from tieline.errors import NotFound, SchemaError, TielineError
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.service.charts.drawing import as_json
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.pages.learning import badge_of_verdict
from tieline.service.pages.rendering import fragment, refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.request import Present, deed_of

router = APIRouter()
PATH = "/measurements/fingerprints"
CHOSEN = "m:"  # begins the name of a field: m:MODALITY
SHOWN = 200  # specimens in the table
MOST_CARDS = 12  # clusters of one figure


def view(request: Request, campaign: Present) -> dict[str, Any]:
    """What the page shows; always of now."""
    errand = errand_of(campaign.path)
    seen: dict[str, Any] = {
        "as_of": "",
        "offers": [vars(one) for one in offers(campaign.record())] if campaign.has_record else [],
        "work": _progress(errand),
        "problem": None,
        "badge": None,
        "is_stale": False,
        "clusters": [],
        "modalities": [],
        "specimens": [],
        "n_specimens": 0,
        "notes": [],
        "stamp": "",
    }
    learned = errand.latest()
    if learned.state() != "done":
        return seen
    found, stamp = _learned(request, campaign)
    told = request.app.state.studies.once(("fingerprint page", stamp), lambda: _told(found))
    is_stale = learned.about()["data"] != campaign.store.fact("data")
    return seen | told | {"is_stale": is_stale, "stamp": stamp}


def _progress(errand: Errand) -> dict[str, Any] | None:
    """How the work stands; None if it was never begun."""
    state = errand.state()
    if not state:
        return None
    about = {key: errand.about()[key] for key in ("at", "by", "modalities")}
    return about | {"state": state, "problem": errand.progress().get("problem", {})}


def _learned(request: Request, campaign: Campaign) -> tuple[FingerprintPosterior, str]:
    """What was learned last, and when.

    Raises:
        NotFound: nothing was.
    """
    errand = errand_of(campaign.path).latest()
    if errand.state() != "done":
        raise NotFound("No fingerprint was learned.", hint="begin one on the page")
    stamp = errand.about()["at"]
    found = request.app.state.studies.once(("fingerprint", stamp), lambda: read_fingerprint(campaign))
    return found, stamp


def _told(found: FingerprintPosterior) -> dict[str, Any]:
    """What takes a second: verdict, clusters, what tells them, and who belongs where."""
    judged = found.diagnose()
    belongs = found.responsibilities(found.table)
    likely, sure = (
        belongs["most_likely_cluster"].values.astype(str),
        belongs["cluster_probability"].values.max(1),
    )
    names = found.table["specimen"].values.astype(str)
    clusters = [
        {"name": c, "n": int((likely == c).sum()), "specimens": names[likely == c][:8].tolist()}
        for c in found.clusters
    ]
    error = judged["relative_error"]
    modalities = [
        {
            "name": name,
            "agrees": share,
            "n": n,
            "error": _best(error.sel(target=name).values),
        }
        for name, (share, n) in agreement(found).items()
    ]
    return {
        "badge": badge_of_verdict(judged.attrs),
        "clusters": clusters,
        "modalities": sorted(modalities, key=lambda m: -np.nan_to_num(m["agrees"])),
        "specimens": [
            {"name": a, "cluster": b, "probability": float(c)}
            for a, b, c in zip(names[:SHOWN], likely[:SHOWN], sure[:SHOWN], strict=True)
        ],
        "n_specimens": len(names),
        "notes": [*judged.attrs.get("notes", [])],
    }


def _best(errors: np.ndarray) -> float | None:
    return float(np.nanmin(errors)) if np.isfinite(errors).any() else None


add_page(router, PATH, "fingerprints.html", view)


@router.post(PATH, include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def begin(request: Request, fields: Fields) -> Response:
    """Begin to learn a fingerprint."""
    deed = deed_of(request, "")
    names = [name.removeprefix(CHOSEN) for name in fields if name.startswith(CHOSEN)]
    text = fields.get("n_clusters", "")
    try:
        if text and not (text.isdecimal() and text.isascii() and len(text) < 4):
            raise SchemaError(
                "How many clusters?", found=repr(text[:20]), hint="a whole number, or nothing to find out"
            )
        begin_fingerprint(deed.campaign, names, int(text) if text else None, by=deed.by(fields.get("by", "")))
    except TielineError as error:
        return refused(request, "fingerprints.html", view(request, deed.campaign), error)
    return see_other(PATH)


@router.get(f"{PATH}/progress", include_in_schema=False)
@needs(READ)
def progress(campaign: Present) -> Response:
    """How it stands, as the part of the page that asks again by itself."""
    return fragment("fingerprinting.html", {"work": _progress(errand_of(campaign.path))})


@router.get(f"{PATH}/figure.json", include_in_schema=False)
@needs(READ)
def figure(request: Request, campaign: Present) -> Response:
    """Where specimens lie, as Plotly reads it."""
    found, stamp = _learned(request, campaign)

    def draw() -> bytes:
        from tieline.service.charts.scatter import scatter

        return as_json(scatter(found))

    return Response(request.app.state.drawings.once(("scatter", stamp), draw), media_type="application/json")


@router.get(f"{PATH}/cards.png", include_in_schema=False)
@needs(READ)
def cards(request: Request, campaign: Present) -> Response:
    """What is typical of each cluster."""
    found, stamp = _learned(request, campaign)
    if len(found.clusters) > MOST_CARDS:
        raise NotFound("There are too many clusters for a figure.", found=f"{len(found.clusters)}")

    def draw() -> bytes:
        from tieline.figures.fingerprints import cluster_cards

        place = BytesIO()
        cluster_cards(found).savefig(place, format="png", dpi=130)
        return place.getvalue()

    return Response(request.app.state.drawings.once(("cards", stamp), draw), media_type="image/png")


@router.post(f"{PATH}/columns", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def take(request: Request, fields: Fields) -> Response:
    """Make clusters a column of the campaign."""
    deed = deed_of(request, "")
    try:
        found, _ = _learned(request, deed.campaign)
        take_clusters(deed.campaign, deed.by(fields.get("by", "")))
    except TielineError as error:
        return refused(request, "fingerprints.html", view(request, deed.campaign), error)
    return see_other("/data", f"The clusters of {found.table.sizes['specimen']} specimens are a column now.")
