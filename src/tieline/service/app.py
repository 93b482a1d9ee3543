"""The service of one campaign. Everything that can be asked for stands in one table, behind one guard."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

import tieline
from tieline.campaign.campaign import Campaign
from tieline.campaign.opening import can_begin
from tieline.service.access import Access
from tieline.service.charts.drawing import Drawings
from tieline.service.failures import explain_failures
from tieline.service.guard import Guard
from tieline.service.intake import MAX_UPLOAD
from tieline.service.pages import (
    begin,
    check,
    compare,
    data,
    fingerprints,
    goal,
    history,
    learn,
    map,
    measurements,
    next,
    recording,
    rehearsal,
    spectra,
    static,
    trust,
    unasked,
    volumes,
)
from tieline.service.pages import overview as first_page
from tieline.service.pages.tray import Tray
from tieline.service.pages.warming import kept_warm
from tieline.service.routes import entering, files, fits, log, models, overview, proposals, results

# The one table of routes. Pages and mounted apps belong here as well; whatever does not say what it needs
# (`guard.needs`) is refused to everybody.
ROUTERS = (
    overview.router,
    proposals.router,
    results.router,
    models.router,
    fits.router,
    log.router,
    files.router,
    entering.router,
    static.router,
    begin.router,
    first_page.router,
    learn.router,
    compare.router,
    map.router,
    next.router,
    recording.router,
    unasked.router,
    data.router,
    check.router,
    measurements.router,
    spectra.router,
    fingerprints.router,
    volumes.router,
    trust.router,
    goal.router,
    rehearsal.router,
    history.router,
)
AHEAD = 256  # proposals that are chosen ahead of the next question, where many ask


def create_app(folder: str | Path, access: Access | None = None, *, max_upload: int = MAX_UPLOAD) -> FastAPI:
    """Make the service of a campaign; where there is none yet, its first page begins one.

    Args:
        folder: of the campaign.
        access: by which names it may be called, and whether tokens are needed; by default on this machine
            alone, and without.
        max_upload: bytes of a file that is sent.
    """
    access = access or Access()

    @asynccontextmanager
    async def campaign_of_app(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        state.folder, state.campaign = Path(folder), None
        state.drawings, state.studies, state.tray = Drawings(), Drawings(), Tray.new()
        with ExitStack() as leaving:
            leaving.callback(state.tray.throw_away)

            def open_campaign() -> None:
                campaign = leaving.enter_context(Campaign.open(folder, ahead=AHEAD))
                leaving.enter_context(kept_warm(campaign, state.drawings))
                state.campaign = campaign

            state.open_campaign = open_campaign
            if access.needs_token or not can_begin(state.folder):  # tokens are those of a campaign
                open_campaign()
            yield

    app = FastAPI(
        title="tieline",
        summary="Ask what to make or measure next, and tell what came out.",
        version=tieline.__version__,
        lifespan=campaign_of_app,
        openapi_url=None,  # these would be routes that the table does not have, with scripts from elsewhere
        docs_url=None,
        redoc_url=None,
    )
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    explain_failures(app)
    app.add_middleware(Guard, access=access, max_upload=max_upload)
    return app
