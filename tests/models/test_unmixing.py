import numpy as np
import pytest
from scipy.optimize import nnls

import tieline as tl
from tieline.models.spectral_references import References, learn_references
from tieline.models.unmixing import shares, unmix


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(11, n_mixtures=40)


@pytest.fixture(scope="module")
def references(world):
    return learn_references(
        world.references["area"].values,
        world.references["reference"].values,
        world.references["mz"].values,
        "mz",
    )


def exact(level, spread=0.0, n_spectra=1e12):
    n, channels = level.shape
    names = tuple("ABCDEFG"[:n])
    return References(
        names, np.arange(float(channels)), "mz", level, level.max(0), np.full(n, n_spectra),
        np.full(channels, spread), 0.0,
    )  # fmt: skip


def test_noise_of_the_references_is_found_again(references):
    assert references.spread.mean() == pytest.approx(np.exp(0.25**2) - 1, rel=0.1)
    assert references.dose_sd == pytest.approx(0.15, abs=0.04)


def test_channels_that_scatter_more_are_told_apart():
    rng = np.random.default_rng(0)
    sd = np.repeat([0.05, 0.5], 50)
    counts = np.concatenate(
        [
            rng.poisson(np.exp(sd * rng.standard_normal((15, 100))) * rng.uniform(500, 5000, 100))
            for _ in range(4)
        ]
    ).astype(float)
    found = learn_references(counts, np.repeat(list("ABCD"), 15), np.arange(100.0), "mz")
    assert np.median(found.spread[50:]) > 20 * np.median(found.spread[:50])


def test_without_noise_it_is_non_negative_least_squares():
    rng = np.random.default_rng(1)
    level = rng.uniform(100, 10_000, (3, 40))
    wanted = np.array([0.7, 0.0, 1.1])
    found = unmix(wanted @ level, exact(level))
    np.testing.assert_allclose(found.amount, wanted, atol=1e-6)
    np.testing.assert_allclose(found.amount, nnls(level.T, wanted @ level)[0], atol=1e-6)


def test_the_dose_does_not_matter(references, world):
    row = world.unknowns["area"].values[0]
    one, ten = (shares(unmix(k * row, references), np.ones(5), np.zeros(5))[0] for k in (1, 10))
    np.testing.assert_allclose(one, ten, atol=0.01)


def test_shares_are_right_and_intervals_hold_them(references, world):
    truth = world.truth["share"].values
    held, error, plain = [], [], []
    for row, wanted in zip(world.unknowns["area"].values, truth, strict=True):
        share, low, high, _ = shares(unmix(row, references), np.ones(5), references.log_yield_variance)
        held.append((low <= wanted) & (wanted <= high))
        error.append(np.abs(share - wanted).mean())
        amount = nnls(references.level.T, row)[0]
        plain.append(np.abs(amount / amount.sum() - wanted).mean())
    assert np.mean(error) <= 0.010
    assert np.mean(error) < 0.4 * np.mean(plain)
    assert 0.84 <= np.mean(held) <= 0.96  # 200 intervals of one world share their references


def test_sensitivity_factors_divide_the_counts():
    level = np.array([[1000.0, 0, 500], [0, 1000.0, 500]])
    mixture = unmix(np.array([3.0, 1.0]) * 0.5 @ level, exact(level))
    share, *_ = shares(mixture, np.array([3.0, 1.0]), np.zeros(2))
    np.testing.assert_allclose(share, [0.5, 0.5], atol=1e-9)


def test_errors_of_whole_compounds_widen_intervals_on_the_log_ratio():
    level = np.array([[1e6, 0.0, 1e5], [0.0, 1e6, 1e5]])
    mixture = unmix(np.array([0.4, 0.6]) @ level, exact(level))
    share, low, high, _ = shares(mixture, np.ones(2), np.full(2, 0.5**2))
    rng = np.random.default_rng(0)
    drawn = share * np.exp(0.5 * rng.standard_normal((100_000, 2)))
    drawn /= drawn.sum(1, keepdims=True)
    np.testing.assert_allclose([low, high], np.quantile(drawn, [0.05, 0.95], axis=0), atol=0.01)


def test_a_contaminated_channel_hardly_moves_the_shares(references, world):
    row = world.unknowns["area"].values[1].copy()
    before, *_ = shares(unmix(row, references), np.ones(5), np.zeros(5))
    row[row.argmax()] *= 20
    after = unmix(row, references)
    np.testing.assert_allclose(shares(after, np.ones(5), np.zeros(5))[0], before, atol=0.02)
    assert after.unexplained > 0.3


def test_unmeasured_channels_count_for_nothing(references, world):
    row = world.unknowns["area"].values[2].copy()
    row[::4] = np.nan
    seen = np.isfinite(row)
    found, alone = unmix(row, references), unmix(row[seen], references.seen(seen))
    np.testing.assert_array_equal(found.amount, alone.amount)
    assert np.isnan(found.residual[::4]).all()


def test_the_mean_of_spots_is_surer_than_one(references, world):
    row = references.level[0] * 0.5 + references.level[3] * 0.5
    one, twelve = (np.diag(unmix(row, references, n).covariance) for n in (1, 12))
    assert (twelve < 0.4 * one).all()


def test_nothing_has_no_shares():
    level = np.array([[1000.0, 0, 500], [0, 1000.0, 500]])
    share, *_ = shares(unmix(np.zeros(3), exact(level)), np.ones(2), np.zeros(2))
    assert np.isnan(share).all()


def test_two_equal_references_are_not_told_apart():
    level = np.tile(np.random.default_rng(0).uniform(100, 1000, 30), (2, 1))
    found = unmix(level[0], exact(level, spread=0.05, n_spectra=12))
    assert np.isfinite(found.amount).all()
    _, low, high, _ = shares(found, np.ones(2), np.zeros(2))
    assert (low < 0.01).all()
    assert (high > 0.99).all()
