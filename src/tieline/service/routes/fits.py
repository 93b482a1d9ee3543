"""Begin to learn, see how it goes, stop it."""

from pydantic import BaseModel

from tieline.campaign.fits import find_fit
from tieline.service.answers import Fit, fit_of
from tieline.service.bodies import StartFit
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.request import Viewed, Writing
from tieline.service.routes.router import api_router

router = api_router("fits")


class Fits(BaseModel):
    """All fits, the latest last."""

    fits: list[Fit]


@router.post("/fits", status_code=202)
@needs(PROPOSE)
def start_fit(deed: Writing, body: StartFit | None = None) -> Fit:
    """Begin a fit as a process of its own, which goes on whatever becomes of this service.

    When data arrive while it works, it fits again at its end. 409 if one is running.
    """
    name = deed.campaign.start_fit(by=deed.by(body.by if body else ""), key=deed.key)
    return fit_of(find_fit(deed.campaign.store, name))


@router.get("/fits")
@needs(READ)
def list_fits(campaign: Viewed) -> Fits:
    """List all fits; one whose process died is shown as interrupted."""
    return Fits(fits=[fit_of(fit) for fit in campaign.fits()])


@router.get("/fits/{name}")
@needs(READ)
def show_fit(campaign: Viewed, name: str) -> Fit:
    """One fit: whether it runs and what it is doing, or how it ended."""
    return fit_of(find_fit(campaign.store, name))


@router.post("/fits/{name}/cancel")
@needs(PROPOSE)
def cancel_fit(deed: Writing, name: str) -> Fit:
    """Stop a fit; what was learned before stays."""
    if find_fit(deed.campaign.store, name).state != "cancelled":  # sent again, it has happened already
        deed.campaign.cancel_fit(name)
    return fit_of(find_fit(deed.campaign.store, name))
