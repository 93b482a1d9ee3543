"""Files that are written whole or not at all: first beside their place, under a name of this writer alone."""

import os
import threading
from pathlib import Path


def partial_beside(path: Path) -> Path:
    """Where to write what becomes a file once it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
