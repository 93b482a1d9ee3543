"""Scans as text: .ras of Rigaku, and the files of SPEC."""

import numpy as np
import pytest

import tieline as tl
from tieline.errors import SchemaError

ANGLES = np.linspace(20, 60, 81)
COUNTS = (100 + 900 * np.exp(-(((ANGLES - 44.5) / 0.4) ** 2))).round()


def ras(axis="TwoThetaTheta", unit="counts", attenuation=1.0, said="", scans=1, counts=COUNTS):
    """What Rigaku writes: headers and numbers between marks, and words that are not ASCII."""
    points = "\n".join(
        f"{a:.4f} {c / attenuation:.4f} {attenuation:.4f}" for a, c in zip(ANGLES, counts, strict=True)
    )
    one = f"""*RAS_HEADER_START
*FILE_COMMENT "angelassen über Nacht"
*MEAS_DATA_COUNT "{ANGLES.size}"
*MEAS_SCAN_AXIS_X "2θ/θ"
*MEAS_SCAN_AXIS_X_INTERNAL "{axis}"
*MEAS_SCAN_UNIT_X "deg"
*MEAS_SCAN_UNIT_Y "{unit}"
{said}*RAS_HEADER_END
*RAS_INT_START
{points}
*RAS_INT_END
"""
    return f"*RAS_DATA_START\n{one * scans}*RAS_DATA_END\n".replace("\n", "\r\n")


def spec(*scans):
    """What SPEC writes: a heading of the file, then scan after scan."""
    body = "".join(
        f"\n#S {n}  ascan  {label.lower()} 20 60 80 1\n#D Wed Nov 25 10:11:12 2026\n#T 1  (Seconds)\n"
        f"#N 4\n#L {label}  Epoch  Seconds  Detector\n{rows}"
        for n, label, rows in scans
    )
    return f"#F wafer7\n#E 1000\n#D Wed Nov 25 10:00:00 2026\n#O0 Two Theta  Theta\n{body}"


def rows(counts=COUNTS, angles=ANGLES):
    return "".join(f"{a:.7g} {i} 1 {c:g}\n" for i, (a, c) in enumerate(zip(angles, counts, strict=True)))


def pattern_of(record, row=0):
    return record["xrd"]["two_theta"].values, record["xrd"]["intensity"].values[row]


@pytest.mark.parametrize(
    "text",
    [
        ras(),
        ras(attenuation=8.0),
        ras(
            "TwoTheta",
            "cps",
            said='*MEAS_SCAN_SPEED "1"\n*MEAS_SCAN_SPEED_UNIT "sec"\n*MEAS_SCAN_STEP "0.5"\n',
        ),
    ],
)
def test_a_scan_of_rigaku_is_a_pattern_in_counts(tmp_path, text):
    (tmp_path / "S1.ras").write_text(text, encoding="utf-8")
    record = tl.load(tmp_path / "S1.ras")
    assert record["xrd"]["specimen"].values.tolist() == ["S1"]
    angles, counts = pattern_of(record)
    np.testing.assert_allclose(angles, ANGLES)
    np.testing.assert_allclose(counts, COUNTS, rtol=1e-5)


def test_counts_per_second_become_counts_by_the_time_of_a_point(tmp_path):
    said = '*MEAS_SCAN_SPEED "10"\n*MEAS_SCAN_SPEED_UNIT "deg/min"\n*MEAS_SCAN_STEP "0.5"\n'
    (tmp_path / "S1.ras").write_text(ras(unit="cps", said=said), encoding="utf-8")
    np.testing.assert_allclose(pattern_of(tl.load(tmp_path / "S1.ras"))[1], COUNTS * 3)
    (tmp_path / "S2.ras").write_text(ras(unit="cps"), encoding="utf-8")
    with pytest.raises(SchemaError, match=r"(?s)'S2.ras'.*counts per second"):
        tl.load(tmp_path / "S2.ras")


def test_several_scans_are_numbered(tmp_path):
    (tmp_path / "wafer.ras").write_text(ras(scans=2), encoding="cp1252", errors="replace")
    assert tl.load(tmp_path / "wafer.ras")["xrd"]["specimen"].values.tolist() == ["wafer-1", "wafer-2"]


@pytest.mark.parametrize("name", ["S1.spec", "S1.dat", "S1.txt"])
def test_a_file_of_spec_is_known_by_how_it_begins(tmp_path, name):
    short = rows(COUNTS[:5], ANGLES[:5])
    text = spec((1, "Theta", rows()), (2, "Two Theta", short), (3, "Two Theta", rows()))
    (tmp_path / name).write_text(text)
    record = tl.load(tmp_path / name)
    assert record["xrd"]["specimen"].values.tolist() == ["S1"]
    angles, counts = pattern_of(record)
    np.testing.assert_allclose(angles, ANGLES)
    np.testing.assert_array_equal(counts, COUNTS)


def test_scans_of_spec_are_named_by_their_numbers_and_channels_are_no_rows(tmp_path):
    channels = rows().replace("\n", "\n@A 1 2 3\\\n 4 5 6\n")
    (tmp_path / "wafer.spec").write_text(spec((4, "tth", rows()), (7, "2theta", channels)))
    record = tl.load(tmp_path / "wafer.spec")
    assert record["xrd"]["specimen"].values.tolist() == ["wafer-4", "wafer-7"]
    np.testing.assert_array_equal(pattern_of(record, 1)[1], COUNTS)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.ras", "nothing of the kind", "0 scans"),
        ("a.ras", ras("Omega"), "1 scans, none"),
        ("a.ras", ras()[: len(ras()) // 2], "breaks off"),
        ("a.ras", ras().replace("30.0000 100.0000", "30.0000 abc"), "abc"),
        ("a.spec", spec((1, "Theta", rows())), "1 scans, none"),
        ("a.spec", spec((1, "tth", rows() + "60.5 1 1\n")), "scan 1"),
        ("a.spec", spec((1, "tth", rows() + rows())), "angles must rise"),
        ("a.ras", "\0\1\2\3" * 50, "not text"),
    ],
)
def test_what_is_no_scan_is_refused_by_name(tmp_path, name, text, says):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=rf"(?s)'{name}'.*{says}"):
        tl.load(tmp_path / name)


def test_another_reader_gives_the_same_numbers(tmp_path):
    io = pytest.importorskip("xrayutilities.io", reason="xrayutilities is not installed")
    (tmp_path / "S1.ras").write_text(ras(), encoding="utf-8")
    (tmp_path / "S1.spec").write_text(spec((3, "tth", rows())))
    theirs = io.RASFile(str(tmp_path / "S1.ras")).scans[0].data
    angles, counts = pattern_of(tl.load(tmp_path / "S1.ras"))
    np.testing.assert_array_equal([angles, counts], [theirs["TwoThetaTheta"], theirs["int"]])
    scan = io.SPECFile(str(tmp_path / "S1.spec")).scan_list[0]
    scan.ReadData()
    angles, counts = pattern_of(tl.load(tmp_path / "S1.spec"))
    np.testing.assert_allclose(angles, scan.data["tth"], rtol=1e-6)  # it keeps half of the digits
    np.testing.assert_array_equal(counts, scan.data["Detector"])
