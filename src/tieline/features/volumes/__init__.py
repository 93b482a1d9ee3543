"""Porous volumes as numbers: how porous, how fine, how directed, how tortuous; and real scans made ready."""

from tieline.features.volumes.describe import describe as describe
from tieline.features.volumes.euler import euler_number as euler_number
from tieline.features.volumes.percolation import percolation as percolation
from tieline.features.volumes.recipe import read_recipe as read_recipe
from tieline.features.volumes.recipe import write_recipe as write_recipe
from tieline.features.volumes.scans import segment_scans as segment_scans
from tieline.features.volumes.segmentation import crop as crop
from tieline.features.volumes.segmentation import resample as resample
from tieline.features.volumes.segmentation import segment as segment
from tieline.features.volumes.statistics import chord_lengths as chord_lengths
from tieline.features.volumes.statistics import pore_sizes as pore_sizes
from tieline.features.volumes.statistics import porosity as porosity
from tieline.features.volumes.statistics import specific_surface as specific_surface
from tieline.features.volumes.statistics import two_point as two_point
from tieline.features.volumes.tortuosity import tortuosity as tortuosity
