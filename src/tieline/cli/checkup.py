"""What `tieline doctor` looks at."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tieline

PACKAGES = ("numpy", "scipy", "pandas", "xarray", "h5netcdf", "scikit-learn", "pint", "matplotlib")
# One package that stands for each extra.
EXTRA_PACKAGES = {"test": "pytest", "check": "ruff", "docs": "mkdocs-material", "dask": "distributed"}


def checkup() -> Iterator[tuple[str, str]]:
    """Name and finding, line by line."""
    yield "tieline", tieline.__version__
    yield "python", f"{platform.python_version()} at {sys.executable}"
    yield "system", f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield "cores", _cores()
    yield "memory", _memory()
    for name in PACKAGES:
        yield name, _version(name)
    yield (
        "extras",
        ", ".join(e for e, name in EXTRA_PACKAGES.items() if _version(name) != "missing") or "none",
    )
    yield "data", _data()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} usable of {os.cpu_count()}"


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return "not known on this system"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.1f} GB"


def _data() -> str:
    place = os.environ.get("TIELINE_DATA", "")
    if not place:
        return "TIELINE_DATA is not set; larger data sets are downloaded when asked for"
    return f"{place}" if Path(place).is_dir() else f"TIELINE_DATA names '{place}', which is no folder"
