"""Measurements that were told one by one, as part of the record: beside what files say, never instead."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
import xarray as xr

from tieline.campaign.joining import join_records
from tieline.campaign.rows import from_rows
from tieline.campaign.store import tables
from tieline.campaign.store.store import Store
from tieline.schema import specimens_of
from tieline.units import convert

Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What a store was told about specimens.

    Attributes:
        designs: how each specimen was made, as far as was said.
        attrs: unit and role of the settings of each specimen.
        results: the measurements of each specimen, in the order in which they came.
    """

    designs: Mapping[str, Row]
    attrs: Mapping[str, Mapping[str, Row]]
    results: Mapping[str, Sequence[sa.Row[Any]]]

    @classmethod
    def of(cls, store: Store) -> "Told":
        """Read a store."""
        specimen, measurement = tables.specimen, tables.measurement
        with store.reading() as connection:
            made = list(connection.execute(sa.select(specimen).order_by(specimen.c.event)))
            found = connection.execute(
                sa.select(measurement).order_by(measurement.c.event, measurement.c.line)
            )
            results: dict[str, list[sa.Row[Any]]] = {row.name: [] for row in made}
            for row in found:
                results[row.specimen].append(row)
        designs = {row.name: json.loads(row.asked) | json.loads(row.made) for row in made}
        return cls(designs, {row.name: json.loads(row.attrs) for row in made}, results)


def with_told(record: xr.DataTree | None, told: Told) -> xr.DataTree | None:
    """Add to a record what was told.

    A specimen whose property was measured several times has several rows; one value that both a file and
    somebody told is one measurement.
    """
    if not told.results:
        return record
    known = None if record is None else specimens_of(record)
    in_files = _values_of_files(known)
    attrs = _attrs(told, known)
    levels: list[dict[str, Row]] = [{}]
    repeated: list[str] = []
    for name, results in told.results.items():
        levels[0][name] = {} if name in in_files else dict(told.designs[name])
        for property_, rows in _by_property(results).items():
            measured = [_in_unit_of(attrs[property_].get("units"), property_, row) for row in rows]
            if property_ in in_files.get(name, {}):
                there = in_files[name][property_]
                flag = f"{property_}_flag"
                same = [m for m in measured if (m[property_], m.get(flag, "")) == there]
                if same:
                    repeated.append(f"{name} {property_}")
                    measured.remove(same[0])
                measured = [{}, *measured]
            for level, values in enumerate(measured):
                while len(levels) <= level:
                    levels.append({})
                if values:
                    levels[level].setdefault(name, {}).update(values)
    return _stacked(record, levels, attrs, repeated)


def _by_property(results: Sequence[sa.Row[Any]]) -> dict[str, list[sa.Row[Any]]]:
    sorted_: dict[str, list[sa.Row[Any]]] = {}
    for row in results:
        sorted_.setdefault(row.property, []).append(row)
    return sorted_


def _values_of_files(known: xr.Dataset | None) -> dict[str, Row]:
    """What files say of each specimen: its properties and labels that are known, with the flag of each."""
    if known is None:
        return {}
    names = known["specimen"].values.astype(str)
    found: dict[str, Row] = {str(name): {} for name in names}
    for variable_name, variable in known.data_vars.items():
        if variable.attrs.get("role") not in ("property", "structure") or variable.dims != ("specimen",):
            continue
        is_number = variable.dtype.kind in "iufb"
        is_known = variable.notnull().values if is_number else variable.values.astype(str) != ""
        flags = known.variables.get(f"{variable_name}_flag")
        flag = np.full(len(names), "") if flags is None else flags.values.astype(str)
        pairs = zip(variable.values[is_known].tolist(), flag[is_known].tolist(), strict=True)
        for name, pair in zip(names[is_known], pairs, strict=True):
            found[str(name)][str(variable_name)] = pair
    return found


def _in_unit_of(unit: str | None, name: str, row: sa.Row[Any]) -> Row:
    """One measurement as columns, in the unit that files have for it, or else the first that was told."""
    if row.label is not None:
        return {name: row.label}
    value, sd = row.value, row.sd
    if unit and row.unit and unit != row.unit:
        value = None if value is None else float(convert(value, row.unit, unit))
        sd = None if sd is None else float(convert(sd, row.unit, unit, difference=True))
    columns: Row = {name: value}
    if sd is not None:
        columns[f"{name}_sd"] = sd
    if row.flag != "ok":
        columns[f"{name}_flag"] = row.flag
    return columns


def _attrs(told: Told, known: xr.Dataset | None) -> dict[str, Row]:
    """Unit and role of every variable that was told."""
    attrs: dict[str, Row] = {}
    for specimen, design in told.designs.items():
        for name, value in design.items():
            role = "synthesis" if isinstance(value, Mapping) else "process"
            attrs.setdefault(name, {"role": role, **told.attrs[specimen].get(name, {})})
    for rows in told.results.values():
        for row in rows:
            role = "structure" if row.label is not None else "property"
            said = attrs.setdefault(row.property, {"role": role})
            if row.unit:
                said.setdefault("units", row.unit)
            attrs.setdefault(f"{row.property}_flag", {"role": "property"})
    for name in attrs if known is not None else ():
        if name in known:  # pyright: ignore[reportOperatorIssue]
            attrs[name] = dict(known[name].attrs)  # pyright: ignore[reportOptionalSubscript]
    results = {row.property for rows in told.results.values() for row in rows}
    for name in results:  # an error is in the unit of its value, whatever unit it was told in
        said = {key: attrs[name][key] for key in ("role", "units") if key in attrs[name]}
        known_error = None if known is None else known.get(f"{name}_sd")
        attrs[f"{name}_sd"] = said if known_error is None else dict(known_error.attrs)
    return attrs


def _stacked(
    record: xr.DataTree | None, levels: list[dict[str, Row]], attrs: dict[str, Row], repeated: list[str]
) -> xr.DataTree:
    """The record with first measurements in the rows of their specimens, and repeats in rows behind."""
    blank = _blank_row(levels)
    first = _node(levels[0], attrs, blank)
    if record is None:
        whole = xr.DataTree.from_dict({"/specimens": first})
        whole.attrs["notes"] = []
    else:
        notes = list(record.attrs.get("notes", []))
        told = xr.DataTree.from_dict({"/specimens": first})
        whole, _ = join_records(record, told)
        whole.attrs["notes"] = notes
    if repeated:
        whole.attrs["notes"].append(f"told and imported alike, counted once: {', '.join(repeated[:5])}")
    if len(levels) == 1:
        return whole
    nodes = {node.path: node.to_dataset(inherit=False) for node in whole.subtree}
    specimens = nodes["/specimens"]
    nodes["/specimens"] = xr.concat(
        [specimens, *(_repeats(specimens, level, attrs, blank) for level in levels[1:])],
        "specimen",
        combine_attrs="override",
        join="outer",
    )
    nodes["/specimens"]["specimen"].attrs["repeats"] = "allowed"
    stacked = xr.DataTree.from_dict(nodes)
    stacked.attrs = dict(whole.attrs)
    return stacked


def _blank_row(levels: list[dict[str, Row]]) -> Row:
    """Every column that any row has, with nothing in it."""
    blank: Row = {}
    for row in (row for level in levels for row in level.values()):
        for name, value in row.items():
            blank[name] = "" if isinstance(value, str) else blank.get(name)
    return blank


def _node(level: dict[str, Row], attrs: dict[str, Row], blank: Row) -> xr.Dataset:
    return from_rows([blank | row for row in level.values()], attrs, list(level))


def _repeats(specimens: xr.Dataset, level: dict[str, Row], attrs: dict[str, Row], blank: Row) -> xr.Dataset:
    """Rows for further measurements: the specimen as it was made, and only what was measured again."""
    rows = specimens.isel(specimen=_positions(specimens, list(level)))
    again = _node(level, attrs, blank)
    flags = [str(name) for name in rows.coords if str(name).endswith("_flag")]  # of files
    results = {
        str(name): again[name] if name in again else _nothing(variable)
        for name, variable in rows.reset_coords(flags).data_vars.items()
        if variable.attrs.get("role") not in ("synthesis", "process")
    }
    found = rows.assign({name: (v.dims, v.values, rows[name].attrs) for name, v in results.items()})
    return found.set_coords(flags)


def _positions(specimens: xr.Dataset, names: list[str]) -> list[int]:
    index = {name: i for i, name in enumerate(specimens["specimen"].values.astype(str).tolist())}
    return [index[name] for name in names]


def _nothing(variable: xr.DataArray) -> xr.DataArray:
    if variable.dtype.kind in "iufb":
        return xr.full_like(variable, np.nan, dtype=float)
    return xr.full_like(variable, "")
