"""A volume in thirty numbers: what a table holds of it, and models read."""

import numpy as np
import xarray as xr

from tieline.features.volumes.euler import euler_numbers
from tieline.features.volumes.percolation import percolation
from tieline.features.volumes.statistics import chord_lengths, faces, pore_sizes, two_point
from tieline.features.volumes.voxels import Volume, pores_of

LAGS = (2, 4, 8, 16)  # voxels; from within a ligament to across a pore


def describe(volume: Volume, *, pore: int | None = None) -> xr.Dataset:
    """Describe a volume by numbers that say how porous it is, how fine, and how directed.

    Args:
        volume (x, y, z): pore and solid.
        pore: the value that is pore, where the volume's attrs do not tell.

    Returns:
        Dataset of single numbers with units: `porosity`; `pore_radius_10`, `_50`, `_90`, quantiles of the
        distance to solid; `euler`, the Euler number of the pores; and along each axis, here x:
        `percolation_x`, the share of pores that lead through; `pore_chord_x` and `solid_chord_x`, mean
        lengths of straight runs; `surface_x`, area of faces across the axis in the volume; `euler_x`, the
        Euler number of cuts across the axis; and `covariance_x_2`, `_4`, `_8`, `_16`, how alike voxels are
        that lie so many voxels apart, from 1 to 0. NaN where a volume is too small, or lacks what is
        described.

    Raises:
        SchemaError: the volume is not pore and solid.
    """
    pores = pores_of(volume, pore)
    share = pores.porosity
    described = {"porosity": (share, "1")}
    for quantile, radius in zip((10, 50, 90), pore_sizes(pores).values, strict=True):
        described[f"pore_radius_{quantile}"] = (radius if np.isfinite(radius) else np.nan, pores.units)
    led = percolation(pores).values
    areas = faces(pores)
    chords = {of: chord_lengths(pores, of=of) for of in ("pore", "solid")}
    *cuts, whole = euler_numbers(pores)
    described["euler"] = (whole, pores.per_length_to(3))
    for number, axis in enumerate(pores.axes):
        described[f"percolation_{axis}"] = (led[number], "1")
        for of, counted in chords.items():
            described[f"{of}_chord_{axis}"] = (_mean_length(counted[number]), pores.units)
        described[f"surface_{axis}"] = (areas[number], pores.per_length)
        described[f"euler_{axis}"] = (cuts[number], pores.per_length_to(2))
        long_enough = [lag for lag in LAGS if lag < pores.mask.shape[number]]
        both = two_point(pores, axis, lags=long_enough).values if long_enough else []
        alike = dict(zip(long_enough, both, strict=True))
        for lag in LAGS:
            spread = share - share**2
            known = lag in alike and spread > 0
            described[f"covariance_{axis}_{lag}"] = (
                (alike[lag] - share**2) / spread if known else np.nan,
                "1",
            )
    return xr.Dataset(
        {
            name: ((), float(value), {"units": units, "role": "structure"})
            for name, (value, units) in described.items()
        }
    )


def _mean_length(counted: xr.DataArray) -> float:
    n = counted.values.sum()
    return float((counted.values * counted["length"].values).sum() / n) if n else np.nan
