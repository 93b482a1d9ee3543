"""A real browser on a service, and what must hold of every page that it shows."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from tieline.service.app import create_app
from tieline.service.serving import in_background

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
DESK, TABLET = {"width": 1280, "height": 900}, {"width": 820, "height": 1180}
FITS = "document.documentElement.scrollWidth <= innerWidth + 1"
SHOTS = os.environ.get("TIELINE_SCREENSHOTS")  # a folder for pictures of pages, for people to look at


@contextmanager
def visit(browser, folder, size=DESK, *, allowed=()):
    """A page of the service; afterwards nothing may have gone wrong or been asked of anybody else."""
    with in_background(create_app(folder)) as address:
        page = browser.new_page(viewport=size, base_url=address)
        faults, requests = [], []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto("/")
        yield page
        page.close()
    assert [fault for fault in faults if not any(word in fault for word in allowed)] == []
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


def wait_for_figures(page):
    page.locator(".plot[aria-busy]").first.wait_for(state="detached")


def wait_until(page, holds):
    """Wait until something holds on a page, which runs no script that is made from text."""
    for _ in range(50):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(100)


def look_at(page, name):
    """See that everybody can read a page at a desk and on a tablet, and keep pictures if they are wanted."""
    wait_for_figures(page)
    wait_until(page, "[...document.images].every((image) => image.complete)")
    for where, size in (("desk", DESK), ("tablet", TABLET)):
        page.set_viewport_size(size)
        wait_until(page, FITS)  # figures take the new width in a moment
        assert (name, where, page.evaluate(LOOK)) == (name, where, [])
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{where}.png", full_page=True)
    page.set_viewport_size(DESK)
