import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tieline.models.gate_mixture import (
    Focus,
    average_gates,
    standard_normals,
    truncated,
    whitened_normals,
)
from tieline.models.observations import Observations

LINE = np.linspace(0, 1, 12)[:, None]
SIDE = np.eye(2)[(LINE[:, 0] > 0.5).astype(int)]


def average(x=LINE, label=SIDE, message=None, n_nodes=6, **options):
    message = np.zeros(label.shape) if message is None else message
    nothing = np.zeros((len(x), 0))
    return average_gates(Observations(x, label, nothing, nothing), message, n_nodes=n_nodes, **options)


def test_whitened_normals_have_exactly_the_moments_of_a_standard_normal():
    z = whitened_normals(3)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(z.T @ z / len(z), np.eye(3), atol=1e-12)


def test_quasi_random_normals_are_finite_and_centred():
    z = standard_normals(512, 5, seed=1)
    assert np.isfinite(z).all()
    np.testing.assert_allclose(z.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(z.std(0), 1, atol=0.02)


def test_truncation_bounds_the_heaviest_weight_and_keeps_the_order():
    weight = np.array([0.97, 0.01, 0.01, 0.005, 0.005])
    cut = truncated(weight)
    assert cut.sum() == pytest.approx(1)
    assert cut[0] / cut[1] == pytest.approx(weight.mean() * np.sqrt(5) / weight[1])
    assert cut[1] / cut[3] == pytest.approx(2)


def test_even_weights_are_left_as_they_are():
    np.testing.assert_allclose(truncated(np.full(4, 0.25)), 0.25)


def test_the_density_of_a_focus_is_a_normal_up_to_a_constant():
    root = np.array([[1.0, 0.0], [0.4, 0.7]])
    focus = Focus(np.array([1.0, -2.0]), root)
    thetas = np.random.default_rng(0).standard_normal((9, 2))
    apart = focus.log_density(thetas) - multivariate_normal(focus.centre, root @ root.T).logpdf(thetas)
    assert np.ptp(apart) < 1e-9


def test_draws_of_a_focus_have_its_moments():
    focus = Focus(np.array([1.0, -2.0]), np.array([[1.0, 0.0], [0.4, 0.7]]))
    drawn = focus.draw(1024, seed=0)
    np.testing.assert_allclose(drawn.mean(0), focus.centre, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), focus.root @ focus.root.T, atol=0.03)


def test_a_narrowed_focus_covers_the_weighted_settings():
    prior = Focus.prior(2)
    thetas = prior.draw(64, seed=3)
    weight = np.random.default_rng(0).dirichlet(np.ones(64))
    narrow = prior.narrowed(thetas, weight)
    np.testing.assert_allclose(narrow.centre, weight @ thetas)
    apart = thetas - narrow.centre
    spread = np.einsum("s,si,sj->ij", weight, apart, apart)
    assert np.linalg.eigvalsh(narrow.root @ narrow.root.T - spread).min() > 0


def test_a_line_needs_no_factor_of_its_lengthscale():
    assert len(Focus.prior(1).centre) == 4
    assert len(Focus.prior(3).centre) == 7


def test_weights_sum_to_one_with_the_heaviest_first():
    mixture = average()
    assert mixture.weights.sum() == pytest.approx(1)
    assert (np.diff(mixture.weights) <= 0).all()
    assert len(mixture.gates) == len(mixture.weights)


def test_one_phase_is_everywhere():
    mixture = average(label=np.ones((12, 1)))
    assert mixture.gates == ()
    np.testing.assert_array_equal(mixture.probabilities(LINE), 1)


def test_without_rows_all_phases_are_alike():
    mixture = average(x=np.zeros((0, 2)), label=np.zeros((0, 3)))
    np.testing.assert_allclose(mixture.probabilities(np.random.default_rng(0).random((5, 2))), 1 / 3)


def test_a_message_counts_like_a_label():
    unknown = np.where(np.arange(12)[:, None] % 3 == 0, np.nan, SIDE)
    message = np.where(np.isnan(unknown), 8 * SIDE - 8, 0.0)
    told = average(label=unknown, message=message).probabilities(LINE)
    assert (told.argmax(1) == SIDE.argmax(1)).all()


def test_swapped_phases_swap_their_probabilities():
    one, other = average().probabilities(LINE), average(label=SIDE[:, ::-1]).probabilities(LINE)
    np.testing.assert_allclose(one, other[:, ::-1], atol=0.02)


def test_a_cavity_is_the_average_without_the_row():
    found = average().cavity_probabilities(12)
    for i in (0, 4, 6, 11):
        rest = np.arange(12) != i
        left_out = average(LINE[rest], SIDE[rest]).probabilities(LINE[i : i + 1])[0]
        np.testing.assert_allclose(found[i], left_out, atol=0.08)


def test_contradicting_labels_at_one_place_raise_the_label_error():
    place = np.repeat(LINE, 2, axis=0)
    agreed = np.repeat(SIDE, 2, axis=0)
    contradicted = agreed.copy()
    contradicted[1::8] = 1 - contradicted[1::8]
    errors = [
        sum(w * g.settings.label_error[0] for g, w in zip(m.gates, m.weights, strict=True))
        for m in (average(place, agreed), average(place, contradicted))
    ]
    assert errors[1] > 2 * errors[0]
