"""Posterior in, matplotlib figure out. Nothing is shown or written until `save` is asked to."""

from tieline.figures.lines import line
from tieline.figures.maps import phase_map, property_map
from tieline.figures.ranking import proposals
from tieline.figures.reliability import calibration
from tieline.figures.style import save

__all__ = ["calibration", "line", "phase_map", "property_map", "proposals", "save"]
