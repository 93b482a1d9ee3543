"""Files of microscopes and spectrometers, read by a process of its own, as their libraries may never end."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tieline.errors import MissingExtra, TielineError, error_told, three_clauses
from tieline.readers import ion_tof, signals
from tieline.readers.ion_tof import read_ion_tof
from tieline.readers.process import lost_files, refused
from tieline.readers.signals import Signal, read_signals
from tieline.readers.source import Source, open_source

ENDINGS = signals.ENDINGS | ion_tof.ENDINGS


def signals_of(places: Sequence[Path]) -> list[list[Signal] | TielineError]:
    """Read files, each of which has an image or spectra of one specimen.

    Returns:
        What every file holds, or why it cannot be read: MissingExtra where the library that knows it is not
        installed, or SchemaError.
    """
    if not places:
        return []
    missing = {place: obstacle for place in places if (obstacle := _obstacle(place))}
    there = [place for place in places if place not in missing]
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        lost = dict(lost_files(_wrote, there, Path(folder)))
        read = [refused(p, lost[i]) if i in lost else _opened(Path(folder), i) for i, p in enumerate(there)]
    found = dict(zip(there, read, strict=True)) | missing
    return [found[place] for place in places]


def signals_of_one(place: Path) -> list[Signal]:
    """Read one file.

    Raises:
        MissingExtra: the library that knows it is not installed.
        SchemaError: it cannot be read.
    """
    (found,) = signals_of([place])
    if isinstance(found, TielineError):
        raise found
    return found


def _obstacle(place: Path) -> MissingExtra | None:
    library = ion_tof if is_ion_tof(place) else signals
    return library.obstacle(place.name)


def _read(source: Source) -> list[Signal]:
    return [read_ion_tof(source)] if is_ion_tof(source.path) else read_signals(source)


def is_ion_tof(place: Path) -> bool:
    """Whether a file is one of ION-TOF's software, by its ending."""
    return place.suffix.lower() in ion_tof.ENDINGS


def _wrote(_: Path, folder: str, first: int, places: list[str]) -> None:
    for i, place in enumerate(places, start=first):
        arrays = {}
        try:
            made = [asdict(signal) for signal in _read(open_source(Path(place)))]
            arrays = {f"{key}{n}": s.pop(key) for n, s in enumerate(made) for key in ("values", "axis")}
            said = {"signals": made}
        except TielineError as error:
            said = {"error": type(error).__name__, **three_clauses(error)}
        np.savez(Path(folder) / f"{i}.npz", **arrays)
        (Path(folder) / f"{i}.done").write_text(json.dumps(said))


def _opened(folder: Path, number: int) -> list[Signal] | TielineError:
    said = json.loads((folder / f"{number}.done").read_text())
    if "error" in said:
        return error_told(said["error"], said)
    with np.load(folder / f"{number}.npz") as arrays:
        return [
            Signal(**about, values=arrays[f"values{n}"], axis=arrays[f"axis{n}"])
            for n, about in enumerate(said["signals"])
        ]
