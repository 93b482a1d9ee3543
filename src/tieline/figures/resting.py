"""Where the inputs rest that a figure does not show, and how far specimens are from there."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from tieline.planning.wording import rounded, spoken_unit


def is_category(column: xr.DataArray | xr.Variable) -> bool:
    """Tell names from numbers."""
    return column.dtype.kind not in "iufb"


def rest_of(column: xr.DataArray) -> np.ndarray:
    """Where an input rests: the median of numbers, a composition of medians, the commonest of categories."""
    if is_category(column):
        names, counts = np.unique(column.values.astype(str), return_counts=True)
        return names[counts.argmax()]
    if "element" in column.dims:
        shares = column.median("specimen").values
        return shares / shares.sum()
    return np.median(column.values)


def resting_columns(table: xr.Dataset, names: Iterable[str], n: int) -> dict[str, tuple]:
    """Lay out inputs that rest at n places, as variables on `specimen`."""
    columns = {}
    for name in names:
        value = rest_of(table[name])
        dims = ("specimen", "element")[: 1 + value.ndim]
        columns[name] = (dims, np.broadcast_to(value, (n, *value.shape)).copy(), table[name].attrs)
    return columns


def distance_from_rest(table: xr.Dataset, names: Sequence[str], places: xr.Dataset) -> np.ndarray:
    """How far places (specimen) are from where inputs rest: in shares of their range, 1 for a category."""
    away = np.zeros(places.sizes["specimen"])
    for name in names:
        value, column = rest_of(table[name]), places[name]
        if is_category(column):
            apart = (column.values.astype(str) != value).astype(float)
        elif "element" in column.dims:
            apart = np.abs(column.transpose("specimen", "element").values - value).max(1)
        else:
            apart = np.abs(column.values - value) / (np.ptp(table[name].values) or 1.0)
        away = np.maximum(away, apart)
    return away


def say_rest(table: xr.Dataset, names: Iterable[str]) -> str:
    """Say where inputs rest; "" where there are none."""
    return ", ".join(f"{name.replace('_', ' ')} = {_said(table[name])}" for name in names)


def _said(column: xr.DataArray) -> str:
    value = rest_of(column)
    if is_category(column):
        return str(value)
    if "element" in column.dims:
        parts = zip(column["element"].values, value, strict=True)
        return " ".join(f"{element}{100 * share:.0f}" for element, share in parts if share > 0)
    return f"{rounded(float(value), float(np.ptp(column.values)))} {spoken_unit(column)}".strip()
