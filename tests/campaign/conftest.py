"""Puts this folder on the path, and runs a PostgreSQL server for the tests that want one."""

import sys
import tempfile
from itertools import count
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from benchmarks.reliability_server import postgres, programs

numbers = count()


@pytest.fixture(scope="session")
def server():
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    # A folder of its own: the path of a socket has to be short.
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder), is_durable=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """None for a SQLite file in the folder, or a schema of its own on a server."""
    if request.param == "sqlite":
        return None
    return f"{request.getfixturevalue('server')}#c{next(numbers)}"
