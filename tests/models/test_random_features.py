import numpy as np
import pytest

from tieline.models.kernels import KERNELS, squared_distance
from tieline.models.random_features import RandomFunctions

PLACES = np.array([[0.0, 0.0], [0.3, 0.1], [1.0, -0.5], [2.0, 2.0]])


@pytest.mark.parametrize("kernel", KERNELS)
def test_draws_have_the_covariance_of_their_kernel(kernel):
    rng = np.random.default_rng(0)
    # Frequencies are common to the draws of one call: many calls average over them too.
    values = np.hstack([RandomFunctions.draw(kernel, 2, 40, rng).at(PLACES) for _ in range(100)])
    wanted = KERNELS[kernel].value(squared_distance(PLACES, PLACES, np.ones(2)))
    # A product of unit normals has a standard deviation of at most sqrt(2); five standard errors.
    np.testing.assert_allclose(values @ values.T / 4000, wanted, atol=5 * np.sqrt(2 / 4000))
    np.testing.assert_allclose(values.mean(1), 0, atol=5 / np.sqrt(4000))


def test_a_function_is_the_same_wherever_it_is_asked():
    functions = RandomFunctions.draw("rbf", 2, 3, np.random.default_rng(1))
    apart = np.vstack([functions.at(place[None]) for place in PLACES])
    np.testing.assert_allclose(functions.at(PLACES), apart)


def test_every_function_has_unit_variance_whatever_the_frequencies():
    functions = RandomFunctions.draw("matern52", 1, 4000, np.random.default_rng(2))
    assert functions.at(np.array([[0.7]])).var() == pytest.approx(1, abs=5 * np.sqrt(2 / 4000))
