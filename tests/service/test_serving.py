"""The commands `tieline serve` and `tieline token`, as a person types them."""

import gc
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from server import visiting
from typer.testing import CliRunner

from tieline.campaign.campaign import Campaign
from tieline.campaign.tokens import add_token, find_token, list_tokens, revoke_token
from tieline.cli import app
from tieline.errors import Conflict, NotAllowed, NotFound, TielineError, Unavailable
from tieline.service.access import Access
from tieline.service.app import create_app
from tieline.service.serving import serve

pytestmark = pytest.mark.usefixtures("nobody_outside")


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_served_campaign_answers_until_it_is_stopped(folder):
    words = ["serve", str(folder), "--port", "0", "--no-browser"]
    command = [sys.executable, "-c", "from tieline.cli import app; app()", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        assert httpx.get(f"{address}/v1/health", timeout=60).json()["status"] == "ok"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()
    assert process.returncode in (0, 130, -signal.SIGINT)
    with Campaign.open(folder) as campaign:
        assert campaign.verify() == []


def test_no_end_of_a_line_keeps_small_packets_back(folder):
    """Or the other end, which waits for more before it says that they came, makes every answer 40 ms late."""
    with visiting(create_app(folder)) as client:
        client.get("/v1/health")
        port = client.base_url.port
        ends = [end for end in gc.get_objects() if type(end) is socket.socket and port in ports_of(end)]
        assert len(ends) == 2
        assert all(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in ends)


def ports_of(end):
    """The ports that a connection runs between; none of a socket that is closed, or listens."""
    try:
        return end.getsockname()[1], end.getpeername()[1]
    except (OSError, IndexError):
        return ()


def test_a_token_is_shown_once_listed_and_taken_back(folder):
    made = run("token", folder, "furnace-2", "--role", "read", "--by", "ada")
    secret = made.stdout.split()[-1]
    with Campaign.open(folder) as campaign:
        token = find_token(campaign.store, secret)
        assert (token.name, token.role, token.by) == ("furnace-2", "read", "ada")
        assert secret not in "".join(event.content for event in campaign.events())
        with pytest.raises(Conflict, match="already"):
            add_token(campaign.store, "furnace-2", "admin")
        with pytest.raises(TielineError, match="Did you mean 'admin'"):
            add_token(campaign.store, "x", "admn")
        with pytest.raises(TielineError, match="named after"):
            add_token(campaign.store, "a/b", "read")
    assert "furnace-2" in run("token", folder).stdout
    assert run("token", folder, "furnace-2", "--revoke").exit_code == 0
    with Campaign.open(folder) as campaign:
        assert list_tokens(campaign.store) == []
        assert find_token(campaign.store, secret) is None
        assert campaign.verify() == []
    assert "no token 'furnace-2'" in run("token", folder, "furnace-2", "--revoke").stderr
    assert "Which token" in run("token", folder, "--revoke").stderr


def test_the_door_is_not_opened_without_a_token(folder):
    for access in (Access.at("0.0.0.0"), Access.at("127.0.0.1", needs_token=True)):
        with pytest.raises(NotAllowed, match="needs a token"):
            serve(folder, host="0.0.0.0", port=0, access=access)


def test_what_cannot_be_served_is_told_at_once(folder, tmp_path):
    with pytest.raises(TielineError, match="no campaign"):
        serve(tmp_path / "nowhere", access=Access.at("127.0.0.1", needs_token=True))
    (tmp_path / "file").touch()
    with pytest.raises(TielineError, match="no campaign"):
        serve(tmp_path / "file")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="cannot listen"):
        serve(folder, port=taken.getsockname()[1])
    with pytest.raises(Unavailable, match="cannot listen"):
        serve(folder, host="no.such.host.example", port=0, access=Access())


def test_a_token_that_is_not_there_is_not_found(folder):
    with Campaign.open(folder) as campaign, pytest.raises(NotFound):
        revoke_token(campaign.store, "nobody")
