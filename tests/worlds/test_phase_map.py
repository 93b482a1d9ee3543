import numpy as np
import pytest
import xarray as xr

from tieline.errors import TielineError
from tieline.worlds import phase_map
from tieline.worlds.random_functions import BOUNDARIES

SEEDS = range(40)


def shares(world):
    """The share of the space that each phase takes."""
    return (world.truth(world.grid)["phase"].values[:, None] == world.phases).mean(0)


def test_same_seed_same_world():
    first, second, other = phase_map(7), phase_map(7), phase_map(8)
    xr.testing.assert_identical(first.table, second.table)
    xr.testing.assert_identical(first.truth(first.grid), second.truth(second.grid))
    assert first.settings == second.settings
    assert first.settings != other.settings


def test_giving_one_setting_leaves_the_others():
    drawn, given = phase_map(7).settings, phase_map(7, noise=0.5).settings
    assert given["noise"] == 0.5
    assert {name for name in drawn if drawn[name] != given[name]} == {"noise", "noise_sd"}


def test_worlds_vary_within_what_is_promised():
    settings = [phase_map(seed).settings for seed in SEEDS]
    assert {s["n_dimensions"] for s in settings} == {1, 2, 3}
    assert {s["n_phases"] for s in settings} == {2, 3, 4, 5}
    assert {s["boundary"] for s in settings} == set(BOUNDARIES)
    assert {s["subsets"] for s in settings} == {"independent", "nested", "apart"}
    assert {s["one_sided"] for s in settings} == {"", "structure", "property"}
    for name, low, high in [
        ("n_specimens", 20, 120),
        ("jump", 0.5, 4),
        ("noise", 0.02, 0.1),
        ("label_noise", 0, 0.05),
        ("outliers", 0, 0.03),
    ]:
        values = [s[name] for s in settings]
        assert low <= min(values) < max(values) <= high


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
@pytest.mark.parametrize("n_phases", [2, 5, 12])
def test_every_phase_has_room(boundary, n_dimensions, n_phases):
    settings = {"boundary": boundary, "n_dimensions": n_dimensions, "n_phases": n_phases}
    world = phase_map(3, n_specimens=60, **settings)
    assert shares(world).min() > 0.03  # 0.05 on the generator's own probes, here on 512 other places
    assert world.settings | settings == world.settings


def test_every_phase_is_labelled_correctly_at_least_once():
    for seed in SEEDS:
        world = phase_map(seed, label_noise=0.9)
        reported, true = world.table["phase"].values, world.truth(world.table)["phase"].values
        assert set(reported[reported == true]) == set(world.phases)


def test_labels_are_wrong_at_the_rate_asked_for():
    world = phase_map(5, n_specimens=2000, label_noise=0.2)
    reported, true = world.table["phase"].values, world.truth(world.table)["phase"].values
    seen = reported != ""
    assert np.mean(reported[seen] != true[seen]) == pytest.approx(0.2, abs=0.05)


def test_noise_and_outliers_are_what_the_settings_say():
    world = phase_map(5, n_specimens=3000, noise=0.1, outliers=0.02)
    error = (world.table["property"] - world.truth(world.table)["property"]).dropna("specimen").values
    noise_sd = world.settings["noise_sd"]["property"]
    is_gross = np.abs(error) > 20 * noise_sd  # 2 sd of the property; outliers start at 3
    assert is_gross.mean() == pytest.approx(0.02, abs=0.01)
    assert error[~is_gross].std() == pytest.approx(noise_sd, rel=0.1)
    assert noise_sd == pytest.approx(0.1 * world.truth(world.grid)["property"].std().item(), rel=0.1)


def test_a_perfect_laboratory_sees_the_truth():
    world = phase_map(5, n_specimens=100, noise=0.0, label_noise=0.0, outliers=0.0)
    truth = world.truth(world.table)
    values, labels = world.table["property"], world.table["phase"]
    np.testing.assert_array_equal(values, truth["property"].where(values.notnull()))
    np.testing.assert_array_equal(labels, truth["phase"].where(labels != "", ""))


def test_gaps_are_of_three_kinds():
    def seen(subsets):
        worlds = (phase_map(seed, n_specimens=120) for seed in range(200))
        world = next(w for w in worlds if w.settings["subsets"] == subsets and not w.settings["one_sided"])
        return world.table["phase"].values != "", world.table["property"].notnull().values

    labelled, measured = seen("apart")
    assert np.mean(labelled & measured) < 0.1  # only labels that were added so that no phase lacks one
    labelled, measured = seen("nested")
    assert min((labelled & ~measured).sum(), (measured & ~labelled).sum()) <= 5
    labelled, measured = seen("independent")
    assert (labelled & measured).any()
    assert (labelled != measured).any()


def test_jump_moves_the_regions_apart():
    def between(jump):
        world = phase_map(11, jump=jump)
        truth = world.truth(world.grid)
        means = truth["property"].groupby(truth["phase"]).mean()
        return float(means.std() / truth["property"].groupby(truth["phase"]).std().mean())

    assert between(4.0) > 2 * between(0.5)


def test_a_phase_may_come_back_on_a_line():
    def n_changes(seed):
        world = phase_map(seed, n_dimensions=1, n_phases=2, boundary="fields")
        labels = world.truth(world.grid.sortby("x"))["phase"].values
        return int((labels[1:] != labels[:-1]).sum())

    changes = {n_changes(seed) for seed in SEEDS}
    assert 1 in changes
    assert max(changes) > 1


def test_composition_sums_to_one():
    world = phase_map(2, composition=True)
    for places in (world.table, world.grid):
        composition = places["composition"]
        assert composition.dims == ("specimen", "element")
        np.testing.assert_allclose(composition.sum("element"), 1)
        assert composition.min() >= 0
    assert world.design == "composition"
    assert shares(world).min() > 0.03


def test_table_says_roles_and_units():
    world = phase_map(2, n_dimensions=2, n_properties=3)
    assert world.design == ["x", "y"]
    assert world.properties == ["property_1", "property_2", "property_3"]
    roles = {name: variable.attrs["role"] for name, variable in world.table.data_vars.items()}
    assert roles == {"x": "synthesis", "y": "synthesis", "phase": "structure"} | dict.fromkeys(
        world.properties, "property"
    )
    assert all(world.table[name].attrs["units"] == "" for name in world.properties)
    assert all(int(world.table[name].notnull().sum()) >= 6 for name in world.properties)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"n_dimensions": 4}, "1 to 3"),
        ({"n_phases": 1}, "2 to 12"),
        ({"n_phases": 13, "n_specimens": 100}, "2 to 12"),
        ({"n_phases": 5, "n_specimens": 10}, "20 or more"),
        ({"boundary": "fractal"}, "fields"),
    ],
)
def test_refuses_what_no_world_can_have(settings, hint):
    with pytest.raises(TielineError, match=hint):
        phase_map(0, **settings)
