"""Which rows of a table belong together, so that none of them is predicted from another."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array, Indices
from tieline.models.design_columns import labels_of
from tieline.schema import as_variables, chemical_systems
from tieline.schema.wording import name_known, name_some

SYSTEMS = "chemical_system"  # groups by which elements a composition is made of


def groups_of(table: xr.Dataset, inputs: Sequence[str], groups: str | None) -> Indices:
    """Number of the group of each row (row).

    Args:
        table: on `specimen`.
        inputs: what is learned from.
        groups: the variable that says what belongs together, or "chemical_system"; None for rows of equal
            inputs and rows of one specimen.

    Raises:
        SchemaError: there is no such variable, or no composition to tell chemical systems by.
    """
    if groups is None:
        same = same_rows(_matrix(as_variables(table, inputs), inputs))
        return _joined(same, np.unique(table["specimen"].values.astype(str), return_inverse=True)[1])
    if groups == SYSTEMS and groups not in table.variables:
        name = next((n for n in inputs if "element" in table[n].dims), None)
        if name is None:
            raise SchemaError(
                "Chemical systems are told by a composition.",
                found=f"inputs {name_some(inputs)}",
                hint="name the composition among the inputs",
            )
        return np.unique(chemical_systems(table[name]), return_inverse=True)[1]
    if groups not in table.variables:
        raise SchemaError(
            f"There is no variable '{groups}' to group by.",
            found=name_known([str(v) for v in table.variables], groups),
        )
    variable = table[groups]
    if variable.ndim == 2:
        return same_rows(variable.transpose("specimen", ...).values.astype(float))
    return np.unique(variable.values.astype(str), return_inverse=True)[1]


def _joined(first: Indices, second: Indices) -> Indices:
    """Number of the set that each row (row) is in, when rows that are together in either are together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, rows = len(first), np.arange(len(first))
    size = n + first.max() + 1 + second.max() + 1
    ends = np.concatenate([n + first, n + first.max() + 1 + second])
    edges = coo_array((np.ones(2 * n), (np.tile(rows, 2), ends)), (size, size))
    return np.unique(connected_components(edges)[1][:n], return_inverse=True)[1]


def same_rows(matrix: Array) -> Indices:
    """Number (row) of the set of rows with the same values; rows that know nothing are each by itself."""
    if not matrix.shape[1]:
        return np.arange(len(matrix))
    filled = np.where(np.isfinite(matrix), matrix, -9.87654321e99)
    scale = np.nanmax(np.abs(np.where(np.isfinite(matrix), matrix, 0)), 0)
    at = np.unique((filled / np.where(scale > 0, scale, 1)).round(9), axis=0, return_inverse=True)[1].ravel()
    blank = ~np.isfinite(matrix).any(1)
    at[blank] = at.max() + 1 + np.arange(blank.sum())
    return at


def _matrix(table: xr.Dataset, inputs: Sequence[str]) -> Array:
    """All inputs side by side (row, column), categories as numbers of their names."""
    columns = []
    for variable in (table[name] for name in inputs):
        if variable.dtype.kind in "iufb":
            values = variable.transpose("specimen", ...).values.astype(float)
            columns.append(values.reshape(len(values), -1))
        else:
            columns.append(np.unique(labels_of(variable), return_inverse=True)[1][:, None].astype(float))
    return np.concatenate(columns, 1) if columns else np.zeros((table.sizes["specimen"], 0))
