"""A table in one word: two that are equal have the same, whatever the order of their variables."""

from hashlib import sha256

import numpy as np
import xarray as xr


def table_hash(table: xr.Dataset) -> str:
    """SHA-256 of the variables of a table, in order of their names."""
    digest = sha256()
    for name in sorted(map(str, table.variables)):
        values = table[name].values
        fixed = np.ascontiguousarray(values.astype("U") if values.dtype.kind in "OU" else values)
        digest.update(f"{name} {fixed.dtype} {fixed.shape}".encode())
        digest.update(fixed.tobytes())
    return digest.hexdigest()
