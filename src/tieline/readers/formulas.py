"""A column of chemical formulas is a composition, where no columns of elements are one."""

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.readers.column import Column
from tieline.readers.roles import is_formula_name
from tieline.readers.sheet import Sheet
from tieline.readers.values import read_values
from tieline.schema import compositions, parse_formula
from tieline.schema.formula import note_repeated

FORMULA, COMPOSITION = "formula", "composition"  # the text, and what it says


def mark_formulas(sheet: Sheet, columns: list[Column], *, skip: Set[str]) -> list[Column]:
    """Mark the column of text that holds chemical formulas, as its header and all its cells say.

    Args:
        sheet: the table.
        columns: what each of its columns means.
        skip: headers that a person gave another role.
    """
    called = [c for c in columns if is_formula_name(c.name) and not c.is_numeric and c.header not in skip]
    for column in called:
        others = {c.name for c in columns if c is not column}
        if others & {FORMULA, COMPOSITION}:
            continue
        n_read, wrong = _read(sheet, column)
        if wrong and 2 * n_read >= len(sheet.rows):
            kept = replace(column, doubt=f"'{column.header}' was kept as text: {wrong}")
            return [kept if c is column else c for c in columns]
        if n_read and not wrong:
            why = "chemical formulas"
            marked = replace(column, name=FORMULA, role="synthesis", is_formula=True, why=why, doubt="")
            return [marked if c is column else c for c in columns]
    return columns


def _read(sheet: Sheet, column: Column) -> tuple[int, str]:
    """How many cells are formulas, and which is none; no cell counts if none has two elements."""
    n_read, most, wrong = 0, 0, ""
    for row, text in zip(sheet.rows, read_values(sheet, column), strict=True):
        if not text:
            continue
        try:
            most = max(most, len(parse_formula(text)))
        except SchemaError as error:
            wrong = wrong or f"{error.what.rstrip('.')} (row {row})."
        else:
            n_read += 1
    return (n_read if most > 1 else 0), wrong


def with_composition(dataset: xr.Dataset, column: Column, formulas: Sequence[str]) -> xr.Dataset:
    """Put the composition that formulas say beside them; a row of NaN where there is none.

    Args:
        dataset: on `specimen`.
        column: of the formulas.
        formulas (specimen): "" where not known.
    """
    is_known = np.array([bool(text) for text in formulas])
    found = compositions([text for text in formulas if text])
    fractions = np.full((len(formulas), found.sizes["element"]), np.nan)
    fractions[is_known] = found.values
    attrs = {**found.attrs, "header": column.header, "guess": f"{column.role}: {column.why}"}
    said = xr.Variable(("specimen", "element"), fractions, attrs)
    notes = [*dataset.attrs.get("notes", []), *note_repeated(found)]
    answer = dataset.assign({COMPOSITION: said}).assign_coords(element=found["element"].values)
    return answer.assign_attrs(notes=notes)
