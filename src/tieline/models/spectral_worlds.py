"""Worlds drawn from the prior of `SpectralComposition`: their noise is what the model takes it to be."""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.spectral_reading import READER
from tieline.schema import require

LEVEL, LEVEL_SD = 300.0, 1.5  # counts: median and sd of the logarithm of a pure spectrum's channels
SPREAD, DOSE_SD = 0.2, 0.15  # sd of a channel and of the dose between spots, relative


def simulate(design: xr.Dataset, spectrum: str, reference: str, seed: int) -> xr.Dataset:
    """Draw pure spectra and count spots of given compositions.

    Args:
        design: share (specimen, compound) and the axis of the spectra as a coordinate of its own dimension.
        spectrum: name of the variable to draw.
        reference: name of the variable of labels to add.
        seed: of the draw.

    Raises:
        SchemaError: shares or the axis are missing, or shares do not sum to one.
    """
    require(design, ["share"], READER)
    axes = [str(d) for d in design.dims if d in design.coords and d not in ("specimen", "compound")]
    share = design["share"].transpose("specimen", "compound").values
    if len(axes) != 1 or (share < 0).any() or (np.abs(share.sum(1) - 1) > 1e-6).any():
        raise SchemaError(
            "Worlds are drawn for shares of sum one, over one axis.",
            found=f"axes {', '.join(axes) or 'none'}; sums {share.sum(1).min():g} to {share.sum(1).max():g}",
            hint="design.assign_coords(mz=[...]) names the channels",
        )
    rng = np.random.default_rng(seed)
    shape = (share.shape[1], design.sizes[axes[0]])
    level = LEVEL * np.exp(LEVEL_SD * rng.standard_normal(shape))
    dose = np.exp(DOSE_SD * rng.standard_normal((len(share), 1)))
    factor = rng.gamma(1 / SPREAD**2, SPREAD**2, (len(share), shape[1]))
    counts = rng.poisson(dose * factor * (share @ level)).astype(float)
    names = np.array([str(c) for c in design["compound"].values])
    label = np.where(share.max(1) > 1 - 1e-9, names[share.argmax(1)], "")
    return design.assign(
        {
            spectrum: (("specimen", axes[0]), counts, {"units": "counts", "role": "structure"}),
            reference: ("specimen", label, {"role": "structure"}),
        }
    )
