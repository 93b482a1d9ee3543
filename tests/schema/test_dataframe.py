import numpy as np
import pandas as pd
import pytest

import tieline as tl
from tieline.errors import SchemaError, UnitError


def sheet(**columns):
    """Three specimens of Fe-Ga with a hardness, and whatever else a test wants."""
    known = {
        "specimen": ["a", "b", "c"],
        "Fe": [50, 70, 80],
        "Ga": [50, 30, 20],
        "hardness": [1.0, 2.0, np.nan],
    }
    return pd.DataFrame(known | columns)


def test_a_sheet_becomes_a_table():
    table = tl.table(sheet(), composition=["Fe", "Ga"], basis="at.%", units={"hardness": "GPa"})
    assert table.composition.dims == ("specimen", "element")
    np.testing.assert_allclose(table.composition, [[0.5, 0.5], [0.7, 0.3], [0.8, 0.2]])
    assert table.element.values.tolist() == ["Fe", "Ga"]
    assert table.specimen.values.tolist() == ["a", "b", "c"]
    assert table.composition.attrs == {"role": "synthesis", "units": "1"}
    assert table.hardness.attrs == {"role": "property", "units": "GPa"}
    assert np.isnan(table.hardness.values[2])
    assert table.attrs["notes"] == []


def test_the_sheet_is_not_changed():
    before = sheet()
    tl.table(before, composition=["Fe", "Ga"])
    pd.testing.assert_frame_equal(before, sheet())


def test_an_unknown_unit_is_absent_and_not_empty():
    assert "units" not in tl.table(sheet()).hardness.attrs
    assert tl.table(sheet(), units={"hardness": ""}).hardness.attrs["units"] == "1"


def test_the_composition_can_have_another_name():
    table = tl.table(sheet(), composition={"target": ["Ga", "Fe"]}, basis="at.%")
    assert table.target.sel(specimen="b", element="Ga") == pytest.approx(0.3)


def test_element_columns_that_say_their_unit_say_the_basis():
    table = tl.table(sheet(), composition=["Fe", "Ga"], units={"Fe": "wt%", "Ga": "wt.%"})
    iron, gallium = 50 / 55.845, 50 / 69.723
    assert table.composition.values[0, 0] == pytest.approx(iron / (iron + gallium))
    assert table.attrs["notes"] == []


def test_a_standard_error_shares_role_and_unit_with_its_property():
    table = tl.table(sheet(hardness_sd=[0.1, 0.1, 0.2]), units={"hardness": "GPa"})
    assert table.hardness_sd.attrs == {"role": "property", "units": "GPa"}


def test_a_standard_error_in_another_unit_is_refused():
    with pytest.raises(UnitError, match="'hardness_sd' must be in the unit of 'hardness'") as caught:
        tl.table(sheet(hardness_sd=[1, 1, 1]), units={"hardness": "GPa", "hardness_sd": "MPa"})
    assert caught.value.found == "'MPa' beside 'GPa'"


def test_labels_are_text_and_empty_where_unlabelled():
    table = tl.table(sheet(phase=["bcc", None, " fcc "]))
    assert table.phase.values.tolist() == ["bcc", "", "fcc"]
    assert table.phase.attrs == {"role": "structure"}


def test_integer_labels_stay_numbers_with_gaps():
    table = tl.table(sheet(region=pd.array([0, None, 2], dtype="Int64")))
    np.testing.assert_array_equal(table.region, [0, np.nan, 2])
    assert table.region.attrs["role"] == "structure"


def test_roles_overrule_the_guess():
    table = tl.table(sheet(batch=["A7", "A7", "B1"]), roles={"batch": "structure", "hardness": "process"})
    assert table.batch.values.tolist() == ["A7", "A7", "B1"]
    assert table.hardness.attrs["role"] == "process"


def test_prose_and_dates_are_left_out_and_said_so():
    dates = pd.to_datetime(["2024-01-01"] * 3)
    table = tl.table(sheet(remark=["cracked", "", "ok"], made=dates))
    assert list(table.data_vars) == ["Fe", "Ga", "hardness"]
    notes = " ".join(table.attrs["notes"])
    assert "remark: text, kept beside" in notes
    assert "made: text, kept beside" in notes


def test_loose_elements_are_pointed_out():
    assert "Fe, Ga look like a composition" in tl.table(sheet()).attrs["notes"][0]


def test_numbers_kept_as_text_are_read():
    table = tl.table(sheet(dwell_time=["10", " ", "3e1"]))
    np.testing.assert_array_equal(table.dwell_time, [10, np.nan, 30])
    assert table.dwell_time.attrs["role"] == "process"


def test_text_among_numbers_is_named_by_row_and_column():
    with pytest.raises(SchemaError, match="Column 'strength' holds text where numbers belong") as caught:
        tl.table(sheet(strength=["12,5", "11.0", "n/a"]))
    assert caught.value.found == "'12,5' in row a, 'n/a' in row c"
    assert "decimal point" in caught.value.hint


def test_identities_come_from_the_index_when_no_column_names_them():
    numbered = tl.table(sheet().drop(columns="specimen"))
    assert numbered.specimen.values.tolist() == [0, 1, 2]
    named = tl.table(sheet().set_index("specimen"))
    assert named.specimen.values.tolist() == ["a", "b", "c"]
    chosen = tl.table(pd.DataFrame({"number": [1.0, 2.0, 3.0], "hardness": 1.0}), specimen="number")
    assert chosen.specimen.values.tolist() == [1, 2, 3]


def test_a_row_without_identity_is_refused():
    with pytest.raises(SchemaError, match="which specimen they are") as caught:
        tl.table(sheet(specimen=["a", " ", None]))
    assert "row 2, 3" in caught.value.found


def test_one_identity_twice_needs_permission():
    twice = sheet(specimen=["a", "b", "a"])
    with pytest.raises(SchemaError, match="more than once: a") as caught:
        tl.table(twice)
    assert "repeats=True" in caught.value.hint
    assert tl.table(twice, repeats=True).specimen.values.tolist() == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("arguments", "culprit", "nearest"),
    [
        ({"composition": ["Fe", "Gaa"]}, "composition names 'Gaa'", "Ga"),
        ({"units": {"hardnes": "GPa"}}, "units names 'hardnes'", "hardness"),
        ({"roles": {"hardnesss": "property"}}, "roles names 'hardnesss'", "hardness"),
        ({"specimen": "specimn"}, "specimen names 'specimn'", "specimen"),
        ({"roles": {"hardness": "proprety"}}, "'hardness' has the role 'proprety'", "property"),
        ({"composition": ["Fe", "Ga"], "basis": "at%"}, "'at%' is not a basis", "at.%"),
    ],
)
def test_a_misspelt_argument_is_named_with_the_nearest(arguments, culprit, nearest):
    with pytest.raises(SchemaError) as caught:
        tl.table(sheet(), **arguments)
    assert culprit in caught.value.what
    assert f"Did you mean '{nearest}'?" in caught.value.found


@pytest.mark.parametrize(
    ("composition", "culprit"),
    [
        ("Fe", "the text 'Fe'"),
        (["Fe"], "Fe"),
        (["Fe", "Fe"], "Fe, Fe"),
        ({"a": ["Fe", "Ga"], "b": ["Fe", "Ga"]}, "a, b"),
    ],
)
def test_a_composition_that_is_none_is_refused(composition, culprit):
    with pytest.raises(SchemaError) as caught:
        tl.table(sheet(), composition=composition)
    assert caught.value.found == culprit


def test_an_unknown_unit_is_asked_about():
    with pytest.raises(UnitError, match="Which unit is 'GPaa'"):
        tl.table(sheet(), units={"hardness": "GPaa"})


def test_names_that_the_table_needs_are_refused():
    with pytest.raises(SchemaError, match="needs the name 'element' itself"):
        tl.table(sheet(element=[1, 2, 3]))
    with pytest.raises(SchemaError, match="needs the name 'composition' itself"):
        tl.table(sheet(composition=[1, 2, 3]), composition=["Fe", "Ga"])


def test_what_is_no_sheet_is_refused():
    with pytest.raises(SchemaError, match="pandas DataFrame") as caught:
        tl.table({"Fe": [1]})  # pyright: ignore[reportArgumentType]
    assert caught.value.found == "dict"
    with pytest.raises(SchemaError, match="no rows or no columns"):
        tl.table(pd.DataFrame())
    with pytest.raises(SchemaError, match="share a name: Fe"):
        tl.table(pd.DataFrame([[1, 2]], columns=["Fe", "Fe"]))


def test_infinite_values_and_negative_standard_errors_are_refused():
    with pytest.raises(SchemaError, match="'hardness' holds infinite values") as caught:
        tl.table(sheet(hardness=[1, np.inf, 2]))
    assert "row b" in caught.value.found
    with pytest.raises(SchemaError, match="'hardness_sd' is a standard error") as caught:
        tl.table(sheet(hardness_sd=[0.1, 0.1, -0.1]))
    assert "-0.1 in row c" in caught.value.found


def test_flags_and_categories_stand_beside_the_variables():
    table = tl.table(
        sheet(solvent=["water", "", "DMF"], hardness_flag=["", "below", "failed"]),
        roles={"solvent": "process"},
    )
    assert "solvent" in table.coords
    assert table["solvent"].values.tolist() == ["water", "", "DMF"]
    assert table["solvent"].attrs["role"] == "process"
    assert table["hardness_flag"].values.tolist() == ["", "below", "failed"]
    notes = " ".join(table.attrs["notes"])
    assert "solvent: text, kept beside" in notes
    assert "hardness_flag" not in notes
