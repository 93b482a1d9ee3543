"""Which specimen a row of a sheet is about."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from tieline.errors import SchemaError
from tieline.schema.wording import name_known, name_some


def identify(dataframe: pd.DataFrame, specimen: str | None, repeats: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Take the identities out of a sheet, and index it by them so that messages can name rows.

    Args:
        dataframe: one row a specimen. It is not changed.
        specimen: the column of identities; by default the column `specimen`, or else the index.
        repeats: allow one specimen on several rows.

    Returns:
        The sheet without that column; and (specimen), whole numbers or text.

    Raises:
        SchemaError: a row has no identity, or one that another row has too.
    """
    if not isinstance(dataframe, pd.DataFrame):
        raise SchemaError("A table is made from a pandas DataFrame.", found=type(dataframe).__name__)
    if dataframe.empty:
        raise SchemaError("The DataFrame has no rows or no columns.", found=f"shape {dataframe.shape}")
    frame = dataframe.rename(columns=str)
    twice = [name for name, count in Counter(frame.columns).items() if count > 1]
    if twice:
        raise SchemaError(f"Columns share a name: {name_some(twice)}.", hint="rename all but one of each")
    column = specimen if specimen is not None else "specimen" if "specimen" in frame else None
    if column is not None:
        refuse_unknown(frame, "specimen", [column])
        names = frame.pop(column)
    else:
        names = frame.index.to_series()
    identities = _identities(names)
    duplicates = [name for name, count in Counter(identities.tolist()).items() if count > 1]
    if duplicates and not repeats:
        raise SchemaError(
            f"Specimens appear more than once: {name_some(duplicates)}.",
            found=f"{len(duplicates)} repeated among {len(identities)} rows",
            hint="repeats=True if these are repeated measurements; otherwise rename or remove rows",
        )
    frame.index = pd.Index(identities)
    return frame, identities


def _identities(names: pd.Series) -> np.ndarray:
    missing = np.flatnonzero(names.isna() | (names.map(str).str.strip() == ""))
    if missing.size:
        raise SchemaError(
            "Some rows do not say which specimen they are.",
            found=f"no identity in row {name_some(missing + 1)} (counted from 1)",
            hint="fill in the column of identities, or name another one with specimen=...",
        )
    if pd.api.types.is_numeric_dtype(names) and bool((names % 1 == 0).all()):
        return names.to_numpy(dtype=np.int64)
    return np.array([str(name).strip() for name in names], dtype=str)


def refuse_unknown(frame: pd.DataFrame, argument: str, names: Iterable[str]) -> None:
    """Raise a SchemaError if an argument names a column that the sheet does not have."""
    for name in names:
        if name not in frame:
            raise SchemaError(
                f"{argument} names '{name}', which is not a column.",
                found=name_known(frame.columns, name),
                hint="use the column's name as it stands in the sheet",
            )
