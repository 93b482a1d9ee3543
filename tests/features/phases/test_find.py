import numpy as np
import pytest
import xarray as xr
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF

import tieline as tl
from tieline.errors import NotIdentified, SchemaError
from tieline.features.phases import find_phases

SMALL = {"n_specimens": 66, "n_angles": 400, "two_theta": (20.0, 70.0), "n_phases": 4}


@pytest.fixture(scope="module")
def world():
    return tl.worlds.diffraction(1, **SMALL)


@pytest.fixture(scope="module")
def found(world):
    return find_phases(world.record, most_phases=6)


def error(share, truth):
    """Mean absolute error, components matched to phases; missing ones are zero."""
    size = max(share.shape[1], truth.shape[1])
    ours, theirs = (np.pad(a, ((0, 0), (0, size - a.shape[1]))) for a in (share, truth))
    distance = np.abs(ours[:, :, None] - theirs[:, None]).mean(0)
    rows, columns = linear_sum_assignment(distance)
    return distance[rows, columns].sum() / truth.shape[1]


def changed(world, **node):
    patterns = world.patterns.assign(node)
    return xr.DataTree.from_dict({"/specimens": world.table, "/xrd": patterns})


def test_shares_are_nearer_to_the_truth_than_those_of_a_factorisation(world, found):
    truth = world.truth["activation"].values
    model = NMF(4, init="nndsvda", max_iter=2000, random_state=0)
    amount = model.fit_transform(found["observed"].clip(0).values) * model.components_.sum(1)
    peer = error(amount / amount.sum(1, keepdims=True), truth)
    assert error(found["share"].values, truth) < 0.5 * peer
    assert found.attrs["n_phases"] == 4


def test_intervals_hold_the_truth_although_patterns_are_unsure(world, found):
    truth = world.truth["activation"].values
    distance = np.abs(found["share"].values[:, :, None] - truth[:, None]).mean(0)
    truth = truth[:, linear_sum_assignment(distance)[1]]
    held = (found["share_low"].values <= truth) & (truth <= found["share_high"].values)
    assert held[truth > 0.02].mean() > 0.8


def test_probabilities_are_such(found):
    for name in ("phase_probability", "share"):
        np.testing.assert_allclose(found[name].sum("phase"), 1)
    assert (found["share_low"] <= found["share_high"]).all()
    assert (found["presence_probability"] > 0.5).any("phase").all()


def test_phase_property_reads_the_probabilities(world, found):
    table = world.table.assign(found_phase=found["phase_probability"])
    posterior = tl.PhaseProperty("composition", "found_phase", ["magnetisation"]).fit(table)
    main = posterior.predict(table)["phase_probability"].idxmax("phase").values
    mine = found["phase_probability"].idxmax("phase").values
    assert (main == mine).mean() > 0.8


def test_strain_follows_the_lattice(world, found):
    truth, share = world.truth, world.truth["activation"].values
    distance = np.abs(found["share"].values[:, :, None] - share[:, None]).mean(0)
    for ours, theirs in zip(*linear_sum_assignment(distance), strict=True):
        both = np.isfinite(found["strain"].values[:, ours]) & (share[:, theirs] > 0.3)
        mine, real = found["strain"].values[both, ours], truth["strain"].values[both, theirs]
        if both.sum() > 8 and real.std() > 2e-3:
            assert np.corrcoef(mine, real)[0, 1] > 0.8


def test_the_same_seed_gives_the_same_answer(world):
    first, second = (find_phases(world.record, n_phases=3, seed=5) for _ in range(2))
    xr.testing.assert_identical(first, second)
    assert first.sizes["phase"] == 3


def test_what_was_not_measured_is_nan_and_has_no_label(world):
    values = world.patterns["intensity"].copy()
    values[3] = np.nan
    answer = find_phases(changed(world, intensity=values), n_phases=3)
    assert answer["phase_probability"][3].isnull().all()
    assert answer["region"][3] == ""
    assert "left out" in " ".join(answer.attrs["notes"])


def test_a_pattern_of_no_phase_is_flagged(world):
    values = world.patterns["intensity"].copy()
    angles = values["two_theta"].values
    strange = 20 + 800 * sum(np.exp(-(((angles - place) / 0.3) ** 2)) for place in (24.0, 41.0, 55.0, 66.0))
    values[30] = strange
    answer = find_phases(changed(world, intensity=values), n_phases=4)
    assert answer["is_none_of_phases"].values[30] or answer["unexplained"].argmax() == 30


def test_patterns_over_q_and_without_a_design_will_do(world):
    inverse = 4 * np.pi * np.sin(np.radians(world.patterns["two_theta"].values / 2)) / 1.5406
    patterns = world.patterns.rename(two_theta="q").assign_coords(q=inverse)
    record = xr.DataTree.from_dict({"/specimens": world.table, "/xrd": patterns})
    answer = find_phases(record, design=None, n_phases=3)
    assert answer["pattern"].dims == ("phase", "q")


def test_refuses_damaged_patterns(world):
    intensity = world.patterns["intensity"]
    with pytest.raises(SchemaError, match="not negative"):
        find_phases(changed(world, intensity=intensity - 300))
    with pytest.raises(SchemaError, match="same intensity in every channel"):
        find_phases(changed(world, intensity=intensity * 0 + 5))
    with pytest.raises(NotIdentified, match="All patterns are the same"):
        find_phases(changed(world, intensity=intensity * 0 + intensity[0]))
    with pytest.raises(SchemaError, match="a tenth of their channels"):
        find_phases(changed(world, intensity=intensity.where(intensity["two_theta"] < 40)))


def test_refuses_an_axis_that_is_none(world):
    backwards = world.patterns.assign_coords(two_theta=world.patterns["two_theta"].values[::-1])
    with pytest.raises(SchemaError, match="must rise"):
        find_phases(xr.DataTree.from_dict({"/specimens": world.table, "/xrd": backwards}))
    other = world.patterns.rename(two_theta="energy")
    with pytest.raises(SchemaError, match="an axis 'two_theta'"):
        find_phases(xr.DataTree.from_dict({"/specimens": world.table, "/xrd": other}))


def test_refuses_too_little_and_strangers(world):
    one = world.patterns.isel(measurement=[0])
    with pytest.raises(NotIdentified, match="how patterns differ"):
        find_phases(xr.DataTree.from_dict({"/specimens": world.table, "/xrd": one}))
    few = world.table.isel(specimen=slice(0, 10))
    with pytest.raises(SchemaError, match="not in the table"):
        find_phases(xr.DataTree.from_dict({"/specimens": few, "/xrd": world.patterns}))
    with pytest.raises(SchemaError, match="nodes /specimens and /xrd"):
        find_phases(xr.DataTree.from_dict({"/specimens": world.table}))
    with pytest.raises(SchemaError, match="Numbers of phases"):
        find_phases(world.record, n_phases=0)
