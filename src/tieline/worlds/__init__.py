"""Simulated truths with the gaps, noise and mistakes of a real laboratory."""

from tieline.worlds.latp import LatpEmulator, latp
from tieline.worlds.phase_map import phase_map
from tieline.worlds.world import World

__all__ = ["LatpEmulator", "World", "latp", "phase_map"]
