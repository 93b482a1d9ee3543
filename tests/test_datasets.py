import os
from pathlib import Path

import numpy as np
import pooch
import pytest

import tieline as tl
from tieline import datasets
from tieline.errors import TielineError
from tieline.features.composition import ternary_xy

FE_GA_PD = Path(os.environ.get("TIELINE_DATA", "")) / "sage" / "fegapd"
needs_data = pytest.mark.skipif(
    not (FE_GA_PD / "FeGaPd_XRD.txt").is_file(), reason="set TIELINE_DATA to a folder that holds sage/fegapd"
)
needs_composition = pytest.mark.skipif(
    not FE_GA_PD.parents[1].joinpath("composition").is_dir(),
    reason="set TIELINE_DATA to a folder that holds composition",
)


def test_every_bundled_record_is_sound_and_cited():
    latp = datasets.load("latp")
    assert tl.check(latp) == []
    assert "KIT (2024)" in latp.attrs["source"]
    assert datasets.names() == ["aflow", "estm", "fe-ga-pd", "latp", "phonon-dos"]


def test_latp_is_table_4_2():
    specimens = datasets.load("latp")["specimens"]
    assert specimens.sizes["specimen"] == 22
    best = specimens.to_dataset().isel(specimen=int(specimens["ionic_conductivity"].argmax("specimen")))
    assert best.specimen == 14
    assert best.ionic_conductivity == 1.09e-3
    assert (best.relative_phosphoric_acid, best.sintering_temperature, best.dwell_time) == (-11.25, 1000, 450)
    assert best.relative_density == 97.52
    units = {name: specimens[name].attrs["units"] for name in specimens.data_vars}
    assert list(units.values()) == ["wt.%", "degC", "min", "%", "S/cm"]
    assert np.bincount(specimens["iteration"]).tolist() == [0, 5, 5, 6, 6]


def test_latp_candidates_are_the_grid_that_the_last_iterations_chose_from():
    pool = datasets.latp_candidates()
    settings = ["relative_phosphoric_acid", "sintering_temperature", "dwell_time"]
    assert list(pool.data_vars) == settings
    assert pool.sizes["specimen"] == 9 * 13 * 22 == 2574
    recipes = {tuple(row) for row in pool.to_dataframe()[settings].to_numpy().tolist()}
    assert len(recipes) == 2574
    made = tl.represent(datasets.load("latp"))
    late = made.isel(specimen=made.iteration.values >= 3)
    assert all(tuple(row) in recipes for row in late.to_dataframe()[settings].to_numpy().tolist())
    assert all(pool[name].attrs["units"] == made[name].attrs["units"] for name in settings)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(TielineError, match="no data set 'fegapd'") as caught:
        datasets.load("fegapd")
    assert "Did you mean 'fe-ga-pd'?" in caught.value.found
    assert "latp_candidates" in caught.value.hint


@needs_data
def test_fe_ga_pd_is_as_published():
    record = datasets.load("fe-ga-pd")
    assert tl.check(record) == []
    table = tl.represent(record)
    labels, counts = np.unique(table.phase, return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {"0": 99, "1": 105, "2": 59, "4": 15}
    assert table.remanent_magnetisation.max() == 10.914
    assert table.remanent_magnetisation.attrs == {"role": "property", "units": "a.u."}
    assert record["xrd"]["intensity"].shape == (278, 551)
    np.testing.assert_allclose(record["xrd"]["two_theta"], np.arange(551) * 0.02 + 37)
    assert table.element.values.tolist() == ["Fe", "Ga", "Pd"]
    assert ternary_xy(table.composition).shape == (278, 2)
    assert "/xrd: 278 measurements of intensity not used" in table.attrs["notes"]


@needs_data
def test_fe_ga_pd_carries_the_notebook_split_with_its_repeats():
    record = datasets.load("fe-ga-pd")
    rows = record.attrs["structure_rows"]
    assert (len(rows), len(set(rows)), rows[:3]) == (52, 49, [266, 267, 238])
    assert len(record.attrs["property_rows"]) == 46


@needs_data
def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "sage" / "fegapd"
    folder.mkdir(parents=True)
    for name in datasets.FE_GA_PD_FILES:
        (folder / name).write_bytes((FE_GA_PD / name).read_bytes().replace(b"8", b"9", 1))
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path))
    with pytest.raises(TielineError, match="its SHA-256 differs") as caught:
        datasets.load("fe-ga-pd")
    assert "FeGaPd_CMP.txt" in caught.value.what


@needs_composition
def test_sets_of_compositions_have_their_published_sizes():
    aflow = tl.represent(datasets.load("aflow"))
    assert (aflow.sizes["specimen"], aflow.sizes["element"]) == (27690, 88)
    splits, counts = np.unique(aflow["bulk_modulus_split"], return_counts=True)
    assert dict(zip(splits.tolist(), counts.tolist(), strict=True)) == {
        "": 22794,
        "test": 736,
        "train": 3428,
        "val": 732,
    }
    assert int(aflow["thermal_expansion"].notnull().sum()) == 3421 + 733 + 732
    estm = tl.represent(datasets.load("estm"))
    assert (estm.sizes["specimen"], len(set(estm["formula"].values))) == (5205, 880)
    assert estm["temperature"].attrs == {"role": "process", "units": "K"}
    spectra = tl.represent(datasets.load("phonon-dos"))["phonon_dos"]
    assert spectra.sizes == {"specimen": 663, "bin": 66}
    assert (spectra.max("bin") == 1).all()
    assert float(spectra.min()) >= 0


def test_a_set_that_cannot_be_downloaded_says_where_it_is_from(monkeypatch, tmp_path):
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path))
    with pytest.raises(TielineError, match="cannot be downloaded as it is") as caught:
        datasets.load("estm")
    assert "KRICT-DATA/SIMD" in caught.value.hint


def test_without_data_and_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TIELINE_DATA", str(tmp_path))
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    # A port that nobody listens on stands for a laboratory without a network.
    monkeypatch.setattr(datasets, "FE_GA_PD_ORIGIN", "http://127.0.0.1:9/")
    with pytest.raises(TielineError, match=r"'FeGaPd_CMP.txt' could not be downloaded") as caught:
        datasets.load("fe-ga-pd")
    assert "http://127.0.0.1:9/FeGaPd_CMP.txt" in caught.value.found
    assert str(tmp_path / "cache") in caught.value.hint
    assert "TIELINE_DATA" in caught.value.hint


def test_a_filled_cache_needs_no_network(tmp_path, monkeypatch):
    folder = tmp_path / "tieline" / "toy"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("1 2 3\n")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    checksums = {"a.txt": pooch.file_hash(str(folder / "a.txt"))}
    assert datasets._fetch("toy", "http://127.0.0.1:9/", checksums) == folder
