import pandas as pd
import pytest
import xarray as xr

from tieline.schema import ROLES, guess_role, is_label


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("phase", ["bcc", None, "fcc"], "structure"),
        ("DFT region", [0, 1, 4], "structure"),
        ("label", pd.array([1, None], dtype="Int64"), "structure"),
        ("phase_fraction", [0.2, 0.4, 0.9], "property"),
        ("cluster_size", list(range(30)), "property"),
        ("Fe", [10.0, 20.0], "synthesis"),
        ("acid content", [1.0, 2.0], "synthesis"),
        ("sintering_temperature", [900, 1000], "process"),
        ("dwell time", [10, 20], "process"),
        ("Curie temperature", [300.0, 400.0], "property"),
        ("melting_temperature", [300.0, 400.0], "property"),
        ("Glühtemperatur", [900, 1000], "process"),
        ("Pressdruck (MPa)", [200, 300], "process"),
        ("annealingtime", [10, 20], "process"),
        ("Curietemperatur", [300.0, 400.0], "property"),
        ("Néel-Temperatur", [300.0, 400.0], "property"),
        ("Lebensdauer", [300.0, 400.0], "property"),
        ("iron nitrate", [1.5, 2.5], "property"),
        ("oxidation temperature of the substrate", [300.0, 400.0], "process"),
        ("hardness", [1.0, 2.0], "property"),
        ("operator", ["Ann", "Bo"], "property"),
    ],
)
def test_the_rule(name, values, role):
    assert guess_role(name, pd.Series(values)) == role
    assert role in ROLES


@pytest.mark.parametrize(
    ("values", "attrs", "told_apart"),
    [
        (["bcc", "fcc"], {"role": "property"}, True),
        ([1.0, float("nan")], {"role": "structure"}, True),
        ([1.0, 2.0], {"role": "property"}, False),
        ([0.12, 0.31], {"role": "structure"}, False),
        ([1.0, 0.0], {"role": "structure", "units": "1"}, False),
    ],
)
def test_labels_are_told_from_measured_structure(values, attrs, told_apart):
    assert is_label(xr.DataArray(values, dims="specimen", attrs=attrs)) == told_apart
