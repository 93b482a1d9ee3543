import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm
from toy_posterior import toy_posterior

from tieline.errors import NotIdentified, SchemaError, TielineError
from tieline.planning import beliefs
from tieline.planning.acquisition import log_expected_improvement
from tieline.planning.goals import LearnPhaseMap, Maximize, Minimize, Target
from tieline.planning.pool import default_pool
from tieline.planning.propose import propose

GOALS = [
    Maximize("hardness"),
    Minimize("hardness"),
    Target("hardness", 2.0),
    LearnPhaseMap(),
    0.7 * Maximize("hardness") + 0.3 * LearnPhaseMap(),
]


def away_from_boundaries(posterior):
    pool = default_pool(posterior)
    return pool.isel(specimen=posterior.predict(pool)["phase_entropy"].values < 1e-6)


@pytest.mark.parametrize("goal", GOALS, ids=str)
@pytest.mark.parametrize("acquisition", ["log_ei", "ucb", "thompson"])
def test_batch_has_distinct_rows_of_the_pool_with_finite_scores_and_reasons(
    posterior, pool, goal, acquisition
):
    batch = propose(posterior, pool, goal, 6, acquisition=acquisition)
    rows = batch["candidate"].values
    assert len(set(rows)) == 6
    np.testing.assert_array_equal(batch["temperature"], pool["temperature"].isel(specimen=rows))
    assert np.isfinite(batch["value"]).all()
    assert all("phase" in reason for reason in batch["reason"].values)


def test_same_seed_same_batch(posterior, pool):
    one, two = (propose(posterior, pool, Maximize("hardness"), 4, seed=3) for _ in range(2))
    xr.testing.assert_identical(one, two)


def test_inputs_are_left_alone(posterior, pool):
    before_pool, before_table = pool.copy(deep=True), posterior.table.copy(deep=True)
    propose(posterior, pool, Maximize("hardness"), 2)
    xr.testing.assert_identical(pool, before_pool)
    xr.testing.assert_identical(posterior.table, before_table)


def test_first_choice_is_the_place_of_largest_expected_improvement():
    posterior = toy_posterior(1, 40, doubt=1e-4)
    pool = away_from_boundaries(posterior)
    batch = propose(posterior, pool, Maximize("hardness"), 1)
    latent = posterior.predict(pool)
    sd = np.sqrt(latent["hardness_variance"].sel(part="within_region").values)
    best = posterior.predict(posterior.table)["hardness"].where(posterior.table["hardness"].notnull()).max()
    plain = log_expected_improvement(latent["hardness"].values, sd, float(best))
    assert plain[batch["candidate"].values[0]] > plain.max() - 0.5


def test_label_goal_goes_to_the_doubtful_boundaries_one_after_the_other(posterior, pool):
    batch = propose(posterior, pool, LearnPhaseMap(), 2)
    along = np.sort((batch["temperature"].values - 500) / 200)
    np.testing.assert_allclose(along, [0.4, 0.7], atol=0.03)


def test_pending_places_are_not_proposed_and_push_the_choice_away(posterior, pool):
    first = propose(posterior, pool, LearnPhaseMap(), 1)
    second = propose(posterior, pool, LearnPhaseMap(), 1, pending=first)
    batch = propose(posterior, pool, LearnPhaseMap(), 2)
    assert second["candidate"].item() == batch["candidate"].values[1]


@pytest.mark.parametrize("acquisition", ["log_ei", "ucb", "thompson"])
def test_pending_row_is_excluded_even_when_best(posterior, pool, acquisition):
    few = pool.isel(specimen=slice(0, None, 4))
    best = propose(posterior, few, Maximize("hardness"), 1, acquisition=acquisition)
    rest = propose(posterior, few, Maximize("hardness"), 25, acquisition=acquisition, pending=best)
    assert best["candidate"].item() not in rest["candidate"].values


def test_repeated_rows_of_the_pool_count_once(posterior, pool):
    twice = xr.concat([pool, pool], "specimen")
    batch = propose(posterior, twice, Maximize("hardness"), 101)
    assert len(np.unique(batch["temperature"])) == 101
    with pytest.raises(TielineError, match="101 different places"):
        propose(posterior, twice, Maximize("hardness"), 102)


@pytest.mark.parametrize("n", [0, -1, 102])
def test_number_of_proposals_must_fit_the_pool(posterior, pool, n):
    with pytest.raises(TielineError, match="n from 1 to 101"):
        propose(posterior, pool, Maximize("hardness"), n)


def test_unknown_property_is_answered_with_the_nearest_one(posterior, pool):
    with pytest.raises(SchemaError, match="Did you mean 'hardness'"):
        propose(posterior, pool, Maximize("hardnes"), 1)


def test_unknown_acquisition_is_refused(posterior, pool):
    with pytest.raises(TielineError, match="Did you mean 'log_ei'"):
        propose(posterior, pool, Maximize("hardness"), 1, acquisition="logei")  # type: ignore[arg-type]


def test_a_string_is_not_a_goal(posterior, pool):
    with pytest.raises(TielineError, match="not a goal"):
        propose(posterior, pool, "hardness", 1)  # type: ignore[arg-type]


def test_a_certain_map_leaves_nothing_to_learn():
    certain = toy_posterior(1, 12, doubt=1e-4)
    with pytest.raises(NotIdentified, match="nothing to learn"):
        propose(certain, away_from_boundaries(certain), LearnPhaseMap(), 1)


def test_large_pool_is_narrowed_with_a_note_and_keeps_the_best(posterior, pool, monkeypatch):
    whole = propose(posterior, pool, Maximize("hardness"), 1)
    monkeypatch.setattr(beliefs, "N_PLACES", 40)
    narrowed = propose(posterior, pool, Maximize("hardness"), 1)
    assert whole.attrs["notes"] == []
    assert "Of 101 places" in narrowed.attrs["notes"][0]
    assert abs(narrowed["temperature"].item() - whole["temperature"].item()) < 10


def test_sum_does_not_depend_on_the_unit_of_a_property():
    posterior = toy_posterior(1, 12, properties=("hardness", "strength"))
    goal = Maximize("hardness") + Minimize("strength")
    table = posterior.table
    draws = posterior.functions(table, 50)
    places = slice(0, table.sizes["specimen"])
    scaled = draws * xr.DataArray([1.0, 1000.0], dims="property")
    plain, in_other_unit = (beliefs.goal_worth(goal, d, places) for d in (draws, scaled))
    for name in ("hardness", "strength"):
        np.testing.assert_allclose(plain[name], in_other_unit[name])


def test_reason_states_value_lead_and_phase():
    posterior = toy_posterior(1, 12)
    batch = propose(posterior, default_pool(posterior), Maximize("hardness"), 1)
    mean, sd = batch["hardness"].item(), batch["hardness_sd"].item()
    lead = mean - float(posterior.table["hardness"].max())
    side = "above" if lead > 0 else "below"
    expected = (
        f"hardness predicted {mean:.2f} ± {sd:.2f} GPa, {abs(lead):.2g} {side} the highest so far,"
        f" beats it with {100 * norm.cdf(lead / sd):.0f} %; phase "
    )
    assert batch["reason"].item().startswith(expected)


def test_it_is_said_when_nothing_is_likely_to_beat_the_best(posterior, pool):
    assert not any(
        "beats the best" in note for note in propose(posterior, pool, Maximize("hardness"), 2).notes
    )
    table = posterior.table.copy(deep=True)
    table["hardness"][0] = 1e3  # no place comes near
    out_of_reach = type(posterior)(posterior.model, table)
    batch = propose(out_of_reach, pool, Maximize("hardness"), 2)
    assert any("No proposal beats the best hardness so far with more than 0 %" in n for n in batch.notes)
    first, second = batch["reason"].values.tolist()
    assert first.endswith("no other place promises more")
    assert second.endswith("no other place promises more beside those above")
