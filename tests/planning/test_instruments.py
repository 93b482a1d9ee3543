import numpy as np
import pytest
import xarray as xr
from toy_posterior import PHASES, toy_posterior

from tieline.errors import NotIdentified, SchemaError, TielineError
from tieline.planning.goals import LearnPhaseMap, Maximize
from tieline.planning.listing import list_proposals
from tieline.planning.pool import default_pool
from tieline.planning.propose import propose

EQUAL = {"phase": 1.0, "hardness": 1.0}
BOTH = 0.5 * Maximize("hardness") + 0.5 * LearnPhaseMap()
GOALS = [LearnPhaseMap(), Maximize("hardness"), BOTH]


def pairs(batch):
    return list(zip(batch["candidate"].values.tolist(), batch["instrument"].values.tolist(), strict=True))


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_every_pair_of_place_and_instrument_is_proposed_once_with_its_cost(posterior, pool, goal):
    batch = propose(posterior, pool, goal, 12, costs={"phase": 1, "hardness": 2.5})
    assert len(set(pairs(batch))) == 12
    np.testing.assert_array_equal(batch["cost"], np.where(batch["instrument"] == "phase", 1.0, 2.5))
    assert np.isfinite(batch["value"]).all()
    assert batch.attrs["costs"] == "phase=1.0, hardness=2.5"
    np.testing.assert_array_equal(batch["temperature"], pool["temperature"].isel(specimen=batch["candidate"]))


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_same_seed_same_measurements(posterior, pool, goal):
    one, two = (propose(posterior, pool, goal, 4, costs=EQUAL, seed=3) for _ in range(2))
    xr.testing.assert_identical(one, two)


def test_first_label_for_the_map_is_the_one_that_is_proposed_without_costs(posterior, pool):
    plain = propose(posterior, pool, LearnPhaseMap(), 1)
    dear = propose(posterior, pool, LearnPhaseMap(), 1, costs={"phase": 3.0})
    assert dear["candidate"].item() == plain["candidate"].item()
    assert dear["value"].item() == pytest.approx(plain["value"].item() / 3, rel=0.05)
    assert dear["reason"].item() == plain["reason"].item()


def test_first_value_for_a_property_is_the_one_that_is_proposed_without_costs(posterior, pool):
    plain = propose(posterior, pool, Maximize("hardness"), 1)
    batch = propose(posterior, pool, Maximize("hardness"), 1, costs={"hardness": 2.0})
    assert batch["candidate"].item() == plain["candidate"].item()
    assert batch["value"].item() == pytest.approx(np.exp(plain["value"].item()) / 2)


def test_the_unit_of_the_costs_does_not_matter(posterior, pool):
    hours, minutes = (
        propose(posterior, pool, BOTH, 5, costs={"phase": 1.0 * u, "hardness": 3.0 * u}) for u in (1, 60)
    )
    assert pairs(hours) == pairs(minutes)
    np.testing.assert_allclose(hours["value"], 60 * minutes["value"])


def test_a_dear_instrument_gives_way_to_one_that_also_tells_of_the_map(posterior, pool):
    """Phases differ in hardness by ten times its noise, so a value is nearly as good as a label."""
    cheap_label = propose(posterior, pool, LearnPhaseMap(), 2, costs={"phase": 1.0, "hardness": 5.0})
    cheap_value = propose(posterior, pool, LearnPhaseMap(), 2, costs={"phase": 5.0, "hardness": 1.0})
    assert set(cheap_label["instrument"].values) == {"phase"}
    assert set(cheap_value["instrument"].values) == {"hardness"}
    assert "its hardness tells" in cheap_value["reason"].values[0]


def test_at_one_place_a_label_and_a_value_do_not_tell_of_the_map_twice(posterior, pool):
    one_place = pool.isel(specimen=[40])
    gain = propose(posterior, pool.isel(specimen=slice(30, 50)), LearnPhaseMap(), 2, costs=EQUAL)
    assert len(set(gain["candidate"].values)) == 2
    batch = propose(posterior, one_place, LearnPhaseMap(), 2, costs=EQUAL)
    assert batch["instrument"].values.tolist() == ["phase", "hardness"]
    assert batch["value"].values[1] == pytest.approx(0, abs=1e-9)


def test_a_cheap_label_comes_before_a_dear_measurement_of_the_property():
    """The largest values lie in phase B, and where B begins is unsure."""
    posterior = toy_posterior(1, 12, doubt=0.15)
    pool = default_pool(posterior)
    dear = propose(posterior, pool, Maximize("hardness"), 1, costs={"phase": 0.01, "hardness": 10.0})
    assert dear["instrument"].item() == "phase"
    assert "its label tells where to measure hardness next" in dear["reason"].item()
    equal = propose(posterior, pool, Maximize("hardness"), 1, costs=EQUAL)
    assert equal["instrument"].item() == "hardness"


def test_a_measured_place_is_open_for_the_other_instrument_only(posterior):
    table = posterior.table
    rows = np.flatnonzero((table["phase"] != "") & table["hardness"].isnull())
    pool = table[["temperature"]].isel(specimen=rows)
    batch = propose(posterior, pool, BOTH, len(rows), costs=EQUAL)
    assert set(batch["instrument"].values) == {"hardness"}
    with pytest.raises(TielineError, match=rf"n from 1 to {len(rows)}"):
        propose(posterior, pool, BOTH, len(rows) + 1, costs=EQUAL)


def test_what_is_under_way_is_closed_for_its_instrument_only(posterior, pool):
    few = pool.isel(specimen=[38, 40, 41])
    first = propose(posterior, few, LearnPhaseMap(), 2, costs=EQUAL)
    rest = propose(posterior, few, LearnPhaseMap(), 4, costs=EQUAL, pending=first)
    assert not set(pairs(first)) & set(pairs(rest))
    assert len({*pairs(first), *pairs(rest)}) == 6
    everything = first.drop_vars("instrument")
    left = propose(posterior, few, LearnPhaseMap(), 1, costs=EQUAL, pending=everything)
    assert left["candidate"].item() not in first["candidate"].values


def test_a_batch_goes_on_as_if_the_first_were_pending(posterior, pool):
    for goal in (LearnPhaseMap(), Maximize("hardness")):
        batch = propose(posterior, pool, goal, 2, costs=EQUAL)
        first = batch.isel(specimen=[0])
        second = propose(posterior, pool, goal, 1, costs=EQUAL, pending=first)
        assert pairs(second) == pairs(batch)[1:]


def test_of_two_properties_one_can_be_measured_after_the_other():
    posterior = toy_posterior(1, 12, properties=("hardness", "strength"))
    pool = default_pool(posterior).isel(specimen=[50, 51])
    costs = {"hardness": 1.0, "strength": 1.0}
    batch = propose(posterior, pool, Maximize("hardness") + Maximize("strength"), 4, costs=costs)
    assert set(pairs(batch)) == {(row, name) for row in (0, 1) for name in costs}


def test_labels_as_probabilities_count_as_measured(posterior, pool):
    table = posterior.table.drop_vars("phase")
    shares = np.full((12, 3), np.nan)
    shares[:4] = [1.0, 0.0, 0.0]
    table["phase"] = (("specimen", "label"), shares)
    with_shares = type(posterior)(posterior.model, table.assign_coords(label=PHASES))
    batch = propose(with_shares, table[["temperature"]], LearnPhaseMap(), 8, costs={"phase": 1.0})
    assert set(batch["candidate"].values) == set(range(4, 12))


def test_columns_of_an_earlier_proposal_are_replaced(posterior, pool):
    first = propose(posterior, pool, BOTH, 3, costs=EQUAL)
    again = propose(posterior, first, BOTH, 1, costs={"phase": 4.0})
    assert (again["instrument"].item(), again["cost"].item()) == ("phase", 4.0)


@pytest.mark.parametrize(
    ("costs", "error", "message"),
    [
        ({}, SchemaError, r"costs=\{'phase': 1.0\}"),
        (2.0, SchemaError, "what one measurement with each instrument costs"),
        ({"hardnes": 1.0}, SchemaError, "Did you mean 'hardness'"),
        ({"phase": 0.0}, TielineError, "cost of 'phase' must be a positive number"),
        ({"phase": -1.0}, TielineError, "positive number"),
        ({"phase": np.nan}, TielineError, "positive number"),
        ({"phase": "1"}, TielineError, "positive number"),
        ({"phase": True}, TielineError, "positive number"),
    ],
)
def test_costs_that_make_no_sense_are_refused(posterior, pool, costs, error, message):
    with pytest.raises(error, match=message):
        propose(posterior, pool, LearnPhaseMap(), 1, costs=costs)


@pytest.mark.parametrize("acquisition", ["ucb", "thompson"])
def test_costs_go_with_expected_improvement(posterior, pool, acquisition):
    with pytest.raises(TielineError, match="no zero to be divided by a cost"):
        propose(posterior, pool, Maximize("hardness"), 1, costs=EQUAL, acquisition=acquisition)


def test_an_unknown_instrument_under_way_is_refused(posterior, pool):
    pending = pool.isel(specimen=[0]).assign(instrument=("specimen", ["xrd"]))
    with pytest.raises(SchemaError, match="No instrument measures 'xrd'"):
        propose(posterior, pool, LearnPhaseMap(), 1, costs=EQUAL, pending=pending)


def test_a_property_goal_needs_an_instrument_for_the_property(posterior, pool):
    with pytest.raises(NotIdentified, match="a cost for hardness"):
        propose(posterior, pool, Maximize("hardness"), 1, costs={"phase": 1.0})


def test_a_certain_map_leaves_nothing_to_learn_with_any_instrument():
    certain = toy_posterior(1, 12, doubt=1e-4)
    pool = default_pool(certain)
    pool = pool.isel(specimen=certain.predict(pool)["phase_entropy"].values < 1e-6)
    with pytest.raises(NotIdentified, match="nothing to learn"):
        propose(certain, pool, LearnPhaseMap(), 1, costs=EQUAL)


def test_the_list_for_people_says_what_to_measure(posterior, pool):
    listed = list_proposals(posterior, propose(posterior, pool, BOTH, 2, costs=EQUAL))
    assert set(listed["measure"]) <= {"phase", "hardness"}
    assert "measure" not in list_proposals(posterior, propose(posterior, pool, BOTH, 2))
