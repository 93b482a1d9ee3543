"""Exact proposals of a Gaussian process, against closed forms, simulation and brute force."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from scattered import scattered
from scipy.stats import norm
from smooth_worlds import smooth_posterior

import tieline as tl
from tieline.planning.field_choice import FieldState, choose_in_field
from tieline.planning.goals import parse_goal, write_goal
from tieline.planning.pool import default_pool, place_names

EXACT = ("log_ei", "pi", "ucb", "thompson", "p_best", "lookahead", "information")
N_DRAWS = 40_000


def make_table(n=14, seed=0):
    table, rng = scattered(seed, n), np.random.default_rng(seed)
    x, y = table["x"].values, table["y"].values
    value = np.sin(5 * x) + np.cos(4 * y) + 0.05 * rng.standard_normal(n)
    cost = 3 * x - y + 0.05 * rng.standard_normal(n)
    return table.assign(
        value=("specimen", value, {"units": "GPa"}), cost=("specimen", cost, {"units": "EUR"})
    )


@pytest.fixture(scope="module")
def posterior():
    return tl.GaussianProcess(["x", "y"], ["value", "cost"]).fit(make_table())


@pytest.fixture(scope="module")
def pool():
    return scattered(5, 40)


@pytest.fixture(scope="module")
def state(posterior, pool):
    """What is believed of the pool, with the measured places at the end."""
    measured = posterior.measured({"value": 1.0})
    field = posterior.field(np.vstack([posterior.scaled(pool), measured]), {"value": 1.0})
    return FieldState.start(field, 40, len(measured))


def scores(state, acquisition, n=1, log_worth=None):
    worth = np.zeros(state.n_candidates) if log_worth is None else log_worth
    fresh = replace(state, directions=[], settled=[])
    return choose_in_field(fresh, n, acquisition, worth, seed=0)


def joint_draws(state):
    covariance = state.field.covariance()
    root = np.linalg.cholesky(covariance + 1e-8 * np.eye(len(covariance)))
    return state.field.mean + np.random.default_rng(1).standard_normal((N_DRAWS, len(root))) @ root.T


def test_improvements_are_those_of_joint_draws(state):
    draws = joint_draws(state)
    gain = draws[:, :40] - draws[:, [state.rival]]
    chosen = scores(state, "log_ei", n=1)
    best = chosen.candidates[0]
    assert chosen.values[0] == pytest.approx(np.log(np.maximum(gain[:, best], 0).mean()), abs=0.05)
    assert np.maximum(gain, 0).mean(0)[best] > 0.97 * np.maximum(gain, 0).mean(0).max()
    chosen = scores(state, "pi")
    assert np.exp(chosen.values[0]) == pytest.approx((gain[:, chosen.candidates[0]] > 0).mean(), abs=0.02)


def test_the_confidence_bound_is_the_mean_and_two_sd(state):
    bound = state.field.mean[:40] + 1.96 * np.sqrt(state.field.variance[:40])
    chosen = scores(state, "ucb")
    assert chosen.candidates[0] == bound.argmax()
    assert chosen.values[0] == pytest.approx(bound.max())


def test_shares_of_wins_are_those_of_joint_draws(state):
    wins = np.bincount(joint_draws(state)[:, :40].argmax(1), minlength=40) / N_DRAWS
    chosen = scores(state, "p_best")
    assert chosen.values[0] == pytest.approx(wins[chosen.candidates[0]], abs=0.12)  # of 256 draws


def test_the_lookahead_is_that_of_simulated_measurements(state):
    covariance = state.field.covariance()[:40, :40]
    mean, noise = state.field.mean[:40], state.field.noise
    rng, gains = np.random.default_rng(2), []
    for i in range(40):
        shown = np.sqrt(covariance[i, i] + noise) * rng.standard_normal(20_000)
        after = mean + np.outer(shown, covariance[:, i] / (covariance[i, i] + noise))
        gains.append(after.max(1).mean() - mean.max())
    chosen = scores(state, "lookahead")
    assert chosen.values[0] == pytest.approx(max(gains), rel=0.1)
    assert gains[chosen.candidates[0]] > 0.9 * max(gains)


def test_information_about_the_best_is_the_entropy_that_a_known_best_removes(state):
    mean, sd = state.field.mean[:40], np.sqrt(state.field.variance[:40])
    largest = np.maximum(joint_draws(state)[:400, :40].max(1), state.best)
    told = np.zeros(40)
    for i in range(40):
        for top in largest:  # a normal that is cut off at the best has this much less entropy
            g = (top - mean[i]) / sd[i]
            told[i] += g * norm.pdf(g) / (2 * norm.cdf(g)) - norm.logcdf(g)
    told /= len(largest)
    chosen = scores(state, "information")
    assert told[chosen.candidates[0]] > 0.9 * told.max()
    assert chosen.values[0] == pytest.approx(told[chosen.candidates[0]], rel=0.15)


@pytest.mark.parametrize("goal", [tl.Maximize("value"), tl.Minimize("cost")], ids=str)
def test_a_believer_chooses_as_if_it_had_refitted_to_what_was_expected(posterior, pool, goal):
    """Choosing two is choosing one, then one more with the first one pending."""
    both = tl.propose(posterior, pool, goal, 2, acquisition="log_ei")
    first = both.isel(specimen=[0])
    second = tl.propose(posterior, pool, goal, 1, acquisition="log_ei", pending=first)
    assert second["candidate"].values[0] == both["candidate"].values[1]
    assert second["value"].values[0] == pytest.approx(both["value"].values[1])


def test_lies_are_what_they_are_called(state):
    place, worst, best = 7, state.worst, state.best
    for batch, told in (("liar_min", worst), ("liar_max", best), ("believer", state.mean[place])):
        after = replace(state, batch=batch, directions=[], settled=[])
        after.settle(place)
        share = state.field.variance[place] / (state.field.variance[place] + state.field.noise)
        assert after.mean[place] == pytest.approx(state.mean[place] + share * (told - state.mean[place]))
        assert after.variance[place] < 0.5 * state.variance[place]


@pytest.mark.parametrize("acquisition", ["log_ei", "pi"])
def test_a_penalty_keeps_a_batch_apart_whatever_the_unit(posterior, pool, acquisition):
    table = make_table()
    # A power of two, so that rounding is the same and near ties fall alike.
    large = table.assign(value=(table["value"] * 2.0**20).assign_attrs(units="kPa"))
    other = tl.GaussianProcess(["x", "y"], ["value", "cost"]).fit(large)
    options = {"n": 4, "acquisition": acquisition, "batch": "local_penalty"}
    one, two = (tl.propose(p, pool, tl.Maximize("value"), **options) for p in (posterior, other))
    assert one["candidate"].values.tolist() == two["candidate"].values.tolist()
    places = np.column_stack([one["x"], one["y"]])
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(places) for b in places[:i])
    assert nearest > 0.02


@pytest.mark.parametrize("acquisition", EXACT)
@pytest.mark.parametrize("batch", ["believer", "liar_min", "liar_max", "local_penalty"])
def test_every_acquisition_makes_every_kind_of_batch(posterior, pool, acquisition, batch):
    options = {"acquisition": acquisition, "batch": batch, "seed": 2}
    if batch == "local_penalty" and acquisition not in ("log_ei", "pi"):
        with pytest.raises(tl.TielineError, match="counts from zero"):
            tl.propose(posterior, pool, tl.Maximize("value"), 4, **options)
        return
    one, two = (tl.propose(posterior, pool, tl.Maximize("value"), 4, **options) for _ in range(2))
    xr.testing.assert_identical(one, two)
    assert len(set(one["candidate"].values)) == 4
    assert np.isfinite(one["value"]).all()


def test_an_unknown_kind_of_batch_is_refused(posterior, pool):
    with pytest.raises(tl.TielineError, match=r"no batch 'believers'.*believer"):
        tl.propose(posterior, pool, tl.Maximize("value"), 2, batch="believers")


def test_a_column_of_costs_divides_the_scores(posterior, pool):
    free = tl.propose(posterior, pool, tl.Maximize("value"), 1, acquisition="log_ei")
    price = np.ones(40)
    price[free["candidate"].values[0]] = 1e9
    priced = pool.assign(price=("specimen", price))
    other = tl.propose(posterior, priced, tl.Maximize("value"), 1, acquisition="log_ei", costs="price")
    assert other["candidate"].values[0] != free["candidate"].values[0]
    even = pool.assign(price=("specimen", np.full(40, 5.0)))
    same = tl.propose(posterior, even, tl.Maximize("value"), 3, acquisition="log_ei", costs="price")
    plain = tl.propose(posterior, pool, tl.Maximize("value"), 3, acquisition="log_ei")
    assert same["candidate"].values.tolist() == plain["candidate"].values.tolist()
    np.testing.assert_allclose(same["value"], plain["value"] - np.log(5))


@pytest.mark.parametrize("acquisition", ["ucb", "thompson"])
def test_costs_are_not_weighed_against_values_that_have_no_zero(posterior, pool, acquisition):
    priced = pool.assign(price=("specimen", np.ones(40)))
    with pytest.raises(tl.TielineError, match="no zero to be divided by a cost"):
        tl.propose(posterior, priced, tl.Maximize("value"), 1, acquisition=acquisition, costs="price")


def test_gains_over_costs_do_not_count_from_the_worst_place(posterior, pool):
    price = np.linspace(1, 3, 40)
    priced = pool.assign(price=("specimen", price))
    options = {"acquisition": "lookahead", "seed": 0}
    free = tl.propose(posterior, pool, tl.Maximize("value"), 1, **options)
    dear = tl.propose(posterior, priced, tl.Maximize("value"), 1, costs="price", **options)
    row = int(dear["candidate"][0])
    assert float(dear["value"][0]) * price[row] <= float(free["value"][0]) * (1 + 1e-9)
    assert float(dear["value"][0]) >= float(free["value"][0]) / price[int(free["candidate"][0])] * (1 - 1e-9)


@pytest.mark.parametrize("costs", ["prise", "x0"])
def test_costs_that_cannot_be_read_are_refused(posterior, pool, costs):
    with pytest.raises(tl.SchemaError, match=r"no column|positive number"):
        tl.propose(posterior, pool.assign(x0=("specimen", np.zeros(40))), tl.Maximize("value"), costs=costs)


def test_an_audit_is_drawn_at_random_from_the_rest_and_says_so(posterior, pool):
    batch = tl.propose(posterior, pool, tl.Maximize("value"), 5, audit=2)
    assert len(set(batch["candidate"].values)) == 5
    assert np.isnan(batch["value"].values).tolist() == [False] * 3 + [True] * 2
    assert ["at random" in why for why in batch["reason"].values] == [False] * 3 + [True] * 2
    alone = tl.propose(posterior, pool, tl.Maximize("value"), 3)
    assert alone["candidate"].values.tolist() == batch["candidate"].values[:3].tolist()
    with pytest.raises(tl.TielineError, match="audit"):
        tl.propose(posterior, pool, tl.Maximize("value"), 2, audit=3)


def test_places_where_specimens_fail_are_avoided():
    table = make_table(40)
    is_failed = table["x"].values > 0.6
    table = table.assign(
        value=("specimen", table["x"].values + 0.1 * table["y"].values),
        value_flag=("specimen", np.where(is_failed, "failed", "")),
    )
    careful = tl.GaussianProcess(["x", "y"], "value").fit(table)
    bold = tl.GaussianProcess(["x", "y"], "value").fit(
        table.assign(value=table["value"].where(~is_failed)).drop_vars("value_flag")
    )
    pool = scattered(11, 200)
    one, other = (tl.propose(p, pool, tl.Maximize("value"), 4) for p in (careful, bold))
    assert one["x"].max() < min(0.75, float(other["x"].max()))
    assert all("can be made with" in why for why in one["reason"].values)


def hypervolume(points, corner):
    """Area that two-dimensional points dominate beyond a corner."""
    points = np.array(sorted((p for p in points if (p > corner).all()), key=lambda p: -p[0]))
    area, top = 0.0, corner[1]
    for right, up in points:
        if up > top:
            area += (right - corner[0]) * (up - top)
            top = up
    return area


@pytest.mark.parametrize("start", ["worst measured", "far below", "halfway"])
def test_pareto_gains_what_the_hypervolume_says(posterior, pool, start):
    """The expected gain of dominated area by exact geometry in joint draws."""
    known = posterior.predict(posterior.table)[["value", "cost"]]
    best, worst = known.max(), known.min()
    starts = {
        "far below": {"value": 2 * worst["value"] - best["value"], "cost": 2 * best["cost"] - worst["cost"]},
        "halfway": known.median(),
    }
    reference = None if start not in starts else {n: float(starts[start][n]) for n in ("value", "cost")}
    goal = tl.Pareto(tl.Maximize("value"), tl.Minimize("cost"), reference=reference)
    batch = tl.propose(posterior, pool, goal, 1)
    everywhere = xr.concat([pool, posterior.table[["x", "y"]]], "specimen")
    draws = posterior.functions(everywhere, 200, seed=3).values * [1, -1]
    mean = draws.mean(0)
    spread = np.ptp(mean, axis=0)
    corner = (mean[40:].min(0) - 0.05 * spread) / spread
    if reference is not None:
        corner = np.array([reference["value"], -reference["cost"]]) / spread
    gains = np.zeros(40)
    for draw in draws / spread:
        before = hypervolume(draw[40:], corner)
        gains += [hypervolume([*draw[40:], draw[i]], corner) - before for i in range(40)]
    assert gains[batch["candidate"].values[0]] > 0.75 * gains.max()


def test_a_level_set_is_learned_near_the_level(posterior, pool):
    level = float(posterior.predict(pool)["value"].median())
    batch = tl.propose(posterior, pool, tl.LearnLevelSet("value", level), 3)
    doubt = (
        np.abs(posterior.predict(pool)["value"].values - level) / posterior.predict(pool)["value_sd"].values
    )
    assert doubt[batch["candidate"].values].mean() < np.median(doubt)
    assert all("where value is above" in why for why in batch["reason"].values)


@pytest.mark.parametrize(
    "goal",
    [
        tl.LearnLevelSet("flow_rate", -0.25),
        tl.Pareto(tl.Maximize("a"), tl.Minimize("b"), tl.Target("c", 3.5)),
        tl.Pareto(tl.Maximize("a"), tl.Minimize("b"), reference={"b": 1e-7}),
        0.5 * tl.Maximize("a") + 2.0 * tl.LearnLevelSet("b", 1e-7),
    ],
    ids=str,
)
def test_goals_are_read_as_they_are_written(goal):
    assert parse_goal(write_goal(goal)) == goal


@pytest.mark.parametrize(
    ("reference", "what"), [({"costs": 1.0}, "not compared"), ({"cost": np.nan}, "is a number")]
)
def test_a_reference_that_means_nothing_is_refused(reference, what):
    with pytest.raises(tl.TielineError, match=what):
        tl.Pareto(tl.Maximize("value"), tl.Minimize("cost"), reference=reference)


def test_a_space_is_searched_and_compositions_close():
    posterior = smooth_posterior(["alloy", "temperature"])
    space = tl.Space(
        [tl.Composition("alloy", ["Fe", "Ga", "Pd"]), tl.Numeric("temperature", 600, 900, units="degC")]
    )
    batch = tl.propose(posterior, space, tl.Maximize("hardness"), 2)
    assert float(np.abs(batch["alloy"].sum("element") - 1).max()) < 1e-9
    assert "candidate" not in batch
    coarse = space.candidates(500, seed=4)
    found = posterior.predict(batch.isel(specimen=[0]))["hardness"].values[0]
    assert found > np.quantile(posterior.predict(coarse)["hardness"], 0.9)


def test_a_hundred_thousand_candidates_are_chosen_among(posterior):
    large = scattered(8, 100_000)
    batch = tl.propose(posterior, large, tl.Maximize("value"), 3, acquisition="ucb")
    field = posterior.field(posterior.scaled(large), {"value": 1.0}, is_rough=True)
    bound = field.mean + 1.96 * np.sqrt(field.variance)
    assert bound[batch["candidate"].values[0]] == pytest.approx(bound.max())
    assert "Of 100000 places" in batch.attrs["notes"][0]


def test_a_campaign_may_stop_when_nothing_better_is_left(posterior, pool):
    goal = tl.Maximize("value")
    measured = posterior.table[["x", "y"]]
    done = tl.stopping(posterior, measured, goal, tolerance=1e-3)
    assert bool(done["may_stop"])
    assert float(done["expected_gain"]) < 0.05
    open_still = tl.stopping(posterior, scattered(3, 300), goal)
    assert not bool(open_still["may_stop"])
    assert "go on" in open_still.attrs["sentence"]
    probabilities = [
        float(tl.stopping(posterior, pool, goal, tolerance=t)["probability"]) for t in (0.0, 0.3, 1.0, 3.0)
    ]
    assert all(a >= b for a, b in pairwise(probabilities))
    assert probabilities[-1] < 0.01
    with pytest.raises(tl.TielineError, match="risk"):
        tl.stopping(posterior, pool, goal, risk=1.5)
    with pytest.raises(tl.TielineError, match="best measured place"):
        tl.stopping(posterior, pool, tl.LearnLevelSet("value", 0.0))


def test_pools_of_categories():
    posterior = smooth_posterior(["temperature", "substrate"])
    pool = default_pool(posterior)
    assert set(pool["substrate"].values) == {"glass", "steel", "sapphire"}
    names = place_names(pool)
    assert len(set(names)) == pool.sizes["specimen"]
    mixed = default_pool(smooth_posterior(["alloy", "substrate", "time"]))
    assert {"alloy", "substrate", "time"} == set(mixed.data_vars)
    assert float(np.abs(mixed["alloy"].sum("element") - 1).max()) < 1e-9


def test_a_batch_in_a_space_is_no_place_and_its_neighbours():
    x = np.linspace(0, 10, 14)
    data = xr.Dataset({"x": ("specimen", x), "strength": ("specimen", np.sin(x) + 3)})
    posterior = tl.GaussianProcess("x", "strength").fit(data)
    space = tl.Space([tl.Numeric("x", 0, 10)])
    batch = tl.propose(posterior, space, tl.Maximize("strength"), 5)
    chosen = np.sort(batch["x"].values)
    assert np.diff(chosen).min() > 0.05


def test_what_is_said_of_the_chosen_places_is_said_with_the_proposals(posterior, pool):
    far = pool.assign(x=pool["x"] + 5)
    notes = tl.propose(posterior, far, tl.Maximize("value"), 2).attrs["notes"]
    assert any("2 of 2 places lie more than a quarter outside" in note for note in notes)


def test_an_unused_kind_of_batch_is_noted(posterior, pool):
    batch = tl.propose(posterior, pool, tl.Target("value", 0.5), 2, batch="liar_min")
    assert any("batch='liar_min' is not used" in note for note in batch.attrs["notes"])


def test_of_a_sum_no_part_is_said_to_be_hopeless(posterior, pool):
    goal = 0.9 * tl.Maximize("value") + 0.1 * tl.Minimize("cost")
    assert not any(
        "No proposal beats" in note for note in tl.propose(posterior, pool, goal, 2).attrs["notes"]
    )


def test_a_level_that_is_surely_missed_is_said_to_be(posterior, pool):
    with pytest.raises(tl.NotIdentified, match=r"about where value is above 600"):
        tl.propose(posterior, pool, tl.LearnLevelSet("value", 600.0), 1)


@pytest.mark.parametrize(
    ("of", "n", "told"),
    [(tl.GaussianProcess("x", "value"), 1, "made from a posterior"), (None, 2.0, "n is how many")],
)
def test_what_cannot_be_asked_is_refused(posterior, pool, of, n, told):
    with pytest.raises(tl.TielineError, match=told):
        tl.propose(of or posterior, pool, tl.Maximize("value"), n)


def test_large_and_small_at_once_is_refused():
    with pytest.raises(tl.TielineError, match="both large and small"):
        0.5 * tl.Maximize("value") + 0.5 * tl.Minimize("value")
