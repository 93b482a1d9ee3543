"""Two records of one campaign become one: the newer adds, and corrects what it repeats."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, UnitError
from tieline.schema import check, specimens_of
from tieline.schema.closure import ROUNDING
from tieline.schema.wording import name_some
from tieline.units import canonical, convert

OF_ONE_FILE = ("source_file", "source_sha256", "files", "title")  # attrs that say nothing of several files


def join_records(old: xr.DataTree, new: xr.DataTree) -> tuple[xr.DataTree, list[str]]:
    """Join two records by the identity of their specimens.

    Args:
        old: what was known.
        new: what was imported now; where both have a value, this one stands.

    Returns:
        The record, in the units of the old one, and notes on what was added, converted and replaced. Its
        `attrs["notes"]` hold these and all that either record had, each with the file it came from.

    Raises:
        SchemaError: a specimen was made in another way than before, or a record has repeats, whose rows
            cannot be told apart.
        UnitError: a variable has units in the two that cannot be converted into each other.
    """
    old, new = _named_alike(old, new)
    before, after = specimens_of(old), specimens_of(new)
    for specimens in (before, after):
        _refuse_repeats(specimens)
    before, after, notes = _in_common_units(before, after)
    before, after, remarks = _over_all_elements(before, after)
    notes += remarks
    _refuse_other_making(before, after)
    nodes = {"/specimens": _join_specimens(_without_companions(before, after), after)}
    for path in dict.fromkeys(n.path for n in (*old.subtree, *new.subtree) if "measurement" in n.dims):
        parts = [_node(tree, path) for tree in (old, new) if path in _paths(tree)]
        if len(parts) == 1:
            nodes[path] = parts[0]
            continue
        *parts, remarks = _in_common_units(*parts)
        nodes[path] = _join_measurements(*parts)
        notes += remarks
    record = xr.DataTree.from_dict(nodes)
    notes = _changes(before, after) + notes
    about = {**old.attrs, **new.attrs}
    record.attrs = {key: value for key, value in about.items() if key not in OF_ONE_FILE}
    record.attrs["notes"] = [*_told(old), *_told(new), *_from_file(new, notes)]
    check(record)
    return record, notes


def _told(record: xr.DataTree) -> list[str]:
    """Notes of a record, which `load` puts both at its root and at its specimens, with their file."""
    notes = [*record.attrs.get("notes", []), *specimens_of(record).attrs.get("notes", [])]
    return _from_file(record, list(dict.fromkeys(notes)))


def _from_file(record: xr.DataTree, notes: list[str]) -> list[str]:
    """Put the file before notes; a record that was joined has it there already."""
    file = record.attrs.get("source_file")
    return [f"{file}: {note}" for note in notes] if file else notes


def _node(tree: xr.DataTree, path: str) -> xr.Dataset:
    node = tree[path]
    assert isinstance(node, xr.DataTree)  # a path from `subtree`
    return node.to_dataset(inherit=False)


def _paths(tree: xr.DataTree) -> set[str]:
    return {node.path for node in tree.subtree}


def _named_alike(*records: xr.DataTree) -> list[xr.DataTree]:
    """Make all identities text if one is: 1 in one file and "1" in another are one specimen."""
    nodes = [node for record in records for node in record.subtree if "specimen" in node.coords]
    if all(node.coords["specimen"].dtype.kind in "iu" for node in nodes):
        return list(records)
    return [renamed(record, {}) for record in records]


def renamed(record: xr.DataTree, names: Mapping[str, str]) -> xr.DataTree:
    """Make all identities text, and give some of them other names."""
    nodes = {node.path: node.to_dataset(inherit=False) for node in record.subtree}
    for path, node in nodes.items():
        if "specimen" in node.coords:
            given = node["specimen"]
            texts = [names.get(text, text) for text in given.values.astype(str).tolist()]
            nodes[path] = node.assign_coords(specimen=(given.dims, np.array(texts, dtype=str), given.attrs))
    return xr.DataTree.from_dict(nodes)


def _in_common_units(before: xr.Dataset, after: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset, list[str]]:
    """Bring both to the units of the first; where only one of them states a unit, it is taken for both."""
    names = dict.fromkeys(str(v) for v in (*before.data_vars, *after.data_vars))
    units = {name: (_unit_of(before, name), _unit_of(after, name)) for name in names}  # as they came
    notes = []
    for name, (first, later) in units.items():
        if first == later or first is None or later is None:
            continue
        try:
            unit = canonical(first or later)
            if first and later and name in after:
                values = convert(after[name].values, later, first, difference=name.endswith("_sd"))
                after = after.assign({name: after[name].copy(data=values)})
        except UnitError as error:
            raise UnitError(
                f"'{name}' cannot be brought to the unit that it had in an earlier import.",
                found=f"'{later}' now, '{first}' before",
                hint="correct the unit of the column, or give it another name, in FILE.columns.toml",
            ) from error
        before, after = (_with_unit(dataset, name, unit) for dataset in (before, after))
        if first and later:
            notes.append(f"{name}: converted from {later} to {unit}")
        else:
            notes.append(f"{name}: no unit {'now' if first else 'before'}, taken to be in {unit}")
    return before, after, notes


def _unit_of(dataset: xr.Dataset, name: str) -> str | None:
    """Unit of a variable, of a standard error that of its value; "" if not stated, None without either."""
    for variable in (name.removesuffix("_sd"), name):
        if variable in dataset.data_vars and np.issubdtype(dataset[variable].dtype, np.number):
            attrs = dataset[variable].attrs
            return str(attrs.get("units", attrs.get("unit_as_written", "")))
    return None


def _with_unit(dataset: xr.Dataset, name: str, unit: str) -> xr.Dataset:
    return dataset.assign({name: dataset[name].assign_attrs(units=unit)}) if name in dataset else dataset


def _over_all_elements(before: xr.Dataset, after: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset, list[str]]:
    """Let compositions of both be over the elements of either; one that a file does not name counts as 0."""
    if "element" not in before.coords or "element" not in after.coords:
        return before, after, []
    one, two = ([str(e) for e in d["element"].values] for d in (before, after))
    union = list(dict.fromkeys([*one, *two]))
    pairs = ((before, one, "in the earlier imports"), (after, two, "in this file"))
    notes = [
        f"composition: {name_some(missing)} counts as 0 {where}, which names {name_some(known)}"
        for _, known, where in pairs
        if (missing := [e for e in union if e not in known])
    ]
    if not notes or not all(_closes(dataset) for dataset in (before, after)):
        return before, after, []  # fractions that do not sum to one are refused by name, later
    return _filled(before, union), _filled(after, union), notes


def _closes(dataset: xr.Dataset) -> bool:
    totals = [v.sum("element", skipna=False) for v in dataset.data_vars.values() if "element" in v.dims]
    return all(bool(((abs(total - 1) <= ROUNDING) | total.isnull()).all()) for total in totals)


def _filled(dataset: xr.Dataset, elements: list[str]) -> xr.Dataset:
    """Reindex compositions; a row that was not measured stays so."""
    wide = dataset.reindex(element=elements)
    for name in (n for n, v in dataset.data_vars.items() if "element" in v.dims):
        is_known = dataset[name].notnull().all("element")
        wide[name] = wide[name].fillna(0).where(is_known).assign_attrs(dataset[name].attrs)
    return wide


def _refuse_repeats(specimens: xr.Dataset) -> None:
    names = specimens["specimen"].to_index()
    if names.has_duplicates:
        raise SchemaError(
            "A second file cannot be joined where one specimen has several rows.",
            found=name_some(names[names.duplicated()].unique()),
            hint="put everything into one file and import that into a new campaign",
        )


def shared(
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
        one, two, differs = shared(before, after, name)
        rows = differs.any([d for d in differs.dims if d != "specimen"])
        if rows.any():
            specimen = differs["specimen"].values[rows.values][0]
            was, is_now = (_shown(values.sel(specimen=specimen)) for values in (one, two))
            raise SchemaError(
                f"Specimen {specimen} was made with another {name} than in an earlier import.",
                found=f"{is_now} now, {was} before",
                hint="give every specimen its own identity in a column 'specimen'",
            )


def _shown(value: xr.DataArray) -> str:
    if not np.issubdtype(value.dtype, np.number):
        return str(value.values)
    unit = value.attrs.get("units", "1")
    return str(np.round(value.values, 6)) + ("" if unit == "1" else f" {unit}")


def _without_companions(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Forget standard errors and flags of values that were measured again: they say nothing of the newer."""
    before = before.copy()
    for name, value in after.data_vars.items():
        again = before["specimen"].isin(value["specimen"][_is_known(value).values])
        for companion in (f"{name}_sd", f"{name}_flag"):
            if companion in before.variables:
                is_number = np.issubdtype(before[companion].dtype, np.number)
                before[companion] = before[companion].where(~again, np.nan if is_number else "")
    return before


def _is_known(variable: xr.DataArray) -> xr.DataArray:
    """Where something is written (specimen)."""
    is_number = np.issubdtype(variable.dtype, np.number)
    known = variable.notnull() if is_number else variable.astype(str) != ""
    return known.all([dim for dim in known.dims if dim != "specimen"])


def _join_specimens(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    names = before["specimen"].to_index().union(after["specimen"].to_index(), sort=False)
    variables = [*before.data_vars, *after.data_vars]
    remarks = [c for d in (before, after) for c in d.coords if c not in d.indexes]  # text for people
    columns = {}
    for name in dict.fromkeys([*variables, *remarks]):
        bare = [d[name].reset_coords(drop=True) for d in (after, before) if name in d]
        parts = [_blank_to_missing(variable).reindex(specimen=names) for variable in bare]
        column = parts[0] if len(parts) == 1 else parts[0].combine_first(parts[1])
        columns[name] = _missing_to_blank(column).assign_attrs(bare[0].attrs)
    attrs = {key: v for key, v in {**before.attrs, **after.attrs}.items() if key != "notes"}
    joined = xr.Dataset(columns, attrs=attrs).sel(specimen=names)
    return joined.set_coords([c for c in remarks if c not in variables])


def _blank_to_missing(variable: xr.DataArray) -> xr.DataArray:
    if np.issubdtype(variable.dtype, np.number):
        return variable
    text = variable.astype(object)
    return text.where(text != "", np.nan)


def _missing_to_blank(variable: xr.DataArray) -> xr.DataArray:
    return variable.fillna("").astype(str) if variable.dtype == object else variable


def _join_measurements(old: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Put measurements one after the other; a specimen measured again in the newer file keeps only that.

    Raises:
        SchemaError: images are of another size than those of earlier imports.
    """
    unequal = [
        f"{dim}: {new.sizes[dim]} now, {old.sizes[dim]} before"
        for dim in (str(d) for d in new.dims if d in old.dims and d != "measurement")
        if dim not in old.coords and new.sizes[dim] != old.sizes[dim]
    ]
    if unequal:
        raise SchemaError(
            "The images of one campaign have one size.",
            found="; ".join(unequal),
            hint="crop them to that size before export",
        )
    again = np.isin(old["specimen"].values.astype(str), new["specimen"].values.astype(str))
    return xr.concat(
        [old.isel(measurement=~again), new], "measurement", join="outer", combine_attrs="override"
    )


def _changes(before: xr.Dataset, after: xr.Dataset) -> list[str]:
    old, new = before["specimen"].to_index(), after["specimen"].to_index()
    notes = [f"specimens: {len(new.difference(old))} new beside {len(old)}"]
    for name in (str(v) for v in after.data_vars if v in before.data_vars):
        replaced = int(shared(before, after, name)[2].sum())
        if replaced:
            notes.append(f"{name}: {replaced} replaced by a newer value")
    return notes
