"""A pool as a pandas table with one column an input, as other libraries read it."""

import pandas as pd

from benchmarks.pool_loop import Pool


def as_frame(pool: Pool) -> pd.DataFrame:
    """Write the design with identifiers as names; a categorical input is one column of labels."""
    wide = pd.DataFrame(pool.x, columns=pd.Index(pool.inputs))
    columns = {}
    for name in pool.inputs:
        group = next((g for g, levels in pool.groups.items() if name in levels), None)
        if group is None:
            columns[name.replace(" ", "_")] = wide[name]
        elif group not in columns:
            levels = wide[pool.groups[group]].idxmax(axis=1).str.removeprefix(f"{group}=")
            columns[group] = levels.astype("category")
    return pd.DataFrame(columns)


def is_level(column: pd.Series) -> bool:
    """Tell whether a column holds labels."""
    return isinstance(column.dtype, pd.CategoricalDtype)
