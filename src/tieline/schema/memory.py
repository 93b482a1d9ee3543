"""How much memory a piece of work takes, said before it begins."""

import os
from pathlib import Path

from tieline.errors import TielineError

GIGABYTE = 1e9


def require_memory(n_bytes: float, what: str, hint: str = "a smaller size") -> None:
    """Refuse work that needs more memory than this machine has free.

    Args:
        n_bytes: needed.
        what: the work, for the message: "A membrane of 200 x 200 x 200 voxels".
        hint: what to try instead.

    Raises:
        TielineError: there is less. The message says how much is needed, and how much there is.
    """
    free = _free_bytes()
    if free is not None and n_bytes > free:
        raise TielineError(
            f"{what} needs {n_bytes / GIGABYTE:,.1f} GB of memory.",
            found=f"{free / GIGABYTE:,.1f} GB free",
            hint=hint,
        )


def _free_bytes() -> int | None:
    """Give the memory that programs can still have; None where the system does not tell."""
    table = Path("/proc/meminfo")
    if table.is_file():
        lines = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines())
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
