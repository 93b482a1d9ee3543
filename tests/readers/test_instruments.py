"""Files that instruments write themselves: of diffractometers, and HDF5 of the NeXus convention."""

import io
import struct
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from without import hint_without

import tieline as tl
from tieline.errors import SchemaError
from tieline.readers import preview

ANGLES = np.linspace(20, 60, 81)
COUNTS = (100 + 900 * np.exp(-(((ANGLES - 44.5) / 0.4) ** 2))).round()


def xrdml(counts=COUNTS, ends=(20, 60), scans=1):
    """What PANalytical writes, as its schema has it."""
    one = (
        f'<scan scanAxis="Gonio" mode="Continuous"><dataPoints>'
        f'<positions axis="2Theta" unit="deg"><startPosition>{ends[0]}</startPosition>'
        f"<endPosition>{ends[1]}</endPosition></positions>"
        f'<commonCountingTime unit="seconds">1.0</commonCountingTime>'
        f'<intensities unit="counts">{" ".join(f"{c:g}" for c in counts)}</intensities>'
        f"</dataPoints></scan>"
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5">'
    return f"{head}<xrdMeasurement>{one * scans}</xrdMeasurement></xrdMeasurements>".encode()


def rasx():
    """What Rigaku writes: a zip with the profile as text, and how it was measured."""
    lines = "\n".join(f"{a:.4f}\t{c:g}\t1.0" for a, c in zip(ANGLES, COUNTS, strict=True))
    said = """<MeasurementConditions><ScanInformation><AxisName>TwoTheta</AxisName></ScanInformation>
        <HWConfigurations><Categories><Category Name="Detector" SelectedUnit="HyPix"/></Categories><Optics/>
        <Distances/><XrayGenerator><TargetName>Cu</TargetName></XrayGenerator></HWConfigurations>
        <RASHeader><Pair><Name>MEAS_COND_AXIS_NAME-0</Name><Value>TwoTheta</Value></Pair></RASHeader>
        <Axes><Axis Name="TwoTheta" Unit="deg" Offset="0" Position="20"/></Axes></MeasurementConditions>"""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("Data0/Profile0.txt", "\ufeff" + lines)
        book.writestr("Data0/MesurementConditions0.xml", said)
    return out.getvalue()


def raw():
    """What Bruker writes, version 4: numbers at places of their own."""
    data = bytearray(0x051F + 8 * ANGLES.size)
    data[:7] = b"RAW4.00"
    data[0x01C3:0x01C5] = struct.pack("<H", ANGLES.size)
    data[0x020F:0x0217] = struct.pack("<d", ANGLES[1] - ANGLES[0])
    data[0x04D0:0x04D6] = b"Theta\0"
    data[0x04FB:0x0503] = struct.pack("<d", ANGLES[0])
    data[0x051F:] = b"".join(struct.pack("<ff", c, 0.0) for c in COUNTS)
    return bytes(data)


def brml():
    """What Bruker writes since: a zip of XML."""
    points = "".join(f"<Datum>1,1,{a},{a / 2},{c:g}</Datum>" for a, c in zip(ANGLES, COUNTS, strict=True))
    axis = """<ScanAxisInfo AxisName="TwoTheta"><Unit Base="Deg"/><Reference>0</Reference><Start>20</Start>
        <Stop>60</Stop><Increment>0.5</Increment></ScanAxisInfo>"""
    route = f"""<DataRoute>{points}<ScanInformation ScanName="a">
        <MeasurementPoints>81</MeasurementPoints>
        <TimePerStep>1</TimePerStep><TimePerStepEffective>1</TimePerStepEffective><ScanMode>c</ScanMode>
        <ScanAxes>{axis}</ScanAxes></ScanInformation><DataViews><RawDataView
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="RecordedRawDataView" Start="4"
        Length="1"><Recording LogicName="Counter_1D"/></RawDataView></DataViews></DataRoute>"""
    drive = '<InfoData LogicName="Theta"><Position Value="10" Unit="Deg"/></InfoData>'
    inside = f"<FixedInformation><Drives>{drive}</Drives></FixedInformation>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        place = "Experiment0/RawData0.xml"
        listed = f"<RawDataReferenceList><string>{place}</string></RawDataReferenceList>"
        book.writestr("Experiment0/DataContainer.xml", f"<DataContainer>{listed}</DataContainer>")
        book.writestr(place, f"<RawData>{inside}<DataRoutes>{route}</DataRoutes></RawData>")
    return out.getvalue()


def nexus(file, signal=COUNTS, angles=ANGLES, units="degree", axes=("two_theta",), **more):
    with h5py.File(file, "w") as made:
        data = made.create_group("entry/data")
        data.attrs.update(NX_class="NXdata", signal="counts", axes=list(axes))
        data["counts"], data["two_theta"] = signal, angles
        data["two_theta"].attrs["units"] = units
        for name, values in more.items():
            data[name] = values
    return file


def pattern_of(record, row=0):
    return record["xrd"]["two_theta"].values, record["xrd"]["intensity"].values[row]


@pytest.mark.parametrize(("ending", "data"), [("xrdml", xrdml), ("raw", raw), ("brml", brml), ("rasx", rasx)])
def test_the_file_of_a_diffractometer_is_a_pattern_of_the_specimen_it_is_named_like(tmp_path, ending, data):
    (tmp_path / f"S1.{ending}").write_bytes(data())
    record = tl.load(tmp_path / f"S1.{ending}")
    assert record["xrd"]["specimen"].values.tolist() == ["S1"]
    angles, counts = pattern_of(record)
    np.testing.assert_allclose(angles, ANGLES, atol=1e-6)
    np.testing.assert_allclose(counts, COUNTS)
    (row,) = preview(tmp_path / f"S1.{ending}").to_dict("records")
    assert (row["name"], row["unit"], row["max"]) == ("xrd/intensity", "counts", COUNTS.max())


def test_files_of_diffractometers_lie_beside_a_sheet(tmp_path):
    pd.DataFrame({"specimen": ["S1", "S2"], "hardness (GPa)": [5.0, 6.0]}).to_csv(
        tmp_path / "s.csv", index=False
    )
    (tmp_path / "S1.xrdml").write_bytes(xrdml())
    (tmp_path / "S2.raw").write_bytes(raw())
    record = tl.load(tmp_path)
    assert record["xrd"]["specimen"].values.tolist() == ["S1", "S2"]
    assert record["specimens"]["hardness"].values.tolist() == [5.0, 6.0]


def test_what_may_be_anything_is_left_aside_in_a_folder(tmp_path):
    sheet = pd.DataFrame({"specimen": ["S1", "S2"], "hardness (GPa)": [5.0, 6.0]})
    sheet.to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "S1.raw").write_bytes(b"of something else")
    (tmp_path / "S2.xrdml").write_bytes(xrdml())
    record = tl.load(tmp_path)
    assert any(note.startswith("'S1.raw' was left aside") for note in record.attrs["notes"])
    assert record["xrd"]["specimen"].values.tolist() == ["S2"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xrdml", b"<x/>"),
        ("a.xrdml", b"no xml"),
        ("a.xrdml", xrdml(scans=2)),
        ("a.xrdml", xrdml(ends=(60, 200))),
        ("a.xrdml", xrdml(COUNTS[:4], (20, 22))),
        ("a.brml", b"PK\x03\x04"),
        ("a.rasx", b""),
        ("a.raw", b"RAW1.01"),
        ("a.h5", b"no file of HDF5"),
    ],
)
def test_what_is_no_pattern_is_refused_by_name(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SchemaError, match=rf"'{name}'"):
        tl.load(tmp_path / name)


def test_without_the_library_the_message_says_how_to_install_it(tmp_path):
    (tmp_path / "S1.xrdml").write_bytes(xrdml())
    call = f"tl.load({str(tmp_path / 'S1.xrdml')!r})"
    assert hint_without("fairmat_readers_xrd", call) == 'pip install "tieline[readers]"'


def test_a_signal_of_nexus_is_a_pattern(tmp_path):
    record = tl.load(nexus(tmp_path / "S1.nxs", angles=np.deg2rad(ANGLES), units="rad"))
    assert record["xrd"]["specimen"].values.tolist() == ["S1"]
    angles, counts = pattern_of(record)
    np.testing.assert_allclose(angles, ANGLES)
    np.testing.assert_array_equal(counts, COUNTS)


def test_rows_of_a_signal_are_specimens(tmp_path):
    both = np.stack([COUNTS, 2 * COUNTS])[:, ::-1]
    axes = ("specimen", "two_theta")
    file = nexus(tmp_path / "a.h5", both, ANGLES[::-1], axes=axes, specimen=np.array(["P", "Q"], dtype="S1"))
    record = tl.load(file)
    assert record["xrd"]["specimen"].values.tolist() == ["P", "Q"]
    np.testing.assert_array_equal(pattern_of(record, 1)[1], 2 * COUNTS)
    unnamed = tl.load(nexus(tmp_path / "b.h5", both[:, ::-1], axes=(".", "two_theta")))
    assert unnamed["xrd"]["specimen"].values.tolist() == ["b-1", "b-2"]


def test_of_several_signals_the_default_is_read(tmp_path):
    file = nexus(tmp_path / "S1.nxs")
    with h5py.File(file, "a") as made:
        made.copy("entry/data", "entry/background")
        made["entry/background/counts"][...] = 7
    with pytest.raises(SchemaError, match=r"(?s)several: /entry/background, /entry/data.*default"):
        tl.load(file)
    with h5py.File(file, "a") as made:
        made.attrs["default"], made["entry"].attrs["default"] = "entry", "background"
    assert (pattern_of(tl.load(file))[1] == 7).all()


def test_nothing_is_read_out_of_another_file(tmp_path):
    file = nexus(tmp_path / "S1.nxs")
    nexus(tmp_path / "secret.h5")
    with h5py.File(file, "a") as made:
        del made["entry/data/counts"]
        made["entry/data/counts"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "entry/data/counts")
    with pytest.raises(SchemaError, match=r"'S1.nxs'"):
        tl.load(file)
