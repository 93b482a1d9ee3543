"""Figures are worked out before anybody asks: when the service begins, and whenever something was learned."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tieline.campaign.campaign import Campaign
from tieline.campaign.fits import latest_fit
from tieline.errors import TielineError
from tieline.service.charts.drawing import Drawings
from tieline.service.pages.map import draw_each, scene_of

PAUSE = 1.0  # seconds from look to look, the first one included: whoever opens the first page is served first


@contextmanager
def kept_warm(campaign: Campaign, drawings: Drawings) -> Iterator[None]:
    """Draw the map of whatever was learned last in a thread, for as long as a block lasts.

    Args:
        campaign: that is looked at.
        drawings: that keep what is worked out.
    """
    is_over = Event()
    thread = Thread(target=_keep_warm, args=(campaign, drawings, is_over), daemon=True, name="figures ahead")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _keep_warm(campaign: Campaign, drawings: Drawings, is_over: Event) -> None:
    drawn = ""
    while not is_over.wait(PAUSE):
        try:
            fit = latest_fit(campaign.store)
            if fit is not None and fit.posterior != drawn:
                drawn = fit.posterior
                for _ in draw_each(scene_of(campaign, drawings)):
                    if is_over.is_set():
                        return  # nobody waits for the other figures
        except TielineError:
            continue  # whoever opens the page is told what is wrong
