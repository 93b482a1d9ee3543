"""Every test of the store runs on SQLite and, where it is installed, on PostgreSQL."""

import sys
import tempfile
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import postgres, programs

from tieline.campaign.store.store import Store

numbers = count()


@pytest.fixture(scope="session")
def server():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as url:  # a socket's path is short
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Where a store is: a folder and a URL."""
    if request.param == "sqlite":
        return tmp_path, None
    return tmp_path, f"{request.getfixturevalue('server')}#c{next(numbers)}"


@pytest.fixture
def store(place):
    opened = Store.open(*place)
    yield opened
    opened.close()
