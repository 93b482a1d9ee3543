"""Columns of a sheet, read as numbers or as labels."""

import re

import numpy as np
import pandas as pd

from tieline.errors import SchemaError
from tieline.schema.wording import name_cells

_STARTS_AS_NUMBER = re.compile(r"\s*[<>~≈±+-]?\s*[.,]?\d")


def is_text(series: pd.Series) -> bool:
    """Tell whether a column holds anything but numbers (or nothing)."""
    return not pd.api.types.is_numeric_dtype(series) and not _blank(series).all()


def is_prose(series: pd.Series) -> bool:
    """Tell whether a column is text (or dates) that was never meant as numbers.

    A text column means numbers when at least half of what is filled in starts like one; then a cell such as
    "12,5" or "n/a" is a mistake to be named, not a reason to leave the column out.
    """
    if not is_text(series):
        return False
    if pd.api.types.is_datetime64_any_dtype(series):
        return True
    filled = [str(cell) for cell in series.loc[~_blank(series)]]
    return 2 * sum(bool(_STARTS_AS_NUMBER.match(cell)) for cell in filled) < len(filled)


def read_numbers(series: pd.Series) -> np.ndarray:
    """Read a column as numbers.

    Args:
        series: numbers, or text that spells numbers; its index names the rows in messages.

    Returns:
        (specimen): float; NaN where the cell is empty.

    Raises:
        SchemaError: a cell is neither empty nor a number. The message names the row.
    """
    blank = _blank(series)
    numbers = np.array(pd.to_numeric(series.where(~blank), errors="coerce"), dtype=float)
    wrong = np.isnan(numbers) & ~blank.to_numpy()
    if wrong.any():
        raise SchemaError(
            f"Column '{series.name}' holds text where numbers belong.",
            found=name_cells(series[wrong], series.index[wrong]),
            hint="write a decimal point, not a comma; leave a cell empty where nothing was measured; "
            f"if these are labels, say roles={{'{series.name}': 'structure'}}",
        )
    return numbers


def read_labels(series: pd.Series) -> np.ndarray:
    """Read a column as text labels.

    Returns:
        (specimen): text; "" where the cell is empty.
    """
    blank = _blank(series).to_numpy()
    return np.array(
        ["" if empty else str(cell).strip() for cell, empty in zip(series, blank, strict=True)], dtype=str
    )


def _blank(series: pd.Series) -> pd.Series:
    return series.isna() | series.map(lambda cell: isinstance(cell, str) and not cell.strip())
