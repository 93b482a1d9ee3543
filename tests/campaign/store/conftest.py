"""Every test of the store runs on SQLite and, where it is installed, on PostgreSQL."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tieline.campaign.store.store import Store


@pytest.fixture
def place(url, tmp_path):
    """Where a store is: a folder and a URL."""
    return tmp_path, url


@pytest.fixture
def store(place):
    opened = Store.open(*place)
    yield opened
    opened.close()
