"""Phases from diffraction patterns: found in a spread, or quantified against references."""

from tieline.features.phases.find import find_phases as find_phases
from tieline.features.phases.quantify import quantify_phases as quantify_phases
from tieline.features.phases.regions import find_regions as find_regions
from tieline.features.phases.sticks import powder_sticks as powder_sticks
