"""Puts this folder on the path, and makes campaigns to serve."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "campaign"))
sys.path.insert(0, str(Path(__file__).parent))

from robots import SETTINGS
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.service.app import create_app


@pytest.fixture
def folder(tmp_path):
    """The folder of a campaign of robots, without any data."""
    Campaign.create(tmp_path / "robots", SETTINGS).close()
    return tmp_path / "robots"


@pytest.fixture
def visitor(folder):
    """A plain HTTP client of a service on this machine."""
    with visiting(create_app(folder)) as client:
        yield client


@pytest.fixture(scope="session")
def browser():
    """Chromium, where playwright is installed."""
    from browsing import CHROMIUM

    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
