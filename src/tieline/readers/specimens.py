"""A sheet and what its columns mean -> the node /specimens of a record."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.readers.column import Column
from tieline.readers.composition import TOLERANCE, basis_of
from tieline.readers.formulas import with_composition
from tieline.readers.roles import ROLES
from tieline.readers.sheet import Sheet
from tieline.readers.values import error_in_units_of, read_values
from tieline.schema import table


def specimens_dataset(
    sheet: Sheet,
    columns: Sequence[Column],
    *,
    composition_name: str = "composition",
    basis: str | None = None,
) -> xr.Dataset:
    """Read every column and put them together.

    Args:
        sheet: the table.
        columns: what each of its columns means.
        composition_name: name of the composition's variable.
        basis: "at.%", "wt.%" or "fraction"; None reads it off the headers, then off the sums.

    Returns:
        Dataset on `specimen`. Numbers and labels carry `role` and, where known, `units`; every variable
        carries its `header` and how it was guessed. Notes are in `attrs["notes"]`.
    """
    notes: list[str] = list(sheet.notes)
    identities = _identities(sheet, columns, notes)
    kept = [c for c in columns if c.role not in ("identity", "ignored")]
    values = {c.name: read_values(sheet, c, notes) for c in kept}
    _convert_errors(kept, values, sheet.name)
    components = [c for c in kept if c.component]
    if components and basis is None:
        basis = basis_of([c.header for c in components], [c.units for c in components])
    repeats = len(set(identities)) < len(identities)
    if repeats:
        notes.append("Some specimens stand on several rows, which were read as repeated measurements.")
    readable = [c for c in kept if _is_read(c)]
    plain = [c for c in readable if not c.component]
    dataset = table(
        pd.DataFrame({"specimen": identities} | {c.name: values[c.name] for c in readable}),
        specimen="specimen",
        composition={composition_name: [c.name for c in components]} if components else None,
        basis=basis,
        roles={c.name: c.role for c in plain},
        units={c.name: c.units for c in plain if c.units is not None and not c.error_of},
        tolerance=TOLERANCE,
        repeats=repeats,
    )
    dataset = _with_texts(dataset, [c for c in kept if not _is_read(c)], values)
    for column in (c for c in kept if c.is_formula):
        dataset = with_composition(dataset, column, values[column.name].tolist())
    _describe(dataset, columns, composition_name)
    open_ends = [c.question for c in plain if c.question] + [c.doubt for c in kept if c.doubt]
    return dataset.assign_attrs(notes=[*notes, *dataset.attrs.get("notes", []), *open_ends])


def _is_read(column: Column) -> bool:
    """Whether models read a column: numbers and labels, and no other text."""
    return column.is_numeric or column.role == "structure"


def _identities(sheet: Sheet, columns: Sequence[Column], notes: list[str]) -> np.ndarray:
    identity = next((c for c in columns if c.role == "identity"), None)
    if identity is None:
        notes.append("No column names the specimens: they are numbered from 1 in the order of the rows.")
        return np.arange(1, len(sheet.cells) + 1)
    texts = read_values(sheet, identity)
    nameless = [str(row) for row, text in zip(sheet.rows, texts, strict=True) if not text]
    if nameless:
        raise SchemaError(
            f"Some rows have no name in the column '{identity.header}', which names the specimens.",
            found=f"row {', '.join(nameless[:8])}{' ...' if len(nameless) > 8 else ''}.",
            hint="name these specimens, or delete the rows if they are summaries or remarks.",
        )
    is_integer = all(text.isdecimal() and str(int(text)) == text for text in texts)
    return texts.astype(np.int64) if is_integer else texts.astype(str)


def _convert_errors(columns: Sequence[Column], values: dict[str, np.ndarray], file: str) -> None:
    by_name = {c.name: c for c in columns}
    for column in columns:
        partner = by_name.get(column.error_of)
        if partner is not None and column.is_numeric:
            values[column.name] = error_in_units_of(values[column.name], column, partner, file=file)


def _with_texts(dataset: xr.Dataset, columns: Sequence[Column], values: dict[str, np.ndarray]) -> xr.Dataset:
    """Add text: settings such as an atmosphere as variables, remarks for people as coordinates."""
    settings, remarks = {}, {}
    for column in columns:
        texts = values[column.name].astype(str)
        if column.role in ROLES and not column.is_formula:
            settings[column.name] = xr.Variable("specimen", texts, {"role": column.role})
        else:
            remarks[column.name] = xr.Variable("specimen", texts)
    return dataset.assign(settings).assign_coords(remarks)


def _describe(dataset: xr.Dataset, columns: Sequence[Column], composition_name: str) -> None:
    """Write into each variable's attrs where it came from and why it was read so."""
    for column in columns:
        if column.role == "ignored":
            continue
        name = "specimen" if column.role == "identity" else column.name
        attrs = dataset.variables[composition_name if column.component else name].attrs
        attrs["guess"] = f"{column.role}: {column.why}"
        if column.component:
            attrs["header"] = [*attrs.get("header", []), column.header]
            continue
        attrs["header"] = column.header
        if column.question:
            attrs |= {"unit_question": column.question, "unit_as_written": column.unit_text}
