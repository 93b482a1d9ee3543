import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError


@pytest.fixture
def record():
    sheet = pd.DataFrame(
        {
            "specimen": ["a", "b", "c"],
            "parent": ["", "a", "a"],
            "Fe": [0.2, 0.5, 0.8],
            "Ga": [0.8, 0.5, 0.2],
            "phase": ["bcc", "", "fcc"],
            "hardness": [1.0, np.nan, 3.0],
            "hardness_sd": [0.1, 0.1, 0.1],
            "modulus": [10, 20, 30],
            "dwell_time": [5, 10, 15],
        }
    )
    units = {"hardness": "GPa", "modulus": "GPa", "dwell_time": "min"}
    specimens = tl.table(sheet, composition=["Fe", "Ga"], basis="fraction", units=units)
    specimens["is_cracked"] = ("specimen", [True, False, False], {"role": "property", "units": "1"})
    patterns = xr.Dataset(
        {"intensity": (("measurement", "two_theta"), np.ones((2, 5)))},
        coords={"specimen": ("measurement", ["a", "b"])},
    )
    record = xr.DataTree.from_dict({"/specimens": specimens, "/xrd": patterns})
    record.attrs["source"] = "a lab"
    return record


def test_numbers_and_labels_reach_the_table(record):
    table = tl.represent(record)
    expected = {"composition", "phase", "hardness", "hardness_sd", "modulus", "dwell_time", "is_cracked"}
    assert set(table.data_vars) == expected
    assert {name: table[name].attrs["role"] for name in ("phase", "dwell_time", "modulus")} == {
        "phase": "structure",
        "dwell_time": "process",
        "modulus": "property",
    }
    assert table.hardness.attrs["units"] == "GPa"
    np.testing.assert_array_equal(table.is_cracked, [1.0, 0.0, 0.0])
    assert table.phase.values.tolist() == ["bcc", "", "fcc"]
    assert table.attrs["source"] == "a lab"


def test_what_is_not_used_is_said(record):
    notes = tl.represent(record).attrs["notes"]
    assert "/specimens: parent is text, kept beside the variables" in notes
    assert "/xrd: 2 measurements of intensity not used" in notes


def test_chosen_properties_come_with_their_errors_and_the_design(record):
    table = tl.represent(record, properties=["hardness"])
    assert set(table.data_vars) == {"composition", "phase", "hardness", "hardness_sd", "dwell_time"}


def test_a_phase_can_be_named(record):
    record["specimens"] = record["specimens"].to_dataset().assign(region=("specimen", [0.0, 1.0, np.nan]))
    table = tl.represent(record, phase="region")
    assert table.region.attrs["role"] == "structure"
    assert "role" not in record["specimens"]["region"].attrs


def test_the_record_is_left_alone(record):
    before = record.copy(deep=True)
    tl.represent(record, phase="phase", properties=["modulus"])
    xr.testing.assert_identical(record, before)


def test_a_misspelt_property_is_named_with_the_nearest(record):
    with pytest.raises(SchemaError, match="represent reads 'hardnes', which this table lacks") as caught:
        tl.represent(record, properties=["hardnes"])
    assert "Did you mean 'hardness'?" in caught.value.found


def test_only_a_record_is_represented(record):
    with pytest.raises(SchemaError, match="made from a record") as caught:
        tl.represent(tl.represent(record))
    assert "is a table already" in caught.value.hint
    with pytest.raises(SchemaError, match="node /specimens"):
        tl.represent(xr.DataTree.from_dict({"/xrd": record["xrd"].to_dataset()}))
