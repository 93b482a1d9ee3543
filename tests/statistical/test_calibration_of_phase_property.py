"""Is `PhaseProperty` as sure as it should be? Worlds from its own prior, and faults that must be found.

Every world gives intervals for fresh measurements, and phases, of places that were not learned from.
Coverage is compared between worlds, which are independent as their places are not; phases take one place
of each world.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom, norm, poisson

import tieline as tl
from tieline.models.line_fit import NOISE_PRIOR, NOISES
from tieline.models.phase_property import MOST_REGIONS
from tieline.models.segments import Settings

pytestmark = pytest.mark.slow

FALSE_ALARM = 1e-3  # chance that an honest posterior fails one check
LEVELS = (0.5, 0.9)
BINS = (0.0, 0.6, 0.85, 0.97, 1.0)  # of the probability of the likeliest phase
N_WORLDS, N_LEARNED, N_ASKED, N_DRAWS = 150, 30, 20, 200


@dataclass(frozen=True)
class Answers:
    """What a posterior said of every world, and what was true there.

    Attributes:
        draws: noise-free values (world, draw, place).
        noise: variance of a measurement's noise (world, place).
        truth: a fresh measurement (world, place).
        probability: of the likeliest phase (world, place).
        is_right: whether that phase was there (world, place).
    """

    draws: np.ndarray
    noise: np.ndarray
    truth: np.ndarray
    probability: np.ndarray
    is_right: np.ndarray


def ask(draw_world, inference):
    """Draw worlds, hide most of them, and let the posterior answer."""
    found = []
    for seed in range(N_WORLDS):
        rng = np.random.default_rng([seed, len(inference)])
        world, axes = draw_world(rng, seed)
        asked = world.isel(specimen=slice(N_LEARNED, None))
        model = tl.PhaseProperty(axes, "phase", "strength", inference=inference)
        posterior = model.fit(hide(world.isel(specimen=slice(N_LEARNED)), rng), seed=seed)
        predicted = posterior.predict(asked)
        found.append(
            Answers(
                posterior.functions(asked, N_DRAWS, seed=seed).values[:, :, 0],
                predicted["strength_variance"].sel(part="noise").values,
                asked["strength"].values,
                predicted["phase_probability"].max("phase").values,
                (predicted["most_likely_phase"] == asked["phase"].values).values,
            )
        )
    return Answers(*(np.stack([getattr(a, name) for a in found]) for name in Answers.__dataclass_fields__))


def world_of_the_model(rng, seed):
    """A square as `simulate` draws it."""
    model = tl.PhaseProperty(["x", "y"], "phase", "strength")
    attrs = {"role": "process", "units": "1"}
    places = {a: ("specimen", rng.random(N_LEARNED + N_ASKED), attrs) for a in "xy"}
    return model.simulate(xr.Dataset(places), seed=seed, n_phases=int(rng.integers(2, 4))), ["x", "y"]


def world_of_the_line(rng, seed):
    """A line as the exact engine thinks of it: ordered regions, in each a function of its own.

    `simulate` draws lines from the softmax of Gaussian processes that the fast engine thinks of, in which
    phases may come back and mix at their boundaries.
    """
    n, k, settings = N_LEARNED + N_ASKED, int(rng.integers(2, 4)), Settings.default()
    # Its ends are learned, so that no place that is asked for lies beyond them.
    x = np.r_[0.0, 1.0, rng.random(n - 2)]
    counts = np.arange(MOST_REGIONS)
    weight = poisson.pmf(counts, k - 1)
    cuts = np.sort(rng.random(rng.choice(counts, p=weight / weight.sum())))
    region = np.searchsorted(cuts, x)
    phases = [int(rng.integers(k))]
    for _ in cuts:
        phases.append((phases[-1] + int(rng.integers(1, k))) % k)
    noise = rng.choice(NOISES, p=np.exp(NOISE_PRIOR) / np.exp(NOISE_PRIOR).sum())
    value = noise * rng.standard_normal(n)
    for r in np.unique(region):
        own = np.flatnonzero(region == r)
        setting = settings.keep(rng.choice(len(settings.kernel), 1, p=np.exp(settings.log_weight)))
        value[own] += rng.multivariate_normal(np.zeros(len(own)), setting.covariance(x[own], x[own])[0])
    attrs = {"role": "process", "units": "1"}
    world = xr.Dataset({"x": ("specimen", x, attrs)})
    world["phase"] = ("specimen", np.array(phases)[region].astype(str), {"role": "structure"})
    world["strength"] = ("specimen", value, {"role": "property", "units": "1"})
    return world, ["x"]


def hide(table, rng):
    """Leave three labels in five and seven values in ten."""
    label = np.where(rng.random(N_LEARNED) < 0.6, table["phase"].values, "")
    value = np.where(rng.random(N_LEARNED) < 0.7, table["strength"].values, np.nan)
    return table.assign(
        phase=("specimen", label, table["phase"].attrs),
        strength=("specimen", value, table["strength"].attrs),
    )


def coverage_by_world(answers, level):
    """Share (world) of fresh measurements inside of the central interval."""
    rng = np.random.default_rng(0)
    noise = np.sqrt(answers.noise)[:, None, :] * rng.standard_normal(answers.draws.shape)
    below = (answers.draws + noise < answers.truth[:, None, :]).mean(1)
    return (np.abs(below - 0.5) < level / 2).mean(1)


def coverage_alarms(answers, slack):
    """Levels whose intervals hold too few or too many, beyond chance and the slack of an approximation."""
    limit = norm.isf(FALSE_ALARM / 2 / len(LEVELS))
    alarms = []
    for level in LEVELS:
        share = coverage_by_world(answers, level)
        error = share.std(ddof=1) / np.sqrt(N_WORLDS)
        if abs(share.mean() - level) > slack + limit * error:
            alarms.append(f"{level:.0%} intervals hold {share.mean():.1%} +- {error:.1%}")
    return alarms


def phase_alarms(answers, slack):
    """Bins of claimed probability in which the likeliest phase is right too often or too seldom."""
    claimed, right = answers.probability[:, 0], answers.is_right[:, 0]
    alarms = []
    for low, high in itertools.pairwise(BINS):
        own = (claimed > low) & (claimed <= high)
        n, hits = int(own.sum()), int(right[own].sum())
        if n == 0:
            continue
        mean = claimed[own].mean()
        # Hits of unequal chances scatter less than binomial ones of their mean: the bound is safe.
        too_few = binom.cdf(hits, n, max(mean - slack, 0.0))
        too_many = binom.sf(hits - 1, n, min(mean + slack, 1.0))
        if min(too_few, too_many) < FALSE_ALARM / 2 / (len(BINS) - 1):
            alarms.append(f"{hits} of {n} are right where {mean:.1%} was claimed")
    return alarms


def boldness_alarms(answers):
    """Likeliest phases that are wrong more or less often than is claimed, between worlds, over all places."""
    wrong, expected = (~answers.is_right).sum(1), (1 - answers.probability).sum(1)
    error = (wrong - expected).std(ddof=1) * np.sqrt(N_WORLDS)
    if abs((wrong - expected).sum()) <= RATE_SLACK * expected.sum() + norm.isf(FALSE_ALARM / 2) * error:
        return []
    return [f"{wrong.sum()} are wrong where {expected.sum():.0f} +- {error:.0f} were expected"]


SLACK = {"exact": 0.02, "fast": 0.03}  # what an approximation may be off by
RATE_SLACK = 0.25  # the same of the number of wrong phases
WORLDS = {"exact": world_of_the_line, "fast": world_of_the_model}


@pytest.fixture(scope="module", params=WORLDS)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def answers(engine):
    return ask(WORLDS[engine], engine)


def test_intervals_hold_what_they_promise(answers, engine):
    assert coverage_alarms(answers, SLACK[engine]) == []


def test_phases_are_right_as_often_as_is_claimed(answers, engine):
    assert phase_alarms(answers, SLACK[engine]) == []
    assert boldness_alarms(answers) == []


def test_halved_standard_deviations_are_found_out(answers, engine):
    mean = answers.draws.mean(1, keepdims=True)
    halved = replace(answers, draws=mean + (answers.draws - mean) / 2, noise=answers.noise / 4)
    assert coverage_alarms(halved, SLACK[engine])


def test_a_standard_deviation_in_place_of_a_variance_is_found_out(answers, engine):
    assert coverage_alarms(replace(answers, noise=np.sqrt(answers.noise)), SLACK[engine])


def test_phases_claimed_too_boldly_are_found_out(answers):
    odds = answers.probability / (1 - answers.probability + 1e-9)
    bold = replace(answers, probability=odds**3 / (1 + odds**3))
    assert boldness_alarms(bold)


def test_answers_of_another_world_are_found_out(answers, engine):
    wrong = replace(
        answers, is_right=np.roll(answers.is_right, 1, axis=0) & (np.arange(N_WORLDS) % 3 > 0)[:, None]
    )
    assert phase_alarms(wrong, SLACK[engine])
