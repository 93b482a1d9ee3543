"""Membranes with their recipes, as the benchmarks of volumes learn from them."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from tieline.features.volumes import write_recipe
from tieline.features.volumes.recipe import STRETCHES
from tieline.worlds import membrane, membrane_plan

STRETCHED = 0.95  # a factor below it counts as stretched


def made(plan: xr.Dataset, size: int) -> Iterator[xr.DataArray]:
    """Make the membranes of a plan one by one."""
    for i in range(plan.sizes["specimen"]):
        row = {str(name): plan[name].values[i].item() for name in plan.data_vars}
        stretch = [row[name] for name in STRETCHES]
        yield membrane(row["n_points"], stretch, row["radius"], size, row["seed"])


def membranes(plan: xr.Dataset, size: int) -> xr.Dataset:
    """Make the membranes of a plan (specimen, x, y, z), beside their recipes and their porosity."""
    n = plan.sizes["specimen"]
    volumes = np.empty((n, size, size, size), np.uint8)
    for i, volume in enumerate(made(plan, size)):
        volumes[i] = volume.values
    attrs = {"flag_values": np.array([0, 1], np.uint8), "flag_meanings": "pore solid"}
    return write_recipe(plan).assign(
        volume=(("specimen", "x", "y", "z"), volumes, attrs),
        porosity=("specimen", 1 - volumes.mean((1, 2, 3)), {"role": "structure", "units": "1"}),
    )


def planned(n: int, seed: int, size: int, **ranges) -> xr.Dataset:
    """Plan membranes whose radius is given for cubes of 200 voxels, everything else in proportion."""
    radius = ranges.pop("radius")
    return membrane_plan(n, seed=seed, radius=radius * size / 200, **ranges)


def share_right(found: xr.Dataset, true: xr.Dataset) -> float:
    """How often the stretched axis is found, where its factor is below 0.95 and the other axes are left."""
    ours, theirs = (np.stack([d[f"log_{s}"].values for s in STRETCHES], 1) for d in (found, true))
    is_stretched = np.stack([true[s].values for s in STRETCHES], 1).min(1) < STRETCHED
    return float((ours[is_stretched].argmin(1) == theirs[is_stretched].argmin(1)).mean())


def share_right_of_two(found: xr.Dataset, true: xr.Dataset) -> float:
    """How often the axis that is left alone is found, where the factors of both others are below 0.95."""
    ours = np.stack([found[f"log_{s}"].values for s in STRETCHES], 1)
    factors = np.stack([true[s].values for s in STRETCHES], 1)
    both = (factors < STRETCHED).sum(1) == 2
    return float((ours[both].argmax(1) == factors[both].argmax(1)).mean())
