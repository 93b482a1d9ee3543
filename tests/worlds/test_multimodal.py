"""Simulated lattices, films and scratch tests."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.models.fingerprint.laws import fit_law

WORLDS = [tl.worlds.lattice, tl.worlds.pvd, tl.worlds.scratch]
by_name = pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.__name__)


@by_name
def test_tables_pass_the_checks_and_have_units(world):
    table = world(0, n_specimens=20).table
    assert tl.check(table) == []
    assert all({"units", "role"} <= set(v.attrs) for v in table.data_vars.values())


@by_name
def test_the_same_seed_is_the_same_world(world):
    one, same, other = (world(seed, n_specimens=10) for seed in (1, 1, 2))
    xr.testing.assert_identical(one.table, same.table)
    xr.testing.assert_identical(one.truth, same.truth)
    assert not one.table.identical(other.table)


@by_name
def test_gaps_leave_every_specimen_something(world):
    table = world(0, n_specimens=300, measured=0.3).table
    variables = [v.notnull() for v in table.data_vars.values()]
    is_seen = xr.concat([v.any([d for d in v.dims if d != "specimen"]) for v in variables], "name")
    assert is_seen.any("name").all()
    assert 0.3 < float(is_seen.mean()) < 0.7


@by_name
def test_a_share_that_makes_no_sense_is_refused(world):
    with pytest.raises(tl.SchemaError, match="above 0"):
        world(0, measured=0)


def test_lattices_have_the_stress_of_their_topology():
    world = tl.worlds.lattice(0, n_specimens=60)
    stress, topology = world.truth["stress"].values, world.truth["topology"]
    mean = np.stack([stress[topology == k].mean(0) for k in ("gyroid", "octet")])
    grid = world.table["strain"].values
    parameter, _ = fit_law(tl.physics.Bilinear(), grid, mean, np.ones_like(mean), None)
    np.testing.assert_allclose(parameter, [[60, 4, 0.032], [110, 12, 0.021]], rtol=1e-4)


def test_films_turn_from_compressive_to_tensile_with_pressure():
    world = tl.worlds.pvd(0, n_specimens=400)
    pressure, stress = world.table["pressure"], world.truth["stress"]
    assert float(stress[pressure < 0.4].mean()) < -0.8
    assert float(stress[(pressure > 0.9) & (pressure < 1.3)].mean()) > 0.5
    xrd = world.table["xrd"]
    shift = (xrd * xrd["two_theta"]).sum("two_theta") / xrd.sum("two_theta")
    assert np.corrcoef(shift, stress)[0, 1] < -0.9


def test_films_crack_at_the_critical_load_of_their_kind():
    world = tl.worlds.scratch(0, n_specimens=90)
    for kind, load in (("early", 150), ("middle", 250), ("late", 350)):
        mine = world.table.isel(specimen=np.flatnonzero(world.truth["kind"] == kind))
        bursts = mine["emission"].mean("specimen")
        before, after = bursts.sel(force=slice(0, load)), bursts.sel(force=slice(load + 20, None))
        assert float(after.mean()) > 4 * float(before.mean())
        mean = mine["depth"].mean("specimen").values[None]
        parameter, _ = fit_law(tl.physics.Bilinear(), mine["force"].values, mean, np.ones_like(mean), None)
        assert parameter[0, 2] == pytest.approx(load, abs=10)
