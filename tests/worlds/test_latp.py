import numpy as np
import pytest
import xarray as xr

from tieline import datasets, worlds
from tieline.errors import TielineError
from tieline.worlds.latp import DESIGN, PROPERTY

BEST = {"relative_phosphoric_acid": -7.5, "dwell_time": 480.0}


@pytest.mark.parametrize("best_at", [900.0, 1000.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_grid_and_its_best_are_those_of_the_publication(seed, best_at):
    table = worlds.latp(seed, best_at=best_at).table
    assert table.sizes["specimen"] == 5 * 4 * 4
    value = table[PROPERTY].values
    best = table.isel(specimen=value.argmax())
    assert value.max() == 1.09e-3
    assert float(best["sintering_temperature"]) == best_at
    assert {name: float(best[name]) for name in BEST} == BEST
    assert np.sort(value)[-2] <= 1.06e-3
    assert value.min() > 0
    assert table[PROPERTY].attrs["units"] == "S/cm"


def test_a_seed_is_a_world_and_says_that_it_is_no_copy():
    xr.testing.assert_identical(worlds.latp(3).table, worlds.latp(3).table)
    assert not worlds.latp(3).table.equals(worlds.latp(4).table)
    assert "not public" in worlds.latp(0).table.attrs["notes"][0]


def test_the_truth_goes_through_the_table_and_near_the_published_specimens():
    world = worlds.latp(0)
    np.testing.assert_allclose(world.truth(world.table)[PROPERTY], world.table[PROPERTY], rtol=1e-4)
    made = datasets.load("latp")["specimens"].dataset
    off = np.log10(world.truth(made)[PROPERTY].values / made[PROPERTY].values)
    assert np.abs(np.median(off)) < 0.2  # the grid's best stands above its neighbours, and lifts them
    assert off.std() < 0.25  # 0.4 decades is the spread of the prior


def test_the_truth_is_told_at_every_candidate():
    pool = datasets.latp_candidates("1-2")
    truth = worlds.latp(0).truth(pool)
    assert truth.sizes["specimen"] == 420
    assert np.isfinite(truth[PROPERTY]).all()
    assert set(DESIGN) <= set(pool.data_vars)


def test_another_temperature_of_the_best_is_refused():
    with pytest.raises(TielineError, match="900 or at 1000"):
        worlds.latp(0, best_at=950.0)


def test_candidates_of_other_iterations_are_refused():
    with pytest.raises(TielineError, match="no candidates") as refusal:
        datasets.latp_candidates("5")
    assert '"1-2" or "3-4"' in str(refusal.value)
