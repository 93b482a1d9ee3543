"""Spectra as numbers: which ion a peak may be, and how peaks are brought to one scale."""

from tieline.features.spectra.formulas import assign_ions as assign_ions
from tieline.features.spectra.scaling import PeakScaling as PeakScaling
