"""Bars of progress where somebody looks: in a terminal, in a notebook, and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tieline.progress import progress_bar

WORK = """
from tieline.progress import progress_bar
with progress_bar("Runs of <one> [two]") as progress:
    for n in range(4):
        progress(n + 1, 4, 0.5)
"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A shell as a kernel has it; what is displayed in it is caught."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance()
    shell.kernel = "that runs cells"
    yield shell
    InteractiveShell.clear_instance()


def test_nothing_is_printed_where_nobody_looks():
    ran = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    assert ran.stdout + ran.stderr == ""


def test_a_terminal_has_a_bar_that_goes_when_the_work_is_done():
    here, there = pty.openpty()
    ran = subprocess.run([sys.executable, "-c", WORK], stderr=there, stdout=subprocess.PIPE, check=True)
    os.close(there)
    printed = os.read(here, 1 << 16).decode()
    os.close(here)
    assert "Runs of <one> [two]" in printed
    assert "4/4" in printed
    assert ran.stdout == b""


def test_a_notebook_has_a_bar_below_the_cell_that_goes_when_the_work_is_done(notebook):
    with capture_output() as caught, progress_bar("Runs of <one>") as progress:
        progress(4, 4, 0.5)
    pages = [one.data["text/html"] for one in caught.outputs]
    assert "Runs of &lt;one&gt; <progress aria-label" in pages[0]
    assert "<progress value='4' max='4'" in pages[1]
    assert "4 of 4" in pages[1]
    assert pages[2] == ""


def test_a_bar_goes_when_the_work_fails(notebook):
    with capture_output() as caught, pytest.raises(ValueError, match="in the midst"), progress_bar("Runs"):
        raise ValueError("in the midst")
    assert caught.outputs[-1].data["text/html"] == ""
