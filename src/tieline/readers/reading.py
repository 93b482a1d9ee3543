"""One file, read: what its columns mean, its specimens, its patterns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError, TielineError, did_you_mean
from tieline.readers.column import Column
from tieline.readers.columns import guess_columns
from tieline.readers.diffractometer import read_diffractometer
from tieline.readers.grid import Grid
from tieline.readers.headers import parse_header, symbol_name
from tieline.readers.long_patterns import continued, parted
from tieline.readers.mapping import Correction, Mapped
from tieline.readers.nexus import read_nexus
from tieline.readers.patterns import (
    DIFFRACTOMETER_ENDINGS,
    NEXUS_ENDINGS,
    Pattern,
    has_angle_header,
    patterns_in_columns,
    split_wide,
)
from tieline.readers.planners import understand
from tieline.readers.quantities import split_quantities
from tieline.readers.sheet import Sheet, read_grid, sheet_from_grid
from tieline.readers.signal_files import ENDINGS as SIGNAL_ENDINGS
from tieline.readers.signal_files import signals_of_one
from tieline.readers.signals import Signal
from tieline.readers.source import Source
from tieline.readers.specimens import specimens_dataset
from tieline.readers.text_scans import is_text_scan, read_text_scans

MOST_COLUMNS = 4000


@dataclass(frozen=True)
class Layout:
    """A file whose columns have been given a meaning, before their values are read.

    Attributes:
        sheet: the columns that describe specimens.
        columns: what each of them means.
        patterns: diffraction patterns in the same file, named by specimen or, in a wide table, by row.
        signals: images and spectra of a microscope or a spectrometer.
        is_wide: every row of the sheet has one pattern.
        notes: what was remembered about the file and no longer fits, or what another planner meant.
    """

    sheet: Sheet
    columns: list[Column] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    is_wide: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def has_specimens(self) -> bool:
        """Whether the file describes specimens, beyond what was measured of them."""
        return bool(self.columns) or not (self.patterns or self.signals)


def read_layout(
    source: Source, mapped: Mapped, *, said: Mapping[str, Correction], is_in_folder: bool = False
) -> Layout:
    """Find the table in a file and what its columns mean.

    Args:
        source: the file.
        mapped: all that was said about it, remembered or now.
        said: what was said now; a column named here must exist.
        is_in_folder: the file is one of several in a folder of measurements.
    """
    made = _of_an_instrument(source)
    if made is not None:
        return made
    long = _read_long(source, mapped, is_in_folder=is_in_folder)
    return long or _read_text(source, mapped, said=said, is_in_folder=is_in_folder)


def _of_an_instrument(source: Source) -> Layout | None:
    """Read a file as an instrument writes it; None if it is of any other kind."""
    ending = source.path.suffix.lower()
    none = Sheet(pd.DataFrame(), {}, name=source.name)
    if ending in SIGNAL_ENDINGS:
        return Layout(none, signals=signals_of_one(source.path))
    if ending in DIFFRACTOMETER_ENDINGS:
        return Layout(none, patterns=[read_diffractometer(source)])
    if ending in NEXUS_ENDINGS:
        return Layout(none, patterns=read_nexus(source))
    return Layout(none, patterns=read_text_scans(source)) if is_text_scan(source) else None


def _read_long(source: Source, mapped: Mapped, *, is_in_folder: bool) -> Layout | None:
    """Read a long text of patterns by its first lines; None if it is anything else."""
    text = parted(source.data)
    if text is None:
        return None
    beginning = replace(source, data=text.beginning)
    try:
        layout = _read_text(beginning, mapped, said={}, is_in_folder=is_in_folder)
    except TielineError:
        return None  # what is wrong is told of the whole
    if layout.has_specimens or layout.is_wide:
        return None
    patterns = continued(text, layout.patterns, source.name)
    return None if patterns is None else replace(layout, patterns=patterns)


def _read_text(
    source: Source, mapped: Mapped, *, said: Mapping[str, Correction], is_in_folder: bool
) -> Layout:
    """Read a table, or patterns that stand in one."""
    grid = read_grid(source.data, source.name, mapped.sheet)
    if has_angle_header(grid):
        sheet, angles, intensity = split_wide(grid, source.name)
        patterns = [Pattern(i, angles, row) for i, row in enumerate(intensity)]
    else:
        _refuse_spectra(grid, source.name)
        plain = sheet_from_grid(grid, source.name)
        sheet = split_quantities(plain, _matching(plain, mapped))
        found = patterns_in_columns(sheet, source.name, is_in_folder=is_in_folder)
        if found is not None:
            return Layout(sheet, patterns=found)
        patterns = []
    corrections, notes = _resolve(sheet, mapped, said)
    foreign = understand(sheet)
    if foreign is None:
        columns = guess_columns(sheet, corrections, mapped.composition)
        return Layout(sheet, columns, patterns, is_wide=bool(patterns), notes=notes)
    columns = guess_columns(foreign.sheet, {**foreign.columns, **corrections}, mapped.composition)
    why = f"{foreign.planner} exported it so"
    columns = [c if c.header in corrections else replace(c, why=why) for c in columns]
    return Layout(foreign.sheet, columns, notes=[*notes, *foreign.notes])


def _refuse_spectra(grid: Grid, name: str) -> None:
    """See that a table has not more columns than anybody would name."""
    n_columns = max(len(row) for row in grid.rows)
    if n_columns > MOST_COLUMNS:
        raise SchemaError(
            f"'{name}' has more columns than a table of specimens.",
            found=f"{n_columns:,} columns; at most {MOST_COLUMNS:,} are read",
            hint="tieline.readers.spectra.load_spectra, or the page Measurements, if these are spectra",
        )


def _resolve(
    sheet: Sheet, mapped: Mapped, said: Mapping[str, Correction]
) -> tuple[dict[str, Correction], list[str]]:
    """Find the header that each correction means: as written, or the name that was guessed for it."""
    headers = sheet.headers
    resolved, notes = _matching(sheet, mapped), []
    for key, matches in _meant(sheet, mapped).items():
        if len(matches) == 1:
            continue
        if key in said:
            raise SchemaError(
                f"There is no column '{key}' to correct."
                if not matches
                else f"'{key}' may mean several columns.",
                found=f"{', '.join(matches or headers)}. {did_you_mean(key, headers)}".strip(),
                hint="use the header as written in the file.",
            )
        else:
            notes.append(
                f"A correction was remembered for the column '{key}', which is no longer in the file."
            )
    return resolved, notes


def _matching(sheet: Sheet, mapped: Mapped) -> dict[str, Correction]:
    """Header -> correction, for all corrections that mean exactly one column."""
    meant = _meant(sheet, mapped)
    return {matches[0]: mapped.columns[key] for key, matches in meant.items() if len(matches) == 1}


def _meant(sheet: Sheet, mapped: Mapped) -> dict[str, list[str]]:
    """What a correction calls its column -> the headers that it may mean: as written, or guessed names."""
    aliases: dict[str, list[str]] = {}
    for header in sheet.headers:
        parsed = parse_header(header, sheet.units.get(header, ""))
        for alias in {header.strip().casefold(), symbol_name(parsed.base, parsed.units)}:
            aliases.setdefault(alias, []).append(header)
    return {
        key: [key] if key in sheet.headers else aliases.get(key.strip().casefold(), [])
        for key in mapped.columns
    }


def specimens_of(layout: Layout, mapped: Mapped) -> xr.Dataset:
    """Read the node /specimens; a file of patterns alone gives the names of their specimens."""
    if not layout.has_specimens and not layout.is_wide:
        names = np.array(list(dict.fromkeys(one.specimen for one in (*layout.patterns, *layout.signals))))
        return xr.Dataset(coords={"specimen": names}, attrs={"notes": list(layout.sheet.notes)})
    if not layout.columns:
        numbers = np.arange(1, len(layout.sheet.cells) + 1)
        note = "No column names the specimens: they are numbered from 1 in the order of the rows."
        return xr.Dataset(coords={"specimen": numbers}, attrs={"notes": [*layout.sheet.notes, note]})
    return specimens_dataset(
        layout.sheet,
        layout.columns,
        composition_name=mapped.composition_name or "composition",
        basis=mapped.basis,
    )


def patterns_of(layout: Layout, specimens: xr.Dataset) -> list[Pattern]:
    """Name the patterns of a wide table by the specimen of their row."""
    if not layout.is_wide:
        return layout.patterns
    identities = specimens.specimen.values.tolist()
    return [replace(p, specimen=identities[int(p.specimen)]) for p in layout.patterns]
