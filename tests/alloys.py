"""Alloys whose property is the share of one element, beside a number that is idle."""

import numpy as np
import xarray as xr


def alloys():
    """Sixty of three elements."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), 60)
    return xr.Dataset(
        {
            "composition": (("specimen", "element"), shares, {"role": "synthesis", "units": "1"}),
            "idle": ("specimen", rng.random(60), {"role": "process"}),
            "y": ("specimen", 5 * shares[:, 0], {"role": "property"}),
        },
        {"specimen": np.arange(60), "element": ["Fe", "Ni", "Cr"]},
    )
