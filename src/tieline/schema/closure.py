"""Amounts of elements become mole fractions that sum to one, or are refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, UnitError, did_you_mean
from tieline.schema.weights import atomic_weights
from tieline.schema.wording import name_cells, name_known, name_some

BASES = {"at.%": 100.0, "wt.%": 100.0, "fraction": 1.0}  # what a row of each sums to
ROUNDING = 1e-6  # a sum this close to its target needs no remark


@dataclass(frozen=True)
class Amounts:
    """What a sheet says about one composition, before it is closed.

    Args:
        name: of the composition variable, for messages and notes.
        elements: the columns, in order.
        rows: the specimens, for messages.
        values (specimen, element): in units of the basis; NaN where the cell is empty.
    """

    name: str
    elements: Sequence[str]
    rows: Sequence[object]
    values: np.ndarray


def close(amounts: Amounts, *, basis: str | None, tolerance: float) -> tuple[np.ndarray, list[str]]:
    """Turn amounts into mole fractions.

    Args:
        amounts: what the sheet says.
        basis: "at.%", "wt.%" or "fraction"; None reads it off the sums.
        tolerance: how far a row's sum may lie from its target, relative; such rows are renormalised.

    Returns:
        (specimen, element): mole fractions that sum to one, NaN where a whole row is empty; and notes on
        what was guessed, filled or renormalised.

    Raises:
        SchemaError: a negative or infinite amount, or a sum beyond the tolerance. The message names the rows.
    """
    _refuse_impossible(amounts)
    unmeasured = np.asarray(np.isnan(amounts.values).all(axis=1))
    values = np.where(np.isnan(amounts.values), 0.0, amounts.values)
    notes = _note_gaps(amounts, unmeasured)
    totals = np.where(unmeasured, np.nan, values.sum(axis=1))
    if basis is None:
        basis = _guess_basis(amounts.name, totals, tolerance)
        notes.append(f"{amounts.name}: sums are near {BASES[basis]:g}, so it was read as {basis}")
    elif basis not in BASES:
        raise SchemaError(f"'{basis}' is not a basis of composition.", found=name_known(BASES, basis))
    deviation = np.abs(totals / BASES[basis] - 1)
    _refuse_open(amounts, totals, deviation > tolerance, basis)
    n_renormalised = int((deviation > ROUNDING).sum())
    if n_renormalised:
        notes.append(
            f"{amounts.name}: {n_renormalised} of {len(totals)} rows were renormalised "
            f"(largest deviation {np.nanmax(deviation):.2%})"
        )
    moles = values / _molar_mass(amounts.elements) if basis == "wt.%" else values
    with np.errstate(invalid="ignore"):  # 0 / 0 is how an unmeasured row stays NaN
        return moles / np.where(unmeasured, 0.0, moles.sum(axis=1))[:, None], notes


def is_open(fractions: xr.DataArray, dimension: str) -> xr.DataArray:
    """Mark rows that do not sum to one over a dimension; a row of NaN is not known, and not open."""
    total = fractions.sum(dimension, skipna=False)
    return (abs(total - 1) > ROUNDING) | (total.isnull() & fractions.notnull().any(dimension))


def _refuse_impossible(amounts: Amounts) -> None:
    for wrong, what in ((np.isinf(amounts.values), "infinite"), (amounts.values < 0, "negative")):
        places = [
            (amounts.rows[row], amounts.elements[column]) for row, column in np.argwhere(wrong).tolist()
        ]
        if places:
            culprits = name_cells(
                amounts.values[wrong].tolist(), (f"{row}, {element}" for row, element in places)
            )
            hint = "correct these cells, or leave them empty"
            raise SchemaError(f"{amounts.name} holds {what} amounts.", found=culprits, hint=hint)


def _note_gaps(amounts: Amounts, unmeasured: np.ndarray) -> list[str]:
    gaps = np.isnan(amounts.values).any(axis=1)
    named = [row for row, gap in zip(amounts.rows, gaps & ~unmeasured, strict=True) if gap]
    notes = [f"{amounts.name}: empty cells count as 0 in row {name_some(named)}"] if named else []
    unknown = [row for row, empty in zip(amounts.rows, unmeasured, strict=True) if empty]
    return [*notes, f"{amounts.name}: not measured in row {name_some(unknown)}"] if unknown else notes


def _guess_basis(name: str, totals: np.ndarray, tolerance: float) -> str:
    if np.isnan(totals).all():
        raise SchemaError(
            f"{name} has no value at all.", hint="name the columns that hold amounts of elements"
        )
    typical = float(np.nanmedian(totals))
    for basis in ("fraction", "at.%"):
        if abs(typical / BASES[basis] - 1) <= tolerance:
            return basis
    raise SchemaError(
        f"{name} sums neither to 1 nor to 100.",
        found=f"a typical sum of {typical:g}",
        hint="name every element's column; a remainder (balance) needs a column too",
    )


def _refuse_open(amounts: Amounts, totals: np.ndarray, is_open: np.ndarray, basis: str) -> None:
    if is_open.any():
        rows = zip(amounts.rows, totals, is_open, strict=True)
        culprits = [f"{row} sums to {total:g}" for row, total, wrong in rows if wrong]
        extent = f"{len(culprits)} of {len(totals)} rows"
        raise SchemaError(
            f"{amounts.name} does not sum to {BASES[basis]:g} ({basis}) in {extent}.",
            found=name_some(culprits),
            hint="correct these rows, add a missing element's column, choose a basis, or raise tolerance",
        )


def _molar_mass(elements: Sequence[str]) -> np.ndarray:
    weights = atomic_weights()
    for element in elements:
        if element not in weights:
            raise UnitError(
                f"wt.% needs an atomic weight, and '{element}' is not an element's symbol.",
                found=name_some(elements),
                hint=did_you_mean(element, weights) or "rename the columns to symbols such as 'Fe'",
            )
    return np.array([weights[element] for element in elements])
