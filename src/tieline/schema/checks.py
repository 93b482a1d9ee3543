"""What can stand, what is worth knowing, and what cannot stand, in a table or a record."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema import cells
from tieline.schema.closure import is_open
from tieline.schema.records import check_nodes, specimens_of
from tieline.schema.roles import ROLES
from tieline.schema.wording import name_cells, name_known, name_some

FEW_SPECIMENS = 3  # a model has nothing to say about two
LARGEST = 1e150  # whose square is still a number


def check(data: xr.Dataset | xr.DataTree) -> list[str]:
    """Look a table or a record over before anything is computed from it.

    Args:
        data: a table, or a record with its node /specimens.

    Returns:
        Notes on what can stand but is worth knowing: units that are missing, a property that was never
        measured or never changes, labels of one phase only, very few specimens.

    Raises:
        SchemaError: something cannot stand. The message names the variable and the specimens.
    """
    if not isinstance(data, xr.DataTree):
        return list(_look_over(data))
    notes = list(_look_over(specimens_of(data)))
    check_nodes(data)
    return notes


def require_table(
    table: xr.Dataset, hint: str = "tieline.table(dataframe), or tieline.represent(record)"
) -> None:
    """Make sure that something is a table at all.

    Raises:
        SchemaError: it is not.
    """
    if not isinstance(table, xr.Dataset) or "specimen" not in table.dims:
        raise SchemaError(
            "A table is an xarray.Dataset on the dimension 'specimen'.", found=type(table).__name__, hint=hint
        )


def require(table: xr.Dataset, names: Sequence[str], reader: str) -> None:
    """Make sure that a table has the variables somebody is about to read.

    Args:
        table: on `specimen`.
        names: of variables.
        reader: who reads them, for the message: `"PhaseProperty"`.

    Raises:
        SchemaError: a variable is missing. The message names what is there, and the nearest name.
    """
    for name in names:
        if name in table.data_vars:
            continue
        nearest = get_close_matches(name, [str(other) for other in table.data_vars], n=1)
        raise SchemaError(
            f"{reader} reads '{name}', which this table lacks.",
            found=name_known(table.data_vars, name),
            hint=f"table.rename({nearest[0] if nearest else 'old_name'}='{name}')",
        )


def require_finite(table: xr.Dataset, names: Sequence[str]) -> None:
    """Make sure that one can reckon with all numbers that are known.

    Args:
        table: on `specimen`.
        names: of variables that it has; labels and text are left alone.

    Raises:
        SchemaError: a value is infinite, or its square would be. The message names the specimens.
    """
    for name in names:
        variable = table[name]
        _refuse_infinite(name, variable)
        if variable.dtype.kind == "f":
            _refuse(abs(variable) > LARGEST, name, variable, "holds values too large to reckon with")


def _look_over(table: xr.Dataset) -> Iterator[str]:
    """Yield notes; raise at the first thing that cannot stand."""
    _check_specimens(table)
    if table.sizes["specimen"] < FEW_SPECIMENS:
        yield f"only {table.sizes['specimen']} specimens: too few to learn from"
    names = {"specimen": table["specimen"]}
    for name in table.data_vars:
        variable = table.variables[name]
        if "specimen" not in variable.dims:
            raise SchemaError(
                f"'{name}' does not vary with the specimen.",
                found=f"dimensions {', '.join(map(str, variable.dims)) or 'none'}",
                hint="put it into another node of the record, or into attrs",
            )
        # Each is taken out by itself: table[name] would look at all others, of which there may be thousands.
        yield from _check_variable(str(name), xr.DataArray(variable, names, name=name), table)


def _check_specimens(table: xr.Dataset) -> None:
    if not isinstance(table, xr.Dataset):
        raise SchemaError(
            "A table is an xarray.Dataset.", found=type(table).__name__, hint="tieline.table(dataframe)"
        )
    if "specimen" not in table.coords:
        raise SchemaError(
            "A table has a coordinate 'specimen', which this one lacks.",
            found=f"dimensions {name_known(table.sizes, 'specimen')}",
            hint="dataset.rename(old_name='specimen'), or assign_coords(specimen=[...])",
        )
    counts = Counter(np.atleast_1d(table.specimen.values).tolist())
    duplicates = [name for name, count in counts.items() if count > 1]
    if duplicates and table.specimen.attrs.get("repeats") != "allowed":
        raise SchemaError(
            f"Specimens appear more than once: {name_some(duplicates)}.",
            hint="tieline.table(..., repeats=True) if these are repeated measurements; otherwise rename them",
        )


def _check_variable(name: str, variable: xr.DataArray, table: xr.Dataset) -> Iterator[str]:
    role = variable.attrs.get("role")
    if role is not None and role not in ROLES:
        raise SchemaError(
            f"'{name}' has the role '{role}', which is none of the four.", found=name_known(ROLES, role)
        )
    if variable.dtype.kind not in "biuf":
        yield from _check_text(name, variable, role)
        return
    if role is None:
        yield f"{name}: no role; it is taken for a property"
    _refuse_infinite(name, variable)
    if "element" in variable.dims:
        _check_fractions(name, variable, "element")
    elif "phase" in variable.dims:
        _check_fractions(name, variable, "phase")
    elif role == "structure":
        yield from _note_labels(name, variable.values[~np.isnan(variable.values)].tolist())
    else:
        yield from _note_numbers(name, variable, table)


def _refuse_infinite(name: str, variable: xr.DataArray) -> None:
    if variable.dtype.kind == "f" and np.isinf(variable.values).any():
        _refuse(abs(variable) == np.inf, name, variable, "holds infinite values")


def _check_text(name: str, variable: xr.DataArray, role: str | None) -> Iterator[str]:
    series = pd.Series(variable.values.ravel(), index=variable.specimen.values, name=name, dtype=object)
    if role == "structure":
        yield from _note_labels(name, [label for label in cells.read_labels(series) if label])
    elif name != "parent" and not cells.is_prose(series):
        cells.read_numbers(series)
        yield f"{name}: numbers kept as text, which models do not read"


def _note_labels(name: str, labels: list[object]) -> Iterator[str]:
    if not labels:
        yield f"{name}: no specimen is labelled"
    elif len(set(labels)) == 1:
        yield f"{name}: one phase only ({labels[0]})"


def _note_numbers(name: str, variable: xr.DataArray, table: xr.Dataset) -> Iterator[str]:
    measured_name = name.removesuffix("_sd")
    if name.endswith("_sd") and measured_name in table:
        _refuse(variable < 0, name, variable, "is a standard error and cannot be negative")
        return
    if "units" not in variable.attrs:
        yield f"{name}: no units"
    known = variable.values[~np.isnan(variable.values)]
    if not known.size:
        yield f"{name}: never measured"
    elif known.size > 1 and (known == known[0]).all():
        yield f"{name}: always {known[0]:g}"


def _check_fractions(name: str, variable: xr.DataArray, dimension: str) -> None:
    """Mole fractions and phase probabilities sum to one; a row of NaN is not known."""
    _refuse(variable < 0, name, variable, "holds negative fractions")
    total = variable.sum(dimension, skipna=False)
    _refuse(is_open(variable, dimension), name, total, f"does not sum to 1 over '{dimension}'")


def _refuse(wrong: xr.DataArray, name: str, values: xr.DataArray, what: str) -> None:
    if not wrong.any():
        return
    places = np.nonzero(wrong.values)
    rows = values.specimen.values[places[wrong.dims.index("specimen")]]
    culprits = name_cells((float(value) for value in values.values[places]), rows)
    raise SchemaError(
        f"'{name}' {what}.", found=culprits, hint="correct these rows, or set them to NaN (not measured)"
    )
