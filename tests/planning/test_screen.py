"""Screening finds what predicting everything at once would find, in parts of any size."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import tieline as tl


def places(n, seed):
    rng = np.random.default_rng(seed)
    about = {"role": "process", "units": "K"}
    return xr.Dataset(
        {"x": ("specimen", rng.random(n), about), "y": ("specimen", rng.random(n), about)},
        {"specimen": np.arange(n)},
    )


def table(n=40):
    seen = places(n, 0)
    rng = np.random.default_rng(1)
    strength = 5 * np.sin(4 * seen["x"]) + seen["y"] + 0.1 * rng.standard_normal(n)
    cost = 2 + 3 * seen["x"] + 0.1 * rng.standard_normal(n)
    return seen.assign(
        strength=("specimen", strength.values, {"role": "property", "units": "MPa"}),
        cost=("specimen", cost.values, {"role": "property", "units": "EUR/kg"}),
    )


POSTERIORS = {
    "process": tl.GaussianProcess(["x", "y"], ["strength", "cost"]).fit(table()),
    "trees": tl.Learner(["x", "y"], ["strength", "cost"]).fit(table()),
}
with_each = pytest.mark.parametrize("posterior", POSTERIORS.values(), ids=POSTERIORS)


@with_each
@pytest.mark.parametrize("part", [7, 100, 10_000])
def test_the_best_are_those_of_predicting_everything(posterior, part):
    pool = places(500, 2)
    best = tl.screen(posterior, pool, tl.Maximize("strength"), n=10, part=part)
    predicted = posterior.predict(pool)["strength"].values
    wanted = np.argsort(-predicted, kind="stable")[:10]
    assert best["candidate"].values.tolist() == wanted.tolist()
    np.testing.assert_allclose(best["strength"], predicted[wanted])
    assert (best["specimen"].values == wanted).all()
    assert best.attrs["n_candidates"] == 500


@with_each
def test_several_goals_are_weighed_by_the_spread_of_what_was_measured(posterior):
    pool = places(300, 3)
    goal = 2 * tl.Maximize("strength") + tl.Minimize("cost")
    best = tl.screen(posterior, pool, goal, n=5)
    predicted, seen = posterior.predict(pool), table()
    value = 2 * predicted["strength"] / seen["strength"].std() - predicted["cost"] / seen["cost"].std()
    assert best["candidate"].values.tolist() == np.argsort(-value.values, kind="stable")[:5].tolist()
    np.testing.assert_allclose(best["value"], np.sort(value.values)[::-1][:5])


def test_a_target_is_met_as_nearly_as_can_be():
    best = tl.screen(POSTERIORS["process"], places(400, 4), "target:cost=3.5", n=3)
    np.testing.assert_allclose(best["cost"], 3.5, atol=0.02)


def test_caution_prefers_what_is_sure():
    pool = places(400, 5)
    pool["x"] = pool["x"] * 3
    bold, careful = (tl.screen(POSTERIORS["process"], pool, "maximize:cost", caution=c) for c in (0, 20))
    assert careful["cost_sd"].mean() < 0.7 * bold["cost_sd"].mean()
    value = careful["cost"] - 20 * careful["cost_sd"]
    assert (value.diff("specimen") <= 1e-9).all()


def test_tables_may_come_one_after_another_and_side_by_side():
    whole = places(300, 6)
    pieces = [whole.isel(specimen=slice(i, i + 70)) for i in range(0, 300, 70)]
    told = []
    with ThreadPoolExecutor(2) as executor:
        found = tl.screen(
            POSTERIORS["trees"],
            iter(pieces),
            "maximize:strength",
            part=50,
            executor=executor,
            progress=told.append,
        )
    assert found.identical(tl.screen(POSTERIORS["trees"], whole, "maximize:strength"))
    assert told[-1] == 300


def test_the_chance_to_beat_the_best_is_that_of_a_normal():
    found = tl.screen(POSTERIORS["process"], places(100, 7), "maximize:strength", n=4)
    best = table()["strength"].max().item()
    rng = np.random.default_rng(0)
    drawn = found["strength"].values + found["strength_sd"].values * rng.standard_normal((20_000, 4))
    np.testing.assert_allclose(found["strength_chance"], (drawn > best).mean(0), atol=0.02)


def test_candidates_without_a_complete_design_are_left_out():
    pool = places(50, 8)
    pool["x"] = pool["x"].where(np.arange(50) % 2 == 0)
    found = tl.screen(POSTERIORS["process"], pool, "maximize:strength", n=50)
    assert found.sizes["specimen"] == 25
    assert found.attrs["n_candidates"] == 50
    with pytest.raises(tl.TielineError, match="complete design"):
        tl.screen(POSTERIORS["process"], pool.assign(x=pool["x"] * np.nan), "maximize:strength")


def test_candidates_that_lack_an_input_are_refused():
    with pytest.raises(tl.SchemaError, match="reads 'x', which this table lacks"):
        tl.screen(POSTERIORS["process"], places(10, 9).drop_vars("x"), "maximize:strength")


@pytest.mark.parametrize(
    ("goal", "match"),
    [
        ("maximize:strenght", "Did you mean 'strength'"),
        ("learn-level-set:strength=3", "one by one"),
        ("pareto(maximize:strength, minimize:cost)", "one by one"),
    ],
)
def test_goals_that_rank_no_single_candidate_are_refused(goal, match):
    with pytest.raises(tl.TielineError, match=match):
        tl.screen(POSTERIORS["process"], places(10, 9), goal)


def test_candidates_that_were_left_out_are_counted_and_none_is_no_number():
    pool = places(30, 3)
    pool["x"][:4] = np.nan
    best = tl.screen(POSTERIORS["process"], pool, "maximize:strength", n=2, part=7)
    assert "4 of 30 candidates have no complete design and were left out." in best.attrs["notes"]
    for n in (0, -1):
        with pytest.raises(tl.TielineError, match="At least one candidate"):
            tl.screen(POSTERIORS["process"], pool, "maximize:strength", n=n)
