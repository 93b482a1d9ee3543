"""Run the service of a campaign until somebody stops it."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tieline.campaign.campaign import Campaign
from tieline.campaign.opening import can_begin
from tieline.campaign.tokens import list_tokens
from tieline.errors import NotAllowed, Unavailable
from tieline.service.access import Access
from tieline.service.app import create_app

PORT = 8731
TURN = 0.0005  # seconds; ten times as often as Python's own, so that a choice at work holds nobody up
GRACE = 3  # seconds that answers under way, and streams of events, have to come to an end


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    access: Access | None = None,
    certificate: Path | None = None,
    private_key: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a campaign; where there is none yet, its first page begins one.

    Args:
        folder: of the campaign.
        host: where to listen; other machines reach it where it is not this one alone.
        port: where to listen; 0 takes a free one.
        access: by which names it may be called, and whether tokens are needed; by default what the host
            needs.
        certificate: of TLS, in a PEM file.
        private_key: of TLS, in a PEM file.
        tell: is told the address once the service listens there.

    Raises:
        NotAllowed: other machines could reach it, and it knows no token.
        Unavailable: the port is taken.
        TielineError: there is no campaign, and tokens are needed; or the folder is a file.
    """
    access = access or Access.at(host)
    if access.needs_token or not can_begin(Path(folder)):
        with Campaign.open(
            folder
        ) as campaign:  # whoever starts it hears what is wrong, not the first visitor
            _refuse_open_door(campaign, access)
    listening = _listen(host, port)
    scheme = "http" if certificate is None else "https"
    address = f"{scheme}://{_shown(host)}:{listening.getsockname()[1]}"
    server = _server(create_app(folder, access), ssl_certfile=certificate, ssl_keyfile=private_key)
    sys.setswitchinterval(TURN)
    with listening:
        tell(address)
        server.run([listening])


@contextmanager
def in_background(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve an app from a thread for as long as a block lasts, in a notebook or a test; yields its address.

    Args:
        app: made by `create_app`.
        port: where to listen on this machine; 0 takes a free one.

    Raises:
        Unavailable: the port is taken, or the app did not start; its message is in the log.
    """
    listening, server = _listen("127.0.0.1", port), _server(app)
    thread = Thread(target=server.run, args=([listening],), daemon=True, name="tieline service")
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise Unavailable("The service did not start.", hint="its log says why")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _server(app: ASGIApp, **options: Any) -> uvicorn.Server:
    about = {"log_level": "warning", "server_header": False, "ws": "none", "lifespan": "on"}
    return uvicorn.Server(uvicorn.Config(app, **about, timeout_graceful_shutdown=GRACE, **options))


def _refuse_open_door(campaign: Campaign, access: Access) -> None:
    if access.needs_token and not list_tokens(campaign.store):
        raise NotAllowed(
            "Whoever comes to this service needs a token, and there is none yet.",
            found="a service that other machines can reach, or --tokens",
            hint=f"tieline token {campaign.path} NAME --role propose",
        )


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, so that connections wait from here on while the libraries load."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, or asyncio keeps small packets back and every answer comes 40 ms late.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(socket.SOMAXCONN)
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"One cannot listen at {_shown(host)}:{port}.",
            found=error.strerror or str(error),
            hint="another --port; perhaps this campaign is served already",
        ) from error
    return listening


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
