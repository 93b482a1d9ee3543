"""Columns that models learn from."""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.closure import is_open


def property_values(table: xr.Dataset, name: str) -> np.ndarray:
    """Values of a property (specimen); NaN where not measured.

    Raises:
        SchemaError: it is not one number a specimen, or one is infinite.
    """
    variable = table.variables[name]
    if variable.dims != ("specimen",) or variable.dtype.kind not in "iufb":
        raise SchemaError(
            f"The property '{name}' is not one number a specimen.",
            found=f"{variable.dtype} on {', '.join(map(str, variable.dims))}",
            hint="name numeric columns as properties; a column of text can be a design variable",
        )
    values = variable.values.astype(float)
    if np.isinf(values).any():
        raise SchemaError(
            f"'{name}' holds infinite values.",
            found=f"row {np.flatnonzero(np.isinf(values))[0]} is the first",
            hint="set them to NaN (not measured), or give a limit and a flag",
        )
    return values


def refuse_open(composition: xr.DataArray) -> None:
    """See that every row of a composition (specimen, element) sums to one, or is not known at all.

    Raises:
        SchemaError: one does not, or has a negative fraction.
    """
    wrong = np.flatnonzero((is_open(composition, "element") | (composition < 0).any("element")).values)
    if wrong.size:
        total = composition.sum("element").values[wrong[0]]
        raise SchemaError(
            f"'{composition.name}' does not sum to 1 over 'element' in {wrong.size} of"
            f" {composition.sizes['specimen']} rows.",
            found=f"a sum of {total:g} in row {wrong[0]}",
            hint="mole fractions that sum to one, or NaN in a whole row where it is not known",
        )
