"""Simulated truths: phase maps with gaps and mistakes, an emulated study, porous membranes, spectra."""

from tieline.worlds.diffraction import DiffractionWorld, diffraction
from tieline.worlds.latp import LatpEmulator, latp
from tieline.worlds.membrane import Pores, membrane
from tieline.worlds.membrane_set import membrane_plan, membrane_set
from tieline.worlds.multimodal import MultimodalWorld, lattice, pvd, scratch
from tieline.worlds.phase_map import phase_map
from tieline.worlds.raw_spectra import raw_spectra
from tieline.worlds.tofsims import SpectralWorld, tofsims
from tieline.worlds.world import World

__all__ = [
    "DiffractionWorld",
    "LatpEmulator",
    "MultimodalWorld",
    "Pores",
    "SpectralWorld",
    "World",
    "diffraction",
    "latp",
    "lattice",
    "membrane",
    "membrane_plan",
    "membrane_set",
    "phase_map",
    "pvd",
    "raw_spectra",
    "scratch",
    "tofsims",
]
