"""What tests of any room may ask for."""

import importlib.util
import os
from pathlib import Path

import pytest

WATCH = Path(__file__).parent / "watched" / "sitecustomize.py"


@pytest.fixture(scope="session")
def watch():
    """The hook that stops whoever asks another machine; it cannot be taken away, but rests without a log."""
    spec = importlib.util.spec_from_file_location("watch", WATCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def nobody_outside(watch, tmp_path_factory, monkeypatch):
    """Let neither this process nor any that it starts ask another machine, and see that none tried."""
    log = tmp_path_factory.mktemp("outside") / "tries"
    log.touch()
    path = [str(WATCH.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv(watch.LOG, str(log))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    yield log
    assert log.read_text(encoding="utf-8") == ""
