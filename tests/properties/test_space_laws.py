"""Laws of spaces: what they hand out belongs to them, whatever the bounds."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import tieline as tl
from tieline.errors import SchemaError

SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def compositions(draw):
    """A composition of 2 to 8 ingredients around a feasible point, with or without steps and limits."""
    n = draw(st.integers(2, 8))
    step = draw(st.sampled_from([None, 0.01, 0.05]))
    names = [f"E{i}" for i in range(n)]
    weights = np.array(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)))
    inside = weights / weights.sum()
    low = {e: float(x * draw(st.sampled_from([0, 0, 0.4]))) for e, x in zip(names, inside, strict=True)}
    high = {
        e: float(min(1, x * draw(st.sampled_from([1.5, 3, 9])) + 0.05))
        for e, x in zip(names, inside, strict=True)
    }
    at_most = draw(st.none() | st.integers(max(1, sum(v > 0 for v in low.values())), n))
    smallest = draw(st.sampled_from([0.0, 0.02]))
    try:
        return tl.Composition("c", names, low=low, high=high, step=step, at_most=at_most, smallest=smallest)
    except SchemaError:
        return tl.Composition("c", names, low=low, high=high)


@st.composite
def spaces(draw):
    """A product of a composition with other inputs, under up to two constraints that some place meets."""
    inputs = [draw(compositions())]
    if draw(st.booleans()):
        inputs.append(tl.Numeric("a", -3.0, 5.0, step=draw(st.sampled_from([None, 0.25]))))
    if draw(st.booleans()):
        inputs.append(tl.Levels("b", draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True))))
    if draw(st.booleans()):
        inputs.append(tl.Categorical("kind", ["x", "y", "z"]))
    numeric = [i.name for i in inputs[1:] if not isinstance(i, tl.Categorical)] + list(inputs[0].elements)
    free = tl.Space(inputs)
    anywhere = free.candidates(1, seed=draw(SEEDS))
    constraints = []
    for _ in range(draw(st.integers(0, 2))):
        names = draw(st.lists(st.sampled_from(numeric), min_size=1, max_size=3, unique=True))
        weights = {name: float(draw(st.sampled_from([-2, -1, 1, 3]))) for name in names}
        here = sum(w * value(anywhere, name) for name, w in weights.items())
        constraints.append(tl.LinearConstraint(weights, at_most=here + draw(st.sampled_from([0.01, 0.5]))))
    return tl.Space(inputs, constraints)


def value(places, name):
    return float(places[name][0]) if name in places else float(places["c"].sel(element=name)[0])


def assert_proper(space, places):
    assert space.contains(places, tolerance=1e-7).all()
    of = space.inputs[0]
    fractions = places["c"]
    np.testing.assert_allclose(fractions.sum("element"), 1, atol=1e-9, rtol=0)
    assert float(fractions.min()) >= 0
    if of.step:
        np.testing.assert_allclose(fractions / of.step, (fractions / of.step).round(), atol=1e-7, rtol=0)
    if of.at_most is not None:
        assert int((fractions > 0).sum("element").max()) <= of.at_most
    table = places.drop_vars("kind", errors="ignore").to_dataframe().reset_index("element")
    per_place = table.pivot_table(index="specimen", columns="element", values="c")
    others = places.drop_vars(["c", "element"]).to_dataframe()
    assert not per_place.join(others).round(12).duplicated().any()


@settings(max_examples=40, deadline=None)
@given(spaces(), SEEDS)
def test_candidates_belong_to_the_space_and_differ(space, seed):
    places = space.candidates(32, seed=seed)
    assert 1 <= places.sizes["specimen"] <= 32
    assert_proper(space, places)
    xr.testing.assert_identical(places, space.candidates(32, seed=seed))


@settings(max_examples=40, deadline=None)
@given(spaces(), SEEDS, st.sampled_from([0.001, 0.1, 1.0]))
def test_neighbours_belong_to_the_space_and_differ(space, seed, width):
    places = space.candidates(3, seed=seed)
    nearby = space.near(places, width, 24, seed=seed)
    if nearby.sizes["specimen"]:
        assert_proper(space, nearby)


@settings(max_examples=40, deadline=None)
@given(spaces(), SEEDS)
def test_what_belongs_stays_where_it_is_and_what_does_not_comes_in(space, seed):
    places = space.candidates(4, seed=seed)
    xr.testing.assert_allclose(space.snap(places), places, atol=1e-9)
    shares = np.random.default_rng(seed).dirichlet(np.ones(places.sizes["element"]), places.sizes["specimen"])
    outside = places.assign(c=places["c"].copy(data=shares))
    assert space.contains(space.snap(outside)).all()


@settings(max_examples=40, deadline=None)
@given(spaces())
def test_a_space_survives_being_written(space):
    assert tl.Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space


@settings(max_examples=30, deadline=None)
@given(compositions().filter(lambda c: c.n_places is not None and c.n_places < 20_000))
def test_a_finite_space_is_as_large_as_it_says(of):
    grid = tl.Space([of]).grid()["c"].values
    assert len(grid) == of.n_places
    assert len(np.unique(grid.round(9), axis=0)) == of.n_places


@settings(max_examples=30, deadline=None)
@given(compositions(), SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_ingredients_is_irrelevant(of, seed, random):
    order = random.sample(range(len(of.elements)), len(of.elements))
    space = tl.Space([of])
    places = space.candidates(16, seed=seed)
    assert space.contains(places.isel(element=order)).all()
    shuffled = tl.Space(
        [
            tl.Composition(
                "c",
                [of.elements[i] for i in order],
                low=of.low,
                high=of.high,
                step=of.step,
                at_most=of.at_most,
                smallest=of.smallest,
            )
        ]
    )
    assert shuffled.n_places == space.n_places
    assert shuffled.contains(places).all()


@pytest.mark.parametrize("unit", ["K", "degF"])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_change_of_unit_leaves_what_belongs(unit, seed):
    space = tl.Space([tl.Numeric("t", 20, 900, step=10, units="degC")])
    places = space.candidates(20, seed=seed)
    converted = tl.units.convert(places["t"].values, "degC", unit)
    assert space.contains(places.assign(t=("specimen", converted, {"units": unit}))).all()
