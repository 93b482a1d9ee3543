"""A service that really listens, for as long as a test lasts."""

import socket
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn

from tieline.service.serving import GRACE


@contextmanager
def listening(app):
    """Run an app on a free port of this machine; yields its address."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", lifespan="on", timeout_graceful_shutdown=GRACE)
    )
    thread = threading.Thread(target=server.run, args=([door],))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


@contextmanager
def visiting(app, **headers):
    """Run an app; yields a plain HTTP client of it."""
    with listening(app) as address, httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        yield client
