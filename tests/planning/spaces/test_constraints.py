import numpy as np
import pytest

import tieline as tl
from tieline.errors import SchemaError, TielineError

OXIDE = {"Li": 1, "Al": 3, "Ti": 4, "P": 5, "La": 3, "Zr": 4, "Ta": 5, "O": -2}
NEUTRAL = tl.LinearConstraint(OXIDE, at_least=0, at_most=0)


def charge(places):
    charges = xr_like(places["composition"])
    return (places["composition"] * charges).sum("element").values


def xr_like(composition):
    return composition["element"].copy(data=[OXIDE[e] for e in composition["element"].values])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"low": 0.01},
        {"step": 0.005},
        {"step": 0.005, "at_most": 5, "smallest": 0.02},
        {"at_most": 4, "high": {"Li": 0.3}},
    ],
)
def test_charge_neutrality_is_exact(settings):
    space = tl.Space([tl.Composition("composition", list(OXIDE), **settings)], [NEUTRAL])
    places = space.candidates(300)
    assert places.sizes["specimen"] == 300
    assert abs(charge(places)).max() < 1e-9
    assert float(abs(places["composition"].sum("element") - 1).max()) < 1e-9
    assert len(np.unique(places["composition"].values, axis=0)) == 300
    assert space.contains(places, tolerance=1e-8).all()
    nearby = space.near(places.isel(specimen=slice(5)), 0.1, 50)
    assert abs(charge(nearby)).max() < 1e-9
    assert space.contains(nearby, tolerance=1e-8).all()


def test_several_equations_on_a_step():
    of = tl.Composition("composition", list("abcdef"), step=0.01)
    equal = tl.LinearConstraint({"a": 1, "b": -1}, at_least=0, at_most=0)
    double = tl.LinearConstraint({"c": 2, "d": -1}, at_least=0, at_most=0)
    places = tl.Space([of], [equal, double]).candidates(200)["composition"]
    assert places.sizes["specimen"] == 200
    np.testing.assert_allclose(places.sel(element="a"), places.sel(element="b"), atol=1e-12)
    np.testing.assert_allclose(2 * places.sel(element="c"), places.sel(element="d"), atol=1e-12)


def test_a_corner_that_hardly_a_draw_hits_is_filled_evenly():
    """Twelve numbers that sum to at most one: one in half a billion draws."""
    names = list("abcdefghijkl")
    space = tl.Space(
        [tl.Numeric(n, 0, 1) for n in names], [tl.LinearConstraint(dict.fromkeys(names, 1.0), at_most=1)]
    )
    places = space.candidates(4000).to_dataframe().to_numpy()
    assert places.sum(1).max() <= 1 + 1e-9
    # uniform on the corner: each is Beta(1, 12)
    np.testing.assert_allclose(places.mean(0), 1 / 13, rtol=0.08)
    np.testing.assert_allclose(places.std(0), np.sqrt(12 / (13**2 * 14)), rtol=0.1)


def test_a_thin_slice_is_filled_evenly():
    """Against what is left of four million random numbers, in a slice ten times as thick."""
    weights = np.array([(-1) ** i * (i + 1) for i in range(8)], dtype=float)
    names = list("abcdefgh")
    slice_ = tl.LinearConstraint(dict(zip(names, weights, strict=True)), at_least=0, at_most=1e-3)
    places = (
        tl.Space([tl.Numeric(n, 0, 1) for n in names], [slice_]).candidates(2000).to_dataframe().to_numpy()
    )
    sums = places @ weights
    assert sums.min() >= -1e-9
    assert sums.max() <= 1e-3 + 1e-9
    random = np.random.default_rng(0).random((4_000_000, 8))
    kept = random[abs(random @ weights - 5e-3) < 5e-3]
    np.testing.assert_allclose(places.mean(0), kept.mean(0), atol=0.04)
    np.testing.assert_allclose(places.std(0), kept.std(0), atol=0.03)


def test_places_on_an_equation_are_even():
    equation = tl.LinearConstraint({"a": 1, "b": 2, "c": -1}, at_least=0, at_most=0)
    places = tl.Space([tl.Composition("x", list("abcde"))], [equation]).candidates(4000)["x"].values
    random = np.random.default_rng(0).dirichlet(np.ones(5), 2_000_000)
    kept = random[abs(random @ [1, 2, -1, 0, 0]) < 2e-3]
    np.testing.assert_allclose(places.mean(0), kept.mean(0), atol=0.015)
    np.testing.assert_allclose(places.std(0), kept.std(0), atol=0.015)


def test_levels_take_part_in_constraints():
    space = tl.Space(
        [tl.Levels("a", [1, 2, 5, 10]), tl.Numeric("b", 0, 10, units="min"), tl.Composition("c", ["x", "y"])],
        [tl.LinearConstraint({"a": 1, "b": 1, "x": 100}, at_most=2.5)],
    )
    places = space.candidates(300)
    total = places["a"] + places["b"] + 100 * places["c"].sel(element="x")
    assert places.sizes["specimen"] == 300
    assert float(total.max()) <= 2.5 + 1e-6
    assert set(places["a"].values) == {1, 2}


def test_a_scarce_rule_is_met_by_steps():
    """About one draw in three thousand is allowed."""

    def in_a_ball(places):
        return ((places.to_array() - 0.2) ** 2).sum("variable") < 0.25**2

    space = tl.Space([tl.Numeric(n, 0, 1) for n in "abcdef"], [in_a_ball])
    places = space.candidates(500)
    assert places.sizes["specimen"] == 500
    assert space.contains(places).all()
    np.testing.assert_allclose(places.to_array().mean("specimen"), 0.21, atol=0.04)


def test_rules_and_linear_constraints_together():
    def not_both(places):
        return (places["composition"].sel(element="P") == 0) | (places["composition"].sel(element="La") == 0)

    of = tl.Composition("composition", list(OXIDE), at_most=5, step=0.01)
    places = tl.Space([of], [NEUTRAL, not_both]).candidates(100)
    assert places.sizes["specimen"] == 100
    assert not_both(places).all()
    assert abs(charge(places)).max() < 1e-9


def test_constraints_of_a_finite_space_are_sieved_exactly():
    space = tl.Space(
        [tl.Numeric("a", 0, 99, step=1), tl.Numeric("b", 0, 99, step=1)],
        [tl.LinearConstraint({"a": 1, "b": -1}, at_least=0, at_most=0)],
    )
    assert space.grid().sizes["specimen"] == space.candidates(200).sizes["specimen"] == 100
    assert space.candidates(60).sizes["specimen"] == 60
    assert space.n_places == 10_000


@pytest.mark.parametrize("step", [None, 0.01])
def test_constraints_that_leave_nothing_are_named(step):
    of = tl.Composition("c", ["Fe", "Ga", "Pd"], low={"Fe": 0.6}, step=step)
    rich = tl.LinearConstraint({"Ga": 1}, at_least=0.3)
    poor = tl.LinearConstraint({"Ga": 1, "Pd": -1}, at_most=0.1)
    fine = tl.LinearConstraint({"Fe": 1}, at_most=0.9)
    with pytest.raises(SchemaError, match="constraints cannot be met together") as caught:
        tl.Space([of], [fine, rich, poor])
    assert caught.value.found.startswith("0.3 <= Ga; Ga - Pd <= 0.1; c: Fe, Ga, Pd")
    assert "Fe <= 0.9" not in caught.value.found
    with pytest.raises(SchemaError, match="this constraint cannot be met"):
        tl.Space([of], [fine, tl.LinearConstraint({"Pd": 1}, at_least=0.5)])


def test_a_rule_that_forbids_everything_is_found_out():
    def never(places):
        return places["x"] > 2

    for x in (tl.Numeric("x", 0, 1), tl.Numeric("x", 0, 1, step=0.1)):
        with pytest.raises(TielineError, match="No place was found") as caught:
            tl.Space([x], [never]).candidates(10)
        assert "never" in caught.value.found


@pytest.mark.parametrize("rule", [lambda p: True, lambda p: p["x"], lambda p: np.ones(3, bool)])
def test_a_rule_answers_for_every_place(rule):
    with pytest.raises(SchemaError, match="True or False for every place"):
        tl.Space([tl.Numeric("x", 0, 1)], [rule]).candidates(10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tl.LinearConstraint({"x": 1.0}), "has no limit"),
        (lambda: tl.LinearConstraint({}, at_most=1), "weights that are finite"),
        (lambda: tl.LinearConstraint({"x": 0.0}, at_most=1), "weights that are finite"),
        (lambda: tl.LinearConstraint({"x": np.nan}, at_most=1), "weights that are finite"),
        (lambda: tl.LinearConstraint({"x": 1.0}, at_least=2, at_most=1), "Nothing meets"),
        (
            lambda: tl.Space(
                [tl.Numeric("temperature", 0, 1)], [tl.LinearConstraint({"temp": 1}, at_most=1)]
            ),
            "names 'temp'",
        ),
        (
            lambda: tl.Space([tl.Categorical("x", ["a", "b"])], [tl.LinearConstraint({"x": 1}, at_most=1)]),
            "neither a numeric input nor an ingredient",
        ),
    ],
)
def test_bad_constraints_are_refused(make, message):
    with pytest.raises(SchemaError, match=message):
        make()
