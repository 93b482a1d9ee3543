"""Writers of one file take turns: waiting in the system's queue is fair, trying again and again is not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tieline.errors import Unavailable

if sys.platform != "win32":
    import fcntl


@contextmanager
def in_turn(file: Path) -> Iterator[None]:
    """Wait until nobody else has the file; a process that dies gives it back.

    Raises:
        Unavailable: the folder cannot be written.
    """
    if sys.platform == "win32":
        yield  # SQLite's own waiting is enough there, if less fair
        return
    try:
        queue = file.open("a")
    except OSError as error:
        raise Unavailable(
            f"The record of the campaign at {file.parent} cannot be written.",
            found=str(error.strerror),
            hint="give yourself the right to write the folder, or free some space",
        ) from error
    with queue:
        fcntl.flock(queue, fcntl.LOCK_EX)
        yield
