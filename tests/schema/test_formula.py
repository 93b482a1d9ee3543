import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import tieline as tl
from tieline.errors import SchemaError
from tieline.schema import atomic_weights, chemical_systems, compositions, parse_formula

ELEMENTS = list(atomic_weights())


@pytest.mark.parametrize(
    ("formula", "amounts"),
    [
        ("Fe", {"Fe": 1}),
        ("Fe3O4", {"Fe": 3, "O": 4}),
        ("NaN", {"Na": 1, "N": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("Mg(OH)2", {"Mg": 1, "O": 2, "H": 2}),
        ("Bi2(Te0.9Se.1)3", {"Bi": 2, "Te": 2.7, "Se": 0.3}),
        ("[Fe{Co2(Ni)3}2]0.5", {"Fe": 0.5, "Co": 2, "Ni": 3}),
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CaSO4 * 0.5 H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("Fe₂O₃", {"Fe": 2, "O": 3}),
        ("BaCu4.0S3.0", {"Ba": 1, "Cu": 4, "S": 3}),
        ("CH3COOH", {"C": 2, "H": 4, "O": 2}),
        ("Fe2Mn0O3", {"Fe": 2, "O": 3}),
    ],
)
def test_a_formula_says_how_much_of_each_element(formula, amounts):
    assert parse_formula(formula) == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("formula", "what", "hint"),
    [
        ("", "formula is empty", "keep_default_na=False"),
        (float("nan"), "formula is empty", "keep_default_na=False"),
        (None, "formula is empty", "keep_default_na=False"),
        ("Fe3+", "with a charge", "leave the charge out"),
        ("[SO4]2-", "with a charge", "leave the charge out"),
        ("Cu²⁺", "with a charge", "leave the charge out"),
        ("Fe^3", "with a charge", "leave the charge out"),
        ("LixCoO2", "not a formula", "unknown amount"),
        ("FeO1-δ", "not a formula", "unknown amount"),
        ("Xx2", "'Xx' in 'Xx2' is the symbol of no element", "correct the symbol"),
        ("D2O", "'D' in 'D2O' is the symbol of no element", "H, since isotopes"),
        ("Fe(O", "not a formula", "bracket is not closed"),
        ("Fe)2", "not a formula", "closes that was not opened"),
        ("Fe(]", "not a formula", "closes that was not opened"),
        ("Fe()2", "not a formula", "nothing stands in a bracket"),
        ("Fe0", "amounts of a formula are zero", "correct"),
        ("2H2O", "not a formula", "coefficient stands only after the dot"),
        ("CuSO4·", "not a formula", "coefficient stands only after the dot"),
        ("Fe1.2.3", "not a formula", "symbols of elements"),
        ("PbTe-SnTe", "not a formula", "symbols of elements"),
        ("fe2o3", "not a formula", "begin with a capital letter"),
        ("Fe2,5O", "not a formula", "a decimal point for a comma"),
        ("(Fe,Co)2O3", "not a formula", "(Fe0.5Co0.5)2O3"),
        ("CuSO4.5H2O", "may be a decimal point or the dot", "CuSO4·5H2O if it is a hydrate; CuSO4.5(H2O) if"),
        (3.5, "not text", "'Fe3O4'"),
        ("(" * 30 + "H" + ")" * 30, "not a formula", "at most 20 brackets"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(formula, what, hint):
    with pytest.raises(SchemaError) as caught:
        parse_formula(formula)
    assert what in caught.value.what
    assert hint in caught.value.hint


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(ELEMENTS), st.floats(0.01, 50), min_size=1, max_size=6))
def test_what_is_written_as_a_formula_is_read_back(amounts):
    formula = "".join(f"{symbol}{amount:.6f}" for symbol, amount in amounts.items())
    assert parse_formula(formula) == pytest.approx(amounts, abs=1e-6)
    nested = f"({formula})2"
    np.testing.assert_allclose(compositions([formula]), compositions([nested]), atol=1e-12)


def test_the_same_material_has_one_composition_however_it_is_written():
    found = compositions(["Fe2O3", "O3Fe2", "Fe4O6", "(FeO1.5)2"])
    assert found["element"].values.tolist() == ["O", "Fe"]
    np.testing.assert_allclose(found, [[0.6, 0.4]] * 4)
    assert found.attrs == {"role": "synthesis", "units": "1"}


def test_elements_are_those_that_were_asked_for():
    found = compositions(["Fe", "FeO"], elements=["Fe", "Ga", "O"])
    np.testing.assert_allclose(found, [[1, 0, 0], [0.5, 0, 0.5]])
    with pytest.raises(SchemaError, match="'Ni' is not among the elements") as caught:
        compositions(["Fe", "NiO"], elements=["Fe", "O"])
    assert "Ni in row 1" in caught.value.found


def test_a_formula_that_cannot_be_read_is_named_with_its_row():
    with pytest.raises(SchemaError) as caught:
        compositions(["Fe", "FeO", "Fe2+"])
    assert caught.value.found == "Fe2+, in row 2"


def test_a_chemical_system_is_its_elements():
    assert chemical_systems(compositions(["Fe2O3", "O", "FeO", "LiFePO4"])).tolist() == [
        "Fe-O",
        "O",
        "Fe-O",
        "Fe-Li-O-P",
    ]


def test_a_column_of_formulas_becomes_the_composition_of_a_table():
    sheet = pd.DataFrame({"material": ["Fe2O3", "NaN", "Fe4O6"], "hardness": [1.0, 2.0, 1.1]})
    table = tl.table(sheet, formula="material", units={"hardness": "GPa"})
    assert table["element"].values.tolist() == ["N", "O", "Na", "Fe"]
    np.testing.assert_allclose(table["composition"].sel(element="Na"), [0, 0.5, 0])
    assert table["formula"].values.tolist() == ["Fe2O3", "NaN", "Fe4O6"]
    assert table.attrs["notes"] == ["composition: 3 rows are of 2 materials"]
    assert tl.check(table) == []


def test_formulas_beside_columns_of_elements_are_refused():
    sheet = pd.DataFrame({"material": ["Fe2O3"], "Fe": [0.4], "O": [0.6]})
    with pytest.raises(SchemaError, match="not from both"):
        tl.table(sheet, formula="material", composition=["Fe", "O"])
    with pytest.raises(SchemaError, match="formula"):
        tl.table(sheet, formula="nothing")


def test_a_table_of_formulas_comes_back_from_its_file(tmp_path):
    table = tl.table(pd.DataFrame({"f": ["Fe2O3", "Bi2(Te0.9Se0.1)3"], "x": [1.0, 2.0]}), formula="f")
    assert tl.open_netcdf(tl.save_netcdf(table, tmp_path / "a.nc")).identical(table)
    assert isinstance(table["formula"], xr.DataArray)
