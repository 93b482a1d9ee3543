import numpy as np
import pytest

import tieline as tl
from tieline.planning.likely_settings import likely_settings, require_numbers

WIDTH, HEIGHT = tl.Numeric("width", 1.0, 5.0), tl.Numeric("height", 1, 5, step=1)


def looked_at(places, rng):
    """Three numbers of plates, two of which tell nothing alone, with scatter."""
    width, height = np.log(places["width"].values), np.log(places["height"].values)
    told = np.stack([width + height, width - 0.3 * height, 0.5 * width**2], 1)
    return told + 0.05 * rng.standard_normal(told.shape)


def answered(space, n_targets, seed=0):
    """True settings (target, setting), and what is said of them (target, 3, setting)."""
    rng = np.random.default_rng(seed)
    targets = space.candidates(n_targets, seed=seed + 1)
    wanted = looked_at(targets, rng)
    seen = space.candidates(30, seed=seed + 2)
    told = looked_at(seen, rng)
    found = [likely_settings(seen, told - one, space, seed) for one in wanted]
    return np.stack([targets[name].values for name in space.names], 1), np.array(found)


def test_intervals_hold_the_settings_as_often_as_they_promise():
    space = tl.Space([WIDTH, tl.Numeric("height", 1.0, 5.0)])
    true, found = answered(space, 8)
    middle, low, high = found.transpose(1, 0, 2)
    assert ((low <= middle) & (middle <= high)).all()
    is_inside = (low <= true) & (true <= high)
    assert is_inside.sum() >= 11  # of 16; fewer are held once in 300 times where nine in ten are promised
    assert np.median(np.abs(middle - true)) < 0.2
    assert np.median(high - low) < 1.0  # of 4


def test_answers_lie_on_steps_and_levels_and_within_constraints():
    space = tl.Space(
        [tl.Levels("width", [1.0, 1.5, 2.0, 4.0]), HEIGHT],
        [tl.LinearConstraint({"width": 1.0, "height": 1.0}, at_most=6)],
    )
    true, found = answered(space, 3)
    np.testing.assert_allclose(found[:, 0], true, atol=0.5)
    assert (found[:, 0].sum(1) <= 6.5).all()


def test_settings_that_are_no_numbers_are_refused():
    with pytest.raises(tl.SchemaError, match="settings that are numbers"):
        require_numbers(tl.Space([WIDTH, tl.Categorical("kind", ["a", "b"])]))
