"""Whether to believe what was learned: every specimen predicted from the others; and what to take along."""

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from tieline.campaign.fits import latest_fit
from tieline.errors import NotFound, TielineError
from tieline.planning.wording import percent
from tieline.service.guard import READ, needs
from tieline.service.pages.learning import badge_of
from tieline.service.pages.router import add_page
from tieline.service.request import Present, Viewed

router = APIRouter()
BEHIND = {  # figures behind a verdict, in words
    "rhat_max": "Largest R-hat: 1 if independent runs agree, at most 1.01",
    "ess_bulk_min": "Fewest independent draws in the middle, at least 400",
    "ess_tail_min": "Fewest independent draws in the tails, at least 400",
    "n_sweeps": "Sweeps of each run",
}


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    fit = latest_fit(campaign.store)
    if fit is None:
        return {"badge": None, "facts": [], "worries": [], "behind": [], "notes": [], "digest": ""}
    posterior = campaign.posterior()
    found = posterior.diagnose()
    return {
        "badge": badge_of(fit),
        "facts": _facts(posterior, found),
        "worries": list(found.attrs.get("worries", [])),
        "behind": [
            {"what": words, "value": float(found[name])} for name, words in BEHIND.items() if name in found
        ],
        "notes": list(found.attrs.get("notes", [])),
        "digest": fit.posterior[:12],
    }


def _facts(posterior: Any, found: Any) -> list[dict[str, str]]:
    """Promises and what became of them, one a property; labels found again."""
    rows = [{"what": "Specimens learned from", "value": str(posterior.table.sizes["specimen"])}]
    if "label_accuracy" in found and np.isfinite(found["label_accuracy"]):
        words = f"{percent(float(found['label_accuracy']))} of {int(found['n_labelled'])}"
        rows.append({"what": "Labels found again when left out", "value": words})
    for name in posterior.model.properties:
        n, kept = (found[v].sel(property=name).item() for v in ("n_measured", "coverage_90"))
        said = f"{percent(kept)} of {int(n)}" if np.isfinite(kept) else "not known"
        what = f"Values of {name.replace('_', ' ')} inside the intervals that should hold 90 %"
        rows.append({"what": what, "value": said})
    return rows


add_page(router, "/trust", "trust.html", view)


@router.get("/trust/calibration.png", include_in_schema=False)
@needs(READ)
def calibration(request: Request, campaign: Viewed) -> Response:
    """Predicted against measured, and promised against kept."""
    fit = latest_fit(campaign.store)
    if fit is None:
        raise NotFound("Nothing was learned yet.", hint="the page Learn")
    posterior = campaign.posterior()

    def draw() -> bytes:
        from tieline.figures.reliability import calibration as draw_calibration

        place = BytesIO()
        draw_calibration(posterior).savefig(place, format="png", dpi=110)
        return place.getvalue()

    image = request.app.state.drawings.once(("calibration", fit.posterior), draw)
    return Response(image, media_type="image/png")


@router.get("/everything.zip", include_in_schema=False)
@needs(READ)
def everything(campaign: Present) -> FileResponse:
    """The whole campaign as an RO-Crate, for a repository or for others."""
    folder = tempfile.TemporaryDirectory(prefix="tieline-")
    try:
        written = campaign.export(Path(folder.name) / "campaign.zip")
    except TielineError:
        folder.cleanup()
        raise
    cleaning = BackgroundTask(folder.cleanup)
    name = f"{campaign.settings.name}.zip"
    return FileResponse(written, media_type="application/zip", filename=name, background=cleaning)


@router.get("/report", include_in_schema=False)
@needs(READ)
def report(request: Request, campaign: Present) -> FileResponse:
    """A report about what was learned last, as one file that needs nothing else."""
    written = request.app.state.drawings.alone(campaign.report)
    return FileResponse(written, media_type="text/html", filename=f"{campaign.settings.name}.html")
