"""A folder of files: which ones to read, and which pattern belongs to which specimen."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from tieline.errors import SchemaError, did_you_mean
from tieline.readers.mapping import MAPPING_ENDING
from tieline.readers.patterns import PATTERN_ENDINGS, Pattern
from tieline.readers.scans import Scan
from tieline.readers.sheet import SPREADSHEET_ENDINGS
from tieline.readers.signal_files import ENDINGS as SIGNAL_ENDINGS
from tieline.readers.signals import Signal
from tieline.readers.volumes import ENDINGS as SCAN_ENDINGS

MEASUREMENT_ENDINGS = PATTERN_ENDINGS | SIGNAL_ENDINGS  # of files that have no columns to correct
READ_ENDINGS = {".csv", ".tsv", ".txt", ".dat", *SPREADSHEET_ENDINGS, *MEASUREMENT_ENDINGS}
N_NAMED = 8  # names in a note; a longer list is only counted
Measured = TypeVar("Measured", Pattern, Scan, Signal)


def choose_files(folder: Path, *, reads_scans: bool = False) -> tuple[list[Path], list[str]]:
    """List the files of a folder and of its subfolders that may hold a table or a pattern.

    Args:
        folder: where to look.
        reads_scans: whether stacks of TIFF images are read too, so that a table or a pattern is not missed.

    Returns:
        The files in order of their names, and notes on what was left aside.

    Raises:
        SchemaError: there is nothing to be read.
    """
    places = sorted(p for pattern in ("*", "*/*") for p in folder.glob(pattern) if p.is_file())
    places = [p for p in places if not _is_private(p.relative_to(folder))]
    chosen = [p for p in places if p.suffix.lower() in READ_ENDINGS]
    scans = [p for p in places if p.suffix.lower() in SCAN_ENDINGS]
    if not chosen and not (scans and reads_scans):
        raise SchemaError(
            f"The folder '{folder.name}' holds no table and no pattern.",
            found=named([p.name for p in places]) or "no files.",
            hint=f"put files with the endings {', '.join(sorted(READ_ENDINGS))} there."
            if not scans
            else "to read scans, say how large a voxel is: tl.load(path, voxel_size=150, voxel_units='nm')",
        )
    names = {p: p.relative_to(folder).as_posix() for p in places}
    others = [names[p] for p in places if p not in chosen and p not in scans]
    notes = [f"Not read, for their endings: {named(others)}."] if others else []
    if scans and not reads_scans:
        listed = named([names[p] for p in scans])
        notes.append(f"Images were not read: {listed}. Scans are, when voxel_size says how large a voxel is.")
    return chosen, notes


def _is_private(place: Path) -> bool:
    # "~$spread.xlsx" is a lock of a spreadsheet program; what begins with a point is hidden.
    return any(part.startswith((".", "~$")) for part in place.parts) or place.name.endswith(MAPPING_ENDING)


def named(names: Sequence[str]) -> str:
    """List names, the first few of many."""
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + more


def match_names(
    identities: np.ndarray, measured: Sequence[Measured], word: str
) -> tuple[list[Measured], list[str]]:
    """Give each pattern, scan or signal the identity of its specimen.

    A name matches as it stands, or else when it differs only in case, spaces, dashes and leading zeros.

    Args:
        identities (specimen): of the sheet.
        measured: named by their files or columns.
        word: for one of them: "pattern".

    Returns:
        Those that belong to a specimen, and notes on those that do not and on specimens without one; no
        notes where nothing was measured.
    """
    if not measured:
        return [], []
    exact = {str(i): i for i in identities.tolist()}
    loose: dict[str, list] = {}
    for identity in exact.values():
        loose.setdefault(_plain(str(identity)), []).append(identity)
    matched, strangers, bent = [], [], []
    for one in measured:
        name = str(one.specimen)
        candidates = [exact[name]] if name in exact else loose.get(_plain(name), [])
        if len(candidates) != 1:
            strangers.append(f"{name} ({near})" if (near := did_you_mean(name, exact)) else name)
            continue
        matched.append(replace(one, specimen=candidates[0]))
        bent += [f"{name} as {candidates[0]}"] if name not in exact else []
    notes = [f"{word.capitalize()}s matched in spite of their spelling: {named(bent)}."] if bent else []
    if strangers:
        notes.append(f"{word.capitalize()}s of no specimen in the sheet, left out: {named(strangers)}.")
    seen = {str(one.specimen) for one in matched}
    without = [name for name in exact if name not in seen]
    if without:
        notes.append(f"Specimens without a {word}: {named(without)}.")
    return matched, notes


def _plain(name: str) -> str:
    letters = re.sub(r"[\s_.-]+", "", name.casefold())
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", letters)
