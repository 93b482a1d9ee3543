"""How a membrane was made, as numbers that a structure can tell, and back.

Only ratios of the stretch show in a membrane: the same factor on all three axes leaves every cell as it is.
So a recipe holds the logarithm of each axis' factor less their mean, and is read with the largest factor at
1.
"""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema import require
from tieline.schema.volumes import AXES

SIZES = ("n_points", "radius")
STRETCHES = tuple(f"stretch_{axis}" for axis in AXES)
RECIPE = (*(f"log_{name}" for name in SIZES), *(f"log_{name}" for name in STRETCHES))
N_DRAWS = 4000  # of a prediction; the interval's ends are then sure to a thirtieth of a standard deviation
NINETY = (0.05, 0.95)


def write_recipe(plan: xr.Dataset) -> xr.Dataset:
    """Write the settings of membranes as what a model can learn from descriptions of them.

    Args:
        plan (specimen): n_points, radius, stretch_x, stretch_y, stretch_z, with whatever else it holds.

    Returns:
        The same with `log_n_points`, `log_radius`, and `log_stretch_x`, `_y`, `_z`, which sum to 0.

    Raises:
        SchemaError: a setting is missing, or not positive.
    """
    require(plan, [*SIZES, *STRETCHES], reader="write_recipe")
    values = np.stack([plan[name].values.astype(float) for name in (*SIZES, *STRETCHES)])
    if not (values > 0).all():
        raise SchemaError("The settings of a membrane are positive.", found=f"down to {values.min():g}")
    logarithms = np.log(values)
    logarithms[len(SIZES) :] -= logarithms[len(SIZES) :].mean(0)
    attrs = {"role": "process", "units": "1"}
    return plan.assign({name: ("specimen", row, attrs) for name, row in zip(RECIPE, logarithms, strict=True)})


def read_recipe(predicted: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """Read predicted recipes as settings of membranes, with what is not known about them.

    Args:
        predicted (specimen): the columns of `write_recipe` with their `_sd`, as a model predicts them.
        seed: of the draws that carry the uncertainty over.

    Returns:
        (specimen): n_points, radius, stretch_x, stretch_y and stretch_z, the largest of which is 1; each
        with its `_sd` and the ends `_low` and `_high` of the central 90 % interval.

    Raises:
        SchemaError: a column is missing.
    """
    require(predicted, [name + end for name in RECIPE for end in ("", "_sd")], reader="read_recipe")
    mean, sd = (np.stack([predicted[name + end].values for name in RECIPE]) for end in ("", "_sd"))
    draws = mean + sd * np.random.default_rng(seed).standard_normal((N_DRAWS, *mean.shape))
    stretch = draws[:, len(SIZES) :]
    draws[:, len(SIZES) :] = stretch - stretch.max(1, keepdims=True)
    # In its draws, each of two equal factors is sometimes the smaller one: their means would be below 1.
    middle = mean.copy()
    middle[len(SIZES) :] -= middle[len(SIZES) :].max(0)
    settings = np.exp(draws)
    low, high = np.quantile(settings, NINETY, axis=0)
    answer = xr.Dataset(coords={"specimen": predicted["specimen"]})
    attrs = {"role": "process", "units": "1"}
    for i, name in enumerate((*SIZES, *STRETCHES)):
        parts = {"": np.exp(middle[i]), "_sd": settings[:, i].std(0), "_low": low[i], "_high": high[i]}
        answer = answer.assign({name + end: ("specimen", values, attrs) for end, values in parts.items()})
    return answer
