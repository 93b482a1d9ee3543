import numpy as np
import pytest

from tieline.models.elliptical_slice import elliptical_slice


def _run(log_density, start, n, rng, spread=1.0):
    current, draws = (log_density(start)[0], None), []
    z = start
    for _ in range(n):
        z, current = elliptical_slice(z, log_density, current, rng, spread)
        draws.append(z)
    return np.array(draws)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_a_target_other_than_the_reference_is_sampled(spread):
    mean, sd = np.array([0.8, -0.3]), np.array([0.5, 1.2])

    def log_density(z):
        return float(-0.5 * (((z - mean) / sd) ** 2).sum()), None

    draws = _run(log_density, np.zeros(2), 6000, np.random.default_rng(0), spread)
    np.testing.assert_allclose(draws.mean(0), mean, atol=0.08)
    np.testing.assert_allclose(draws.std(0), sd, rtol=0.06)


def test_a_move_never_ends_where_the_target_has_no_mass():
    def log_density(z):
        return (-0.5 * z @ z if z[0] > 1 else -np.inf), z[0]

    draws = _run(log_density, np.array([1.5]), 500, np.random.default_rng(1))
    assert (draws > 1).all()
    # Of a standard normal beyond one: mean 1.525.
    assert abs(draws.mean() - 1.525) < 0.1


def test_what_was_computed_at_the_new_place_comes_back():
    z, (value, state) = elliptical_slice(
        np.zeros(3), lambda z: (0.0, z.sum()), (0.0, 0.0), np.random.default_rng(2)
    )
    assert value == 0.0
    assert state == z.sum() != 0
