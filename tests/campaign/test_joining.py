import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tieline.campaign.joining import join_records
from tieline.errors import SchemaError
from tieline.schema import specimens_of, table

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
