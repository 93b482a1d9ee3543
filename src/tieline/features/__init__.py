"""From a record to the numbers that models read."""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    # Loaded when first asked for, so that a table of numbers need not wait for the compiler of voxels.
    if name in ("phases", "spectra", "volumes"):
        return import_module(f"tieline.features.{name}")
    raise AttributeError(f"module 'tieline.features' has no attribute '{name}'")
