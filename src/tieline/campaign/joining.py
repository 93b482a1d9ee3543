"""Two records of one campaign become one: the newer adds, and corrects what it repeats."""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema import check, specimens_of
from tieline.schema.wording import name_some


def join_records(old: xr.DataTree, new: xr.DataTree) -> tuple[xr.DataTree, list[str]]:
    """Join two records by the identity of their specimens.

    Args:
        old: what was known.
        new: what was imported now; where both have a value, this one stands.

    Returns:
        The record, and notes on what was added and what was replaced.

    Raises:
        SchemaError: a specimen was made in another way than before, or a record has repeats, whose rows
            cannot be told apart.
    """
    before, after = specimens_of(old), specimens_of(new)
    for specimens in (before, after):
        _refuse_repeats(specimens)
    _refuse_other_making(before, after)
    joined = _join_specimens(before, after)
    nodes = {"/specimens": joined}
    for path in dict.fromkeys(n.path for n in (*old.subtree, *new.subtree) if "measurement" in n.dims):
        parts = [_node(tree, path) for tree in (old, new) if path in _paths(tree)]
        nodes[path] = _join_measurements(parts)
    record = xr.DataTree.from_dict(nodes)
    record.attrs = {**old.attrs, **new.attrs}
    check(record)
    return record, _changes(before, after)


def _node(tree: xr.DataTree, path: str) -> xr.Dataset:
    node = tree[path]
    assert isinstance(node, xr.DataTree)  # a path from `subtree`
    return node.to_dataset(inherit=False)


def _paths(tree: xr.DataTree) -> set[str]:
    return {node.path for node in tree.subtree}


def _refuse_repeats(specimens: xr.Dataset) -> None:
    names = specimens["specimen"].to_index()
    if names.has_duplicates:
        raise SchemaError(
            "A second file cannot be joined where one specimen has several rows.",
            found=name_some(names[names.duplicated()].unique()),
            hint="put everything into one file and import that into a new campaign",
        )


def _shared(
    before: xr.Dataset, after: xr.Dataset, name: str
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Values of one variable for the specimens that both have, and where both are known and differ."""
    both = before["specimen"].to_index().intersection(after["specimen"].to_index())
    one, two = before[name].sel(specimen=both), after[name].sel(specimen=both)
    if np.issubdtype(one.dtype, np.number) and np.issubdtype(two.dtype, np.number):
        one, two = xr.align(one, two, join="outer")
        is_same = xr.apply_ufunc(np.isclose, one, two, 1e-9, 0)
        differs = ~is_same & one.notnull() & two.notnull()
        return one, two, differs
    known = (one.astype(str) != "") & (two.astype(str) != "")
    return one, two, known & (one.astype(str) != two.astype(str))


def _refuse_other_making(before: xr.Dataset, after: xr.Dataset) -> None:
    """A specimen that was made twice is two specimens; numbered rows of two sheets are taken for one."""
    for name in (str(v) for v in after.data_vars if v in before.data_vars):
        if after[name].attrs.get("role") not in ("synthesis", "process"):
            continue
        one, two, differs = _shared(before, after, name)
        rows = differs.any([d for d in differs.dims if d != "specimen"])
        if rows.any():
            specimen = differs["specimen"].values[rows.values][0]
            old_value, new_value = (np.round(v.sel(specimen=specimen).values, 6) for v in (one, two))
            raise SchemaError(
                f"Specimen {specimen} was made with another {name} than in an earlier import.",
                found=f"{new_value} now, {old_value} before",
                hint="give every specimen its own identity in a column 'specimen'",
            )


def _join_specimens(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    names = before["specimen"].to_index().union(after["specimen"].to_index(), sort=False)
    columns = {}
    for name in dict.fromkeys([*before.data_vars, *after.data_vars]):
        parts = [_blank_to_missing(d[name]).reindex(specimen=names) for d in (after, before) if name in d]
        column = parts[0] if len(parts) == 1 else parts[0].combine_first(parts[1])
        columns[name] = _missing_to_blank(column).assign_attrs(
            (after if name in after else before)[name].attrs
        )
    return xr.Dataset(columns, attrs={**before.attrs, **after.attrs}).sel(specimen=names)


def _blank_to_missing(variable: xr.DataArray) -> xr.DataArray:
    if np.issubdtype(variable.dtype, np.number):
        return variable
    text = variable.astype(object)
    return text.where(text != "", np.nan)


def _missing_to_blank(variable: xr.DataArray) -> xr.DataArray:
    return variable.fillna("").astype(str) if variable.dtype == object else variable


def _join_measurements(parts: list[xr.Dataset]) -> xr.Dataset:
    """Put measurements one after the other; a specimen measured again in the newer file keeps only that."""
    if len(parts) == 1:
        return parts[0]
    old, new = parts
    again = np.isin(old["specimen"].values.astype(str), new["specimen"].values.astype(str))
    return xr.concat(
        [old.isel(measurement=~again), new], "measurement", join="outer", combine_attrs="override"
    )


def _changes(before: xr.Dataset, after: xr.Dataset) -> list[str]:
    old, new = before["specimen"].to_index(), after["specimen"].to_index()
    notes = [f"specimens: {len(new.difference(old))} new beside {len(old)}"]
    for name in (str(v) for v in after.data_vars if v in before.data_vars):
        replaced = int(_shared(before, after, name)[2].sum())
        if replaced:
            notes.append(f"{name}: {replaced} replaced by a newer value")
    return notes
