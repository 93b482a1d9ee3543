"""Damaged and hostile files before every reader: each is read or refused by name, and none does harm."""

import io
import struct
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import tifffile
import xarray as xr

from tieline.readers.apart import outcomes_apart
from tieline.readers.process import DIED

TOGETHER = 100  # files that one process reads, within the limits of a single one
WIDE = (300, 20_000)  # columns: of a table that is read, and of one that is refused
BOMB = 400 << 20  # bytes that a small sheet unpacks to
Maker = Callable[[np.random.Generator, dict[str, bytes]], tuple[str, bytes]]


def files_case(place: Path, n: int, seed: int = 0) -> dict[str, float]:
    """Read n files, damaged or made to do harm."""
    begun, counts, slowest = time.perf_counter(), Counter(), 0.0
    files = enumerate(hostile_files(n, seed))
    while batch := list(islice(files, TOGETHER)):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            made = [_written(Path(folder), i, name, data) for i, (name, data) in batch]
            outcomes, longest = read_all(made)
            counts.update(outcomes)
            slowest = max(slowest, longest)
    found = {f"{what}_share": counts[what] / n for what in ("read", "refused", "stopped")}
    return found | {
        "files": n,
        "faults": counts["died"],
        "slowest_seconds": slowest,
        "seconds": time.perf_counter() - begun,
    }


def _written(folder: Path, i: int, name: str, data: bytes) -> Path:
    file = folder / f"{i}-{name}"
    file.write_bytes(data)
    return file


def read_all(files: list[Path]) -> tuple[list[str], float]:
    """What comes of files, and how long they took together."""
    begun = time.perf_counter()
    outcomes = [_word(outcome) for outcome in outcomes_apart(files)]
    return outcomes, time.perf_counter() - begun


def _word(outcome: str) -> str:
    if outcome.startswith(DIED):
        return "died"
    return "stopped" if outcome.startswith("it ") else "read" if outcome == "read" else "refused"


def hostile_files(n: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Files (name, bytes): sound ones of every kind, damaged in several ways; and some made to do harm."""
    rng, sound = np.random.default_rng(seed), sound_files()
    for i in range(n):
        maker = MAKERS[i % len(MAKERS)]
        yield maker(rng, sound)


def sound_files() -> dict[str, bytes]:
    """A small file of every kind that is read."""
    rng = np.random.default_rng(0)
    sheet = pd.DataFrame({"specimen": [f"S{i}" for i in range(12)], "T (degC)": np.arange(600, 720, 10)})
    sheet["hardness (GPa)"], sheet["phase"] = rng.normal(6, 1, 12).round(2), rng.choice(["fcc", "bcc"], 12)
    book, stack, record = io.BytesIO(), io.BytesIO(), io.BytesIO()
    sheet.to_excel(book, index=False)
    tifffile.imwrite(stack, (rng.random((8, 16, 16)) > 0.5).astype(np.uint8))
    data = xr.Dataset({"hardness": ("specimen", [5.0, 6.0], {"units": "GPa"})}, {"specimen": ["a", "b"]})
    data.to_netcdf(record, engine="h5netcdf")
    pattern = "\n".join(f"{20 + 0.1 * k:.1f} {100 + k}" for k in range(80)).encode()
    return {
        "a.csv": sheet.to_csv(index=False).encode(),
        "a.xlsx": book.getvalue(),
        "a.tif": stack.getvalue(),
        "a.nc": record.getvalue(),
        "a.xy": pattern,
        "a.nxs": _nexus(),
        "a.xrdml": _xrdml(),
        "a.ras": _ras(),
        "a.txt": sheet.to_csv(index=False, sep="\t").encode("utf-16"),
    }


def _nexus() -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        data = file.create_group("entry/data")
        data.attrs.update(NX_class="NXdata", signal="counts", axes=["two_theta"])
        data["counts"], data["two_theta"] = np.arange(80.0), np.linspace(20, 60, 80)
    return out.getvalue()


def _xrdml() -> bytes:
    """A pattern as PANalytical writes it."""
    ends = "<startPosition>20</startPosition><endPosition>60</endPosition>"
    points = f'<positions axis="2Theta" unit="deg">{ends}</positions>'
    points += '<commonCountingTime unit="seconds">1</commonCountingTime>'
    points += f"<intensities>{' '.join(map(str, range(80)))}</intensities>"
    scan = f"<xrdMeasurement><scan><dataPoints>{points}</dataPoints></scan></xrdMeasurement>"
    return (
        f'<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5">{scan}</xrdMeasurements>'.encode()
    )


def _ras() -> bytes:
    """A pattern as Rigaku writes it as text."""
    points = "\n".join(f"{20 + 0.5 * k:.4f} {100 + k:.4f} 1.0000" for k in range(80))
    head = '*RAS_DATA_START\n*RAS_HEADER_START\n*MEAS_SCAN_AXIS_X_INTERNAL "TwoThetaTheta"\n*RAS_HEADER_END\n'
    return f"{head}*RAS_INT_START\n{points}\n*RAS_INT_END\n*RAS_DATA_END\n".encode()


def _any(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    name = str(rng.choice(list(sound)))
    return name, sound[name]


def _truncated(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    name, data = _any(rng, sound)
    return name, data[: int(rng.integers(len(data)))]


def _flipped(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    name, data = _any(rng, sound)
    damaged = bytearray(data)
    for at in rng.integers(len(damaged), size=rng.integers(1, 20)):
        damaged[at] ^= 1 << int(rng.integers(8))
    return name, bytes(damaged)


def _overwritten(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    name, data = _any(rng, sound)
    at, length = rng.integers(len(data)), rng.integers(1, 200)
    filling = rng.bytes(int(length)) if rng.random() < 0.5 else bytes(length)
    return name, data[:at] + filling + data[at + length :]


def _misnamed(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    _, data = _any(rng, sound)
    return str(rng.choice(list(sound))), data


def _repeated(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    name, data = _any(rng, sound)
    return name, data * int(rng.integers(2, 5))


def _huge_image(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    """A TIFF whose header speaks of 10⁹ pixels and more."""
    side = int(rng.integers(30_000, 2_000_000_000))
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
            (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, 100)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return "a.tif", b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(104)


def _bomb(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    """A workbook of a few kB that unpacks to hundreds of MB, in its sheet or its texts."""
    return "a.xlsx", _bomb_in(str(rng.choice(["worksheets/sheet1", "sharedStrings", "styles"])))


@cache
def _bomb_in(part: str) -> bytes:
    return _book_with(sound_files(), f"xl/{part}.xml", lambda text: text[:-20] + b" " * BOMB + text[-20:])


def _entities(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    """A workbook whose XML wants another file, or grows without end."""
    if rng.random() < 0.5:
        head = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    else:
        lines = [b'<!ENTITY b0 "lol">']
        lines += [b'<!ENTITY b%d "%s">' % (k, b"&b%d;" % (k - 1) * 10) for k in range(1, 12)]
        head = b"<!DOCTYPE x [" + b"".join(lines) + b"]>"
    entity = b"&a;" if b"SYSTEM" in head else b"&b11;"

    def poison(text: bytes) -> bytes:
        declared, _, rest = text.partition(b"?>")
        return declared + b"?>" + head + rest.replace(b"</t>", entity + b"</t>")

    return "a.xlsx", _book_with(sound, "xl/sharedStrings.xml", poison)


def _wide(rng: np.random.Generator, sound: dict[str, bytes]) -> tuple[str, bytes]:
    """A table of very many columns, a line without end, or quotes that are never closed."""
    kind = rng.integers(3)
    if kind == 0:
        n = int(rng.choice(WIDE))
        return "a.csv", b",".join(b"c%d" % k for k in range(n)) + b"\n" + b",".join([b"1"] * n)
    if kind == 1:
        return "a.csv", b"T,hardness\n1," + b"9" * int(rng.integers(1 << 20, 8 << 20)) + b"\n2,3\n"
    return "a.csv", b'T,hardness\n"1,' + b'2\n"3,4\n' * 5000


def _book_with(sound: dict[str, bytes], part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The sound workbook with one of its parts changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sound["a.xlsx"])) as book,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy,
    ):
        for name in book.namelist():
            text = book.read(name)
            copy.writestr(name, change(text) if name == part else text)
    return out.getvalue()


# Damage as it happens, nine in ten; files made to do harm are alike, and slow to make.
DAMAGES: list[Maker] = [_truncated, _flipped, _overwritten, _misnamed, _repeated]
MAKERS: list[Maker] = [*DAMAGES * 9, _huge_image, _entities, _wide, _wide, _bomb]
