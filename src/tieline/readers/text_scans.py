"""Scans that instruments write as text: .ras of Rigaku, and the files of SPEC."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tieline.errors import SchemaError
from tieline.readers.headers import identifier
from tieline.readers.layout import N_PATTERN_ANGLES
from tieline.readers.nexus import ANGLE
from tieline.readers.patterns import TEXT_SCAN_ENDINGS, Pattern, rising
from tieline.readers.source import Source
from tieline.readers.text import decode

SPEC = re.compile(rb"(?:\s*#[A-RT-Z][^\n]*\n)*\s*#S +\d+ ")  # how a file of SPEC begins, whatever its name is
RAS_WORD = re.compile(r"\*(?P<key>[A-Z0-9_-]+)(?:\s+\"?(?P<value>[^\"]*)\"?)?\s*")
SECONDS_A_MINUTE = 60


@dataclass
class _Scan:
    """What stands between the beginning of a scan and the next."""

    number: str
    words: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def is_text_scan(source: Source) -> bool:
    """Whether a file is one of these, by its ending or by how it begins."""
    return source.path.suffix.lower() in TEXT_SCAN_ENDINGS or SPEC.match(source.data) is not None


def read_text_scans(source: Source) -> list[Pattern]:
    """Read the patterns of a file: one, named like it, or several, with the number of the scan behind.

    Scans over anything but two_theta, and of a few points, as they serve to align a specimen, are left out.
    Of SPEC's counters the last is the intensity, as its plots have it; an intensity of Rigaku is multiplied
    by the attenuation that was measured with.

    Raises:
        SchemaError: the file is damaged, or holds no scan over two_theta.
    """
    text, _ = decode(source.data, source.name)
    is_ras = source.path.suffix.lower() == ".ras"
    scans = list((_of_rigaku if is_ras else _of_spec)(text.splitlines()))
    found: list[tuple[str, np.ndarray, np.ndarray]] = []
    for scan in scans:
        pattern = _rigaku_pattern(scan, source) if is_ras else _spec_pattern(scan, source)
        if pattern is not None:
            found.append((scan.number, *pattern))
    if not found:
        raise _refused(source, f"{len(scans)} scans, none of {N_PATTERN_ANGLES} angles two_theta or more")
    stem = source.path.stem
    names = [stem] if len(found) == 1 else [f"{stem}-{number}" for number, *_ in found]
    return [Pattern(n, *rising(x, y, source.name)) for n, (_, x, y) in zip(names, found, strict=True)]


def _of_rigaku(lines: Sequence[str]) -> Iterator[_Scan]:
    scan, is_among_numbers, n = None, False, 0
    for line in lines:
        word = RAS_WORD.fullmatch(line)
        key = word["key"] if word else ""
        if key == "RAS_HEADER_START":
            n += 1
            scan = _Scan(str(n))
        elif scan is None:
            continue
        elif key in ("RAS_INT_START", "RAS_INT_END"):
            is_among_numbers = key == "RAS_INT_START"
            if not is_among_numbers:
                yield scan
        elif word:
            scan.words[key] = (word["value"] or "").strip()
        elif is_among_numbers:
            scan.lines.append(line)
    if is_among_numbers and scan is not None:
        scan.words["is_cut"] = "yes"
        yield scan


def _rigaku_pattern(scan: _Scan, source: Source) -> tuple[np.ndarray, np.ndarray] | None:
    """Angles and counts; None if the scan is over another axis."""
    axis = scan.words.get("MEAS_SCAN_AXIS_X_INTERNAL", scan.words.get("MEAS_SCAN_AXIS_X", ""))
    if not ANGLE.fullmatch(identifier(axis)):
        return None
    if "is_cut" in scan.words:
        raise _refused(source, f"scan {scan.number} breaks off after {len(scan.lines)} points")
    numbers = _numbers(scan, source)
    if len(numbers) < N_PATTERN_ANGLES:
        return None
    if numbers.shape[1] not in (2, 3):
        raise _refused(source, f"scan {scan.number} has {numbers.shape[1]} columns")
    attenuation = numbers[:, 2] if numbers.shape[1] == 3 else 1.0
    return numbers[:, 0], numbers[:, 1] * attenuation * _seconds_a_point(scan, source)


def _seconds_a_point(scan: _Scan, source: Source) -> float:
    """What counts per second are multiplied by; 1 for counts."""
    words = scan.words
    if words.get("MEAS_SCAN_UNIT_Y", "counts").lower() != "cps":
        return 1.0
    try:
        speed, step = float(words["MEAS_SCAN_SPEED"]), float(words["MEAS_SCAN_STEP"])
    except (KeyError, ValueError):
        speed = step = 0.0
    unit = words.get("MEAS_SCAN_SPEED_UNIT", "")
    if unit == "deg/min" and speed > 0 and step > 0:
        return SECONDS_A_MINUTE * step / speed
    if unit == "sec" and speed > 0:
        return speed
    raise _refused(source, "counts per second, and not how long a point was counted")


def _of_spec(lines: Sequence[str]) -> Iterator[_Scan]:
    scan, is_channels = None, False
    for line in lines:
        if line.startswith("#S "):
            if scan is not None:
                yield scan
            scan = _Scan(line.split()[1])
        elif line.startswith("#L ") and scan is not None:
            scan.words["labels"] = line[3:].strip()
        elif line.startswith("@") or is_channels:  # of a detector that counts energies, over several lines
            is_channels = line.endswith("\\")
        elif scan is not None and line.strip() and not line.startswith("#"):
            scan.lines.append(line)
    if scan is not None:
        yield scan


def _spec_pattern(scan: _Scan, source: Source) -> tuple[np.ndarray, np.ndarray] | None:
    """Angles and counts; None if the scan does not move two_theta."""
    labels = [label for label in re.split(r"\s{2,}|\t", scan.words.get("labels", "")) if label]
    place = next((i for i, label in enumerate(labels) if ANGLE.fullmatch(identifier(label))), None)
    if place is None or place == len(labels) - 1 or len(scan.lines) < N_PATTERN_ANGLES:
        return None
    numbers = _numbers(scan, source)
    if numbers.shape[1] != len(labels):
        raise _refused(source, f"scan {scan.number} has {numbers.shape[1]} columns, and {len(labels)} labels")
    is_moving = (np.diff(numbers[:, place]) != 0).all()
    return (numbers[:, place], numbers[:, -1]) if is_moving else None


def _numbers(scan: _Scan, source: Source) -> np.ndarray:
    try:
        return np.loadtxt(scan.lines, ndmin=2, comments=None) if scan.lines else np.empty((0, 2))
    except ValueError as error:
        raise _refused(source, f"scan {scan.number}: {error}") from error


def _refused(source: Source, found: str) -> SchemaError:
    return SchemaError(
        f"'{source.name}' has no scan that can be read as a diffraction pattern.",
        found=found,
        hint="export the pattern as .xy, two_theta in degrees and counts, in the program that wrote it",
    )
