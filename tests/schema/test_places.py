import numpy as np
import pytest
import xarray as xr

from tieline.errors import SchemaError, UnitError
from tieline.schema import align

FRACTIONS = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]])


def composition(values=FRACTIONS, units="1", elements=("Fe", "Ga", "Pd")):
    variable = (("specimen", "element"), np.asarray(values), {"units": units})
    return xr.Dataset({"composition": variable}, {"specimen": [0, 1], "element": list(elements)})


def test_only_the_design_is_kept():
    given = composition().assign(hardness=("specimen", [1.0, 2.0]))
    assert list(align(given, composition(), ["composition"])) == ["composition"]


def test_elements_come_in_the_order_of_the_table():
    turned = composition().isel(element=[2, 0, 1])
    xr.testing.assert_equal(align(turned, composition(), ["composition"]), composition())


def test_other_elements_are_refused():
    with pytest.raises(SchemaError, match="other elements") as caught:
        align(composition(elements=("Fe", "Ga", "Pt")), composition(), ["composition"])
    assert caught.value.found == "Fe, Ga, Pt; the model knows Fe, Ga, Pd"


@pytest.mark.parametrize("values", [100 * FRACTIONS, FRACTIONS + 0.1, [[-0.1, 0.6, 0.5], [0.5, 0.5, 0.0]]])
def test_a_composition_that_does_not_close_is_refused(values):
    with pytest.raises(SchemaError, match="is no composition"):
        align(composition(values), composition(), ["composition"])


def test_atomic_per_cent_become_fractions():
    given = composition(100 * FRACTIONS, "at.%")
    np.testing.assert_allclose(align(given, composition(), ["composition"])["composition"], FRACTIONS)


def test_a_place_without_its_composition_is_found():
    holes = FRACTIONS.copy()
    holes[1, 2] = np.nan
    with pytest.raises(SchemaError, match="1 of 2 rows, the first is row 1"):
        align(composition(holes), composition(), ["composition"])


def test_a_text_is_no_number():
    known = xr.Dataset({"t": ("specimen", [1.0, 2.0], {"units": "K"})})
    with pytest.raises(SchemaError, match="not the kind of variable"):
        align(xr.Dataset({"t": ("specimen", ["a", "b"])}), known, ["t"])


def test_units_are_converted_or_refused():
    known = xr.Dataset({"t": ("specimen", [300.0, 400.0], {"units": "K"})})
    given = xr.Dataset({"t": ("specimen", [0.0], {"units": "degC"})})
    assert float(align(given, known, ["t"])["t"][0]) == pytest.approx(273.15)
    with pytest.raises(UnitError):
        align(given.assign(t=given["t"].assign_attrs(units="h")), known, ["t"])
