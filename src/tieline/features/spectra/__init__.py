"""Spectra as numbers: peaks found and integrated, which ion each may be, and one scale for all."""

from tieline.features.spectra.areas import peak_areas as peak_areas
from tieline.features.spectra.formulas import assign_ions as assign_ions
from tieline.features.spectra.peaks import calibrate as calibrate
from tieline.features.spectra.peaks import find_peaks as find_peaks
from tieline.features.spectra.peaks import integrate as integrate
from tieline.features.spectra.peaks import whole_masses as whole_masses
from tieline.features.spectra.scaling import PeakScaling as PeakScaling
