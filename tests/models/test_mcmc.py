"""Chains together: seeds, executors, answers, files, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

import tieline as tl
from tieline.errors import SchemaError
from tieline.models import interpolated_expert, mcmc
from tieline.models.expert_mixture import truncated
from tieline.models.gate_mixture import settings_at
from tieline.models.mcmc_answer import N_OPEN, SampledAnswer
from tieline.models.mcmc_draws import Draw
from tieline.models.observations import OUTLIER_SHARE, OUTLIER_SPREAD

N = 24
RNG = np.random.default_rng(0)
PLACES = RNG.random((N, 2))
IS_FCC = PLACES[:, 0] > 0.5
HARDNESS = np.where(IS_FCC, 3.0, 1.0) + 0.5 * PLACES[:, 1] + 0.03 * RNG.standard_normal(N)
ATTRS = {"role": "process", "units": "1"}


def table(places=PLACES, **changes):
    variables = {axis: ("specimen", places[:, i], ATTRS) for i, axis in enumerate("xy")}
    if len(places) == N:
        label = np.where(np.arange(N) % 3 == 0, "", np.where(IS_FCC, "fcc", "bcc"))
        hardness = np.where(np.arange(N) % 4 == 0, np.nan, HARDNESS)
        variables["phase"] = ("specimen", label, {"role": "structure"})
        variables["hardness"] = ("specimen", hardness, {"role": "property", "units": "GPa"})
    return xr.Dataset(variables | changes, {"specimen": np.arange(len(places))})


GRID = table(np.random.default_rng(1).random((15, 2)))


def fit(data=None, seed=0, executor=None, **settings):
    settings = {"phase": "phase", "properties": ["hardness"], "n_sweeps": 30} | settings
    model = tl.PhaseProperty(design=["x", "y"], inference="mcmc", **settings)
    return model.fit(table() if data is None else data, seed=seed, executor=executor)


@pytest.fixture(scope="module")
def posterior():
    return fit()


def test_the_same_seed_gives_the_same_bytes_with_and_without_an_executor(posterior):
    with ThreadPoolExecutor(2) as executor:
        other = fit(executor=executor)
    xr.testing.assert_identical(posterior.predict(GRID), other.predict(GRID))


def test_another_seed_gives_other_draws_of_the_same_posterior(posterior):
    one, other = posterior.predict(GRID), fit(seed=1).predict(GRID)
    assert not np.array_equal(one["hardness"], other["hardness"])
    apart = np.abs(one["hardness"] - other["hardness"]) / one["hardness_sd"]
    assert float(apart.mean()) < 0.3


def test_it_is_right_where_the_answer_is_plain(posterior):
    predicted = posterior.predict(GRID)
    x = GRID["x"].values
    clear = np.abs(x - 0.5) > 0.15
    named = np.where(x > 0.5, "fcc", "bcc")
    assert (predicted["most_likely_phase"].values[clear] == named[clear]).all()
    truth = np.where(x > 0.5, 3.0, 1.0) + 0.5 * GRID["y"].values
    assert (np.abs(predicted["hardness"].values - truth)[clear] < 0.3).all()


def test_parts_add_up_and_probabilities_sum_to_one(posterior):
    predicted = posterior.predict(GRID)
    np.testing.assert_allclose(
        predicted["hardness_variance"].sum("part"), predicted["hardness_sd"] ** 2, rtol=1e-9
    )
    np.testing.assert_allclose(predicted["phase_probability"].sum("phase"), 1, rtol=1e-9)


def test_joint_draws_agree_with_predictions(posterior):
    draws, predicted = posterior.functions(GRID, 300, seed=2), posterior.predict(GRID)
    sd = np.sqrt(
        predicted["hardness_variance"].sum("part") - predicted["hardness_variance"].sel(part="noise")
    )
    apart = (draws.isel(property=0).mean("draw") - predicted["hardness"]) / np.maximum(sd, 0.02)
    assert float(np.abs(apart).mean()) < 0.25
    share = (draws["phase_draw"] == 1).mean("draw")
    np.testing.assert_allclose(share, predicted["phase_probability"].sel(phase="fcc"), atol=0.15)


def test_few_joint_draws_come_from_all_chains(posterior):
    """Draws stand one chain after the other; were three chains of four ruined, eight draws would tell."""
    answer = posterior.answer
    n = len(answer.sample.draws)
    ruined = tuple(
        replace(draw, eta=-draw.eta) if i < 3 * n // 4 else draw for i, draw in enumerate(answer.sample.draws)
    )
    mixed = replace(answer, sample=replace(answer.sample, draws=ruined))
    x = np.array([[0.05, 0.5]])  # plainly bcc, which is phase 0, unless the map is turned over
    phase = mixed.draws(x, 8, np.random.default_rng(0))[0][:, 0]
    assert set(phase) == {0, 1}


def test_not_knowing_the_phase_is_told_from_not_knowing_how_smooth(posterior):
    """The law of total variance over phases, written out."""
    answer, x = posterior.answer, np.array([[0.5, 0.5]])
    probability, ((mean, parts),) = answer.predict(x)
    (column,) = answer.sample.columns
    weight, first = np.zeros(2), np.zeros(2)
    normals = np.random.default_rng(0).standard_normal((len(answer.sample.draws), N_OPEN, 1))
    plain = answer.fit.plain_gates.probabilities(x)
    blind, shares = answer._blind(0)
    for draw, z in zip(answer.sample.draws, normals, strict=True):
        p = answer.fit.trust * draw.probabilities(answer.sample.pivots, x, z) + (1 - answer.fit.trust) * plain
        share = (1 - shares.sum()) / len(answer.sample.draws)
        value = np.array([draw.expert(0, column).predict(x, k)[0][0] for k in range(2)])
        weight, first = weight + share * p[0], first + share * p[0] * value
    for expert, share in zip(blind, shares, strict=True):
        weight = weight + share * probability[0]
        first = first + share * probability[0] * expert.predict(x, 0)[0][0]
    np.testing.assert_allclose(weight, probability[0], atol=1e-3)
    np.testing.assert_allclose(first.sum(), mean[0], atol=1e-3)
    between = (weight * (first / weight - mean[0]) ** 2).sum()
    np.testing.assert_allclose(parts[0, 2], between, atol=2e-3)


def test_predictions_do_not_depend_on_the_other_places_asked(posterior):
    whole, part = posterior.predict(GRID), posterior.predict(GRID.isel(specimen=[3, 4]))
    np.testing.assert_allclose(whole["hardness"][3:5], part["hardness"], rtol=1e-9)


def test_interpolated_trends_change_no_answer_by_a_thousandth(posterior, monkeypatch):
    exact = posterior.predict(GRID)
    monkeypatch.setattr(interpolated_expert, "FEWEST_PAIRS", 1)
    monkeypatch.setattr(interpolated_expert, "MOST_PIVOTS", 1.0)
    quick = posterior.predict(GRID)
    apart = np.abs(quick["hardness"] - exact["hardness"]) / exact["hardness_sd"]
    assert 0 < float(apart.max()) < 1e-3
    np.testing.assert_allclose(quick["hardness_sd"], exact["hardness_sd"], rtol=1e-3)


def test_few_sweeps_are_called_too_few(posterior):
    found = posterior.diagnose()
    assert found.attrs["verdict"] == "amber"
    assert "chains do not agree yet" in " ".join(found.attrs["worries"])
    assert float(found["ess_bulk_min"]) < 400
    assert int(found["n_sweeps"]) == 30


def test_left_out_labels_and_values_are_predicted(posterior):
    found = posterior.diagnose()
    assert float(found["label_accuracy"]) > 0.85
    assert float(found["coverage_90"].sel(property="hardness")) > 0.75


def test_leaving_one_out_is_what_draws_say_without_it(posterior):
    """Written out for one specimen: experts without its value, draws weighted by what it says itself."""
    answer, i = posterior.answer, 1
    seen, sample, trust = answer.seen, answer.sample, answer.fit.trust
    (column,) = sample.columns
    own = ~np.isnan(seen.y[:, 0])
    assert own[i]
    assert seen.labelled[i]
    at, x, y = int(own[:i].sum()), seen.x[[i]], seen.y[i, 0]
    unlabelled, unmeasured, moments, by_label, by_value = [], [], [], [], []
    for draw in sample.draws:
        regular = draw.regular[column.rows, 0].copy()
        regular[at] = False
        expert = column.expert(int(draw.kernels[0]), draw.experts[0], draw.phase[column.rows], regular)
        mean, variance = (
            np.array(v)[:, 0] for v in zip(*[expert.predict(x, k) for k in range(2)], strict=True)
        )
        variance = variance + expert.noise
        density = (1 - OUTLIER_SHARE) * norm.pdf(y, mean, np.sqrt(variance))
        density += OUTLIER_SHARE * norm.pdf(y, 0, OUTLIER_SPREAD)
        error = settings_at(draw.theta, 2).label_error
        given = np.exp(seen.label_evidence(error)[i])
        map_ = draw.probabilities(sample.pivots, x, np.zeros((1, 1)))[0]
        unlabelled.append(map_ * density / (map_ @ density))
        unmeasured.append(map_ * given / (map_ @ given))
        by_label.append(1 / (unlabelled[-1] @ given))
        by_value.append(1 / (unmeasured[-1] @ density))
        moments.append((mean, variance))
    w, v = (truncated(np.array(raw) / np.sum(raw)) for raw in (by_label, by_value))
    plain = answer.fit.plain_gates.cavity_probabilities(int(seen.labelled.sum()))[
        int(seen.labelled[:i].sum())
    ]
    probability, means, variances = answer.leave_one_out()
    np.testing.assert_allclose(probability[i], trust * (w @ unlabelled) + (1 - trust) * plain, atol=1e-6)

    errors = answer.label_errors()[0].mean(0)
    of_plain = plain * np.exp(seen.label_evidence(errors)[i])
    phases = trust * np.array(unmeasured) + (1 - trust) * of_plain / of_plain.sum()
    mean, variance = np.array(moments).transpose(1, 0, 2)
    blind, shares = answer._blind(0)
    first = (1 - shares.sum()) * (v @ (phases * mean).sum(1))
    second = (1 - shares.sum()) * (v @ (phases * (variance + mean**2)).sum(1))
    for expert, share in zip(blind, shares, strict=True):
        m, s2 = (part[at, 0] for part in expert.leave_one_out(column.x, 2))
        first, second = first + share * m, second + share * (s2 + expert.noise + m**2)
    assert means[i, 0] == pytest.approx(first, abs=1e-6)
    assert variances[i, 0] == pytest.approx(second - first**2, rel=1e-4)


def test_it_can_be_saved(posterior, tmp_path):
    again = tl.load_posterior(posterior.save(tmp_path / "posterior.nc"))
    assert isinstance(again.answer, SampledAnswer)
    xr.testing.assert_identical(again.predict(GRID), posterior.predict(GRID))
    assert again.answer.sample.convergence == posterior.answer.sample.convergence


@pytest.mark.parametrize(
    "settings",
    [
        {"properties": []},
        {"phase": None, "n_phases": 2},
        {"phase": None, "n_phases": 1},
        {"n_phases": 3},
    ],
    ids=["structure_only", "property_only", "one_phase", "unlabelled_phase"],
)
def test_any_part_of_the_data_will_do(settings):
    posterior = fit(n_sweeps=12, **settings)
    predicted, draws = posterior.predict(GRID), posterior.functions(GRID, 5)
    numbers = [v for v in predicted.data_vars.values() if v.dtype.kind == "f"]
    assert all(np.isfinite(v).all() for v in numbers)
    assert np.isfinite(draws).all()
    assert posterior.diagnose().attrs["verdict"] in ("green", "amber", "red")


def test_phases_without_labels_are_the_same_in_every_chain():
    predicted = fit(phase=None, n_phases=2).predict(GRID)
    x = GRID["x"].values
    clear = np.abs(x - 0.5) > 0.2
    assert predicted["phase_probability"].max("phase").values[clear].min() > 0.8


@pytest.mark.parametrize("n", [0, 2.5, None])
def test_a_number_of_sweeps_that_is_none_is_refused(n):
    with pytest.raises(SchemaError, match="n_sweeps must be a whole number"):
        fit(n_sweeps=n)


def test_exchanged_names_are_put_back():
    """Phases 1 and 2 exchanged everywhere is the same draw; phase 0 has labels and stays."""
    rng = np.random.default_rng(0)
    phase = rng.integers(0, 3, 12)
    membership = np.eye(3)[phase]
    d, k = 2, 3
    experts = rng.standard_normal((1, d + 5 + 2 * k))
    draw = Draw(
        rng.standard_normal(6),
        rng.standard_normal((5, 2)),
        phase,
        np.zeros(1, int),
        experts,
        np.ones((12, 1), bool),
    )
    anonymous = np.array([1, 2])
    unchanged = draw.aligned(membership, anonymous, d)
    np.testing.assert_array_equal(unchanged.phase, phase)
    exchanged = draw.aligned(membership[:, [0, 2, 1]], anonymous, d)
    np.testing.assert_array_equal(exchanged.phase, np.array([0, 2, 1])[phase])
    back = exchanged.aligned(membership, anonymous, d)
    np.testing.assert_allclose(back.eta, draw.eta, atol=1e-12)
    np.testing.assert_array_equal(back.experts, draw.experts)
    pivots, asked, nodes = rng.random((5, 2)), rng.random((4, 2)), np.zeros((1, 2))
    one, other = (v.probabilities(pivots, asked, nodes) for v in (draw, exchanged))
    np.testing.assert_allclose(other, one[:, [0, 2, 1]], atol=1e-9)


def test_chains_stop_once_they_agree(monkeypatch):
    monkeypatch.setattr(mcmc, "ROUND", 10)
    monkeypatch.setattr("tieline.models.convergence.MOST_RHAT", 10.0)
    monkeypatch.setattr("tieline.models.convergence.LEAST_ESS", 1.0)
    assert int(fit(n_sweeps=100).diagnose()["n_sweeps"]) == 10
