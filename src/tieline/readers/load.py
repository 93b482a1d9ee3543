"""Files -> Record: the door of the package for anything that a lab brings."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import MissingExtra, SchemaError, TielineError, did_you_mean
from tieline.readers.folder import MEASUREMENT_ENDINGS, choose_files, match_names, named
from tieline.readers.mapping import Mapped, corrections_of, mapping_path, merge, read_mapping, write_mapping
from tieline.readers.patterns import NEXUS_ENDINGS, Pattern, stack
from tieline.readers.reading import Layout, patterns_of, read_layout, specimens_of
from tieline.readers.scans import (
    Scan,
    checksum,
    find_scans,
    is_scan,
    read_scans,
    require_voxel_size,
    stack_scans,
)
from tieline.readers.signal_files import ENDINGS as SIGNAL_ENDINGS
from tieline.readers.signal_files import signals_of
from tieline.readers.signal_nodes import stack_signals
from tieline.readers.signals import Signal
from tieline.readers.source import Source, existing, open_source
from tieline.readers.spectra import load_spectra
from tieline.schema import check, open_netcdf

AXES = ("two_theta", "mz")
# In a folder of measurements a text may well be a page of remarks, and these hold whatever somebody puts in.
MAY_BE_ANYTHING = {".txt", ".raw", *NEXUS_ENDINGS}


@dataclass(frozen=True)
class _Beside:
    """What was measured of specimens, beside their table."""

    patterns: Sequence[Pattern] = ()
    signals: Sequence[Signal] = ()
    scans: Sequence[Scan] = ()

    @property
    def identities(self) -> list[object]:
        """Of the specimens, each once."""
        return list(dict.fromkeys(o.specimen for o in (*self.patterns, *self.signals, *self.scans)))


def load(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, Mapping[str, Any] | None] | None = None,
    composition: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    basis: str | None = None,
    sheet: str | None = None,
    remember: bool = True,
    voxel_size: float | None = None,
    voxel_units: str | None = None,
    axis: str = "two_theta",
) -> xr.DataTree:
    """Read a lab's own file, or a folder of them, into a record.

    The meaning of each column is guessed from its header and its values: look at the guess with
    `tieline.readers.preview(path)`, and correct it with `columns`. What you say is remembered in a small file
    beside yours, `<file name>.columns.toml`.

    Args:
        path: a table (csv, tsv, txt, dat, xlsx, xls, ods), a diffraction pattern (xy, xye, ras, SPEC, NeXus,
            or xrdml, brml, raw, rasx with `tieline[readers]`), an image or a spectrum of an electron
            microscope or a spectrometer (dm4, emd, bcf, msa, wdf and more with `tieline[microscopy]`), a scan
            (a TIFF stack, or a folder of TIFF slices), a folder with one table and any number of the others,
            each named like its specimen, or a record or table that `save_netcdf` wrote (nc), which says
            itself what its variables are.
        columns: corrections, {header: {"name", "role", "units", "decimal", "missing"}}; None ignores a
            column. Roles are synthesis, process, structure, property, identity and note.
        composition: the columns that make up the composition, or {name of the variable: columns}; by default
            element symbols are looked for, or else a column of formulas; [] takes none.
        basis: of the composition: "at.%", "wt.%" or "fraction"; by default read off the headers or the sums.
        sheet: which sheet of a spreadsheet file, when several hold data.
        remember: use what was remembered about this file, and remember what is said now.
        voxel_size: edge of a voxel of the scans, as the instrument says. Without it, images are not read.
        voxel_units: of the voxel size; µm if not given.
        axis: what numbers in headers and in front of counts are: "two_theta", degrees, or "mz" for the
            spectra of a mass spectrometer (a table of peak areas, one raw spectrum as text, or a folder of
            them).

    Returns:
        A record: /specimens with one row a specimen; if there are patterns, /xrd with intensity (measurement,
        two_theta) in counts; if there are images, /images with image (measurement, y, x); a node for every
        kind of spectra; if there are scans, /volumes with the grey values volume (measurement, x, y, z),
        which `tl.features.volumes.segment_scans` tells apart into pore and solid. Of mass spectra,
        /specimens has area (specimen, mz), or counts (specimen, mz) if they are raw, and the text beside
        them. Text that models do not read stands in coordinates. `attrs` has source_file, source_sha256 and
        notes; every variable has its header, role and units in its own.

    Raises:
        SchemaError: the file cannot be read as a table. The message names the row and column. Or scans differ
            in shape, or it is not known how large their voxels are.
        UnitError: a unit given in `columns` is unknown, or an error and its value have different units.
        MissingExtra: a file of an instrument needs a part of tieline that is not installed.
    """
    place = existing(path)
    if axis not in AXES:
        raise SchemaError(
            f"There is no axis '{axis}'. {did_you_mean(axis, AXES)}".strip(), hint=" or ".join(AXES)
        )
    names, composition_name = _composition_columns(composition)
    said = Mapped(
        columns=corrections_of(columns),
        composition=names,
        composition_name=composition_name,
        basis=basis,
        sheet=sheet,
    )
    if axis == "mz":
        return _load_spectra(place, said)
    scans: list[Scan] = []
    if is_scan(place) or (place.is_dir() and voxel_size is not None):
        places = [place] if is_scan(place) else find_scans(place)
        scans = read_scans(places, require_voxel_size(place, voxel_size), voxel_units) if places else []
        if is_scan(place) or places == [place]:
            return _only_scans(place, scans)
    if place.is_dir():
        return _load_folder(place, said, scans, remember=remember)
    source = open_source(place)
    if is_netcdf(place):
        return _load_netcdf(source, said)
    mapped = merge(read_mapping(place), said) if remember else said
    layout = read_layout(source, mapped, said=said.columns)
    specimens = specimens_of(layout, mapped)
    beside = _Beside(patterns_of(layout, specimens), layout.signals)
    record = _record(specimens, beside, [*layout.notes], layout)
    notes = _remember(place, mapped, said) if remember else []
    record.attrs["notes"] += notes
    record.attrs |= {"source_file": source.name, "source_sha256": source.sha256}
    return record


def _load_spectra(place: Path, said: Mapped) -> xr.DataTree:
    """Make the record of mass spectra, which name the specimens."""
    if said != Mapped():
        raise SchemaError(
            "Columns of mass spectra are peaks, and text beside them.",
            found="corrections of columns, a composition, or the name of a sheet.",
            hint="leave these out, and change the record that comes back.",
        )
    specimens = load_spectra(place)
    record = xr.DataTree.from_dict({"/specimens": specimens})
    record.attrs |= {"notes": [*specimens.attrs["notes"], *check(record)], "source_file": place.name}
    if place.is_file():
        record.attrs["source_sha256"] = checksum(place)
    return record


def is_netcdf(path: Path) -> bool:
    """Whether a file is one of those that say themselves what they hold."""
    return path.suffix.lower() == ".nc"


def _load_netcdf(source: Source, said: Mapped) -> xr.DataTree:
    if said != Mapped():
        raise SchemaError(
            f"'{source.name}' says itself what its variables are.",
            found="corrections of columns, or the name of a sheet.",
            hint="tl.open_netcdf(path), then change the record.",
        )
    found = open_netcdf(source.path)
    record = found if isinstance(found, xr.DataTree) else xr.DataTree.from_dict({"/specimens": found})
    for node in record.subtree:
        if "notes" in node.attrs:
            node.attrs["notes"] = _as_notes(node.attrs["notes"])
    notes = [*record.attrs.get("notes", []), *check(record)]
    record.attrs |= {"notes": list(dict.fromkeys(notes))}
    record.attrs |= {"source_file": source.name, "source_sha256": source.sha256}
    return record


def _as_notes(told: Any) -> list[str]:
    """Notes as a list: a file that others wrote has a list of one as text."""
    return [str(note) for note in np.atleast_1d(told)]


def _composition_columns(
    composition: Sequence[str] | Mapping[str, Sequence[str]] | None,
) -> tuple[tuple[str, ...] | None, str | None]:
    """Columns of the composition, and the name of its variable."""
    if composition is None:
        return None, None
    if isinstance(composition, str):
        raise SchemaError(
            "A composition is a list of columns.",
            found=repr(composition),
            hint='composition=["Fe", "Ga", "Pd"].',
        )
    if not isinstance(composition, Mapping):
        return tuple(composition), None
    if len(composition) != 1:
        raise SchemaError(
            "A sheet has one composition.",
            found=named([str(name) for name in composition]) or "an empty mapping.",
            hint='composition={"composition": ["Fe", "Ga", "Pd"]}.',
        )
    name, parts = next(iter(composition.items()))
    return tuple(parts), str(name)


def _only_scans(place: Path, scans: Sequence[Scan]) -> xr.DataTree:
    """Make the record of scans without a table, which name the specimens."""
    specimens = xr.Dataset(coords={"specimen": [scan.specimen for scan in scans]})
    record = _record(specimens, _Beside(scans=scans), [], None)
    record.attrs |= {"source_file": place.name, "source_sha256": checksum(place)}
    return record


def _record(specimens: xr.Dataset, beside: _Beside, notes: list[str], layout: Layout | None) -> xr.DataTree:
    """Put the nodes together, and gather every note at the root."""
    nodes, remarks = stack_signals(beside.signals)
    nodes["/specimens"], notes = specimens, [*notes, *remarks]
    if beside.patterns:
        nodes["/xrd"], remarks = stack(beside.patterns)
        notes += remarks
    if beside.scans:
        nodes["/volumes"] = stack_scans(beside.scans)
    record = xr.DataTree.from_dict(nodes)
    record.attrs["notes"] = [*specimens.attrs.get("notes", []), *notes, *check(record)]
    if layout is not None and layout.sheet.above:
        record.attrs["title"] = "\n".join(layout.sheet.above)
    return record


def _remember(path: Path, mapped: Mapped, said: Mapped) -> list[str]:
    """Write down what was said, if anything was; a folder that cannot be written to costs only a note."""
    if said == Mapped() or mapped == read_mapping(path):
        return []
    try:
        write_mapping(path, mapped)
    except OSError as error:
        name = mapping_path(path).name
        return [f"Your corrections were used, but could not be remembered in '{name}': {error.strerror}."]
    return []


def _load_folder(folder: Path, said: Mapped, scans: Sequence[Scan], *, remember: bool) -> xr.DataTree:
    """Read the one table of a folder and what was measured beside it, and put its scans to them."""
    tabular, notes = choose_files(folder, reads_scans=bool(scans))
    sources = [open_source(path) for path in tabular]
    signals, remarks = _signals_in([path for path in tabular if path.suffix.lower() in SIGNAL_ENDINGS])
    notes += remarks
    tables: list[tuple[Source, Mapped, Layout]] = []
    patterns: list[Pattern] = []
    for source in (s for s in sources if s.path.suffix.lower() not in SIGNAL_ENDINGS):
        mapped = _mapping_in_folder(source.path, said, remember=remember)
        try:
            layout = read_layout(source, mapped, said={}, is_in_folder=True)
        except MissingExtra as error:
            notes.append(f"'{source.name}' was left aside: {error.what} Try: {error.hint}")
            continue
        except SchemaError as error:
            if source.path.suffix.lower() not in MAY_BE_ANYTHING:
                raise
            notes.append(f"'{source.name}' was left aside: {error.what}")
            continue
        if layout.has_specimens:
            tables.append((source, mapped, layout))
        else:
            patterns += patterns_of(layout, specimens_of(layout, mapped))
    if len(tables) > 1:
        raise SchemaError(
            f"The folder '{folder.name}' holds several tables.",
            found=named([source.name for source, _, _ in tables]) + ".",
            hint="keep the one that describes the specimens, and load the others one by one.",
        )
    record = _joined(tables, _Beside(patterns, signals, scans), notes, said, remember=remember)
    files = {s.path.relative_to(folder).as_posix(): s.sha256 for s in sources}
    files |= {scan.path.relative_to(folder).as_posix(): checksum(scan.path) for scan in scans}
    record.attrs |= {
        "source_file": folder.name,
        "source_sha256": _folder_sha256(files),
        "files": files,
    }
    return record


def _signals_in(places: Sequence[Path]) -> tuple[list[Signal], list[str]]:
    """Images and spectra in files, and notes on those that cannot be read."""
    signals, notes = [], []
    for place, found in zip(places, signals_of(places), strict=True):
        if isinstance(found, TielineError):
            notes.append(f"'{place.name}' was left aside: {found.what} Try: {found.hint}")
        else:
            signals += found
    return signals, notes


def _mapping_in_folder(path: Path, said: Mapped, *, remember: bool) -> Mapped:
    # What is said about a folder is said about its table; patterns have no columns to correct.
    if path.suffix.lower() in MEASUREMENT_ENDINGS:
        return Mapped()
    return merge(read_mapping(path), said) if remember else said


def _joined(
    tables: list[tuple[Source, Mapped, Layout]],
    beside: _Beside,
    notes: list[str],
    said: Mapped,
    *,
    remember: bool,
) -> xr.DataTree:
    """Match what was measured with the specimens of the table; without a table it names the specimens."""
    if not tables:
        return _record(xr.Dataset(coords={"specimen": beside.identities}), beside, notes, None)
    source, mapped, layout = tables[0]
    if said.columns:  # of a folder it was not known until now which file they are of
        layout = read_layout(source, mapped, said=said.columns, is_in_folder=True)
    specimens = specimens_of(layout, mapped)
    names = specimens.specimen.values
    patterns, remarks = match_names(names, beside.patterns, "pattern")
    signals, more = match_names(names, beside.signals, "measurement")
    scans, still_more = match_names(names, beside.scans, "scan")
    remarks += more + still_more
    if remember:
        remarks += _remember(source.path, mapped, said)
    matched = _Beside([*patterns_of(layout, specimens), *patterns], signals, scans)
    return _record(specimens, matched, [*notes, *layout.notes, *remarks], layout)


def _folder_sha256(files: Mapping[str, str]) -> str:
    """One checksum over the names and checksums of all files that were read."""
    lines = [f"{sha256}  {name}\n" for name, sha256 in files.items()]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
