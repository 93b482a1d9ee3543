"""Places as plain rows, for the log, and back: numbers, text, and mappings of elements or phases."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.store.event import canonical

DIGITS = 10  # of a setting: what differs only behind these is one place
Row = dict[str, Any]


def to_rows(dataset: xr.Dataset) -> list[Row]:
    """Write every variable on (specimen) or (specimen, element), or another, as plain rows; NaN is None."""
    columns = {str(name): _plain_column(variable) for name, variable in dataset.data_vars.items()}
    n = dataset.sizes["specimen"]
    return [{name: column[i] for name, column in columns.items()} for i in range(n)]


def _plain_column(variable: xr.DataArray) -> list[Any]:
    if variable.ndim > 1:
        (other,) = (dim for dim in variable.dims if dim != "specimen")
        names = [str(name) for name in variable[other].values]
        table = variable.transpose("specimen", other).values.tolist()
        return [dict(zip(names, map(_plain, row), strict=True)) for row in table]
    return [_plain(value) for value in variable.values.tolist()]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def from_rows(
    rows: Sequence[Mapping[str, Any]],
    attrs: Mapping[str, Mapping[str, Any]],
    names: Sequence[str] | None = None,
) -> xr.Dataset:
    """Make a Dataset of plain rows; what a row lacks is NaN, or empty for text.

    Args:
        rows: one mapping a place.
        attrs: of each variable.
        names: identities of the rows; by default numbers.
    """
    keys = dict.fromkeys(key for row in rows for key in row)
    elements = dict.fromkeys(
        element for row in rows for v in row.values() if isinstance(v, Mapping) for element in v
    )
    variables = {}
    for key in keys:
        column = [row.get(key) for row in rows]
        if any(isinstance(value, Mapping) for value in column):
            values = np.array([_fractions(value, list(elements)) for value in column], dtype=float)
            variables[key] = (
                ("specimen", "element"),
                values.reshape(len(rows), -1),
                dict(attrs.get(key, {})),
            )
        else:
            variables[key] = ("specimen", _array(column), dict(attrs.get(key, {})))
    coords: dict[str, Any] = {"specimen": np.arange(len(rows)) if names is None else np.array(names, str)}
    if elements:
        coords["element"] = list(elements)
    return xr.Dataset(variables, coords)


def _fractions(value: Mapping[str, float] | None, elements: list[str]) -> list[float]:
    return [np.nan] * len(elements) if value is None else [value.get(e, 0.0) for e in elements]


def _array(column: list[Any]) -> np.ndarray:
    if any(isinstance(value, str) for value in column):
        return np.array(["" if value is None else str(value) for value in column], dtype=str)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in column):
        return np.array(column, dtype=int)
    return np.array([np.nan if value is None else value for value in column], dtype=float)


def place_of(design: Mapping[str, Any]) -> str:
    """Name a place by its settings, so that the same settings are the same place."""
    return hashlib.sha256(canonical(_rounded(design)).encode()).hexdigest()[:32]


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(v) for key, v in value.items()}
    return f"{float(value):.{DIGITS}g}" if isinstance(value, int | float) else value
