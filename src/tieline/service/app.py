"""The service of one campaign. Everything that can be asked for stands in one table, behind one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

import tieline
from tieline.campaign.campaign import Campaign
from tieline.service.access import Access
from tieline.service.charts.drawing import Drawings
from tieline.service.failures import explain_failures
from tieline.service.guard import Guard
from tieline.service.intake import MAX_UPLOAD
from tieline.service.pages import check, compare, data, history, learn, map, next, recording, static, trust
from tieline.service.pages import overview as first_page
from tieline.service.pages.tray import Tray
from tieline.service.routes import entering, files, fits, log, overview, proposals, results

# The one table of routes. Pages and mounted apps belong here as well; whatever does not say what it needs
# (`guard.needs`) is refused to everybody.
ROUTERS = (
    overview.router,
    proposals.router,
    results.router,
    fits.router,
    log.router,
    files.router,
    entering.router,
    static.router,
    first_page.router,
    learn.router,
    compare.router,
    map.router,
    next.router,
    recording.router,
    data.router,
    check.router,
    trust.router,
    history.router,
)
AHEAD = 256  # proposals that are chosen ahead of the next question, where many ask


def create_app(folder: str | Path, access: Access | None = None, *, max_upload: int = MAX_UPLOAD) -> FastAPI:
    """Make the service of a campaign.

    Args:
        folder: of the campaign.
        access: by which names it may be called, and whether tokens are needed; by default on this machine
            alone, and without.
        max_upload: bytes of a file that is sent.
    """

    @asynccontextmanager
    async def campaign_of_app(app: FastAPI) -> AsyncIterator[None]:
        with Campaign.open(folder, ahead=AHEAD) as campaign:
            app.state.campaign, app.state.drawings, app.state.tray = campaign, Drawings(), Tray.new()
            try:
                yield
            finally:
                app.state.tray.throw_away()

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
    app.add_middleware(Guard, access=access or Access(), max_upload=max_upload)
    return app
