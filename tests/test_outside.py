"""Whoever asks another machine is found: so are the command line and the service, whose tests are watched."""

import socket
import subprocess
import sys

import pytest

ELSEWHERE = "192.0.2.1"  # an address that is kept for examples


@pytest.mark.parametrize(
    "way",
    [
        f"import socket; socket.create_connection(('{ELSEWHERE}', 80), 1)",
        "import socket; socket.getaddrinfo('example.org', 443)",
        f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'1', ('{ELSEWHERE}', 9))",
    ],
)
def test_whoever_asks_is_stopped_and_written_down(nobody_outside, way):
    ran = subprocess.run([sys.executable, "-c", way], capture_output=True, text=True, check=False)
    assert "is outside" in ran.stderr
    assert nobody_outside.read_text(encoding="utf-8").startswith("socket.")
    nobody_outside.write_text("", encoding="utf-8")


def test_this_process_is_watched_too(nobody_outside):
    with socket.socket() as caller, pytest.raises(OSError, match="is outside"):
        caller.connect((ELSEWHERE, 80))
    nobody_outside.write_text("", encoding="utf-8")
