import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import adjusted_rand_score

import tieline as tl
from tieline.errors import NotIdentified, SchemaError
from tieline.features.phases import find_regions

NARROW = {"two_theta": (37.0, 48.0), "n_angles": 300, "cell": (2.8, 5.5), "softness": (0.05, 0.4)}


@pytest.fixture(scope="module")
def world():
    return tl.worlds.diffraction(3, n_phases=4, n_specimens=91, width=0.6, counts=150, **NARROW)


@pytest.fixture(scope="module")
def found(world):
    return find_regions(world.record)


def test_regions_are_near_those_of_the_main_phases(world, found):
    assert adjusted_rand_score(world.truth["main_phase"].values, found["region"].values) > 0.5


def test_probabilities_are_read_by_phase_property(world, found):
    np.testing.assert_allclose(found["region_probability"].sum("phase"), 1)
    table = world.table.assign(structure=found["region_probability"])
    posterior = tl.PhaseProperty("composition", "structure", []).fit(table)
    assert posterior.predict(table)["phase_probability"].sizes["phase"] == found.sizes["phase"]


def test_the_order_of_specimens_does_not_matter(world, found):
    order = np.random.default_rng(0).permutation(91)
    record = xr.DataTree.from_dict(
        {"/specimens": world.table.isel(specimen=order), "/xrd": world.patterns.isel(measurement=order[::-1])}
    )
    again = find_regions(record)["region"].sel(specimen=found["specimen"])
    assert adjusted_rand_score(found["region"].values, again.values) > 0.95


def test_a_specimen_without_a_pattern_has_no_region(world):
    record = xr.DataTree.from_dict(
        {"/specimens": world.table, "/xrd": world.patterns.isel(measurement=slice(1, None))}
    )
    found = find_regions(record, n_regions=3)
    assert found["region"].values[0] == ""
    assert found["region_probability"].isel(specimen=0).isnull().all()
    assert found.sizes["phase"] == 3


def test_what_cannot_be_is_refused(world):
    with pytest.raises(SchemaError, match="from 2 to 12 regions"):
        find_regions(world.record, n_regions=1)
    with pytest.raises(SchemaError, match="find_regions"):
        find_regions(world.record, design="thickness")
    few = xr.DataTree.from_dict(
        {"/specimens": world.table, "/xrd": world.patterns.isel(measurement=slice(5))}
    )
    with pytest.raises(NotIdentified, match="6 patterns at least"):
        find_regions(few, n_regions=3)
