"""The bound and its parts, beside closed forms."""

import jax
import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from tieline.models.fingerprint.bound import (
    Batch,
    Prior,
    agreement,
    bound_terms,
    decoded_part,
    divergence,
)
from tieline.models.fingerprint.form import Form, Width
from tieline.models.fingerprint.likelihoods import log_likelihood
from tieline.models.fingerprint.messages import AT_ONCE, BASE_PRECISION, fuse, messages, product
from tieline.models.fingerprint.networks import Networks, Plan, flatten, rebuild
from tieline.models.fingerprint.steps import MANY_ENTRIES, corrupt, random_subsets

FORMS = (Form((4, 3)), Form((5,), has_decoder=False), Form((2,), "poisson"))


@pytest.fixture
def networks():
    return Networks(FORMS, Width(2, 16), rng=np.random.default_rng(0))


def batch(n=7, seed=0):
    rng = np.random.default_rng(seed)
    values = tuple(rng.integers(0, 4, (n, form.n_entries)).astype(np.float32) for form in FORMS)
    is_seen = tuple(rng.random(v.shape) > 0.2 for v in values)
    is_used = rng.random((n, 3)) > 0.4
    return Batch(values, values, is_seen, is_used, rng.standard_normal((n, 4)).astype(np.float32))


PRIOR = Prior(
    np.full(4, 0.25, np.float32),
    np.random.default_rng(1).standard_normal((4, 2)).astype(np.float32),
    np.full((4, 2), 0.5, np.float32),
)


def test_a_product_of_experts_is_the_product_of_their_densities():
    rng = np.random.default_rng(0)
    mean, precision = rng.standard_normal((3, 1, 1)), rng.uniform(0.5, 2, (3, 1, 1))
    z = np.linspace(-15, 15, 60001)
    density = stats.norm.pdf(z, 0, BASE_PRECISION**-0.5)
    for m in (0, 2):
        density = density * stats.norm.pdf(z, mean[m, 0, 0], precision[m, 0, 0] ** -0.5)
    density /= density.sum()
    centre, variance = product(mean, precision, np.array([[True, False, True]]))
    assert centre[0, 0] == pytest.approx((z * density).sum(), abs=1e-8)
    assert variance[0, 0] == pytest.approx((z**2 * density).sum() - centre[0, 0] ** 2, abs=1e-8)


def test_a_product_of_nothing_is_the_base():
    centre, variance = product(np.ones((2, 3, 1)), np.ones((2, 3, 1)), np.zeros((3, 2), bool))
    assert (centre == 0).all()
    np.testing.assert_allclose(variance, 1 / BASE_PRECISION)


def test_what_is_not_used_cannot_be_felt(networks):
    data = batch()
    wild = tuple(np.where(data.is_used[:, [m]], x, 1e6) for m, x in enumerate(data.inputs))
    for plain, other in zip(
        fuse(networks, data.inputs, data.is_used), fuse(networks, wild, data.is_used), strict=True
    ):
        np.testing.assert_allclose(plain, other, rtol=1e-5)


def test_numpy_and_jax_find_the_same_bound(networks):
    data, noise = batch(), np.random.default_rng(2).standard_normal((7, 2)).astype(np.float32)
    plan = Plan.of(networks)

    def terms(numbers, data, noise):
        built = plan.build(numbers)
        latent = fuse(built, data.inputs, data.is_used)
        return bound_terms(built, FORMS, (1.0, 1.0, 2.0), PRIOR, data, *latent, noise)

    plain = terms(flatten(networks), data, noise)
    traced = jax.jit(terms)(flatten(networks), data, noise)
    np.testing.assert_allclose(plain, traced, rtol=1e-4, atol=1e-4)


def test_networks_are_built_again_from_their_numbers(networks):
    again = rebuild(FORMS, Width(2, 16), flatten(networks))
    data = batch()
    np.testing.assert_array_equal(
        fuse(networks, data.inputs, data.is_used)[0], fuse(again, data.inputs, data.is_used)[0]
    )


def test_likelihoods_are_those_of_scipy():
    rng = np.random.default_rng(0)
    output, seen = rng.standard_normal((5, 3)), rng.random((5, 3)) > 0.3
    log_variance = np.array(0.4)
    cases = {
        "gaussian": (rng.standard_normal((5, 3)), lambda v: stats.norm.logpdf(v, output, np.exp(0.2))),
        "bernoulli": (
            rng.integers(0, 2, (5, 3)).astype(float),
            lambda v: stats.bernoulli.logpmf(v, 1 / (1 + np.exp(-output))),
        ),
        "poisson": (
            rng.integers(0, 5, (5, 3)).astype(float),
            lambda v: stats.poisson.logpmf(v, np.exp(output)),
        ),
        "categorical": (
            np.eye(3)[rng.integers(3, size=5)],
            lambda v: v * (output - np.log(np.exp(output).sum(1, keepdims=True))),
        ),
    }
    for kind, (value, wanted) in cases.items():
        found = log_likelihood(kind, output, value, seen, log_variance)
        np.testing.assert_allclose(found, np.where(seen, wanted(value), 0).sum(1), rtol=1e-10)


def test_random_subsets_are_never_empty_and_only_of_what_was_measured():
    rng = np.random.default_rng(0)
    is_measured = rng.random((4000, 3)) > 0.3
    is_measured[:, 0] |= ~is_measured.any(1)
    chosen = random_subsets(is_measured, rng)
    assert not (chosen & ~is_measured).any()
    assert chosen.any(1).all()
    complete = is_measured.all(1)
    assert chosen[complete].all(1).mean() == pytest.approx(1 / 3, abs=0.04)


def said(seed=3):
    """Messages of three modalities about seven specimens, the first of which has one modality only."""
    rng = np.random.default_rng(seed)
    used = np.array([[False, True, False]] + 3 * [[True, True, False]] + 3 * [[True, True, True]])
    data = batch()._replace(is_used=used)
    return data, rng.standard_normal((3, 7, 2)), rng.uniform(0.1, 2, (3, 7, 2))


def cluster_shares(mean, variance, log_laws):
    """By a Gaussian that is known, and by one that is a message."""
    near = stats.norm.logpdf(mean[:, None], PRIOR.centre, np.sqrt(PRIOR.variance)).sum(2)
    near = near - 0.5 * (variance[:, None] / PRIOR.variance).sum(2) + log_laws
    told = stats.norm.logpdf(mean[:, None], PRIOR.centre, np.sqrt(PRIOR.variance + variance[:, None]))
    return softmax(near, axis=1), softmax(told.sum(2), axis=1)


def test_agreement_is_the_cross_entropy_of_what_one_and_all_tell_of_clusters():
    data, mean, precision = said()
    all_say, _ = cluster_shares(*product(mean, precision, data.is_used), data.log_laws)
    wanted = np.zeros(7)
    for m in range(3):
        one = product(mean, precision, data.is_used & (np.arange(3) == m))
        _, one_says = cluster_shares(*one, data.log_laws)
        wanted += np.where(data.is_used[:, m], (all_say * np.log(one_says)).sum(1), 0)
    wanted[0] = 0  # nobody to agree with
    np.testing.assert_allclose(agreement(PRIOR, data, mean, precision), wanted, rtol=1e-5)


def test_the_teacher_does_not_learn_from_its_pupils():
    data, mean, precision = said()
    all_say, _ = cluster_shares(*product(mean, precision, data.is_used), data.log_laws)
    image = np.arange(3) == 0

    def taught(step):
        moved = mean + step * np.eye(7)[1][None, :, None] * image[:, None, None]
        _, one_says = cluster_shares(*product(moved, precision, data.is_used & image), data.log_laws)
        return (all_say[1] * np.log(one_says[1])).sum()  # by what the teacher said before

    gradient = jax.jit(jax.grad(lambda mean: agreement(PRIOR, data, mean, precision).sum()))(mean)
    assert float(gradient[0, 1].sum()) == pytest.approx((taught(1e-4) - taught(-1e-4)) / 2e-4, rel=1e-3)
    assert (np.asarray(gradient)[:, 0] == 0).all()


def test_divergence_is_that_of_two_densities():
    z, (whole, part) = np.linspace(-15, 15, 60001), ((0.7, 0.3), (-0.2, 1.4))
    p, q = (stats.norm.pdf(z, mean, variance**0.5) for mean, variance in (whole, part))
    wanted = (p * (np.log(p + 1e-300) - np.log(q))).sum() * (z[1] - z[0])
    found = divergence(*[tuple(np.full((2, 3), v) for v in g) for g in (whole, part)])
    np.testing.assert_allclose(found, 3 * wanted, rtol=1e-6)


def test_only_decoders_learn_from_where_a_part_leads(networks):
    noise, plan = np.random.default_rng(2).standard_normal((7, 2)).astype(np.float32), Plan.of(networks)

    def total(numbers, data):
        built = plan.build(numbers)
        latent = fuse(built, data.inputs, data.is_used)
        return decoded_part(built, FORMS, (1.0, 1.0, 1.0), data, *latent, noise).sum()

    slope = plan.build(np.asarray(jax.jit(jax.grad(total))(flatten(networks), batch())))
    assert all((leaf == 0).all() for leaf in jax.tree.leaves((slope.encoders, slope.log_variance)))
    assert all((weight != 0).any() for weight in slope.decoders[0].dense.weights)


def test_few_entries_are_corrupted_less_than_many():
    forms = (Form((2 * MANY_ENTRIES,)), Form((MANY_ENTRIES // 16,)))
    inputs = [np.zeros((4000, form.n_entries), np.float32) for form in forms]
    many, few = corrupt(inputs, forms, np.float32(0.2), np.arange(4, dtype=np.uint32))
    assert float(many.std()) == pytest.approx(0.2, rel=0.02)
    assert float(few.std()) == pytest.approx(0.05, rel=0.02)


def test_many_specimens_are_read_as_few_are(networks):
    data = batch(2 * AT_ONCE + 7)
    rows = slice(AT_ONCE - 3, AT_ONCE + 4)
    few = messages(networks, [x[rows] for x in data.inputs])
    for many, some in zip(messages(networks, data.inputs), few, strict=True):
        np.testing.assert_allclose(many[:, rows], some, rtol=1e-4, atol=1e-5)
