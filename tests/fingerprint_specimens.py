"""Small specimens with known clusters that all modalities tell of."""

import numpy as np
import xarray as xr

import tieline as tl

CLUSTERS = 3
GRID = np.linspace(0, 1, 10)
STIFFNESS = np.array([1.0, 3.0, 5.0])
MODALITIES = {
    "image": "network",
    "stress": tl.physics.Line(through_origin=True),
    "recipe": ["power", "pressure"],
}


def specimens(n=150, seed=0):
    """Images, curves and two numbers (specimen), with the cluster of each as a coordinate."""
    rng = np.random.default_rng(seed)
    patterns = (np.random.default_rng(99).random((CLUSTERS, 6, 5)) > 0.5).astype(float)
    cluster = rng.integers(CLUSTERS, size=n)
    bright = rng.uniform(0.8, 1.2, n)
    image = bright[:, None, None] * patterns[cluster] + 0.2 * rng.standard_normal((n, 6, 5))
    curve = STIFFNESS[cluster, None] * GRID + 0.1 * rng.standard_normal((n, len(GRID)))
    power = 100 + 20 * cluster + 3 * rng.standard_normal(n)
    pressure = 5 * bright + 0.1 * rng.standard_normal(n)
    return xr.Dataset(
        {
            "image": (("specimen", "y", "x"), image, {"units": "1"}),
            "stress": (("specimen", "strain"), curve, {"units": "MPa"}),
            "power": ("specimen", power, {"units": "W"}),
            "pressure": ("specimen", pressure, {"units": "Pa"}),
        },
        coords={"specimen": np.arange(n), "strain": GRID, "cluster_truth": ("specimen", cluster)},
    )
