"""What `<name>_flag` says of a value: that it is only a limit, or could not be measured."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

FLAGS = ("ok", "below", "above", "failed")  # empty is ok
LIMITS = ("below", "above")
READERS_OF_LIMITS = "GaussianProcess and CompositionProperties"
NO_RESULTS = (*LIMITS, "failed")  # what a model that reads no flags would take for a result


def is_no_result(flags: np.ndarray) -> np.ndarray:
    """Where a value is only a limit, or there is none (specimen)."""
    return np.isin(flags.astype(str), NO_RESULTS)


def without_limits(table: xr.Dataset, names: Iterable[str]) -> xr.Dataset:
    """Set values to NaN that are only limits, or failed, for a reader that would take them for results.

    Args:
        table: on `specimen`, with `<name>_flag` beside some variables.
        names: of the variables that are read.
    """
    flagged = {name: table.variables[f"{name}_flag"].values for name in names if f"{name}_flag" in table}
    kept = {name: xr.DataArray(~is_no_result(flag), dims="specimen") for name, flag in flagged.items()}
    return table.assign({name: table[name].where(is_kept) for name, is_kept in kept.items()})


def notes_on_limits(table: xr.Dataset, names: Iterable[str]) -> list[str]:
    """Say how many limits of each variable `without_limits` leaves out."""
    found = []
    for name in (name for name in names if f"{name}_flag" in table):
        n = int(np.isin(table.variables[f"{name}_flag"].values.astype(str), LIMITS).sum())
        what = "limit" if n == 1 else "limits"
        found += [f"{name}: {n} {what} left out; {READERS_OF_LIMITS} learn from limits."] if n else []
    return found
