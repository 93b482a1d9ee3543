"""Spectra of mass spectrometers: exported tables of peak areas, wide or long, and raw spectra as text.

* **wide**, a spectrum in every row: the first row has the m/z of the peaks, the first column the names of the
  spectra.
* **wide, turned**: a peak in every row, as ION-TOF's software exports them; the first column has the m/z.
* **long**: columns named specimen (or spectrum, sample), mz (or mass, m/z) and area (or counts, intensity).
* **raw**: m/z and counts in the last two columns of a text whose remarks begin with #; one spectrum a file,
  in a folder, or in folders within it that are named like what their spectra are of. The same of files of
  ION-TOF's software, .ita, .itm and .itax, with `tieline[tofsims]`.

Further columns of text beside the names of the spectra, such as the compound, become variables.
"""

import os
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import MissingExtra, SchemaError, TielineError
from tieline.readers.cells import choose_decimal, decimal_mark, decimal_marks, is_missing, to_number
from tieline.readers.signal_files import is_ion_tof, signals_of, signals_of_one
from tieline.schema.wording import name_some

NAMES = ("specimen", "spectrum", "sample", "sample_name", "name", "id")
MASSES = ("mz", "m/z", "mass", "center", "centre", "center mass (u)", "mass (u)", "m/z (u)")
AREAS = ("area", "counts", "intensity", "peak area", "int")
TABLES = (".csv", ".tsv", ".txt", ".dat")
FEWEST_NUMBERS = 3  # headers that are numbers, before a table is taken for a wide one


def load_spectra(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read peak areas or raw spectra.

    Args:
        path: a table of peak areas, one raw spectrum, or a folder of raw spectra on the same channels. Of
            files of ION-TOF's software, each with a calibration of its own, counts are brought to the
            channels of the first, their sum kept.

    Returns:
        area (specimen, mz), or for raw spectra counts (specimen, mz), in counts; further columns of text as
        variables on `specimen`, and the folder of every raw spectrum, if they lie in several. What was not
        measured is NaN.

    Raises:
        SchemaError: the file cannot be read as spectra; the message says what was found.
        MissingExtra: files of ION-TOF's software need a part of tieline that is not installed.
    """
    place = Path(path)
    if place.is_dir():
        return _raw_folder(place)
    if not place.is_file():
        raise SchemaError(f"There is no file '{place.name}'.", found=str(place.parent))
    if is_ion_tof(place):
        (found,) = signals_of_one(place)
        return _stack([(place.stem, found.axis, found.values)])
    text = place.read_text(encoding="utf-8", errors="replace").replace("\ufeff", "")
    raw = _raw(text)
    if raw is not None:
        return _stack([(place.stem, *raw)])
    return _table(text, place.name)


def _raw(text: str) -> tuple[np.ndarray, np.ndarray] | None:
    """m/z and counts of a raw spectrum; None if the lines of the text are not all two or three numbers."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and any(_number(word) is None for word in re.split(r"[\s;]+", lines[0].strip())):
        lines = lines[1:]  # one line of headers
    if len(lines) < FEWEST_NUMBERS:
        return None
    body = "\n".join(lines).replace(";", " ")
    try:  # a spectrum may have a million channels: numpy reads them at once
        found = np.loadtxt(StringIO(body if "." in body else body.replace(",", ".")), ndmin=2)
    except ValueError:
        return None
    if found.shape[1] not in (2, 3):
        return None
    mz, counts = found[:, -2], found[:, -1]
    return (mz, counts) if (np.diff(mz) > 0).all() else None


def _raw_folder(folder: Path) -> xr.Dataset:
    places = sorted(p for pattern in ("*", "*/*") for p in folder.glob(pattern) if p.is_file())
    files = [p for p in places if not p.name.startswith(".")]
    instruments = _of_instruments([p for p in files if is_ion_tof(p)])
    found, others, whose = [], [], []
    for file in (p for p in files if p in instruments or p.suffix.lower() in TABLES):
        is_text = file not in instruments
        raw = _raw(file.read_text(encoding="utf-8", errors="replace")) if is_text else instruments[file]
        if raw is None:
            others.append(file.name)
            continue
        within = "" if file.parent == folder else file.parent.name
        found.append((f"{within}, {file.stem}" if within else file.stem, *raw))
        whose.append(within)
    if not found:
        raise SchemaError(
            f"The folder '{folder.name}' holds no raw spectra.",
            found=name_some(others) or "no text files",
            hint="one text file for each spectrum, m/z and counts in its last two columns",
        )
    spectra = _stack(found)
    if any(whose):
        spectra["folder"] = ("specimen", np.array(whose), {"role": "structure"})
    notes = [f"Not read, since they are no raw spectra: {name_some(others)}."] if others else []
    return spectra.assign_attrs(notes=notes)


def _of_instruments(files: Sequence[Path]) -> dict[Path, tuple[np.ndarray, np.ndarray] | None]:
    """m/z and counts of files of ION-TOF's software, on the channels of the first; None of a damaged one."""
    made: dict[Path, tuple[np.ndarray, np.ndarray] | None] = {}
    edges = np.empty(0)
    for file, found in zip(files, signals_of(files), strict=True):
        if isinstance(found, MissingExtra):
            raise found
        if isinstance(found, TielineError):
            made[file] = None
            continue
        (signal,) = found
        if not edges.size:
            mz, edges = signal.axis, _edges(signal.axis)
        up_to = np.concatenate([[0], np.cumsum(signal.values)])
        made[file] = mz, np.diff(np.interp(edges, _edges(signal.axis), up_to))
    return made


def _edges(mz: np.ndarray) -> np.ndarray:
    """Where channels begin and end, half-way between their centres."""
    inner = (mz[:-1] + mz[1:]) / 2
    return np.concatenate([[2 * mz[0] - inner[0]], inner, [2 * mz[-1] - inner[-1]]])


def _stack(found: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> xr.Dataset:
    """One Dataset of raw spectra; channels must agree to a tenth of their width."""
    name, mz, _ = found[0]
    for other, theirs, _ in found[1:]:
        if len(theirs) != len(mz) or np.abs(theirs - mz).max() > 0.1 * np.diff(mz).min():
            raise SchemaError(
                f"The spectra '{name}' and '{other}' have different channels.",
                found=f"{len(mz)} from {mz[0]:g} and {len(theirs)} from {theirs[0]:g}",
                hint="export all spectra with the same binning",
            )
    return _dataset("counts", np.stack([counts for *_, counts in found]), [n for n, *_ in found], mz, {})


def _table(text: str, name: str) -> xr.Dataset:
    sheet = pd.read_csv(
        StringIO(text), sep=_separator(text), dtype=str, keep_default_na=False, comment="#", engine="python"
    )
    sheet.columns = [str(c).strip() for c in sheet.columns]
    lower = {c.casefold(): c for c in sheet.columns}
    long = [next((lower[w] for w in words if w in lower), None) for words in (NAMES, MASSES, AREAS)]
    if all(long):
        return _long(sheet, [str(c) for c in long], name)
    masses = [c for c in sheet.columns if _number(c) is not None]
    if len(masses) >= FEWEST_NUMBERS:
        return _wide(sheet, masses, name)
    first = sheet.columns[0]
    if len(sheet) >= FEWEST_NUMBERS and all(_number(v) is not None for v in sheet[first]):
        turned = sheet.set_index(first).T.rename_axis(NAMES[0]).reset_index()
        turned.columns = [str(c) for c in turned.columns]
        return _wide(turned, list(turned.columns[1:]), name)
    raise SchemaError(
        f"'{name}' is no table of peak areas.",
        found=f"columns {name_some(sheet.columns)}",
        hint="m/z as headers and a spectrum in every row, or columns specimen, mz and area",
    )


def _long(sheet: pd.DataFrame, columns: list[str], name: str) -> xr.Dataset:
    who, mass, area = columns
    twice = sheet.duplicated([who, mass])
    if twice.any():
        row = sheet[twice].iloc[0]
        raise SchemaError(f"'{name}' has a peak twice.", found=f"{row[who]} at m/z {row[mass]}")
    wide = sheet.pivot(index=who, columns=mass, values=area).reindex(dict.fromkeys(sheet[who])).fillna("")
    others = [c for c in sheet.columns if c not in columns]
    said = sheet.drop_duplicates(who).set_index(who)[others].loc[wide.index]
    return _wide(pd.concat([said, wide], axis=1).reset_index(names=NAMES[0]), list(wide.columns), name)


def _wide(sheet: pd.DataFrame, masses: list[str], name: str) -> xr.Dataset:
    mz = np.array([_number(c) for c in masses], dtype=float)
    order = np.argsort(mz)
    texts = [c for c in sheet.columns if c not in masses]
    who = next((c for c in texts if c.casefold() in NAMES), texts[0] if texts else None)
    names = sheet[who].tolist() if who else [str(i + 1) for i in range(len(sheet))]
    if len(set(names)) < len(names):
        names = [f"{n} ({names[: i + 1].count(n)})" for i, n in enumerate(names)]
    further = {c: sheet[c].to_numpy(str) for c in texts if c != who}
    counts = _counts(sheet.loc[:, masses], names, name)
    return _dataset("area", counts[:, order], names, mz[order], further)


def _counts(cells: pd.DataFrame, names: Sequence[str], file: str) -> np.ndarray:
    """Areas (spectrum, peak) of cells of text, NaN where one is empty."""
    values = [str(cell) for cell in cells.to_numpy().ravel()]
    marks = decimal_marks([*values, *(c for c in cells.columns if "?" not in (decimal_mark(c) or ""))])
    decimal = choose_decimal(values, column="area", file_marks=marks)
    counts = np.full(cells.shape, np.nan)
    for (i, j), cell in np.ndenumerate(cells.to_numpy()):
        if is_missing(cell):
            continue
        value = to_number(cell, decimal)
        if value is None:
            raise SchemaError(
                f"'{file}' holds text among its areas.",
                found=f"'{cell}' at m/z {cells.columns[j]} of '{names[i]}'",
                hint="leave cells empty where nothing was measured",
            )
        counts[i, j] = value
    return counts


def _dataset(
    kind: str, counts: np.ndarray, names: Sequence[str], mz: np.ndarray, further: dict[str, np.ndarray]
) -> xr.Dataset:
    said = {name: ("specimen", values, {"role": "structure"}) for name, values in further.items()}
    return xr.Dataset(
        {kind: (("specimen", "mz"), counts, {"units": "counts", "role": "structure"}), **said},
        coords={"specimen": list(names), "mz": ("mz", mz, {"units": "u"})},
        attrs={"notes": []},
    )


def _separator(text: str) -> str:
    """The mark that the first lines have most often."""
    head = "\n".join([line for line in text.splitlines() if not line.startswith("#")][:3])
    return max(("\t", ";", ","), key=head.count)


def _number(text: str) -> float | None:
    """A number; with a decimal comma where there is no point."""
    plain = text.strip().removesuffix("u").strip()
    try:
        return float(plain if "." in plain else plain.replace(",", "."))
    except ValueError:
        return None
