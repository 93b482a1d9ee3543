import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import TielineError
from tieline.schema import check
from tieline.worlds.phase_equilibrium import FreeEnergies


@pytest.fixture(scope="module")
def world():
    return tl.worlds.diffraction(2, n_specimens=66)


def test_it_is_a_record_that_stands(world):
    check(world.record)  # refuses what is no record
    assert world.patterns["intensity"].sizes == {"measurement": 66, "two_theta": 650}
    assert (world.patterns["intensity"] >= 0).all()


def test_the_same_seed_draws_the_same_world(world):
    again = tl.worlds.diffraction(2, n_specimens=66)
    xr.testing.assert_identical(again.patterns, world.patterns)
    assert not tl.worlds.diffraction(3, n_specimens=66).patterns.equals(world.patterns)


def test_at_most_three_phases_coexist_and_every_phase_leads_somewhere(world):
    fraction = world.truth["fraction"]
    np.testing.assert_allclose(fraction.sum("phase"), 1)
    assert int((fraction > 1e-9).sum("phase").max()) <= 3
    assert (fraction.max("specimen") > 0.5).all()


def test_a_compound_between_two_elements_follows_the_lever_rule():
    centre = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0]])
    stiff = FreeEnergies(centre, np.array([0.0, 0.0, 0.0, -1.0]), np.full(4, 1e4))
    fraction, own = stiff.equilibrium(np.array([[0.75, 0.25, 0.0], [0.25, 0.25, 0.5]]))
    np.testing.assert_allclose(fraction, [[0.5, 0, 0, 0.5], [0, 0, 0.5, 0.5]], atol=0.02)
    np.testing.assert_allclose((fraction[..., None] * own).sum(1), [[0.75, 0.25, 0], [0.25, 0.25, 0.5]])


def test_lines_stand_where_bragg_has_them():
    world = tl.worlds.diffraction(
        5, n_phases=3, n_specimens=66, vegard=0, texture=0, displacement=0, background=0, counts=1e6
    )
    purest = world.truth["fraction"].argmax("specimen")
    for phase, row in zip(world.truth["phase"].values, purest.values, strict=True):
        sticks = world.sticks.sel(phase=phase)
        inside = (sticks["two_theta"] > 16) & (sticks["two_theta"] < 79)
        strongest = int(np.nanargmax(sticks["intensity"].where(inside).values))
        place = float(sticks["two_theta"][strongest])
        near = world.patterns["intensity"][row].sel(two_theta=slice(place - 1, place + 1))
        assert abs(float(near.idxmax()) - place) < 0.35


def test_refuses_what_no_spread_can_be():
    with pytest.raises(TielineError, match="3 to 12 phases"):
        tl.worlds.diffraction(0, n_phases=2)
