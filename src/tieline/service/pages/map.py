"""What was learned, drawn: phases and properties over the design, and how unsure both are."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import latest_fit
from tieline.campaign.store.tables import LIVE
from tieline.errors import NotFound
from tieline.figures.resting import Held
from tieline.planning.pool import design_names
from tieline.planning.wording import label
from tieline.service.charts.drawing import SD, Drawings, Scene, title_of
from tieline.service.charts.held import controls_of, read_held
from tieline.service.guard import READ, needs
from tieline.service.pages.learning import badge_of
from tieline.service.pages.router import add_page
from tieline.service.request import Viewed

router = APIRouter()
Number = Annotated[int, Query(ge=0, le=99, description="Of the view.")]
PHASES = "phases"
HELD = "h:"  # begins the name of a setting in an address: h:temperature=760


def view(
    request: Request, campaign: Viewed, cut: Number = 0, as_of: Annotated[str, Query(max_length=40)] = ""
) -> dict[str, Any]:
    """What the page shows: the figures, by address, and the cuts to choose from."""
    if not campaign.has_posterior:
        return {
            "badge": None,
            "figures": [],
            "cuts": [],
            "cut": 0,
            "kind": "none",
            "controls": [],
            "resting": "",
            "stars": [],
            "notes": [],
        }
    scene = _held(request, scene_of(campaign, request.app.state.drawings))
    found = scene.views() if scene.kind == "map" else []
    cut = min(cut, max(len(found) - 1, 0))
    return {
        "badge": badge_of(latest_fit(campaign.store)),
        "kind": scene.kind,
        "cuts": [title_of(one) for one in found],
        "cut": cut,
        "controls": controls_of(found[cut], scene.posterior.table) if found else [],
        "resting": found[cut].resting() if found else "",
        "figures": [
            figure | {"address": _address(figure["what"], cut, as_of, scene.held)}
            for figure in _figures(scene)
        ],
        "stars": stars_of(scene),
        "notes": list(scene.posterior.notes),
    }


def stars_of(scene: Scene) -> list[dict[str, str]]:
    """The proposals that a map shows as stars, each with its reason."""
    if scene.proposals is None:
        return []
    names, reasons = (scene.proposals[v].values.astype(str).tolist() for v in ("proposal", "reason"))
    return [{"proposal": name, "reason": why} for name, why in zip(names, reasons, strict=True)]


def _address(what: str, cut: int, as_of: str, held: Held) -> str:
    about = {"what": what, "cut": cut, "as_of": as_of}
    return f"/map/figure.json?{urlencode(about | {HELD + name: value for name, value in held.items()})}"


def _held(request: Request, scene: Scene) -> Scene:
    """The scene with the inputs held where the address says."""
    said = {n.removeprefix(HELD): v for n, v in request.query_params.items() if n.startswith(HELD)}
    return replace(scene, held=read_held(said, scene.posterior))


def scene_of(campaign: Campaign, drawings: Drawings) -> Scene:
    """What was learned last, with the experiments that are proposed."""
    fit = latest_fit(campaign.store)
    if fit is None:
        raise NotFound("Nothing was learned yet.", hint="the page Learn")
    posterior, live = campaign.posterior(), campaign.proposals(*LIVE)
    can_be_drawn = live.sizes.get("specimen", 0) and set(design_names(posterior)) <= set(live.data_vars)
    return Scene(posterior, fit.posterior, live if can_be_drawn else None, drawings)


def draw_each(scene: Scene) -> Iterator[str]:
    """Draw each figure of the first view, so that what takes long is known when somebody asks for it."""
    for figure in _figures(scene):
        scene.draw(figure["what"], 0)
        yield figure["what"]


def _figures(scene: Scene) -> list[dict[str, str]]:
    posterior, properties = scene.posterior, list(scene.posterior.model.properties)
    if scene.kind == "none":
        return []
    if scene.kind == "line":
        words = ", ".join(name.replace("_", " ") for name in properties)
        alt = f"Line chart of {words} with the band that holds 90 % of new measurements, and of the phases."
        return [{"what": "line", "title": "Along the line", "alt": alt}]
    figures = []
    if scene.has_phases():
        alt = "Map of the most likely phase at every place; pale and hatched where it has less than 80 %."
        figures.append({"what": PHASES, "title": "Which phase is where", "alt": alt})
    for name in properties:
        words = label(posterior.table[name], name)
        figures.append({"what": name, "title": f"Expected {words}", "alt": f"Map of the expected {words}."})
        alt = f"Map of how far a new measurement of {words} may be from that, one standard deviation."
        figures.append({"what": SD + name, "title": f"How unsure: ± {words}", "alt": alt})
    return figures


add_page(router, "/map", "map.html", view)


@router.get("/map/figure.json", include_in_schema=False)
@needs(READ)
def figure(
    request: Request, campaign: Viewed, what: Annotated[str, Query(max_length=200)], cut: Number = 0
) -> Response:
    """One figure, as Plotly reads it."""
    scene = _held(request, scene_of(campaign, request.app.state.drawings))
    if what not in [one["what"] for one in _figures(scene)] or (what != "line" and cut >= len(scene.views())):
        raise NotFound("There is no such figure.", found=what)
    return Response(scene.draw(what, cut), media_type="application/json")
