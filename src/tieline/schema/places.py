"""Places that a posterior is asked about, brought into the form of the table that it learned from."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.schema.closure import ROUNDING
from tieline.units import canonical, convert


def align(places: xr.Dataset, table: xr.Dataset, names: Sequence[str], *, called: str = "grid") -> xr.Dataset:
    """Reduce places to their design, in the units and with the order of elements that a table has.

    Args:
        places (specimen): one row a place; other variables are left aside.
        table (specimen): what was learned from.
        names: of the design variables.
        called: how messages name the places.

    Returns:
        (specimen): the design variables only.

    Raises:
        SchemaError: no Dataset on `specimen`; a design variable is missing or has holes; elements differ; or
            a composition does not sum to one.
        UnitError: a variable has a unit that cannot be converted into the table's.
    """
    require_places(places, called)
    for name in names:
        if name not in places.variables:
            known = [str(v) for v in places.variables]
            raise SchemaError(
                f"The {called} lacks the design variable '{name}'.",
                found=f"{', '.join(known) or 'nothing'}. {did_you_mean(name, known)}".strip(),
                hint=f"give every place its {' and '.join(names)}",
            )
    design = as_variables(places, names)[list(names)].reset_coords(drop=True)
    if "element" in table[list(names)].dims:
        design = _in_order(design, table, called)
    converted = {}
    for name in names:
        given, known = design[name], table[name]
        _refuse_other_kind(given, known, called)
        in_units = in_units_of(known, given)
        if in_units is not given:
            converted[name] = in_units
        _refuse_holes(in_units, called)
        if "element" in in_units.dims:
            _refuse_open(in_units, called)
    return design.assign(converted) if converted else design


def require_places(places: xr.Dataset, called: str = "grid") -> None:
    """Make sure that something is places at all.

    Raises:
        SchemaError: it is not; `called` is how the message names it.
    """
    if not isinstance(places, xr.Dataset) or "specimen" not in places.dims:
        found = f"dimensions {', '.join(map(str, places.dims))}" if isinstance(places, xr.Dataset) else ""
        raise SchemaError(
            f"The {called} must be a Dataset with one row a place, on the dimension 'specimen'.",
            found=found or type(places).__name__,
            hint="tl.table(dataframe), or dataset.rename(old_name='specimen')",
        )


def as_variables(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Turn coordinates that are named into variables: categories of a table are text, and stand beside it."""
    aside = [name for name in names if name in dataset.coords and name not in dataset.dims]
    return dataset.reset_coords(aside) if aside else dataset


def in_units_of(known: xr.DataArray, given: xr.DataArray, *, difference: bool = False) -> xr.DataArray:
    """Convert values into the unit of a known variable; nothing is done where either has no unit.

    Args:
        known: has the unit.
        given: the values.
        difference: they are differences or standard errors.

    Raises:
        UnitError: the two units do not measure the same thing.
    """
    source, target = given.attrs.get("units"), known.attrs.get("units")
    if source is None or target is None or source == target or canonical(source) == canonical(target):
        return given
    converted = convert(given.values, source, target, difference=difference)
    return given.copy(data=converted).assign_attrs(units=target)


def _in_order(design: xr.Dataset, table: xr.Dataset, called: str) -> xr.Dataset:
    elements = [str(e) for e in table["element"].values]
    given = [str(e) for e in design["element"].values] if "element" in design.coords else []
    if set(given) != set(elements):
        raise SchemaError(
            f"The {called} has other elements than the model.",
            found=f"{', '.join(given) or 'none'}; the model knows {', '.join(elements)}",
            hint="name every element of the model, with 0 where it is absent",
        )
    return design if given == elements else design.sel(element=table["element"].values)


def _refuse_other_kind(given: xr.DataArray, known: xr.DataArray, called: str) -> None:
    is_alike = (given.dtype.kind in "iufb") == (known.dtype.kind in "iufb")
    if is_alike and set(given.dims) == set(known.dims):
        return
    kind = "numbers" if known.dtype.kind in "iufb" else "names"
    raise SchemaError(
        f"'{given.name}' in the {called} is not the kind of variable that was fitted.",
        found=f"{given.dtype} on {', '.join(map(str, given.dims))}",
        hint=f"{kind} on {', '.join(map(str, known.dims))}",
    )


def _refuse_holes(given: xr.DataArray, called: str) -> None:
    values = given.transpose("specimen", ...).values
    if values.dtype.kind in "iufb":
        bad, what = ~np.isfinite(values.astype(float)), "a finite value"
    else:
        bad, what = np.array([v is None or v != v or v == "" for v in values], dtype=bool), "the name"
    rows = np.flatnonzero(bad if bad.ndim == 1 else bad.any(axis=1))
    if rows.size:
        raise SchemaError(
            f"The {called} has places without {what} of {given.name}.",
            found=f"{rows.size} of {len(bad)} rows, the first is row {rows[0]}",
            hint=f"fill these rows, or leave them out: places.dropna('specimen', subset=['{given.name}'])",
        )


def _refuse_open(composition: xr.DataArray, called: str) -> None:
    fractions = composition.transpose("specimen", "element").values
    total = fractions.sum(1)
    wrong = np.flatnonzero((np.abs(total - 1) > ROUNDING) | (fractions < 0).any(1))
    if wrong.size:
        raise SchemaError(
            f"'{composition.name}' in the {called} is no composition in {wrong.size} of {len(total)} rows.",
            found=f"a sum of {total[wrong[0]]:g} in row {wrong[0]}",
            hint="mole fractions that are not negative and sum to one, or units of 'at.%' that sum to 100",
        )
