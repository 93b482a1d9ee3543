from itertools import combinations

import numpy as np
import pytest

from tieline.figures.stars import RADIUS, set_apart

PAPER = np.array([[0.0, 0.0], [220.0, 200.0]])


def crosses(a, b, c, d):
    """Do the stretches ab and cd cross?"""

    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spread", [0.0, 3.0, 8.0])
def test_five_neighbours_stand_clear_of_each_other(seed, spread):
    places = np.random.default_rng(seed).normal([190.0, 15.0], spread, (5, 2))
    middles = set_apart(places, PAPER)
    for i, j in combinations(range(5), 2):
        assert np.linalg.norm(middles[i] - middles[j]) >= 2 * RADIUS
        assert not crosses(places[i], middles[i], places[j], middles[j])
    assert np.linalg.norm(middles - places, axis=1).max() < 70


def test_a_star_with_room_stands_at_its_place():
    places = np.array([[10.0, 10.0], [100.0, 30.0], [60.0, 190.0]])
    np.testing.assert_array_equal(set_apart(places, PAPER), places)


def test_stars_that_have_to_move_stay_on_the_map():
    places = np.array([[1.0, 1.0]] * 4)
    moved = set_apart(places, PAPER)[1:]
    assert (moved >= 0).all()
