"""Pure spectra, and mixtures some of which hold something strange, for tests of what explains them."""

from functools import cache

import tieline as tl


@cache
def mixed_spectra():
    """A world of spectra, and what its pure compounds teach."""
    world = tl.worlds.tofsims(1, n_peaks=120, n_mixtures=4, spots_per_mixture=3, strangers=0.5)
    return world, tl.SpectralComposition().fit(world.references)
