import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError, TielineError, UnitError

TEN = [f"E{i}" for i in range(10)]
MIXED = [
    tl.Composition(
        "composition", ["Fe", "Ga", "Pd"], low={"Pd": 0.05}, high={"Fe": 0.9}, at_most=2, step=0.01
    ),
    tl.Numeric("temperature", 300, 900, units="°C"),
    tl.Numeric("dwell", 10, 480, step=10, units="minutes"),
    tl.Levels("acid", [7.5, -7.5, 0], units="wt%"),
    tl.Categorical("solvent", ["water", "ethanol"]),
]


def cool(places):
    return places["temperature"] < 700


def test_places_are_a_table():
    places = tl.Space(MIXED).candidates(50)
    assert dict(places.sizes) == {"specimen": 50, "element": 3}
    assert tl.check(places.drop_vars("solvent")) == []
    assert {n: places[n].attrs["role"] for n in places.data_vars} == {
        "composition": "synthesis",
        "temperature": "process",
        "dwell": "process",
        "acid": "synthesis",
        "solvent": "synthesis",
    }
    assert [places[n].attrs.get("units") for n in places.data_vars] == ["1", "degC", "min", "wt.%", None]
    assert set(places["solvent"].values) == {"water", "ethanol"}
    assert set(places["acid"].values) == {-7.5, 0, 7.5}
    assert tl.Numeric("x", 0, 1, role="synthesis").decode(np.zeros((1, 1))).attrs == {"role": "synthesis"}


def test_the_same_seed_gives_the_same_places():
    space = tl.Space(MIXED, [cool])
    xr.testing.assert_identical(space.candidates(64, seed=3), space.candidates(64, seed=3))
    assert not space.candidates(64, seed=3).equals(space.candidates(64, seed=4))
    around = space.candidates(3)
    xr.testing.assert_identical(space.near(around, 0.1, 20, seed=1), space.near(around, 0.1, 20, seed=1))


def test_both_grids_of_the_latp_study_are_spaces():
    pool = tl.datasets.latp_candidates()
    last = tl.Space(
        [
            tl.Numeric("relative_phosphoric_acid", -22.5, 7.5, step=3.75, units="wt.%"),
            tl.Numeric("sintering_temperature", 800, 1100, step=25, units="degC"),
            tl.Levels("dwell_time", np.unique(pool["dwell_time"]), units="min"),
        ]
    )
    assert last.n_places == 2574
    grid = last.grid()
    for name in pool.data_vars:
        np.testing.assert_array_equal(grid[name], pool[name])
        assert grid[name].attrs["units"] == pool[name].attrs["units"]
        assert grid[name].attrs["role"] == pool[name].attrs["role"]
    assert last.contains(pool).all()
    first = tl.Space(
        [
            tl.Numeric("relative_phosphoric_acid", -22.5, 7.5, step=7.5, units="wt.%"),
            tl.Numeric("sintering_temperature", 800, 1100, step=50, units="degC"),
            tl.Levels("dwell_time", [10, 30, 60, 90, 120, 180, 240, 300, 360, 420, 480, 540], units="min"),
        ]
    )
    assert first.n_places == first.candidates(1000).sizes["specimen"] == 420


@pytest.mark.parametrize("n", [1, 400, 419, 420, 421])
def test_of_a_finite_space_any_number_of_different_places_can_be_had(n):
    space = tl.Space([tl.Numeric("a", 0, 19, step=1), tl.Numeric("b", 0, 0.2, step=0.01)])
    places = space.candidates(n)
    wanted = min(n, 420)
    assert places.sizes["specimen"] == wanted
    assert len(np.unique(places.to_dataframe().to_numpy(), axis=0)) == wanted


def test_values_on_a_step_are_written_as_people_write_them():
    values = tl.Space([tl.Numeric("x", 0.1, 0.8, step=0.1)]).grid()["x"].values
    assert values.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert tl.Space([tl.Numeric("x", 0, 1, step=0.4)]).grid()["x"].values.tolist() == [0, 0.4, 0.8]


def test_candidates_of_a_box_are_more_even_than_random_numbers():
    space = tl.Space([tl.Numeric(name, 0, 1) for name in "abcdef"])
    halves = space.candidates(64).to_dataframe().to_numpy() > 0.5
    assert (halves.sum(0) == 32).all()


def test_neighbours_are_near_and_new():
    space = tl.Space(MIXED, [tl.LinearConstraint({"temperature": 1, "dwell": 0.5}, at_most=900)])
    centre = space.candidates(20).isel(specimen=[7])
    nearby = space.near(centre, 0.05, 200)
    assert nearby.sizes["specimen"] > 150
    assert space.contains(nearby, tolerance=1e-8).all()
    off = {name: abs(nearby[name] - centre[name].values[0]) for name in ("temperature", "dwell")}
    assert float(off["temperature"].max()) <= 0.05 * 600 + 1e-9
    assert float(off["dwell"].max()) <= 20  # of 470: two steps
    same = nearby.isel(specimen=np.flatnonzero(nearby["solvent"] == centre["solvent"].values[0]))
    assert 0.85 < same.sizes["specimen"] / nearby.sizes["specimen"] < 1
    rows = {tuple(row) for row in nearby["composition"].values.tolist()}
    assert any((np.array(row) > 0).tolist() != (centre["composition"].values[0] > 0).tolist() for row in rows)


def test_at_the_smallest_width_one_step_is_within_reach():
    space = tl.Space([tl.Composition("c", TEN, step=0.05, low=0.05)])
    centre = space.candidates(1)
    nearby = space.near(centre, 1e-6, 60)["c"]
    assert nearby.sizes["specimen"] == 60
    assert float(abs(nearby - centre["c"].values).max()) == pytest.approx(0.05)


def test_of_few_neighbours_all_are_found():
    space = tl.Space([tl.Numeric("x", 0, 10, step=1), tl.Categorical("kind", ["a", "b"])])
    nearby = space.near(space.grid().isel(specimen=[8]), 0.1, 500)
    assert {(x, k) for x, k in zip(nearby["x"].values, nearby["kind"].values, strict=True)} == {
        *[(3.0, "a"), (5.0, "a"), (3.0, "b"), (4.0, "b"), (5.0, "b")]
    }
    alone = tl.Space([tl.Levels("x", [3.0])])
    assert alone.near(alone.grid(), 0.5, 5).sizes["specimen"] == 0


def test_what_belongs_is_known_in_any_unit_and_order():
    space = tl.Space(MIXED, [cool])
    places = space.candidates(30)
    kelvin = places.assign(temperature=(places["temperature"] + 273.15).assign_attrs(units="K"))
    assert space.contains(kelvin.isel(element=[2, 0, 1])).all()
    wrong = places.isel(specimen=slice(6)).copy(deep=True)
    wrong["temperature"][0] = 901.0
    wrong["dwell"][1] = 15.0
    wrong["acid"][2] = 1.0
    wrong["solvent"] = ("specimen", ["water", "water", "water", "acetone", "water", "water"])
    wrong["temperature"][4] = np.nan
    wrong["temperature"][5] = 800.0  # against the rule
    assert not space.contains(wrong).any()
    assert not space.contains(places.assign(composition=places["composition"] * 0.99)).any()
    with pytest.raises(UnitError):
        space.contains(places.assign(temperature=places["temperature"].assign_attrs(units="min")))
    with pytest.raises(SchemaError, match="lack 'acid'"):
        space.contains(places.drop_vars("acid"))
    with pytest.raises(SchemaError, match="other ingredients"):
        space.contains(places.isel(element=slice(2)))
    with pytest.raises(SchemaError, match="column of numbers"):
        space.contains(places.assign(temperature=("specimen", ["hot"] * 30)))
    with pytest.raises(SchemaError, match="Places are a Dataset"):
        space.contains(places.to_dataframe())


def test_places_are_moved_to_the_nearest():
    space = tl.Space(MIXED, [tl.LinearConstraint({"temperature": 1, "dwell": 0.5}, at_most=900)])
    places = space.candidates(40)
    xr.testing.assert_allclose(space.snap(places), places)
    off = places.isel(specimen=[0, 1]).copy(deep=True)
    off["composition"].values[:] = [[0.604, 0.396, 0.0], [0.2, 0.3, 0.5]]
    off["temperature"].values[:] = [850.0, 950.0]
    off["dwell"].values[:] = [96.0, 10.0]
    off["acid"].values[:] = [6.0, -1.0]
    moved = space.snap(off)
    assert space.contains(moved).all()
    assert moved["acid"].values.tolist() == [7.5, 0]
    assert moved["composition"].values[1].tolist() in ([0.0, 0.3, 0.7], [0.0, 0.5, 0.5])
    assert moved["temperature"].values.tolist() == pytest.approx([850, 895], abs=0.01)
    assert moved["dwell"].values.tolist() == [100, 10]
    assert moved["composition"].values[0, 2] >= 0.05
    with pytest.raises(SchemaError, match="complete places of known categories"):
        space.snap(off.assign(solvent=("specimen", ["water", "acetone"])))


def test_of_many_places_each_is_moved_as_little_as_can_be():
    inputs = [tl.Numeric("x", 0, 10), tl.Numeric("y", 0, 9, step=1), tl.Levels("z", [1.0, 2.0, 5.0])]
    space = tl.Space(inputs, [tl.LinearConstraint({"x": 1.0, "y": 1.0}, at_most=12)])
    rng = np.random.default_rng(0)
    wanted = xr.Dataset({name: ("specimen", rng.uniform(-2, 12, 60)) for name in "xyz"})
    moved = space.snap(wanted)
    assert space.contains(moved).all()
    x, y = wanted["x"].values[:, None], wanted["y"].values[:, None]
    every_y = np.arange(10.0)
    best_x = np.minimum(np.clip(x, 0, 10), 12 - every_y)
    least = (abs(best_x - x) / 10 + abs(every_y - y) / 9).min(1)
    went = abs(moved["x"] - wanted["x"]) / 10 + abs(moved["y"] - wanted["y"]) / 9
    np.testing.assert_allclose(went, least, atol=1e-5)
    assert (went > 0).sum() > 30


def test_a_place_that_a_rule_forbids_goes_to_an_allowed_one():
    space = tl.Space(MIXED, [cool])
    hot = space.candidates(3).assign(temperature=("specimen", [890.0, 890.0, 890.0], {"units": "degC"}))
    assert space.contains(space.snap(hot)).all()


def test_a_space_never_changes():
    space = tl.Space(MIXED)
    with pytest.raises(AttributeError):
        space.inputs = ()
    assert isinstance(space.inputs, tuple)
    assert space == tl.Space(MIXED)
    places = space.candidates(5)
    before = places.copy(deep=True)
    space.near(places, 0.1, 5), space.snap(places), space.contains(places)
    xr.testing.assert_identical(places, before)


def test_it_prints_what_it_is():
    text = str(tl.Space(MIXED, [tl.LinearConstraint({"Fe": 1, "Ga": -2}, at_least=0, at_most=0.5), cool]))
    assert text.splitlines() == [
        "Space of 5 inputs: endlessly many places",
        "  composition  Fe, Ga, Pd; steps of 0.01; Pd from 0.05; Fe to 0.9; at most 2 of them",
        "  temperature  300 to 900 degC",
        "  dwell        10 to 480 min in steps of 10",
        "  acid         -7.5, 0, 7.5 wt.%",
        "  solvent      water, ethanol",
        "  where        0 <= Fe - 2 Ga <= 0.5",
        "  where        cool",
    ]
    assert str(tl.Space([tl.Levels("x", [1, 2])])).splitlines()[0] == "Space of 1 inputs: 2 places"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tl.Numeric("x", 3, 3), "range of 'x' is empty"),
        (lambda: tl.Numeric("x", 0, np.inf), "range of 'x' is empty"),
        (lambda: tl.Numeric("x", 0, 1, step=2), "step of 'x'"),
        (lambda: tl.Numeric("x", 0, 1, step=-0.1), "step of 'x'"),
        (lambda: tl.Numeric("x", "0", 1), "low of 'x' must be a number"),
        (lambda: tl.Numeric("x", 0, 1, role="structure"), "role 'structure'"),
        (lambda: tl.Numeric("element", 0, 1), "named after its variable"),
        (lambda: tl.Numeric("", 0, 1), "named after its variable"),
        (lambda: tl.Levels("x", []), "different finite levels"),
        (lambda: tl.Levels("x", [1, 1]), "different finite levels"),
        (lambda: tl.Levels("x", ["1"]), "must be a number"),
        (lambda: tl.Categorical("x", []), "needs categories"),
        (lambda: tl.Categorical("x", "water"), "needs categories"),
        (lambda: tl.Categorical("x", ["a", "a"]), "needs categories"),
        (lambda: tl.Categorical("x", [1, 2]), "needs categories"),
        (lambda: tl.Space([]), "at least one input"),
        (lambda: tl.Space([tl.Levels("x", [1]), tl.Numeric("x", 0, 1)]), "different names"),
        (lambda: tl.Space([tl.Levels("Fe", [1]), tl.Composition("c", ["Fe", "Ga"])]), "different names"),
        (lambda: tl.Space(["x"]), "made of inputs"),
        (lambda: tl.Space([tl.datasets.latp_candidates()]), "made of inputs"),
        (lambda: tl.Space([tl.Levels("x", [1])], ["x < 2"]), "linear, or a rule"),
        (
            lambda: tl.Space([tl.Composition("c", ["a", "b"]), tl.Composition("d", ["e", "f"])]),
            "carries one composition",
        ),
    ],
)
def test_bad_parts_are_refused(make, message):
    with pytest.raises(SchemaError, match=message):
        make()


def test_an_unknown_unit_is_a_question():
    with pytest.raises(UnitError, match="Which unit is 'Mpa'"):
        tl.Numeric("pressure", 0, 1, units="Mpa")


def test_bad_requests_are_refused():
    space = tl.Space(MIXED)
    with pytest.raises(TielineError, match="at least one place"):
        space.candidates(0)
    with pytest.raises(TielineError, match="cannot be listed whole") as caught:
        space.grid()
    assert caught.value.found == "any value of temperature"
    with pytest.raises(TielineError, match="cannot be listed whole") as caught:
        tl.Space([tl.Composition("c", TEN, step=0.01)]).grid()
    assert "places" in caught.value.found
    with pytest.raises(TielineError, match="share of the range"):
        space.near(space.candidates(1), 1.5, 3)
    with pytest.raises(SchemaError, match="no place to look around"):
        space.near(space.candidates(1).isel(specimen=[]), 0.5, 3)
