"""Spectra in files of ION-TOF's software: blocks within blocks, as its reader takes them apart."""

import os
import pickle
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from without import hint_without

import tieline as tl
from tieline.errors import SchemaError

SF, K0, N = 2000.0, 40.0, 1500  # channels are (sqrt(mz) * SF + K0) / 2
MZ = ((2 * np.arange(N) - K0) / SF) ** 2
BEGIN = int(np.argmin(MZ))
COUNTS = np.random.default_rng(0).poisson(3, N).astype(float)
COUNTS[700] += 5000


@pytest.fixture
def library():
    return pytest.importorskip("pySPM", reason='pip install "tieline[tofsims]"')


def block(at, name, content, number=0):
    """One block that begins at a place of the file, and all that lies in it, as bytes."""
    called = name.encode()
    if isinstance(content, bytes):
        head = struct.pack("<B6I", 0, 25, len(called), number, 0, len(content), len(content))
        return head + called + content
    size = 41 + 33 * len(content) + sum(len(child) for child, _ in content)
    begin = at + 25 + len(called) + size
    entries, names, made = b"", b"", b""
    for child, inner in content:
        data = block(begin + len(made), child, inner)
        where = 41 + 33 * len(content) + len(names)
        entries += struct.pack(
            "<B4I2Q", 0, where, len(child), 0, isinstance(inner, bytes), len(data), begin + len(made)
        )
        names, made = names + child.encode(), made + data
    head = struct.pack("<B6I", 1, 25, len(called), number, len(content), size, size)
    value = struct.pack("<2I5x5IQ", size, len(content), 0, 0, 0, 0, 0, 0) + entries + names
    return head + called + value + made


def tree(**parts):
    """Nested mappings as the list of blocks that they are."""
    return [(name.replace("__", " "), tree(**p) if isinstance(p, dict) else p) for name, p in parts.items()]


def value(key, whole=0, real=0.0, text=""):
    """A value with its name, as the software keeps settings."""
    key, text = key.encode("utf-16"), text.encode("utf-16")
    return (
        bytes(16) + struct.pack("<I", len(key)) + key + struct.pack("<2xqd", whole, real)
        + struct.pack("<I", len(text)) + text
    )  # fmt: skip


def double(number):
    return struct.pack("<d", number)


def settings(**more):
    said = {
        "Instrument.Analyzer_Polarity_Switch": value("Polarity", text="Negative"),
        "Registration.Raster.ShotsPerPixel": value("Shots", 1),
        "Measurement.ScanNumber": value("Scans", 1),
    }
    return said | more


def ita(counts=COUNTS, sf=SF, k0=K0):
    spectrum = {"IITFSpecArray": {"CorrectedData": zlib.compress(counts.astype("<f4").tobytes())}}
    spectrum["IMassScaleSFK0"] = {"sf": double(sf), "k0": double(k0)}
    image = {"res_x": struct.pack("<i", 2), "res_y": struct.pack("<i", 2), "fieldofview": double(1e-4)}
    parts = {
        "Meta": {"SI__Image": image},
        "filterdata": {"TofCorrection": {"Spectrum": {"Reduced__Data": spectrum}}},
        "propend": settings(),
    }
    return b"ITStrF01" + block(8, "root", tree(**parts))


def itm(hits):
    """Every pulse: channels of the ions that came at the one pixel."""
    pulses = np.array([0xC0000000, 0xD0000000, 0x40000000, *hits], "<u4")
    image = {"res_x": struct.pack("<i", 1), "res_y": struct.pack("<i", 1), "fieldofview": double(0.0)}
    said = settings(
        **{
            "Instrument.PrimaryGun.Species": value("Species", text="Bi3+"),
            "Instrument.PrimaryGun.Energy": value("Energy", real=30_000.0),
            "Measurement.CycleTime": value("Cycle", real=N * 5e-11),
            "Registration.TimeResolution": value("Resolution", real=5e-11),
        }
    )
    raw = {"   6": struct.pack("<I", 0), "  14": zlib.compress(pulses.tobytes())}
    parts = {
        "Meta": {"SI__Image": image},
        "MassScale": {"sf": double(SF / 2), "k0": double(K0 / 2)},
        "propend": said,
        "rawdata": raw,
    }
    return b"ITStrF01" + block(8, "root", tree(**parts))


@dataclass
class Trap:
    """What makes a folder when it is unpickled."""

    folder: str

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def itax(counts=COUNTS, trap=None):
    said = {"Context.MassScale.SF": value("SF", real=SF), "Context.MassScale.K0": value("K0", real=K0)}
    cache = {"simsDataCache": {"spectrum": {"correctedData": counts.astype("<f8").tobytes()}}}
    shown = {"sizeSpectrum": struct.pack("<i", counts.size), "dataSource": cache, "properties": said}
    options = {"options": {"pickle": pickle.dumps(trap)}}
    parts = {"CommonDataObjects": {"MeasurementOptions": options, "DataViewCollection": {"view": shown}}}
    return b"ITStrF01" + block(8, "root", tree(**parts))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("name", "data"), [("S1.ita", ita()), ("S1.itax", itax())])
def test_the_sum_of_all_pixels_is_a_spectrum(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    specimens = tl.load(tmp_path / name, axis="mz")["specimens"]
    assert specimens["specimen"].values.tolist() == ["S1"]
    np.testing.assert_allclose(specimens["mz"], MZ[BEGIN:])
    np.testing.assert_allclose(specimens["counts"][0], COUNTS[BEGIN:])


@pytest.mark.usefixtures("library")
def test_every_pulse_is_counted(tmp_path):
    (tmp_path / "S1.itm").write_bytes(itm([700, 700, 900]))
    counts = tl.load(tmp_path / "S1.itm", axis="mz")["specimens"]["counts"][0]
    mz = ((np.array([700, 900]) - K0 / 2) / (SF / 2)) ** 2
    np.testing.assert_allclose(counts.sel(mz=mz, method="nearest"), [2, 1])
    assert counts.sum() == 3


@pytest.mark.usefixtures("library")
def test_spectra_of_two_calibrations_are_brought_to_one_with_all_their_counts(tmp_path):
    (tmp_path / "a.ita").write_bytes(ita())
    (tmp_path / "b.ita").write_bytes(ita(sf=SF * 1.0002))
    counts = tl.load(tmp_path, axis="mz")["specimens"]["counts"]
    assert counts["specimen"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(counts.sum("mz"), COUNTS[BEGIN:].sum(), rtol=1e-3)
    peaks = (counts * counts.mz).sum("mz") / counts.sum("mz")
    assert abs(float(peaks[0] - peaks[1])) < 1e-3


@pytest.mark.usefixtures("library")
def test_spectra_lie_beside_a_sheet(tmp_path):
    sheet = pd.DataFrame({"specimen": ["S1", "S2"], "hardness (GPa)": [5.0, 6.0]})
    sheet.to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "S2.ita").write_bytes(ita())
    (tmp_path / "S1.ita").write_bytes(ita()[:900])
    record = tl.load(tmp_path)
    assert record["tofsims"]["intensity"].dims == ("measurement", "mz")
    assert record["tofsims"]["specimen"].values.tolist() == ["S2"]
    assert any("'S1.ita' was left aside" in note for note in record.attrs["notes"])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("name", "data"), [("a.ita", b"ITStrF01"), ("a.itax", ita()), ("a.ita", ita(sf=float("nan")))]
)
def test_what_is_no_spectrum_is_refused_by_name(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SchemaError, match=rf"'{name}' cannot be read as a mass spectrum"):
        tl.load(tmp_path / name, axis="mz")


@pytest.mark.usefixtures("library")
def test_what_stands_in_a_file_is_never_run(tmp_path):
    trap = Trap(str(tmp_path / "trap"))
    (tmp_path / "S1.itax").write_bytes(itax(trap=trap))
    tl.load(tmp_path / "S1.itax", axis="mz")
    assert not (tmp_path / "trap").exists()
    pickle.loads(pickle.dumps(trap))  # as the library's own class would
    assert (tmp_path / "trap").exists()


def test_without_the_library_the_message_says_how_to_install_it(tmp_path):
    (tmp_path / "S1.ita").write_bytes(ita())
    call = f"tl.load({str(tmp_path / 'S1.ita')!r}, axis='mz')"
    assert hint_without("pySPM", call) == 'pip install "tieline[tofsims]"'
