"""Spectra, volumes and fingerprints of a campaign: what they make columns of, and what they do not mix up."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings, properties_of
from tieline.campaign.studies.modalities import offers, table_for
from tieline.campaign.studies.spectra import add_spectra, find_spectra
from tieline.campaign.studies.volumes import Description, Found, take_descriptors
from tieline.errors import SchemaError, UnitError
from tieline.schema import specimens_of


@pytest.fixture
def lab(tmp_path):
    with Campaign.create(tmp_path / "lab", Settings("Lab")) as campaign:
        yield campaign


def voxels(size, units, porosity=0.6):
    """Some of the numbers of the same voxels whatever their size, of a specimen that is called like them."""
    per = "1" if units == "1" else f"1/{units}"
    numbers = {
        "porosity": (porosity, "1"),
        "pore_radius_50": (1.4 * size, units),
        "surface_x": (0.3 / size, per),
        "euler": (-2e-3 / size**3, per if per == "1" else f"{per}^3"),
        "covariance_x_4": (0.2, "1"),
    }
    name = f"{size:g} {units}"
    return Found(name, name, ""), Description(numbers, (size, units))


def test_volumes_of_different_units_are_columns_in_one(lab):
    take_descriptors(lab, [voxels(0.2, "µm"), voxels(200, "nm")], "Anna")
    specimens = specimens_of(lab.record())
    for name in ("pore_radius_50", "surface_x", "euler", "covariance_x_4"):
        first, second = specimens[name].values
        assert second == pytest.approx(first, rel=1e-6), name
    assert specimens["euler"].attrs["units"] == "1/µm^3"
    with pytest.raises(UnitError, match="cannot be converted"):
        take_descriptors(lab, [voxels(0.2, "µm"), voxels(1, "1")], "Anna")


def test_distances_in_voxels_of_different_size_are_left_out(lab):
    notes, _ = take_descriptors(lab, [voxels(0.2, "µm"), voxels(0.4, "µm")], "Anna")
    specimens = specimens_of(lab.record())
    assert specimens["pore_radius_50"].values == pytest.approx([0.28, 0.56])
    assert not [name for name in specimens if str(name).startswith("covariance")]
    assert [note for note in notes if "count voxels" in note]


def test_a_number_that_one_of_two_volumes_lacks_is_that_of_the_other(lab):
    (found, known), (_, other) = voxels(0.2, "µm"), voxels(0.2, "µm", porosity=0.4)
    other.numbers["pore_radius_50"] = (np.nan, "µm")
    take_descriptors(lab, [(found, known), (found, other)], "Anna")
    specimens = specimens_of(lab.record())
    assert specimens["pore_radius_50"].item() == pytest.approx(0.28)
    assert specimens["porosity"].item() == pytest.approx(0.5)


def test_a_model_learns_no_number_of_a_volume_unasked(lab):
    take_descriptors(lab, [voxels(0.2, "µm"), voxels(200, "nm")], "Anna")
    specimens = specimens_of(lab.record())
    assert properties_of(lab.settings, specimens) == []
    assert "porosity" in properties_of(Settings("Lab", properties=["porosity"]), specimens)


def test_a_description_is_kept_as_it_was():
    _, one = voxels(0.2, "µm", porosity=np.nan)
    again = Description.of_plain(json.loads(json.dumps(one.as_plain(), allow_nan=False)))
    assert again.voxel == one.voxel
    assert {n: again.numbers[n] for n in one.numbers if n != "porosity"} == {
        n: one.numbers[n] for n in one.numbers if n != "porosity"
    }
    assert np.isnan(again.numbers["porosity"][0])


def areas(file, names, channels, **texts):
    """A table of peak areas, brighter where a specimen's own channels are."""
    rng = np.random.default_rng(len(names))
    counts = rng.poisson(50, (len(names), len(channels))) + 500 * (rng.random(len(channels)) < 0.3)
    table = pd.DataFrame(counts, names, [f"{c:g}" for c in channels])
    for name, values in texts.items():
        table.insert(0, name, values)
    table.to_csv(file, index_label="specimen")
    return file


def test_the_references_say_which_channels_count_whichever_file_came_first(lab, tmp_path):
    unknown = areas(tmp_path / "unknown.csv", ["u1", "u2"], range(10, 80))
    pure = areas(tmp_path / "pure.csv", list("abcd"), range(10, 110), reference=["A", "A", "B", "B"])
    add_spectra(lab, [unknown], by="Anna")
    add_spectra(lab, [pure], by="Anna")
    spectra = find_spectra(lab)
    assert spectra.references.sizes["mz"] == 100
    assert not spectra.references["area"].isnull().any()
    assert int(spectra.unknown["area"].isnull().sum()) == 2 * 30
    assert spectra.notes == ["unknown.csv: 30 of 100 channels of the references are missing."]


def test_references_that_leave_earlier_spectra_without_channels_are_refused(lab, tmp_path):
    add_spectra(lab, [areas(tmp_path / "unknown.csv", ["u1", "u2"], range(10, 40))], by="Anna")
    pure = areas(tmp_path / "pure.csv", list("abcd"), range(10, 110), reference=["A", "A", "B", "B"])
    with pytest.raises(SchemaError, match="lack 70 of the 100 channels"):
        add_spectra(lab, [pure], by="Anna")
    assert len(find_spectra(lab).files) == 1


def test_ions_of_both_charges_are_not_mixed(lab, tmp_path):
    first, second = (areas(tmp_path / f"{n}.csv", [n], range(10, 30)) for n in "ab")
    with pytest.raises(SchemaError, match="negative or positive"):
        add_spectra(lab, [first], ions="Negative ", by="Anna")
    add_spectra(lab, [first], ions="positive", by="Anna")
    with pytest.raises(SchemaError, match="positive ions are not told by each other"):
        add_spectra(lab, [second], ions="negative", by="Anna")
    assert find_spectra(lab).charge == 1
    assert len(find_spectra(lab).files) == 1


def flagged():
    """Eight specimens, four of which are only known to be softer, and a curve of each; one twice."""
    names = [f"S{i}" for i in range(8)]
    about = {"units": "GPa", "role": "property"}
    specimens = xr.Dataset(
        {
            "hardness": ("specimen", np.arange(8.0), about),
            "hardness_flag": ("specimen", ["below"] * 3 + [""] * 5, {"role": "property"}),
            "grain_size": ("specimen", np.linspace(1, 2, 8), {"units": "µm", "role": "structure"}),
            "phase_number": ("specimen", np.arange(8) % 2, {"role": "structure"}),
        },
        {"specimen": names},
    )
    curves = np.outer(np.arange(9.0), np.ones(6))
    curves[8] = np.nan  # the second time, the detector was off
    curves[8, 0] = 4.0
    node = xr.Dataset(
        {"intensity": (("measurement", "two_theta"), curves, {"units": "counts", "role": "structure"})},
        {"two_theta": np.linspace(20, 30, 6), "specimen": ("measurement", [*names, "S2"])},
    )
    return xr.DataTree.from_dict({"/specimens": specimens, "/xrd": node})


def test_a_limit_is_no_value_of_a_fingerprint():
    offered = {one.name: one for one in offers(flagged())}
    assert offered["property"].n == 5
    table, _, notes = table_for(flagged(), [offered["property"]])
    assert table["hardness"].values.tolist() == [3, 4, 5, 6, 7]
    assert any("3 limits left out" in note for note in notes)


def test_numbers_of_the_structure_are_offered_and_labels_are_not():
    assert {one.name: one.variables for one in offers(flagged())}["structure"] == ("grain_size",)


def test_a_repeat_that_failed_leaves_the_others(lab):
    (curves,) = (one for one in offers(flagged()) if one.name == "xrd/intensity")
    table, _, _ = table_for(flagged(), [curves])
    assert curves.n == table.sizes["specimen"] == 8
    assert table["intensity"].sel(specimen="S2").values.tolist() == [3.0, 2, 2, 2, 2, 2]
