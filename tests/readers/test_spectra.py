import numpy as np
import pytest

import tieline as tl
from tieline.readers.spectra import load_spectra

WIDE = "spectrum,compound,6.0157,7.0166,15.995\nA1,LiH,120,4000,\nA2,LiOH,100,3500,9000\n"
TURNED = "Center (u)\tA1\tA2\n6.0157\t120\t100\n7.0166\t4000\t3500\n15.995\t\t9000\n"
LONG = "Sample;Mass;Area;compound\n" + "".join(
    f"{s};{m};{a};{c}\n"
    for s, c, row in (("A1", "LiH", (120, 4000)), ("A2", "LiOH", (100, 3500, 9000)))
    for m, a in zip(("6,0157", "7,0166", "15,995"), row, strict=False)
)
RAW = "# File: spot.ita\n# Channel Mass Intensity\n" + "".join(
    f"{i}\t{0.5 * i:.2f}\t{i % 3}\n" for i in range(20)
)


def written(folder, text, name="peaks.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("text", [WIDE, TURNED, LONG, "\ufeff" + WIDE, "# exported\n" + WIDE])
def test_every_layout_of_a_peak_table_is_read_alike(tmp_path, text):
    found = load_spectra(written(tmp_path, text))
    assert found["specimen"].values.tolist() == ["A1", "A2"]
    np.testing.assert_allclose(found["mz"], [6.0157, 7.0166, 15.995])
    np.testing.assert_array_equal(found["area"], [[120, 4000, np.nan], [100, 3500, 9000]])
    assert found["area"].attrs["units"] == "counts"
    assert found["mz"].attrs["units"] == "u"


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_columns_of_text_are_kept(tmp_path, text):
    assert load_spectra(written(tmp_path, text))["compound"].values.tolist() == ["LiH", "LiOH"]


def test_a_table_goes_straight_into_a_model(tmp_path):
    world = tl.worlds.tofsims(0, n_peaks=90)
    frame = world.references["area"].to_pandas()
    frame.insert(0, "reference", world.references["reference"].values)
    frame.to_csv(tmp_path / "areas.csv")
    table = load_spectra(tmp_path / "areas.csv")
    found = tl.SpectralComposition().fit(table).predict(world.unknowns)
    direct = tl.SpectralComposition().fit(world.references).predict(world.unknowns)
    np.testing.assert_allclose(found["share"], direct["share"], atol=1e-6)


def test_raw_spectra_are_read_one_or_a_folder(tmp_path):
    file = written(tmp_path, RAW, "spot 1.txt")
    written(tmp_path, RAW, "spot 2.txt")
    written(tmp_path, "remarks about the day\n", "notes.txt")
    one, many = load_spectra(file), load_spectra(tmp_path)
    assert one["counts"].shape == (1, 20)
    assert many["specimen"].values.tolist() == ["spot 1", "spot 2"]
    np.testing.assert_array_equal(many["counts"][1], one["counts"][0])
    assert float(one["mz"][3]) == 1.5
    assert "notes.txt" in many.attrs["notes"][0]


def test_spectra_of_different_channels_are_refused_by_name(tmp_path):
    written(tmp_path, RAW, "a.txt")
    written(tmp_path, RAW.replace("9.50", "9.80"), "b.txt")
    with pytest.raises(tl.SchemaError, match="'a' and 'b' have different channels"):
        load_spectra(tmp_path)


def test_names_that_appear_twice_are_told_apart(tmp_path):
    assert load_spectra(written(tmp_path, WIDE.replace("A2", "A1")))["specimen"].values.tolist() == [
        "A1 (1)",
        "A1 (2)",
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b\n1,2\n", "no table of peak areas"),
        (WIDE.replace("3500", "many"), "'many' at m/z 7.0166 of 'A2'"),
        (TURNED.replace("9000", "many"), "'many' at m/z 15.995 of 'A2'"),
        (LONG + "A1;6,0157;3;LiH\n", "has a peak twice"),
        (TURNED.replace("\t4000", "\t12,345"), "decimal mark of column 'area' is not clear"),
    ],
)
def test_what_is_no_spectrum_is_refused(tmp_path, text, match):
    with pytest.raises(tl.SchemaError, match=match):
        load_spectra(written(tmp_path, text))


def test_thousands_are_no_decimals(tmp_path):
    text = TURNED.replace("\t4000", "\t1,234,567").replace("\t3500", "\t12,345.5")
    assert load_spectra(written(tmp_path, text))["area"].values[:, 1].tolist() == [1234567, 12345.5]


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path):
    with pytest.raises(tl.SchemaError, match=r"no file 'x\.csv'"):
        load_spectra(tmp_path / "x.csv")
    with pytest.raises(tl.SchemaError, match="holds no raw spectra"):
        load_spectra(tmp_path)


def test_folders_within_a_folder_name_what_their_spectra_are_of(tmp_path):
    for compound in ("LiH", "LiOH"):
        (tmp_path / compound).mkdir()
        written(tmp_path / compound, RAW, "spot 1.txt")
    found = tl.load(tmp_path, axis="mz")["specimens"]
    assert found["specimen"].values.tolist() == ["LiH, spot 1", "LiOH, spot 1"]
    assert found["folder"].values.tolist() == ["LiH", "LiOH"]


def test_decimal_commas_of_raw_spectra_are_read(tmp_path):
    text = "mass;counts\n" + "".join(f"{i},5;{i}\n" for i in range(1, 6))
    np.testing.assert_array_equal(load_spectra(written(tmp_path, text))["mz"], np.arange(1, 6) + 0.5)


def test_the_axis_is_one_that_is_known(tmp_path):
    with pytest.raises(tl.SchemaError, match="no axis 'm/z'"):
        tl.load(written(tmp_path, WIDE), axis="m/z")
