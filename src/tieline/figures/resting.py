"""Where the inputs rest that a figure does not show, and how far specimens are from there."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr

from tieline.planning.wording import rounded, spoken_unit

Held = Mapping[str, float | str]  # where inputs are held by name, instead of where they rest


def is_category(column: xr.DataArray | xr.Variable) -> bool:
    """Tell names from numbers."""
    return column.dtype.kind not in "iufb"


def rest_of(column: xr.DataArray, held: Held = {}) -> np.ndarray:  # noqa: B006 - never changed
    """Where an input rests: the median of numbers, a composition of medians, the commonest of categories.

    Args:
        column (specimen): the input, under its name.
        held: what is held elsewhere.
    """
    if column.name in held:
        return np.asarray(held[str(column.name)])
    if is_category(column):
        names, counts = np.unique(column.values.astype(str), return_counts=True)
        return names[counts.argmax()]
    if "element" in column.dims:
        shares = column.median("specimen").values
        return shares / shares.sum()
    return np.median(column.values)


def resting_columns(
    table: xr.Dataset,
    names: Iterable[str],
    n: int,
    held: Held = {},  # noqa: B006 - never changed
) -> dict[str, tuple]:
    """Lay out inputs that rest at n places, as variables on `specimen`."""
    columns = {}
    for name in names:
        value = rest_of(table[name], held)
        dims = ("specimen", "element")[: 1 + value.ndim]
        columns[name] = (dims, np.broadcast_to(value, (n, *value.shape)).copy(), table[name].attrs)
    return columns


def distance_from_rest(
    table: xr.Dataset,
    names: Sequence[str],
    places: xr.Dataset,
    held: Held = {},  # noqa: B006 - never changed
) -> np.ndarray:
    """How far places (specimen) are from where inputs rest: in shares of their range, 1 for a category."""
    away = np.zeros(places.sizes["specimen"])
    for name in names:
        value, column = rest_of(table[name], held), places[name]
        if is_category(column):
            apart = (column.values.astype(str) != value).astype(float)
        elif "element" in column.dims:
            apart = np.abs(column.transpose("specimen", "element").values - value).max(1)
        else:
            apart = np.abs(column.values - value) / (np.ptp(table[name].values) or 1.0)
        away = np.maximum(away, apart)
    return away


def say_rest(table: xr.Dataset, names: Iterable[str], held: Held = {}) -> str:  # noqa: B006 - never changed
    """Say where inputs rest; "" where there are none."""
    return ", ".join(f"{name.replace('_', ' ')} = {_said(table[name], held)}" for name in names)


def _said(column: xr.DataArray, held: Held) -> str:
    value = rest_of(column, held)
    if is_category(column):
        return str(value)
    if "element" in column.dims:
        parts = zip(column["element"].values, value, strict=True)
        return " ".join(f"{element}{100 * share:.0f}" for element, share in parts if share > 0)
    return f"{rounded(float(value), float(np.ptp(column.values)))} {spoken_unit(column)}".strip()
