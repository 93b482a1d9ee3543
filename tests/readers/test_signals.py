"""Images and spectra of electron microscopes and spectrometers."""

import zlib

import h5py
import numpy as np
import pandas as pd
import pytest
from without import hint_without, lines_without

import tieline as tl
from tieline.errors import SchemaError
from tieline.readers import preview

PIXELS = np.random.default_rng(0).integers(0, 255, (6, 8)).astype(np.int16)
COUNTS = np.arange(30, dtype=float)


@pytest.fixture
def rsciio():
    return pytest.importorskip("rsciio", reason='pip install "tieline[microscopy]"')


def msa(counts=COUNTS, step=0.01, offset=-0.1, units="keV", kind="EDS"):
    """A spectrum as the standard of the Microscopy Society of America has it."""
    head = [
        "FORMAT : EMSA/MAS",
        "VERSION : 1.0",
        "TITLE : a",
        "DATE : 25-NOV-2026",
        "TIME : 10:00",
        "OWNER : lab",
    ]
    head += [
        f"NPOINTS : {len(counts)}",
        "NCOLUMNS : 1",
        f"XUNITS : {units}",
        "YUNITS : counts",
        "DATATYPE : Y",
    ]
    head += [
        f"XPERCHAN : {step}",
        f"OFFSET : {offset}",
        f"SIGNALTYPE : {kind}",
        "SPECTRUM    : Spectral Data Starts Here",
    ]
    lines = (
        [f"#{line.partition(' : ')[0]:<12} : {line.partition(' : ')[2]}" for line in head]
        + [f"{c:g}," for c in counts]
        + ["#ENDOFDATA   : "]
    )
    return "\n".join(lines).encode()


def mrc(pixels=PIXELS, edge=50.0, n=1):
    """An image of an electron microscope; its lengths are in 0.1 nm."""
    y, x = pixels.shape
    head = np.zeros(256, "<i4")
    head[:4], head[7:10] = (x, y, n, 1), (x, y, n)
    head[10:13] = np.array([x * edge, y * edge, edge], "<f4").view("<i4")
    head[16:19] = 1, 2, 3
    head[52], head[53] = int.from_bytes(b"MAP ", "little"), 0x4444
    return head.tobytes() + b"".join([pixels.astype("<i2").tobytes()] * n)


def axis(name, size, units, scale, offset=0.0, navigate=False):
    told = {"name": name, "size": size, "units": units, "scale": scale, "offset": offset}
    return told | {"navigate": navigate, "_type": "UniformDataAxis", "is_binned": False}


def hspy(file, data, axes, quantity="Intensity (Counts)", kind=""):
    from rsciio.hspy import file_writer

    axes = [one | {"index_in_array": i} for i, one in enumerate(axes)]
    signal = {"signal_type": kind, "quantity": quantity}
    rest = {key: {} for key in ("original_metadata", "learning_results", "models", "tmp_parameters")}
    said = {"data": data, "axes": axes, "metadata": {"General": {"title": "a"}, "Signal": signal}, **rest}
    file_writer(str(file), said | {"package_info": {}, "attributes": {"_lazy": False}})
    return file


@pytest.mark.usefixtures("rsciio")
def test_a_spectrum_of_x_rays_is_over_energies_in_keV(tmp_path):
    (tmp_path / "S1.msa").write_bytes(msa(step=10, offset=-100, units="eV"))
    (tmp_path / "S2.emsa").write_bytes(msa(2 * COUNTS, units="keV"))
    record = tl.load(tmp_path)
    assert record["eds"]["specimen"].values.tolist() == ["S1", "S2"]
    assert [record["eds"][n].attrs["units"] for n in ("energy", "intensity")] == ["keV", "counts"]
    np.testing.assert_allclose(record["eds"]["energy"], -0.1 + 0.01 * np.arange(30), atol=1e-12)
    np.testing.assert_array_equal(record["eds"]["intensity"], [COUNTS, 2 * COUNTS])
    (row,) = preview(tmp_path / "S1.msa").to_dict("records")
    assert (row["name"], row["unit"], row["max"]) == ("eds/intensity", "counts", 29)


@pytest.mark.usefixtures("rsciio")
def test_an_energy_loss_has_a_node_of_its_own(tmp_path):
    (tmp_path / "S1.msa").write_bytes(msa(units="eV", kind="ELS"))
    assert tl.load(tmp_path / "S1.msa")["eels"]["intensity"].dims == ("measurement", "energy_loss")


@pytest.mark.usefixtures("rsciio")
def test_images_lie_beside_a_sheet_with_the_size_of_their_pixels(tmp_path):
    pd.DataFrame({"specimen": ["S1", "S2", "S3"], "hardness (GPa)": [5.0, 6, 7]}).to_csv(
        tmp_path / "s.csv", index=False
    )
    (tmp_path / "S-01.mrc").write_bytes(mrc())
    (tmp_path / "S2.mrc").write_bytes(mrc(PIXELS[::-1], edge=20.0))
    record = tl.load(tmp_path)
    images = record["images"]
    assert images["specimen"].values.tolist() == ["S1", "S2"]
    assert images["image"].dims == ("measurement", "y", "x")
    np.testing.assert_array_equal(images["image"], [PIXELS, PIXELS[::-1]])
    np.testing.assert_allclose(images["pixel_size"], [5.0, 2.0])
    assert images["pixel_size"].attrs["units"] == "nm"
    assert any("Specimens without a measurement: S3" in note for note in record.attrs["notes"])
    (row,) = preview(tmp_path / "S2.mrc").to_dict("records")
    assert row["why"] == "an image of 8 x 6 pixels of 2 nm"


@pytest.mark.usefixtures("rsciio")
def test_images_of_two_sizes_are_refused_with_both(tmp_path):
    (tmp_path / "S1.mrc").write_bytes(mrc())
    (tmp_path / "S2.mrc").write_bytes(mrc(PIXELS[:4]))
    with pytest.raises(SchemaError, match=r"(?s)one size.*S1: 6 x 8; S2: 4 x 8"):
        tl.load(tmp_path)


@pytest.mark.usefixtures("rsciio")
def test_raman_shifts_rise_and_a_map_is_averaged(tmp_path):
    falling = axis("Raman Shift", 30, "1/cm", -3.0, 400.0)
    map_of = np.stack([[COUNTS, COUNTS + 2]] * 3)
    hspy(tmp_path / "S1.hspy", COUNTS, [falling])
    hspy(
        tmp_path / "S2.hspy",
        map_of,
        [axis("y", 3, "µm", 1, 0, True), axis("x", 2, "µm", 1, 0, True), falling],
    )
    record = tl.load(tmp_path)
    raman = record["raman"]
    np.testing.assert_allclose(raman["raman_shift"], 313 + 3.0 * np.arange(30))
    np.testing.assert_array_equal(raman["intensity"], [COUNTS[::-1], COUNTS[::-1] + 1])
    assert "S2.hspy: the mean of 6 spectra of a map." in record.attrs["notes"]


@pytest.mark.usefixtures("rsciio")
def test_spectra_on_different_grids_are_brought_to_one(tmp_path):
    hspy(tmp_path / "S1.hspy", COUNTS, [axis("Raman Shift", 30, "1/cm", 2.0, 100.0)])
    hspy(tmp_path / "S2.hspy", COUNTS, [axis("Raman Shift", 30, "1/cm", 1.0, 110.0)])
    record = tl.load(tmp_path)
    shift = record["raman"]["raman_shift"].values
    assert (shift[0], shift[-1]) == (110, 139)
    np.testing.assert_allclose(record["raman"]["intensity"], [(shift - 100) / 2, shift - 110])
    assert any("raman spectra on different grids" in note for note in record.attrs["notes"])


@pytest.mark.usefixtures("rsciio")
def test_images_and_spectra_come_into_a_campaign_and_can_be_a_fingerprint(tmp_path):
    from tieline.campaign.studies.modalities import offers

    lab = tmp_path / "lab"
    lab.mkdir()
    names = [f"S{i}" for i in range(6)]
    pd.DataFrame({"specimen": names, "hardness (GPa)": np.arange(6.0)}).to_csv(lab / "s.csv", index=False)
    for name in names:
        (lab / f"{name}.mrc").write_bytes(mrc())
        (lab / f"{name}.msa").write_bytes(msa())
    with tl.Campaign.create(tmp_path / "c") as campaign:
        campaign.import_file(lab)
        (tmp_path / "S1.mrc").write_bytes(mrc(PIXELS + 1))
        campaign.import_file(tmp_path / "S1.mrc")
        record = campaign.record()
    assert {"images/image", "eds/intensity"} <= {offer.name for offer in offers(record)}
    newest = record["images"]["image"].values[record["images"]["specimen"].values == "S1"]
    np.testing.assert_array_equal(newest, [PIXELS + 1])


@pytest.mark.usefixtures("rsciio")
def test_what_is_no_signal_is_left_aside_by_name(tmp_path):
    hostile = {
        "a.msa": b"no spectrum",
        "b.msa": msa()[:200],
        "c.msa": msa(step=0),
        "d.mrc": mrc()[:1040],
        "e.mrc": mrc(n=3),
        "f.dm3": mrc(),
        "g.bcf": msa(),
        "h.wdf": b"WDF1" + msa(),
        "i.spx": b"<TRTSpectrum/>",
        "j.emd": b"\x89HDF\r\n\x1a\n" + bytes(90),
        "k.sur": zlib.compress(mrc()),
        "l.hspy": b"",
    }
    for name, data in hostile.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "S1.msa").write_bytes(msa())
    record = tl.load(tmp_path)
    assert record["eds"]["specimen"].values.tolist() == ["S1"]
    assert [note[1:6].strip("'") for note in record.attrs["notes"] if "left aside" in note] == [
        name[:5] for name in hostile
    ]
    with pytest.raises(SchemaError, match=r"(?s)'e.mrc' cannot be read.*3 x 6 x 8"):
        tl.load(tmp_path / "e.mrc")


@pytest.mark.usefixtures("rsciio")
def test_several_spectra_of_a_kind_are_refused(tmp_path):
    file = hspy(tmp_path / "a.hspy", COUNTS, [axis("Energy", 30, "keV", 0.1)], kind="EDS_SEM")
    with h5py.File(file, "a") as made:
        made.copy("Experiments/a", "Experiments/b")
    with pytest.raises(SchemaError, match=r"(?s)'a.hspy'.*eds \(2\)"):
        tl.load(file)


@pytest.mark.usefixtures("rsciio")
@pytest.mark.parametrize("way", ["link", "external", "virtual"])
def test_nothing_is_read_out_of_another_file(tmp_path, way):
    file = hspy(tmp_path / "a.hspy", COUNTS, [axis("Energy", 30, "keV", 0.1)])
    (tmp_path / "secret").write_bytes(bytes(240))
    with h5py.File(file, "a") as made:
        where = made["Experiments/a"]
        del where["data"]
        if way == "link":
            where["data"] = h5py.ExternalLink("other.h5", "data")
        elif way == "external":
            where.create_dataset("data", (30,), "f8", external=[(str(tmp_path / "secret"), 0, 240)])
        else:
            layout = h5py.VirtualLayout((30,), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "data", (30,))
            where.create_virtual_dataset("data", layout)
    with pytest.raises(SchemaError, match=r"(?s)'a.hspy'.*lies in another file"):
        tl.load(file)


def test_without_the_library_the_message_says_how_to_install_it(tmp_path):
    (tmp_path / "S1.msa").write_bytes(msa())
    (tmp_path / "s.csv").write_text("specimen,hardness\nS1,5\nS2,6\n")
    call = f"tl.load({str(tmp_path / 'S1.msa')!r})"
    assert hint_without("rsciio", call) == 'pip install "tieline[microscopy]"'
    folder = f"tl.load({str(tmp_path)!r})"
    (second,) = lines_without(
        "rsciio", f"print([note for note in {folder}.attrs['notes'] if 'left aside' in note])"
    )
    assert "S1.msa" in second
    assert "tieline[microscopy]" in second
