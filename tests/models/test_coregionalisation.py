import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal

from tieline.models.composition_basis import Basis
from tieline.models.composition_field import CompositionField, _Solver, fit_field, leave_out
from tieline.models.composition_folds import leave_out as leave_out_groups
from tieline.models.composition_folds import same_labels
from tieline.models.coregionalisation import Coupling, _maximise, fit_lengths
from tieline.models.laplace_kernel import laplace, reach_of

SIGNAL = np.array([[1.0, 0.7, -0.2], [0.7, 0.9, 0.1], [-0.2, 0.1, 0.6]])
RESIDUAL = np.array([[0.2, 0.1, 0.0], [0.1, 0.3, 0.05], [0.0, 0.05, 0.1]])
COUPLING = Coupling.of(SIGNAL, RESIDUAL)


def places(n, seed=0):
    return np.random.default_rng(seed).random((n, 3))


def covariance(x, coupling=COUPLING):
    """Of all values, row after row."""
    return np.kron(laplace(x, x), coupling.signal) + np.kron(np.eye(len(x)), coupling.residual)


def values(x, seed=0):
    size = 3 * len(x)
    drawn = multivariate_normal(np.zeros(size), covariance(x)).rvs(random_state=seed)
    return drawn.reshape(-1, 3)


def field(x, y, variance=None):
    variance = np.zeros(y.shape) if variance is None else variance
    alpha = _Solver(laplace(x, x), COUPLING).alpha(y, variance)
    return CompositionField(np.ones(1), COUPLING, x, Basis.plain(3), np.isfinite(y), variance, alpha)


def dense_mean(x, y, at, variance=0.0):
    """The textbook's answer, from the values that are there."""
    seen = np.isfinite(y).ravel()
    joint = (covariance(x) + np.diag(np.broadcast_to(variance, y.shape).ravel()))[np.ix_(seen, seen)]
    cross = np.kron(laplace(at, x), COUPLING.signal)[:, seen]
    return (cross @ np.linalg.solve(joint, y.ravel()[seen])).reshape(-1, 3)


def maximise(x, y, steps, variance=None):
    return _maximise(laplace(x, x), y, np.zeros(y.shape) if variance is None else variance, steps)


def test_the_common_basis_makes_both_covariances_diagonal():
    np.testing.assert_allclose(COUPLING.mixing @ COUPLING.mixing.T, RESIDUAL, atol=1e-12)
    rebuilt = (COUPLING.mixing * COUPLING.ratio) @ COUPLING.mixing.T
    np.testing.assert_allclose(rebuilt, COUPLING.signal, atol=1e-12)
    powers = np.log(COUPLING.ratio) / np.log(4)
    np.testing.assert_allclose(powers, powers.round(), atol=1e-12)


def test_the_likelihood_is_that_of_the_joint_normal():
    x = places(12)
    y = values(x)
    _, _, value = maximise(x, y, steps=1)
    first = np.kron(laplace(x, x), 0.8 * np.eye(3)) + 0.2 * np.eye(36)
    wanted = multivariate_normal(np.zeros(36), first).logpdf(y.ravel())
    assert value - 18 * np.log(2 * np.pi) == pytest.approx(wanted)


def test_expectation_maximisation_climbs():
    x = places(60)
    y = values(x)
    found = [maximise(x, y, steps)[2] for steps in (1, 2, 4, 8, 16)]
    assert (np.diff(found) > -0.5).all()  # the prior of B and R may cost a little of the likelihood
    assert found[-1] > found[0] + 5


def test_covariances_of_properties_are_found_again_with_labels_missing_too():
    x = 3 * places(400, seed=2)
    y = values(x, seed=3)
    whole = maximise(x, y, steps=60)
    for found, truth in zip(whole, (SIGNAL, RESIDUAL), strict=False):
        np.testing.assert_allclose(found, truth, atol=0.4)
    y[np.random.default_rng(0).random(y.shape) < 0.5] = np.nan
    some = np.isfinite(y).any(1)
    partly = maximise(x[some], y[some], steps=60)
    for found, wanted in zip(partly[:2], whole[:2], strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.3)


def test_the_length_that_values_were_drawn_with_is_found_again():
    x = places(200, seed=4)
    y = values(4 * x, seed=5)
    lengths, _ = fit_lengths(x, y, np.zeros(y.shape), np.zeros(3, dtype=np.intp), np.array([1.0]), seed=0)
    assert 0.1 < lengths[0] <= 0.5


def test_covariances_are_found_again_from_values_with_standard_errors():
    x = 3 * places(400, seed=2)
    y = values(x, seed=3)
    error = np.where(np.arange(400)[:, None] % 2 == 0, 1.0, 0.0) * np.ones(3)
    noisy = y + error * np.random.default_rng(4).standard_normal(y.shape)
    whole, aware = maximise(x, y, steps=60), maximise(x, noisy, 60, error**2)
    np.testing.assert_allclose(aware[1], whole[1], atol=0.2)
    assert (maximise(x, noisy, steps=60)[1].diagonal() > aware[1].diagonal() + 0.2).all()


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_the_mean_is_the_textbooks(missing):
    x, at = places(40), places(7, seed=1)
    y = values(x)
    y[np.random.default_rng(1).random(y.shape) < missing] = np.nan
    np.testing.assert_allclose(field(x, y).answer(at).mean, dense_mean(x, y, at), atol=1e-3)


def test_standard_errors_enter_as_the_textbook_says_when_all_or_others_tell():
    x, at = places(40), places(7, seed=1)
    y = values(x)
    y[::3, 1] = np.nan
    variance = np.random.default_rng(2).random(y.shape)
    known = field(x, y, variance)
    np.testing.assert_allclose(known.answer(at).mean, dense_mean(x, y, at, variance), atol=1e-3)
    parts = (np.arange(0, 15), np.arange(15, 40))
    (found,) = leave_out(known, y, [parts])
    for rows in parts:
        others = np.setdiff1d(np.arange(40), rows)
        wanted = dense_mean(x[others], y[others], x[rows], variance[others])
        np.testing.assert_allclose(found.mean[rows], wanted, atol=1e-3)
    exact = field(x, y)
    assert (known.answer(at).reach > exact.answer(at).reach).all()


def test_what_is_left_out_is_predicted_as_by_a_fit_to_the_others():
    x = places(40)
    y = values(x)
    parts = (np.arange(0, 15), np.arange(15, 40))
    (found,) = leave_out(field(x, y), y, [parts])
    for rows in parts:
        others = np.setdiff1d(np.arange(40), rows)
        np.testing.assert_allclose(found.mean[rows], dense_mean(x[others], y[others], x[rows]), atol=1e-8)
        reach = field(x[others], y[others]).answer(x[rows]).reach
        np.testing.assert_allclose(found.reach[rows], reach, atol=1e-8)


def test_nothing_is_known_far_away_and_much_nearby():
    x = places(50)
    known = field(x, values(x))
    np.testing.assert_allclose(known.answer(x[:3] + 100).reach, 1.0, atol=1e-6)
    assert (known.answer(x[:3]).reach < 0.3).all()


def test_the_kernel_is_what_it_says():
    x, at = places(30), places(5, seed=1)
    np.testing.assert_allclose(laplace(at, x), np.exp(-cdist(at, x, "cityblock")), rtol=1e-5)


def test_near_rows_decide_how_much_is_known():
    x, at = 3 * places(300), 3 * places(40, seed=1)
    k = laplace(at, x)
    whole = 1 - np.einsum("ij,ij->i", k, np.linalg.solve(laplace(x, x) + 0.1 * np.eye(300), k.T).T)
    near = reach_of(at, x, 0.1, k)
    assert (near >= whole - 1e-6).all()  # what is left out can only have told more
    np.testing.assert_allclose(near, whole, atol=0.1)


def test_draws_are_standardised_and_correlated_as_the_properties_are():
    x, at = places(20), 5 * places(6, seed=3)
    y = values(x)
    drawn = field(x, y).draws(at, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.std(0), 1.0, atol=0.06)
    np.testing.assert_allclose(drawn.mean(0), 0.0, atol=0.08)
    wanted = COUPLING.signal[0, 1] / np.sqrt(COUPLING.signal[0, 0] * COUPLING.signal[1, 1])
    assert np.corrcoef(drawn[:, 2, 0], drawn[:, 2, 1])[0, 1] == pytest.approx(wanted, abs=0.06)


def test_groups_stay_together_and_parts_are_even():
    group = np.random.default_rng(0).integers(0, 40, 300)
    system = group // 2
    folds = leave_out_groups(group, system, seed=1)
    assert sorted(np.concatenate(folds.parts).tolist()) == list(range(300))
    for rows in folds.parts:
        assert not np.isin(group[np.setdiff1d(np.arange(300), rows)], group[rows]).any()
        assert 45 < len(rows) < 75
        others = np.setdiff1d(np.arange(300), rows)
        np.testing.assert_array_equal(folds.is_new[rows], ~np.isin(system[rows], system[others]))
    assert leave_out_groups(system, system, seed=1).is_new.all()


def test_properties_with_the_same_labels_are_found():
    seen = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1]], dtype=bool)
    found = {tuple(columns): tuple(rows) for columns, rows in same_labels(seen)}
    assert found == {(0, 1): (0, 1), (2,): (1, 2)}
    weight = np.array([[1, 0.5, 1], [1, 1, 1], [1, 1, 1]])
    assert len(same_labels(seen, weight)) == 3


def learned(truth, noise, material, repeats=1):
    """Length of a field from 900 places on a square, and by how much it errs between them."""
    rng = np.random.default_rng(1)
    x, at = rng.random((900 // repeats, 2)), rng.random((200, 2))
    y = np.repeat(truth(x) + noise * rng.standard_normal((len(x), 1)), repeats, axis=0)
    x = np.repeat(x, repeats, axis=0)
    told = (np.zeros(y.shape), np.zeros(2, dtype=np.intp), np.array([1.0]))
    found, _ = fit_field(x, y, *told, 0, Basis.plain(1), material)
    return found.lengths[0], np.abs(found.answer(at / found.lengths[0]).mean - truth(at)).mean()


def fine(x):
    return np.sin(20 * x[:, :1]) * np.sin(20 * x[:, 1:])


def plain(x):
    return np.sin(3 * x[:, :1]) + x[:, 1:]


def test_what_only_near_neighbours_tell_shortens_lengths():
    by_likelihood, error = learned(fine, 0.05, None)
    shorter, less = learned(fine, 0.05, np.arange(900))
    assert shorter < by_likelihood
    assert less < 0.85 * error


def test_noise_does_not_shorten_lengths():
    assert learned(plain, 0.5, np.arange(900)) == learned(plain, 0.5, None)


def test_rows_of_one_material_do_not_tell_of_each_other():
    together, _ = learned(plain, 0.5, np.arange(900) // 2, repeats=2)
    apart, _ = learned(plain, 0.5, np.arange(900), repeats=2)
    assert apart < together
