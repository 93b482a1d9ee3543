import numpy as np
import pytest
import xarray as xr
from scipy.stats import chisquare

import tieline as tl
from tieline.models.prior_worlds import simulate

N_WORLDS = 300
FALSE_ALARM = 1e-3  # chance that honest worlds fail a test here


def square(n=6):
    places = np.random.default_rng(0).random((n, 2))
    attrs = {"role": "process", "units": "1"}
    return xr.Dataset({a: ("specimen", places[:, i], attrs) for i, a in enumerate("xy")})


@pytest.fixture(scope="module")
def worlds():
    return [simulate(square(), ["x", "y"], ["phase"], ["p", "q"], 3, seed) for seed in range(N_WORLDS)]


def test_the_same_seed_draws_the_same_world(worlds):
    again = simulate(square(), ["x", "y"], ["phase"], ["p", "q"], 3, 7)
    xr.testing.assert_identical(again, worlds[7])
    assert not np.array_equal(worlds[7]["p"], worlds[8]["p"])


def test_the_design_is_kept_and_not_changed():
    design = square()
    before = design.copy(deep=True)
    world = simulate(design, ["x", "y"], ["phase"], ["p"], 2, 0)
    xr.testing.assert_identical(design, before)
    xr.testing.assert_identical(world[["x", "y"]], before)


def test_no_phase_is_preferred(worlds):
    first = [str(world["phase"].values[0]) for world in worlds]
    counts = [first.count(name) for name in "123"]
    assert sum(counts) == N_WORLDS
    assert chisquare(counts).pvalue > FALSE_ALARM


def test_properties_have_no_preferred_sign(worlds):
    positive = sum(float(world["p"][0]) > 0 for world in worlds)
    assert abs(positive - N_WORLDS / 2) < 3.3 * np.sqrt(N_WORLDS) / 2


def test_properties_are_independent_of_each_other(worlds):
    sign = [np.sign(float(world["p"][0]) * float(world["q"][0])) for world in worlds]
    assert abs(np.mean(sign)) < 3.3 / np.sqrt(N_WORLDS)


def test_near_places_share_their_phase_more_often_than_far_ones():
    places = xr.Dataset({"x": ("specimen", [0.0, 0.02, 1.0])})
    drawn = [simulate(places, ["x"], ["phase"], [], 3, seed)["phase"].values for seed in range(N_WORLDS)]
    near = np.mean([d[0] == d[1] for d in drawn])
    far = np.mean([d[0] == d[2] for d in drawn])
    assert near > 0.9
    assert far < 0.75


def test_roles_and_units_are_said(worlds):
    assert tl.check(worlds[0].assign_coords(specimen=np.arange(6))) == []
    assert worlds[0]["p"].attrs == {"role": "property", "units": "1"}
    assert worlds[0]["phase"].attrs == {"role": "structure"}


def test_each_of_several_label_sets_is_wrong_at_its_own_rate():
    design = square(400)
    drawn = [simulate(design, ["x", "y"], ["xrd", "raman"], [], 3, seed) for seed in range(30)]
    disagree = np.array([(w["xrd"] != w["raman"]).mean().item() for w in drawn])
    assert 0 < np.median(disagree) < 0.2  # two rates of .03, by a factor of 3.7 more or less
    assert disagree.max() > 3 * np.median(disagree)


def test_instruments_other_than_the_commonest_have_offsets():
    lab = np.where(np.arange(60) % 3 == 0, "away", "home")
    one = square(60)
    two = one.assign(lab=("specimen", lab))
    names = (["x", "y"], ["phase"], ["p"], 2)
    apart = []
    for seed in range(40):
        plain, offset = simulate(one, *names, seed), simulate(two, *names, seed, "lab")
        by = (offset["p"] - plain["p"]).values
        assert (by[lab == "home"] == 0).all()
        assert np.ptp(by[lab == "away"]) < 1e-12
        apart.append(by[0])
    assert 0.1 < np.std(apart) < 2  # spread about .3, by a factor of e more or less


def test_a_world_of_two_instruments_can_be_fitted():
    lab = np.where(np.arange(40) % 2 == 0, "away", "home")
    model = tl.PhaseProperty(design=["x", "y"], properties=["p"], instrument="lab", inference="fast")
    world = model.simulate(square(40).assign(lab=("specimen", lab)), seed=3, n_phases=2)
    assert set(model.fit(world).offsets().instrument.values) == {"home", "away"}
    assert set(model.simulate(square(6), seed=3)["lab"].values) == {"1"}
