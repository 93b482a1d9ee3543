"""Files of results: those of the lab as they are, and lists of ours that somebody filled in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.planning.listing import MARK, element_heading, heading, is_ours
from tieline.readers.folder import MEASUREMENT_ENDINGS, choose_files
from tieline.readers.load import is_netcdf, load
from tieline.readers.mapping import Mapped, mapping_path, merge, read_mapping
from tieline.readers.reading import read_layout
from tieline.readers.source import existing, open_source
from tieline.schema import specimens_of
from tieline.schema.wording import name_some


def read_results(
    file: Path, known: xr.Dataset | None = None, *, sheet: str | None = None, remember: bool = True
) -> xr.DataTree:
    """Read a file; in a list of ours, what we wrote for people is left aside.

    In a list, a header that we wrote means the variable that we meant, whatever one would guess from it.

    Args:
        file: a table, a pattern, or a folder of them.
        known (specimen): the specimens of the record.
        sheet: which sheet of a spreadsheet file.
        remember: use what was remembered about the file; for a list of ours nothing new is written down.

    Raises:
        SchemaError: the file cannot be read.
    """
    file = existing(file)
    headers = [] if is_netcdf(file) else _headers(file, sheet, remember=remember)
    ours = [header for header in headers if is_ours(header)]
    if not ours:
        return load(file, sheet=sheet, remember=remember)
    remembered = read_mapping(file) if remember else Mapped()
    meant, elements = _meanings(headers, known)
    said: dict[str, Mapping[str, Any] | None] = {**meant, **dict.fromkeys(ours)}
    composition = None
    if known is not None and elements and remembered.composition is None:
        composition = {_composition_of(known): list(elements)}
    record = load(
        file,
        columns={header: words for header, words in said.items() if header not in remembered.columns},
        composition=composition,
        basis="at.%" if composition and remembered.basis is None else None,
        sheet=sheet,
        # A list is soon replaced by the next one: only what somebody said about it is worth writing down.
        remember=remember and (sheet is not None or mapping_path(file).is_file() or file.is_dir()),
    )
    if composition:
        record = _with_elements(record, next(iter(composition)), elements)
    notes = [note for note in record.attrs["notes"] if not note.endswith("too few to learn from")]
    record.attrs["notes"] = [
        *notes,
        f"left aside, as tieline wrote it: {name_some(_unmarked(ours), limit=12)}",
    ]
    return record


def is_list(record: xr.DataTree) -> bool:
    """Tell whether `read_results` found columns of ours."""
    return any(note.startswith("left aside, as tieline wrote it") for note in record.attrs.get("notes", []))


def without_empty_rows(record: xr.DataTree) -> xr.DataTree:
    """Leave out specimens that were proposed but have no result yet, with a note.

    Raises:
        SchemaError: none has a result.
    """
    specimens = specimens_of(record)
    measured = has_result(specimens)
    for node in record.subtree:
        if "measurement" in node.dims:
            measured |= np.isin(specimens["specimen"].values, node.coords["specimen"].values)
    if not measured.any():
        fields = [str(specimens[name].attrs.get("header", name)) for name in _results(specimens)]
        raise SchemaError(
            "The list of proposals has no result yet.",
            found=f"{len(measured)} proposals, and nothing in the columns {', '.join(fields)}",
            hint="fill in what was measured, save the file, and import it again",
        )
    if measured.all():
        return record
    nodes = {node.path: node.to_dataset(inherit=False) for node in record.subtree}
    nodes["/specimens"] = nodes["/specimens"].isel(specimen=np.flatnonzero(measured))
    filled = xr.DataTree.from_dict(nodes)
    names = name_some(specimens["specimen"].values[~measured])
    filled.attrs = {**record.attrs, "notes": [*record.attrs["notes"], f"no result yet, left out: {names}"]}
    return filled


def has_result(specimens: xr.Dataset) -> np.ndarray:
    """Mark the specimens (specimen) that have a label or a value, or a flag: a failure is a result too."""
    measured = np.zeros(specimens.sizes["specimen"], bool)
    results = _results(specimens)
    for name in (*results, *(f"{r}_flag" for r in results if f"{r}_flag" in specimens.variables)):
        variable = specimens[name]
        known = variable.notnull() if variable.dtype.kind in "iufb" else variable.astype(str) != ""
        measured |= known.any([d for d in known.dims if d != "specimen"]).values
    return measured


def _results(specimens: xr.Dataset) -> list[str]:
    roles = {str(name): variable.attrs.get("role") for name, variable in specimens.data_vars.items()}
    return [n for n, role in roles.items() if role in ("structure", "property") and not n.endswith("_sd")]


def _headers(place: Path, sheet: str | None, *, remember: bool) -> list[str]:
    """Headers of a table, or of the tables in a folder."""
    files = choose_files(place)[0] if place.is_dir() else [place]
    headers = []
    for file in (f for f in files if f.suffix.lower() not in MEASUREMENT_ENDINGS):
        mapped = merge(read_mapping(file) if remember else Mapped(), Mapped(sheet=sheet))
        try:
            headers += read_layout(open_source(file), mapped, said={}, is_in_folder=True).sheet.headers
        except SchemaError:
            if not place.is_dir():  # a text in a folder may well be a page of remarks, as `load` knows
                raise
    return headers


def _meanings(
    headers: Sequence[str], known: xr.Dataset | None
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """What each header means that we wrote for a known variable; and header -> element of a composition."""
    meant: dict[str, Mapping[str, Any]] = {}
    elements: dict[str, str] = {}
    for name, variable in (known.data_vars if known is not None else {}).items():
        if "element" in variable.dims:
            wide = {element_heading(str(e)): str(e) for e in variable["element"].values}
            elements |= {header: wide[header] for header in headers if header in wide}
        elif variable.dims == ("specimen",) and heading(variable, str(name)) in headers:
            words = {
                "name": str(name),
                "role": variable.attrs.get("role"),
                "units": variable.attrs.get("units"),
            }
            meant[heading(variable, str(name))] = {
                key: word for key, word in words.items() if word is not None
            }
    return meant, elements


def _composition_of(known: xr.Dataset) -> str:
    return next(str(name) for name, variable in known.data_vars.items() if "element" in variable.dims)


def _with_elements(record: xr.DataTree, composition: str, elements: Mapping[str, str]) -> xr.DataTree:
    """Give the elements the names of the record, where a reader knows parts of a mixture by others."""
    nodes = {node.path: node.to_dataset(inherit=False) for node in record.subtree}
    specimens = nodes["/specimens"]
    names = [elements[header] for header in specimens[composition].attrs["header"]]
    nodes["/specimens"] = specimens.assign_coords(element=names)
    named = xr.DataTree.from_dict(nodes)
    named.attrs = dict(record.attrs)
    return named


def _unmarked(headers: Sequence[str]) -> list[str]:
    return [header.strip()[len(MARK.strip()) :].strip() for header in headers]
