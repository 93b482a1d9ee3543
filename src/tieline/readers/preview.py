"""What a file would be read as, one line a column, to look at before anything is fitted."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tieline.errors import SchemaError
from tieline.readers.cells import is_missing
from tieline.readers.column import Column
from tieline.readers.mapping import Mapped, corrections_of, merge, read_mapping
from tieline.readers.reading import read_layout
from tieline.readers.sheet import Sheet
from tieline.readers.signals import IMAGES, Signal
from tieline.readers.source import existing, open_source
from tieline.readers.values import read_values
from tieline.schema.volumes import shape_text

FIELDS = ["column", "header", "name", "role", "unit", "why", "example", "n_missing", "min", "max"]


def preview(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, Mapping[str, Any] | None] | None = None,
    composition: Sequence[str] | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Show how `tieline.load` would read a file, without reading it into a record.

    Args:
        path: one file.
        columns: corrections to try, as in `tieline.load`; nothing is remembered.
        composition: columns of the composition to try.
        sheet: which sheet of a spreadsheet file.

    Returns:
        One row a column: its letter, header, name, role, unit ("?" with a question in `why`, "" when none is
        known), why it was guessed so, the first value as written, how many values are missing, and the
        smallest and largest number.

    Raises:
        SchemaError: no table can be found in the file.
    """
    place = existing(path)
    if place.is_dir():
        raise SchemaError(
            f"'{place.name}' is a folder.", found="no single table.", hint="preview one of the files in it."
        )
    parts = None if composition is None else tuple(composition)
    said = Mapped(columns=corrections_of(columns), composition=parts, sheet=sheet)
    layout = read_layout(open_source(place), merge(read_mapping(place), said), said=said.columns)
    rows = [_row(layout.sheet, column) for column in layout.columns]
    if layout.patterns:
        rows.append(_pattern_row(layout.patterns[0].two_theta, [p.intensity for p in layout.patterns]))
    rows += [_signal_row(signal) for signal in layout.signals]
    return pd.DataFrame(rows, columns=FIELDS)


def _row(sheet: Sheet, column: Column) -> list[object]:
    cells = sheet.column(column.header)
    why, numbers = column.why, np.array([])
    try:
        values = read_values(sheet, column)
        numbers = values[~np.isnan(values)] if column.is_numeric else numbers
    except SchemaError as error:
        why = f"{why}; problem: {error.what} {error.found}"
    if column.question:
        why = f"{why}; {column.question}"
    held = [cell for cell in cells if not is_missing(cell)]
    return [
        sheet.letters[column.header],
        column.header,
        column.name,
        column.role,
        "?" if column.question else column.units or "",
        why,
        str(held[0]) if held else "",
        len(cells) - len(held),
        numbers.min() if numbers.size else np.nan,
        numbers.max() if numbers.size else np.nan,
    ]


def _pattern_row(angles: np.ndarray, intensities: list[np.ndarray]) -> list[object]:
    why = f"{len(intensities)} diffraction patterns over {angles.size} angles in degrees"
    return _measured_row(
        f"{angles[0]:g} ... {angles[-1]:g}", "xrd/intensity", "counts", why, np.concatenate(intensities)
    )


def _signal_row(signal: Signal) -> list[object]:
    """The row of an image or a spectrum."""
    if signal.node == IMAGES:
        size = shape_text(signal.values.shape[::-1])
        why = f"an image of {size} pixels" + ("" if np.isnan(signal.pixel) else f" of {signal.pixel:.4g} nm")
        return _measured_row(size, f"{IMAGES}/image", signal.units, why, signal.values.astype(float).ravel())
    ends = f"{signal.axis[0]:g} ... {signal.axis[-1]:g} {signal.axis_units}".strip()
    why = (
        f"a spectrum over {signal.axis.size} places of {signal.dim.replace('_', ' ')}. {signal.note}".strip()
    )
    return _measured_row(ends, f"{signal.node}/intensity", signal.units, why, signal.values)


def _measured_row(header: str, name: str, units: str, why: str, values: np.ndarray) -> list[object]:
    """What was measured beside columns: its first value, how many are missing, and its range."""
    is_known = not np.isnan(values).all()
    ends = [float(np.nanmin(values)), float(np.nanmax(values))] if is_known else [np.nan, np.nan]
    return ["", header, name, "structure", units, why, f"{values[0]:g}", int(np.isnan(values).sum()), *ends]
