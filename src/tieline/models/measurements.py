"""What a table says of measured values: the numbers, their standard errors, and which are only limits."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array
from tieline.models.encoding import read_errors
from tieline.schema.columns import property_values
from tieline.schema.flags import FLAGS, LIMITS
from tieline.schema.places import as_variables


class Measurements(NamedTuple):
    """One property of all specimens; a spectrum has a column for each bin (specimen, column).

    Attributes:
        value: NaN where not measured (specimen).
        error: standard errors, 0 where not known (specimen).
        flag: "", or one of `FLAGS` (specimen).
    """

    value: Array
    error: Array
    flag: np.ndarray


def read_measurements(table: xr.Dataset, name: str) -> Measurements:
    """Read a property with `<name>_sd` and `<name>_flag`, where the table has them.

    Raises:
        SchemaError: a column is not what it should be.
        UnitError: the standard error has another unit than the property.
    """
    value = property_values(table, name)
    return Measurements(value, read_errors(table, name), _flags(table, name, value))


def read_columns(table: xr.Dataset, name: str) -> Measurements:
    """Read a property that is a number or a spectrum, as one column or several (specimen, column).

    Raises:
        SchemaError: a column is not what it should be.
        UnitError: the standard error has another unit than the property.
    """
    axes = [str(dim) for dim in table[name].dims if dim != "specimen"]
    if not axes or "specimen" not in table[name].dims:
        return Measurements(*(column[:, None] for column in read_measurements(table, name)))
    if len(axes) > 1 or table[name].dtype.kind not in "iufb":
        raise SchemaError(
            f"The property '{name}' is neither a number nor a spectrum of each specimen.",
            found=f"{table[name].dtype} on {', '.join(map(str, table[name].dims))}",
            hint="numbers on specimen, or on specimen and one axis",
        )
    beside = [f"{name}{end}" for end in ("_sd", "_flag") if f"{name}{end}" in table]
    flat = as_variables(table, beside)[[name, *beside]]
    bins = [_bin(flat, name, axes[0], i) for i in range(table.sizes[axes[0]])]
    columns = Measurements(*(np.stack(part, 1) for part in zip(*bins, strict=True)))
    if np.isin(columns.flag, LIMITS).any():
        raise SchemaError(
            f"'{name}_flag' calls a spectrum a limit.",
            found=", ".join(sorted(set(columns.flag[:, 0]) - {""})),
            hint="failed, ok or nothing; bins that were not measured are NaN",
        )
    return columns


def _bin(flat: xr.Dataset, name: str, axis: str, i: int) -> Measurements:
    return read_measurements(flat.isel({axis: i}, drop=True), name)


def is_named(value: object) -> bool:
    """Whether a cell of text says anything."""
    return value is not None and value == value and value != ""


def _flags(table: xr.Dataset, name: str, value: Array) -> np.ndarray:
    if f"{name}_flag" not in table:
        return np.full(len(value), "")
    flag = np.array([str(v) if is_named(v) else "" for v in table.variables[f"{name}_flag"].values])
    strange = sorted(set(flag) - {"", *FLAGS})
    if strange:
        raise SchemaError(
            f"'{name}_flag' says what it may not: '{strange[0]}'.",
            found=", ".join(sorted(set(flag))),
            hint=f"{', '.join(FLAGS)}, or nothing",
        )
    lost = np.flatnonzero(np.isin(flag, LIMITS) & ~np.isfinite(value))
    if lost.size:
        raise SchemaError(
            f"'{name}' has no limit in {lost.size} rows where '{name}_flag' says {flag[lost[0]]}.",
            found=f"row {lost[0]} is the first",
            hint=f"put the limit of detection into '{name}' there",
        )
    return flag
