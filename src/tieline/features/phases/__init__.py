"""Phases from diffraction patterns: found in a spread, or quantified against references."""

from tieline.features.phases.find import find_phases as find_phases
