import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tieline.campaign.joining import join_records
from tieline.errors import SchemaError, UnitError
from tieline.schema import open_netcdf, save_netcdf, specimens_of, table

ROLES = {"temperature": "process", "phase": "structure", "hardness": "property"}


def record(names, *, temperature, phase=None, hardness=None, patterns=None):
    columns = {"specimen": names, "temperature": temperature, "phase": phase, "hardness": hardness}
    sheet = pd.DataFrame({k: v for k, v in columns.items() if v is not None})
    roles = {name: role for name, role in ROLES.items() if name in sheet}
    nodes = {"/specimens": table(sheet, specimen="specimen", roles=roles)}
    if patterns:
        intensity = (
            ("measurement", "two_theta"),
            np.array(list(patterns.values()), float),
            {"units": "counts"},
        )
        coordinates = {"specimen": ("measurement", list(patterns)), "two_theta": [10.0, 20.0]}
        nodes["/xrd"] = xr.Dataset({"intensity": intensity}, coordinates)
    return xr.DataTree.from_dict(nodes)


OLD = record(["a", "b"], temperature=[700.0, 800.0], phase=["A", ""], hardness=[1.0, np.nan])


def test_rows_columns_and_missing_values_are_added():
    new = record(["b", "c"], temperature=[800.0, 900.0], hardness=[2.0, 3.0])
    joined, notes = join_records(OLD, new)
    specimens = specimens_of(joined)
    assert list(specimens["specimen"].values) == ["a", "b", "c"]
    np.testing.assert_array_equal(specimens["hardness"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(specimens["temperature"], [700.0, 800.0, 900.0])
    assert list(specimens["phase"].values) == ["A", "", ""]
    assert specimens["hardness"].attrs["role"] == "property"
    assert notes == ["specimens: 1 new beside 2"]


def test_newer_values_stand_and_are_counted():
    new = record(["a", "b"], temperature=[700.0, 800.0], phase=["B", "A"], hardness=[1.5, np.nan])
    joined, notes = join_records(OLD, new)
    assert list(specimens_of(joined)["phase"].values) == ["B", "A"]
    np.testing.assert_array_equal(specimens_of(joined)["hardness"], [1.5, np.nan])
    assert notes[1:] == [
        "phase: 1 replaced by a newer value",
        "hardness: 1 replaced by a newer value",
    ]


def test_joining_a_record_with_itself_changes_nothing():
    joined, _ = join_records(OLD, OLD)
    xr.testing.assert_equal(specimens_of(joined), specimens_of(OLD))


def test_a_specimen_cannot_have_been_made_in_two_ways():
    new = record(["b"], temperature=[850.0], hardness=[2.0])
    with pytest.raises(SchemaError, match=r"Specimen b was made with another temperature(.|\n)*850.0 now"):
        join_records(OLD, new)


def test_patterns_are_added_and_newer_ones_stand():
    one = record(["a", "b"], temperature=[700.0, 800.0], patterns={"a": [1, 2], "b": [3, 4]})
    two = record(["b", "c"], temperature=[800.0, 900.0], patterns={"b": [5, 6], "c": [7, 8]})
    joined, _ = join_records(one, two)
    by_specimen = dict(
        zip(joined["xrd"]["specimen"].values, joined["xrd"]["intensity"].values.tolist(), strict=True)
    )
    assert by_specimen == {"a": [1, 2], "b": [5, 6], "c": [7, 8]}


def test_repeated_specimens_cannot_be_joined():
    repeats = xr.DataTree.from_dict({"/specimens": specimens_of(OLD).isel(specimen=[0, 0])})
    with pytest.raises(SchemaError, match="several rows"):
        join_records(OLD, repeats)


def measured(names, units, **columns):
    sheet = pd.DataFrame({"specimen": names, **columns})
    roles = {name: ROLES.get(name, "property") for name in columns}
    return xr.DataTree.from_dict({"/specimens": table(sheet, specimen="specimen", roles=roles, units=units)})


def test_later_values_and_their_errors_come_to_the_first_units():
    one = measured(["a"], {"sigma": "S/cm"}, sigma=[2e-3], sigma_sd=[1e-4])
    two = measured(["b"], {"sigma": "mS/cm"}, sigma=[3.0], sigma_sd=[0.2])
    joined, notes = join_records(one, two)
    np.testing.assert_allclose(specimens_of(joined)["sigma"], [2e-3, 3e-3])
    np.testing.assert_allclose(specimens_of(joined)["sigma_sd"], [1e-4, 2e-4])
    assert specimens_of(joined)["sigma"].attrs["units"] == "S/cm"
    assert specimens_of(joined)["sigma_sd"].attrs["units"] == "S/cm"
    assert "sigma: converted from mS/cm to S/cm" in notes
    assert specimens_of(two)["sigma"].attrs["units"] == "mS/cm"


def test_an_error_of_a_temperature_is_a_difference():
    one = measured(["a"], {"onset": "degC"}, onset=[500.0])
    two = measured(["b"], {"onset": "K"}, onset=[873.15], onset_sd=[5.0])
    joined = specimens_of(join_records(one, two)[0])
    np.testing.assert_allclose(joined["onset"], [500.0, 600.0])
    np.testing.assert_allclose(joined["onset_sd"], [np.nan, 5.0])
    assert joined["onset_sd"].attrs["units"] == "degC"


def test_the_same_making_in_another_unit_is_the_same():
    one = measured(["a"], {"temperature": "degC"}, temperature=[700.0], hardness=[1.0])
    two = measured(["a"], {"temperature": "K"}, temperature=[973.15], hardness=[1.0])
    joined, notes = join_records(one, two)
    assert float(specimens_of(joined)["temperature"][0]) == pytest.approx(700.0)
    assert not [note for note in notes if "replaced" in note]
    hotter = measured(["a"], {"temperature": "K"}, temperature=[1073.15])
    with pytest.raises(SchemaError, match=r"800\.0 degC now, 700\.0 degC before"):
        join_records(one, hotter)


def test_units_of_different_things_are_refused_by_the_name_of_the_column():
    one = measured(["a"], {"hardness": "GPa"}, hardness=[1.0])
    two = measured(["b"], {"hardness": "K"}, hardness=[2.0])
    with pytest.raises(UnitError, match=r"'hardness' cannot(.|\n)*'K' now, 'GPa' before"):
        join_records(one, two)


@pytest.mark.parametrize(("first", "later", "when"), [("GPa", None, "now"), (None, "GPa", "before")])
def test_a_unit_that_one_file_does_not_state_is_taken_over_and_told(first, later, when):
    one, two = (
        measured([name], {"hardness": unit} if unit else {}, hardness=[value], hardness_sd=[0.1])
        for name, unit, value in (("a", first, 1.0), ("b", later, 2.0))
    )
    joined, notes = join_records(one, two)
    assert f"hardness: no unit {when}, taken to be in GPa" in notes
    assert {specimens_of(joined)[name].attrs["units"] for name in ("hardness", "hardness_sd")} == {"GPa"}


def test_whole_numbers_and_text_name_the_same_specimens(tmp_path):
    one = record([1, 2, 3], temperature=[700.0, 800.0, 900.0], patterns={1: [1, 2], 2: [3, 4]})
    two = record(["1", "x"], temperature=[700.0, 950.0], hardness=[4.0, 5.0], patterns={"1": [5, 6]})
    joined, _ = join_records(one, two)
    loaded = open_netcdf(save_netcdf(joined, tmp_path / "record.nc"))
    assert list(specimens_of(loaded)["specimen"].values) == ["1", "2", "3", "x"]
    np.testing.assert_array_equal(specimens_of(loaded)["hardness"], [4.0, np.nan, np.nan, 5.0])
    assert sorted(loaded["xrd"]["specimen"].values.tolist()) == ["1", "2"]
    with pytest.raises(SchemaError, match="Specimen 1 was made"):
        join_records(one, record(["1", "x"], temperature=[750.0, 950.0]))


def test_whole_numbers_stay_whole_numbers():
    joined, _ = join_records(record([1], temperature=[700.0]), record([2], temperature=[800.0]))
    assert specimens_of(joined)["specimen"].values.tolist() == [1, 2]


def noted(names, remarks, atmosphere):
    one = record(names, temperature=[700.0 + i for i in range(len(names))])
    text = ("specimen", [atmosphere] * len(names), {"role": "process"})
    changed = specimens_of(one).assign(atmosphere=text).assign_coords(remark=("specimen", remarks))
    return xr.DataTree.from_dict({"/specimens": changed})


def test_remarks_are_joined_like_values():
    joined, _ = join_records(noted(["a", "b"], ["fine", "thin"], "Ar"), noted(["a"], ["cracked"], "Ar"))
    assert list(specimens_of(joined).coords["remark"].values) == ["cracked", "thin"]


def test_another_atmosphere_is_another_making():
    with pytest.raises(SchemaError, match="N2 now, Ar before"):
        join_records(noted(["a"], ["fine"], "Ar"), noted(["a"], ["fine"], "N2"))


def spread(names, rows, **attrs):
    sheet = pd.DataFrame(rows, index=pd.Index(names, name="specimen"))
    made = table(sheet, composition=list(sheet), basis="fraction")
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), "/specimens": made})


def test_an_element_that_a_file_does_not_name_counts_as_zero_and_is_told():
    one = spread(["a", "b"], {"Fe": [0.5, np.nan], "Ga": [0.5, np.nan]})
    two = spread(["c"], {"Pd": [0.4], "Fe": [0.6]})
    joined, notes = join_records(one, two)
    composition = specimens_of(joined)["composition"]
    assert list(composition["element"].values) == ["Fe", "Ga", "Pd"]
    unmeasured = [np.nan] * 3
    np.testing.assert_allclose(composition, [[0.5, 0.5, 0], unmeasured, [0.6, 0, 0.4]])
    assert "composition: Pd counts as 0 in the earlier imports, which names Fe, Ga" in notes
    assert "composition: Ga counts as 0 in this file, which names Pd, Fe" in notes


def test_notes_of_all_files_are_kept_each_with_its_file():
    records = [
        spread([name], {"Fe": [0.5], "Ga": [0.5]}, source_file=f"{name}.csv", notes=[f"about {name}"])
        for name in ("one", "two", "three")
    ]
    joined = join_records(join_records(records[0], records[1])[0], records[2])[0]
    told = [note for note in joined.attrs["notes"] if "about" in note]
    assert told == ["one.csv: about one", "two.csv: about two", "three.csv: about three"]
    assert "three.csv: specimens: 1 new beside 2" in joined.attrs["notes"]


def test_a_newer_value_does_not_inherit_the_flag_or_error_of_the_older():
    def sheet(names, **columns):
        values = {"specimen": names, "temperature": [700.0] * len(names), **columns}
        roles = {name: role for name, role in ROLES.items() if name in values}
        return xr.DataTree.from_dict(
            {"/specimens": table(pd.DataFrame(values), specimen="specimen", roles=roles)}
        )

    old = sheet(
        ["a", "b", "c"],
        hardness=[50.0, np.nan, 40.0],
        hardness_sd=[1.0, np.nan, 2.0],
        hardness_flag=["below", "failed", "above"],
    )
    new = sheet(["a", "b"], hardness=[53.5, 58.0])
    specimens = specimens_of(join_records(old, new)[0])
    assert specimens["hardness"].values.tolist() == [53.5, 58.0, 40.0]
    assert specimens["hardness_flag"].values.tolist() == ["", "", "above"]
    np.testing.assert_array_equal(specimens["hardness_sd"], [np.nan, np.nan, 2.0])
    flagged = sheet(["a"], hardness=[30.0], hardness_flag=["below"])
    specimens = specimens_of(join_records(old, flagged)[0])
    assert specimens["hardness_flag"].values.tolist() == ["below", "failed", "above"]


def with_image(name, height):
    image = xr.Dataset(
        {"image": (("measurement", "y", "x"), np.zeros((1, height, 4)))},
        {"specimen": ("measurement", [name])},
    )
    return xr.DataTree.from_dict({**record([name], temperature=[700.0]).to_dict(), "/images": image})


def test_images_of_another_size_are_refused():
    joined, _ = join_records(with_image("S1", 4), with_image("S2", 4))
    assert joined["images"].sizes["measurement"] == 2
    with pytest.raises(SchemaError, match=r"(?s)one size.*y: 6 now, 4 before"):
        join_records(with_image("S1", 4), with_image("S2", 6))
