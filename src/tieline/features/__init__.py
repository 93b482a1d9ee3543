"""From a record to the numbers that models read."""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    # Voxels are compiled when they are first asked for, so that a table of numbers need not wait for it.
    if name == "volumes":
        return import_module("tieline.features.volumes")
    raise AttributeError(f"module 'tieline.features' has no attribute '{name}'")
