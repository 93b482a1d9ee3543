"""Places without structure, for tests that give them phases and properties of their own."""

import numpy as np
import xarray as xr

AXES = ["x", "y"]


def scattered(seed, n):
    """Draw n specimens in the unit square."""
    rng = np.random.default_rng(seed)
    attrs = {"role": "process", "units": "1"}
    return xr.Dataset({a: ("specimen", rng.random(n), attrs) for a in AXES}, {"specimen": np.arange(n)})
