import csv
from pathlib import Path

import pytest

import tieline as tl
from tieline.schema import atomic_weights
from tieline.schema.isotopes import ion_mass, isotopes
from tieline.worlds.tofsims import characteristic_ions


def test_abundances_of_every_element_sum_to_one():
    for symbol, row in isotopes().items():
        assert sum(i.abundance for i in row) == pytest.approx(1, abs=2e-4), symbol
        assert row[0].abundance == max(i.abundance for i in row)


def test_mean_masses_are_the_standard_atomic_weights():
    weights = atomic_weights()
    for symbol, row in isotopes().items():
        mean = sum(i.abundance * i.mass for i in row) / sum(i.abundance for i in row)
        # Lithium's conventional weight is that of depleted samples; the others agree well.
        assert mean == pytest.approx(weights[symbol], rel=5e-3 if symbol == "Li" else 4e-4), symbol


def test_an_anion_weighs_an_electron_more_and_a_cation_one_less():
    assert ion_mass("Li", charge=-1) == pytest.approx(7.0160034 + 5.4858e-4, abs=1e-6)
    assert ion_mass("Li", charge=1) == pytest.approx(7.0160034 - 5.4858e-4, abs=1e-6)
    assert ion_mass("Bi3", charge=2) == pytest.approx((3 * 208.9803986 - 2 * 5.4858e-4) / 2, abs=1e-6)


def test_isotopes_are_named_before_their_element():
    assert ion_mass("6LiLi2H4", charge=0) == pytest.approx(6.0151229 + 2 * 7.0160034 + 4 * 1.0078250)


@pytest.mark.parametrize("formula", ["", "Xx", "Li-", "li", "9Li", "Li(OH)2"])
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(tl.SchemaError):
        ion_mass(formula)


def test_ions_weigh_what_the_study_prints():
    # m/z as printed in Table 4.6 to two digits, and calibration errors of up to 0.012.
    printed = {"LiH2": 9.03, "6LiH2": 8.03, "Li3H4": 25.08, "LiCO3": 67.00, "CN": 26.00, "Li2O3H3": 65.04}
    for ion, mz in printed.items():
        assert ion_mass(ion) == pytest.approx(mz, abs=0.006)


def test_the_characteristic_ions_are_those_of_the_study():
    counted = {compound: len(ions) for compound, ions in characteristic_ions().items()}
    assert counted == {"Li2CO3": 15, "Li2O": 0, "Li3N": 15, "LiH": 15, "LiOH": 14}


def test_the_list_of_ions_is_that_of_the_printed_table(thesis):
    with (thesis / "table4_6_characteristic_ions.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["part"] == "C" and r["ocr_status"] == "ok"]
    for compound, ions in characteristic_ions().items():
        if ions:
            assert {r["ion"] for r in rows if r["compound"] == compound} <= set(ions)


@pytest.fixture
def thesis():
    import os

    folder = Path(os.environ.get("TIELINE_DATA", "nowhere")) / "thesis"
    if not folder.is_dir():
        pytest.skip("$TIELINE_DATA has no thesis/")
    return folder
