"""Tables without phases, of every kind of design, and the Gaussian processes that learn them."""

import numpy as np
import xarray as xr

import tieline as tl

UNITS = {"temperature": "degC", "time": "min", "pressure": "mbar", "flow": "sccm"}
RANGES = {"temperature": (600, 900), "time": (1, 60), "pressure": (0.1, 2), "flow": (5, 50)}
SUBSTRATES = ("glass", "steel", "sapphire")


def smooth_table(design, n=24, seed=0, elements=("Fe", "Ga", "Pd")):
    """Hardness and cost, each missing on some specimens, over inputs named as above, `substrate`, `alloy`."""
    rng = np.random.default_rng(seed)
    table = xr.Dataset(coords={"specimen": np.arange(n)})
    total = np.zeros(n)
    for name in design:
        if name == "substrate":
            code = rng.integers(3, size=n)
            attrs = {"role": "process"}
            table[name] = ("specimen", np.array(SUBSTRATES)[code], attrs)
            total += 0.4 * code
        elif name == "alloy":
            shares = rng.dirichlet(np.ones(len(elements)), n)
            table = table.assign_coords(element=list(elements))
            table[name] = (("specimen", "element"), shares, {"role": "synthesis", "units": "1"})
            total += np.sin(3 * shares[:, 0]) + shares[:, 1]
        else:
            x = rng.random(n)
            low, high = RANGES[name]
            table[name] = ("specimen", low + (high - low) * x, {"role": "process", "units": UNITS[name]})
            total += np.sin(4 * x)
    hardness = 5 + 2 * total + 0.1 * rng.standard_normal(n)
    cost = 100 + 20 * total + 30 * total**2 + rng.standard_normal(n)
    row = np.arange(n)
    hidden = {
        "hardness": np.where(row % 5 == 1, np.nan, hardness),
        "cost": np.where(row % 4 == 2, np.nan, cost),
    }
    for name, units in (("hardness", "GPa"), ("cost", "EUR/kg")):
        table[name] = ("specimen", hidden[name], {"role": "property", "units": units})
    return table


def smooth_posterior(design, properties=("hardness",), **options):
    """What a Gaussian process learns from such a table."""
    return tl.GaussianProcess(list(design), list(properties)).fit(smooth_table(design, **options))
