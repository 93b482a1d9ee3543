"""Where this folder is on the path, who asks another machine is stopped, and the try is written down."""

import os
import sys
from pathlib import Path

LOG = "TIELINE_ASKED_OUTSIDE"  # names the file that tries are written to
OWN = ("127.", "::1", "localhost", "0.0.0.0")


def is_own(address):
    """Whether an address is one of this machine, or of no machine at all."""
    host = address[0] if isinstance(address, tuple) else address
    host = host.decode() if isinstance(host, bytes) else host
    return host is None or host == "" or str(host).startswith((*OWN, "/", "\0"))


def stop(event, about):
    """Stop whatever would leave this machine."""
    places = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
    if event in places and LOG in os.environ and not is_own(about[places[event]]):
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(f"{event} {about[places[event]]}\n")
        raise OSError(f"{about[places[event]]} is outside")


sys.addaudithook(stop)
