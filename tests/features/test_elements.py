import numpy as np
import pytest

import tieline as tl
from tieline.errors import SchemaError
from tieline.features.elements import STATISTICS, element_properties, element_statistics, stoichiometry
from tieline.schema import atomic_weights, compositions


def test_the_table_has_no_gaps_and_agrees_with_atomic_weights():
    table = element_properties()
    assert table.sizes["element"] == 97
    assert all(np.isfinite(table[name]).all() for name in table.data_vars)
    weights = [atomic_weights()[symbol] for symbol in table["element"].values]
    np.testing.assert_allclose(table["atomic_weight"], weights, rtol=0.02)
    assert table["atomic_number"].values[:5].tolist() == [1, 2, 3, 4, 5]
    assert float(table["melting_temperature"].sel(element="He")) < 5


def test_statistics_are_those_of_a_hand_calculation():
    found = element_statistics(compositions(["Fe2O3"]))
    fe, o = (float(element_properties()["electronegativity"].sel(element=e)) for e in ("Fe", "O"))
    mean = 0.4 * fe + 0.6 * o
    cations = (0.4 * fe + 0.1 * o) / 0.5
    wanted = [mean, 0.4 * abs(fe - mean) + 0.6 * abs(o - mean), o, fe, o - fe, o, cations, o]
    np.testing.assert_allclose([found[f"electronegativity_{s}"].item() for s in STATISTICS], wanted)
    assert found["atomic_weight_mean"].attrs == {"role": "synthesis", "units": "g/mol"}
    assert found["atomic_weight_mean"].item() == pytest.approx(159.688 / 5, rel=1e-3)


def test_a_pure_element_has_no_spread():
    found = element_statistics(compositions(["W", "Fe"]))
    for name in element_properties().data_vars:
        assert found[f"{name}_deviation"].values.tolist() == [0, 0]
        assert found[f"{name}_range"].values.tolist() == [0, 0]
    assert found["atomic_number_mean"].values.tolist() == [74, 26]


def test_the_order_of_elements_and_other_specimens_change_nothing():
    several = compositions(["Fe2O3", "LiFePO4", "NaN"])
    alone = element_statistics(compositions(["LiFePO4"]))
    turned = element_statistics(several.isel(element=slice(None, None, -1)).T)
    for name in alone.data_vars:
        np.testing.assert_allclose(turned[name][1], alone[name][0])


def test_halves_by_electronegativity_are_cations_and_anions():
    found = element_statistics(compositions(["NaCl", "KNaCl2", "Fe"]), ["electropositive", "electronegative"])
    assert found["atomic_number_electropositive"].values.tolist() == [11, 15, 26]
    assert found["atomic_number_electronegative"].values.tolist() == [17, 17, 26]


def test_proportions_do_not_depend_on_which_elements_they_are_of():
    found = stoichiometry(compositions(["Fe2O3", "Al2S3", "LiFePO4", "W"]))
    assert found["share_1"].values.round(12).tolist() == [0.6, 0.6, round(4 / 7, 12), 1.0]
    assert found["share_4"].values.round(12).tolist() == [0, 0, round(1 / 7, 12), 0]
    assert found["n_elements"].values.tolist() == [2, 2, 4, 1]
    np.testing.assert_allclose(found["concentration"][:2], np.sqrt(0.4**2 + 0.6**2))
    np.testing.assert_allclose(found["mixing_entropy"][[0, 3]], [-0.4 * np.log(0.4) - 0.6 * np.log(0.6), 0])
    assert found["share_1"].attrs == {"role": "synthesis", "units": "1"}


def test_an_unknown_composition_stays_unknown():
    rows = compositions(["Fe", "FeO"]).astype(float)
    rows[0] = np.nan
    found = element_statistics(rows)
    for table in (found, stoichiometry(rows)):
        assert all(np.isnan(table[name].values[0]) and np.isfinite(table[name].values[1]) for name in table)


def test_what_is_not_known_is_refused():
    with pytest.raises(SchemaError, match="Nothing is known of the element Og"):
        element_statistics(compositions(["OgO2"]))
    with pytest.raises(SchemaError, match="no statistic 'median'"):
        element_statistics(compositions(["O2"]), ["median"])


def test_other_models_read_the_statistics():
    rows = compositions(["Fe", "FeO", "Fe2O3", "Fe3O4", "O"])
    table = element_statistics(rows, ["mean"]).assign_coords(specimen=range(5))
    table["hardness"] = ("specimen", [1.0, 2.0, 3.0, 4.0, 2.0])
    design = ["electronegativity_mean", "ground_state_volume_mean"]
    predicted = tl.GaussianProcess(design, "hardness").fit(table, seed=0).predict(table)
    assert np.isfinite(predicted["hardness"]).all()
    assert element_statistics(rows).to_dataframe().shape[1] == len(STATISTICS) * len(
        element_properties().data_vars
    )
