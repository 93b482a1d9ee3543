import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import kernels as sklearn_kernels

from tieline.models.kernels import KERNELS, pivoted_root, squared_distance

RNG = np.random.default_rng(0)
PLACES = RNG.random((30, 3))
LENGTHSCALE = np.array([0.3, 1.0, 4.0])


def matern(a, b):
    return KERNELS["matern52"].value(squared_distance(a, b, LENGTHSCALE))


@pytest.mark.parametrize(
    ("name", "independent"),
    [
        ("rbf", sklearn_kernels.RBF(LENGTHSCALE)),
        ("matern52", sklearn_kernels.Matern(LENGTHSCALE, nu=2.5)),
    ],
)
def test_covariances_are_those_of_scikit_learn(name, independent):
    ours = KERNELS[name].value(squared_distance(PLACES, PLACES[:7], LENGTHSCALE))
    np.testing.assert_allclose(ours, independent(PLACES, PLACES[:7]), atol=1e-7)


def test_distances_are_scaled_along_each_axis():
    scaled = cdist(PLACES / LENGTHSCALE, PLACES[:5] / LENGTHSCALE, "sqeuclidean")
    np.testing.assert_allclose(squared_distance(PLACES, PLACES[:5], LENGTHSCALE), scaled, atol=1e-12)


def test_a_place_is_never_at_a_negative_distance_from_itself():
    far = 1e4 + PLACES
    assert (squared_distance(far, far, LENGTHSCALE) >= 0).all()


@pytest.mark.parametrize("name", KERNELS)
def test_slopes_are_the_derivatives_of_the_covariances(name):
    r2, step = np.geomspace(0.01, 20, 40), 1e-6
    numerical = (KERNELS[name].value(r2 + step) - KERNELS[name].value(r2 - step)) / (2 * step)
    np.testing.assert_allclose(KERNELS[name].slope(r2), numerical, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("name", KERNELS)
def test_slopes_are_finite_where_places_coincide(name):
    nearby = KERNELS[name].value(np.array([0.0, 1e-7]))
    assert KERNELS[name].slope(np.zeros(1))[0] == pytest.approx((nearby[1] - nearby[0]) / 1e-7, rel=1e-3)


def test_a_full_root_restores_the_matrix():
    root, pivots = pivoted_root(matern, np.ones(30), PLACES, max_rank=30, tolerance=0.0)
    np.testing.assert_allclose(root @ root.T, matern(PLACES, PLACES), atol=1e-6)
    assert len(set(pivots.tolist())) == len(pivots)


def test_a_short_root_leaves_no_more_than_the_tolerance_anywhere():
    root, pivots = pivoted_root(matern, np.ones(30), PLACES, max_rank=30, tolerance=0.05)
    left = matern(PLACES, PLACES) - root @ root.T
    assert root.shape[1] == len(pivots) < 30
    assert left.diagonal().min() + 1e-12 >= 0
    assert left.diagonal().max() <= 0.05
    assert np.linalg.eigvalsh(left).min() > -1e-9


def test_a_root_is_exact_at_its_pivots():
    root, pivots = pivoted_root(matern, np.ones(30), PLACES, max_rank=6, tolerance=0.0)
    np.testing.assert_allclose(root @ root[pivots].T, matern(PLACES, PLACES[pivots]), atol=1e-9)


def test_repeated_places_need_no_second_column():
    twice = np.vstack([PLACES[:5], PLACES[:5]])
    root, _ = pivoted_root(matern, np.ones(10), twice, max_rank=10, tolerance=0.0)
    assert root.shape == (10, 5)
