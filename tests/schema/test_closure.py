from itertools import pairwise

import numpy as np
import pytest

from tieline.errors import SchemaError, UnitError
from tieline.schema import atomic_weights
from tieline.schema.closure import Amounts, close


def amounts(*rows, elements=("Fe", "Ga", "Pd")):
    names = [f"s{i}" for i in range(len(rows))]
    return Amounts("composition", list(elements), names, np.array(rows, dtype=float))


def test_the_basis_is_read_off_the_sums_and_noted():
    fractions, notes = close(amounts([0.2, 0.3, 0.5]), basis=None, tolerance=0.02)
    np.testing.assert_allclose(fractions, [[0.2, 0.3, 0.5]])
    assert notes == ["composition: sums are near 1, so it was read as fraction"]
    fractions, notes = close(amounts([20, 30, 50]), basis=None, tolerance=0.02)
    np.testing.assert_allclose(fractions, [[0.2, 0.3, 0.5]])
    assert notes == ["composition: sums are near 100, so it was read as at.%"]


def test_sums_that_fit_no_basis_are_refused():
    with pytest.raises(SchemaError, match="neither to 1 nor to 100") as caught:
        close(amounts([2, 3, 5]), basis=None, tolerance=0.02)
    assert caught.value.found == "a typical sum of 10"


def test_weight_percent_becomes_mole_fractions():
    # Quartz: 46.74 wt.% Si and 53.26 wt.% O are one silicon to two oxygens.
    quartz = amounts([46.74, 53.26], elements=["Si", "O"])
    fractions, notes = close(quartz, basis="wt.%", tolerance=0.02)
    np.testing.assert_allclose(fractions, [[1 / 3, 2 / 3]], atol=1e-4)
    assert notes == []


def test_weight_percent_of_what_is_no_element_is_refused():
    with pytest.raises(UnitError, match="'Fee' is not an element's symbol") as caught:
        close(amounts([50, 50], elements=["Fee", "Ga"]), basis="wt.%", tolerance=0.02)
    assert caught.value.hint == "Did you mean 'Fe'?"


def test_small_gaps_in_the_sum_are_closed_and_noted():
    fractions, notes = close(amounts([20, 30, 49], [20, 30, 50]), basis="at.%", tolerance=0.02)
    np.testing.assert_allclose(fractions.sum(axis=1), 1)
    assert notes == ["composition: 1 of 2 rows were renormalised (largest deviation 1.00%)"]


def test_large_gaps_are_refused_by_row():
    with pytest.raises(SchemaError, match=r"does not sum to 100 \(at.%\) in 1 of 2 rows") as caught:
        close(amounts([20, 30, 50], [20, 30, 45]), basis="at.%", tolerance=0.02)
    assert caught.value.found == "s1 sums to 95"


@pytest.mark.parametrize(("value", "what"), [(-1, "negative"), (np.inf, "infinite")])
def test_impossible_amounts_are_refused_by_cell(value, what):
    with pytest.raises(SchemaError, match=f"composition holds {what} amounts") as caught:
        close(amounts([20, 30, 50], [20, value, 50]), basis="at.%", tolerance=0.02)
    assert caught.value.found == f"{float(value)} in row s1, Ga"


def test_an_empty_cell_is_none_of_that_element():
    fractions, notes = close(amounts([50, 50, np.nan]), basis="at.%", tolerance=0.02)
    np.testing.assert_allclose(fractions, [[0.5, 0.5, 0]])
    assert notes == ["composition: empty cells count as 0 in row s0"]


def test_an_empty_row_is_not_measured():
    fractions, notes = close(amounts([50, 50, 0], [np.nan] * 3), basis="at.%", tolerance=0.02)
    assert np.isnan(fractions[1]).all()
    assert notes == ["composition: not measured in row s1"]
    with pytest.raises(SchemaError, match="has no value at all"):
        close(amounts([np.nan] * 3), basis=None, tolerance=0.02)


def test_a_row_of_zeros_is_refused_and_not_divided_by():
    with pytest.raises(SchemaError, match="does not sum to 1"):
        close(amounts([0, 0, 0]), basis="fraction", tolerance=0.02)


def test_there_are_118_elements_and_they_grow_heavier():
    weights = atomic_weights()
    assert len(weights) == 118
    assert (weights["H"], weights["Fe"], weights["U"]) == (1.008, 55.845, 238.03)
    symbols = list(weights)
    steps_back = {b for a, b in pairwise(symbols) if weights[b] < weights[a]}
    assert steps_back == {"K", "Ni", "I", "Pa", "Np", "Am", "Hs"}  # a misprint would add one
