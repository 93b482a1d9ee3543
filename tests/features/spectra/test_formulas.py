import re
from collections import Counter

import numpy as np
import pytest

import tieline as tl
from tieline.features.spectra import assign_ions
from tieline.schema.isotopes import ion_mass
from tieline.worlds.tofsims import characteristic_ions


def atoms(formula):
    counted = Counter()
    for number, symbol, count in re.findall(r"(\d+)?([A-Z][a-z]?)(\d*)", formula):
        counted[number, symbol] += int(count or 1)
    return counted


def candidates(found, mz):
    return found.isel(candidate=found["mz"].values == mz)


def test_every_candidate_weighs_what_it_says():
    found = assign_ions([16.05, 41.02, 67.00], tolerance=0.02)
    for ion, exact in zip(found["ion"].values, found["exact"].values, strict=True):
        assert ion_mass(str(ion)) == pytest.approx(float(exact), abs=1e-9)
    np.testing.assert_allclose(found["residual"], found["mz"] - found["exact"], atol=1e-12)
    assert (abs(found["residual"]) <= 0.02).all()


def test_ions_of_the_study_are_found_among_the_first_three():
    ions = sorted({ion for row in characteristic_ions().values() for ion in row})
    rng = np.random.default_rng(0)
    measured = {ion: round(ion_mass(ion) + rng.normal(0, 0.002), 4) for ion in ions}
    found = assign_ions(measured.values(), most=30)
    ranks = []
    for ion, mz in measured.items():
        own = candidates(found, mz)
        ranks += [
            int(r) for r, i in zip(own["rank"], own["ion"].values, strict=True) if atoms(i) == atoms(ion)
        ]
    assert len(ranks) == len(ions)
    assert np.mean(np.array(ranks) <= 3) >= 0.85
    assert np.mean(np.array(ranks) == 1) >= 0.55


def test_lithium_six_is_tried_beside_lithium_seven():
    assert "6LiH2" in assign_ions([8.031])["ion"].values
    assert "LiH" in assign_ions([8.024])["ion"].values


def test_the_same_ion_of_the_other_charge_lies_two_electrons_away():
    anion, cation = (assign_ions([ion_mass("LiO", q)], charge=q) for q in (-1, 1))
    assert anion["ion"].values[0] == cation["ion"].values[0] == "LiO"
    assert float(anion["exact"][0] - cation["exact"][0]) == pytest.approx(2 * 5.485799e-4, abs=1e-9)


def test_a_peak_that_no_ion_explains_is_counted():
    found = assign_ions([7.5, 17.003], ("O", "H"))
    assert found["ion"].values.tolist() == ["OH"]
    assert found.attrs["notes"] == ["1 of 2 peaks agree with no ion of O, H."]


def test_it_can_be_asked_without_hydrogen():
    assert assign_ions([11.0], ("Li", "C")).sizes["candidate"] == 0
    assert assign_ions([12.0005], ("C",))["ion"].values.tolist() == ["C"]


@pytest.mark.parametrize(
    "wrong",
    [{"elements": ("Xx",)}, {"tolerance": 0}, {"charge": 0}, {"mz": [-1.0]}, {"mz": [np.nan]}, {"mz": []}],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(tl.SchemaError):
        assign_ions(**{"mz": [7.0], **wrong})


def test_a_search_without_end_is_refused():
    with pytest.raises(tl.SchemaError, match="too many combinations"):
        assign_ions([900.0], ("Li", "C", "N", "O", "F", "S", "Cl", "H"))
