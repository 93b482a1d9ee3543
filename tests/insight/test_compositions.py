import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError
from tieline.insight.compositions import element_effects, nearest_compositions, property_correlation
from tieline.schema import compositions

METALS = ["Fe", "Co", "Ni", "Cu", "Zn", "Ti", "V"]


@pytest.fixture(scope="module")
def posterior():
    """Tungsten makes compounds heavy; oxygen and lithium only together make them bright."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(150):
        a, b = rng.choice(METALS, 2, replace=False)
        extra = "".join(e for e in ("W", "O", "Li") if rng.random() < 0.5)
        rows.append(f"{a}2{b}{extra}")
    composition = compositions(rows)
    has = {e: composition.sel(element=e).values > 0 for e in ("W", "O", "Li")}
    heavy = 10.0 * has["W"] + rng.normal(0, 0.3, 150)
    bright = 5.0 * (has["O"] & has["Li"]) + 0.5 * heavy + rng.normal(0, 0.3, 150)
    sheet = pd.DataFrame({"formula": rows, "heavy": heavy, "bright": bright})
    table = tl.table(sheet, formula="formula", units={"heavy": "g/cm^3", "bright": "1"})
    return tl.CompositionProperties("composition", ["heavy", "bright"]).fit(table, seed=0)


def test_the_element_that_drives_a_property_comes_first(posterior):
    found = element_effects(posterior, "heavy")
    assert found["element"].values[0] == "W"
    assert float(found["effect"][0]) == pytest.approx(10, abs=2)
    assert float(found["effect_se"][0]) < 1
    assert (np.abs(found["effect"].values[1:]) < 4).all()
    assert found["effect"].attrs["units"] == "g/cm^3"


def test_the_pair_that_matters_only_together_comes_first(posterior):
    found = element_effects(posterior, "bright")
    assert found["pair"].values[0] == "Li-O"
    assert float(found["pair_effect"][0]) > 2
    assert int(found["n_pair_specimens"][0]) > 20


def test_correlations_of_properties_are_symmetric_and_one_with_themselves(posterior):
    found = property_correlation(posterior)
    for name in ("over_compositions", "at_one_specimen"):
        np.testing.assert_allclose(np.diag(found[name]), 1.0, atol=1e-9)
        np.testing.assert_allclose(found[name], found[name].T)
    assert float(found["over_compositions"].sel(property="heavy", other="bright")) > 0.2


def test_a_known_composition_is_nearest_to_itself(posterior):
    some = posterior.table.isel(specimen=[3, 8])
    found = nearest_compositions(posterior, some, n=2)
    np.testing.assert_allclose(found["distance"].sel(rank=1), 0, atol=1e-6)
    written = compositions(found["formula"].sel(rank=1).values, posterior.table["element"].values)
    np.testing.assert_allclose(written, some["composition"])
    assert (np.diff(found["distance"]) >= 0).all()
    far = xr.Dataset({"composition": compositions(["He"])})
    assert float(nearest_compositions(posterior, far)["distance"].min()) > 0.5


def test_only_learned_properties_have_effects(posterior):
    with pytest.raises(SchemaError, match="'heavyy' was not learned"):
        element_effects(posterior, "heavyy")
