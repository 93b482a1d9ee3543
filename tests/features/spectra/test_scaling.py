import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import tieline as tl
from tieline.features.spectra import PeakScaling
from tieline.features.spectra.scaling import METHODS


@pytest.fixture(scope="module")
def counts():
    return np.random.default_rng(0).poisson(np.geomspace(1, 1000, 12), (20, 12)).astype(float)


@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        ("min_max", MinMaxScaler(clip=True)),
        ("standard", StandardScaler()),
        ("peak_maximum", MaxAbsScaler()),
    ],
)
def test_it_agrees_with_scikit_learn(counts, method, theirs):
    train, test = counts[:14], counts[14:]
    np.testing.assert_allclose(
        PeakScaling(method).fit(train).transform(test), theirs.fit(train).transform(test)
    )


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_learned_from_the_test_fold(counts, method):
    scaling = PeakScaling(method, truncate=True).fit(counts[:14])
    alone = scaling.transform(counts[14:15])
    np.testing.assert_allclose(scaling.transform(counts[14:])[:1], alone)


@pytest.mark.parametrize("method", METHODS)
def test_empty_and_constant_peaks_stay_finite(method):
    counts = np.zeros((4, 3))
    counts[:, 1] = 5
    assert np.isfinite(PeakScaling(method).fit(counts).transform(counts)).all()


def test_log_is_of_one_plus_the_counts(counts):
    np.testing.assert_allclose(PeakScaling("log").fit_transform(counts), np.log(1 + counts))


def test_total_count_makes_all_spectra_sum_alike(counts):
    sums = PeakScaling("total_count").fit_transform(counts).sum(1)
    np.testing.assert_allclose(sums, np.median(counts.sum(1)))


def test_poisson_scaling_makes_noise_even():
    counts = np.random.default_rng(1).poisson(np.geomspace(20, 20_000, 30), (500, 30)).astype(float)
    noise = PeakScaling("poisson").fit_transform(counts).std(0)
    assert noise.max() / noise.min() < 1.2
    assert counts.std(0).max() / counts.std(0).min() > 20


def test_truncation_ends_at_the_most_of_the_references(counts):
    high = counts[:1] * 100
    np.testing.assert_array_equal(
        PeakScaling("none", truncate=True).fit(counts).transform(high)[0], np.minimum(high[0], counts.max(0))
    )


def test_it_stands_in_a_pipeline():
    world = tl.worlds.tofsims(0)
    model = make_pipeline(PeakScaling("min_max"), LogisticRegression(max_iter=500))
    assert (
        cross_val_score(model, world.references["area"].values, world.references["reference"].values).mean()
        == 1
    )


@pytest.mark.parametrize("method", ["log", "poisson", "total_count", "relative"])
def test_negative_counts_are_refused_where_they_make_no_sense(method):
    with pytest.raises(tl.SchemaError, match="-2 in spectrum 0, peak 1"):
        PeakScaling(method).fit([[1, -2], [3, 4]])


def test_an_unknown_method_is_refused_with_the_nearest():
    with pytest.raises(tl.SchemaError, match="Did you mean 'min_max'"):
        PeakScaling("minmax").fit([[1.0], [2.0]])


@pytest.mark.parametrize("method", ["min_max", "standard", "none"])
def test_it_keeps_the_contract_of_scikit_learn(method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks that are skipped say so by a warning
        check_estimator(PeakScaling(method))
