import numpy as np
import pytest
from scipy.stats import qmc

import tieline as tl
from tieline.errors import SchemaError

TEN = [f"E{i}" for i in range(10)]
THREE = ["Fe", "Ga", "Pd"]


def fractions(n=2000, seed=0, **settings):
    return tl.Space([tl.Composition("composition", **settings)]).candidates(n, seed=seed)["composition"]


def test_ten_components_with_bounds_and_a_step():
    drawn = fractions(elements=TEN, low=0.02, high={"E0": 0.08, "E1": 0.3}, step=0.005)
    assert drawn.shape == (2000, 10)
    assert float(abs(drawn.sum("element") - 1).max()) < 1e-12
    np.testing.assert_allclose(drawn / 0.005, (drawn / 0.005).round(), atol=1e-9)
    assert float(drawn.min()) == 0.02
    assert float(drawn.sel(element="E0").max()) == 0.08
    assert len(np.unique(drawn.values, axis=0)) == 2000


def test_candidates_cover_ten_components_more_evenly_than_random_numbers():
    """Means of smooth functions over candidates miss those over the simplex by less."""

    def error(places):
        pairs = np.einsum("ni,nj->ij", places, places) / len(places)
        # Dirichlet(1): E x_i x_j = (1 + (i = j)) / (10 * 11)
        return np.abs(pairs - (1 + np.eye(10)) / 110).mean()

    ours = [error(fractions(1024, seed=s, elements=TEN).values) for s in range(8)]
    random = [error(np.random.default_rng(s).dirichlet(np.ones(10), 1024)) for s in range(8)]
    assert np.mean(ours) < 0.4 * np.mean(random)


def test_candidates_leave_smaller_holes_than_random_numbers():
    """Discrepancy of a ternary, after the map that makes its triangle a square again."""

    def discrepancy(places):
        return qmc.discrepancy(
            np.column_stack([(1 - places[:, 0]) ** 2, places[:, 1] / (1 - places[:, 0])]), method="L2-star"
        )

    ours = [discrepancy(fractions(256, seed=s, elements=THREE).values) for s in range(8)]
    random = [discrepancy(np.random.default_rng(s).dirichlet(np.ones(3), 256)) for s in range(8)]
    assert np.mean(ours) < 0.3 * np.mean(random)


def test_every_set_of_ingredients_is_as_likely():
    drawn = fractions(1650, elements=TEN, at_most=3, smallest=0.1, high=0.6)
    sets, counts = np.unique(drawn.values > 0, axis=0, return_counts=True)
    assert len(sets) == 45 + 120  # none alone reaches one
    assert counts.min() >= 8
    assert counts.max() <= 12  # ten on average; random numbers would scatter by three
    assert float(drawn.where(drawn > 0).min()) >= 0.1 - 1e-12


def test_few_of_very_many_ingredients():
    fifty = [f"E{i}" for i in range(50)]
    drawn = fractions(500, elements=fifty, at_least=4, at_most=5, low={"E7": 0.1}, smallest=0.05, step=0.01)
    n_present = (drawn > 0).sum("element")
    assert drawn.sizes["specimen"] == 500
    assert {4, 5} == set(n_present.values.tolist())
    assert float(drawn.sel(element="E7").min()) >= 0.1
    assert float(drawn.where(drawn > 0).min()) >= 0.05
    assert ((drawn > 0).sum("specimen") > 0).all()


def test_a_grid_is_complete_and_counted():
    settings = {"elements": list("abcd"), "high": {"a": 0.5}, "smallest": 0.2, "at_most": 3, "step": 0.1}
    space = tl.Space([tl.Composition("composition", **settings)])
    grid = space.grid()["composition"].values
    every = np.indices([11] * 4).reshape(4, -1).T
    every = every[every.sum(1) == 10] / 10
    allowed = (every[:, 0] <= 0.5) & ((every == 0) | (every >= 0.2)).all(1) & ((every > 0).sum(1) <= 3)
    assert {tuple(p) for p in grid.tolist()} == {tuple(p) for p in every[allowed].tolist()}
    assert space.n_places == len(grid) == allowed.sum()
    xr_all = space.candidates(1000)
    np.testing.assert_array_equal(xr_all["composition"], grid)


def test_a_coarse_grid_of_very_many_ingredients_is_listed():
    forty = [f"E{i}" for i in range(40)]
    space = tl.Space([tl.Composition("composition", forty, at_least=2, at_most=4, step=0.25)])
    # two: 3 ways to split four quarters, three: 3, four: 1
    assert space.n_places == 3 * 780 + 3 * 9880 + 91390
    grid = space.grid()["composition"].values
    assert len(np.unique(grid, axis=0)) == len(grid) == space.n_places
    some = space.candidates(20_000)["composition"].values
    assert len(np.unique(some, axis=0)) == 20_000


def test_very_many_ingredients_without_a_limit():
    fifty = [f"E{i}" for i in range(50)]
    drawn = fractions(200, elements=fifty, smallest=0.05, step=0.01)
    assert drawn.sizes["specimen"] == 200
    assert int((drawn > 0).sum("element").max()) <= 20


def test_bounds_go_to_the_next_multiple_inside():
    grid = tl.Space([tl.Composition("composition", ["a", "b"], low={"a": 0.13}, high={"a": 0.34}, step=0.1)])
    assert grid.grid()["composition"].sel(element="a").values.tolist() == [0.2, 0.3]


@pytest.mark.parametrize(
    ("settings", "message", "found"),
    [
        ({"low": {"Fe": 0.7, "Pd": 0.4}}, "lower bounds of 'c' sum to 1.1, above one", "Fe from 0.7"),
        ({"high": 0.3}, "upper bounds of 'c' sum to 0.9, below one", "Ga from 0 to 0.3"),
        ({"high": 0.4, "at_most": 2}, "No 2 ingredients of 'c' reach one.* at most 0.8", "Fe from 0 to 0.4"),
        ({"low": 0.1, "at_most": 2}, "At most 2 ingredients are allowed, but 3", "Fe from 0.1"),
        ({"low": {"Fe": 0.5}, "high": {"Fe": 0.4}}, "no fraction between their bounds", "Fe from 0.5 to 0.4"),
        ({"low": {"Fe": 0.11}, "high": {"Fe": 0.19}, "step": 0.1}, "no fraction between", "step of 0.1"),
        ({"smallest": 0.6, "high": 0.8}, "No allowed set of ingredients", "Fe from 0.6 to 0.8"),
        ({"step": 0.03}, "must divide 1", "step=0.03"),
        ({"step": 0.0}, "must divide 1", "step=0"),
        ({"low": {"Cu": 0.1}}, "bound low for 'Cu', which is none", "Fe, Ga, Pd"),
        ({"high": 40}, "must lie between 0 and 1", "Fe=40"),
        ({"at_most": 4}, "at least 1 and at most 4", "3 ingredients"),
        ({"at_least": 3, "at_most": 2}, "at least 3 and at most 2", "3 ingredients"),
        ({"step": "0.1"}, "step of 'c' must be a number", "'0.1'"),
        ({"low": {"Fe": "0.1"}}, "low of 'c' must be a number", "'0.1'"),
        ({"role": "property"}, "role 'property'", "synthesis, process"),
    ],
)
def test_what_contradicts_is_named(settings, message, found):
    with pytest.raises(SchemaError, match=message) as caught:
        tl.Composition("c", THREE, **settings)
    assert found in caught.value.found


@pytest.mark.parametrize("elements", [["Fe"], ["Fe", "Fe"], "FeGa", []])
def test_ingredients_are_different_names(elements):
    with pytest.raises(SchemaError, match="at least two ingredients"):
        tl.Composition("c", elements)


def test_too_many_sets_to_list_are_checked_all_the_same():
    forty = [f"E{i}" for i in range(40)]
    with pytest.raises(SchemaError, match="No allowed set of ingredients"):
        tl.Composition("c", forty, smallest=0.3, at_least=5)
    # By their sums alone, sets of four might do; but each that reaches one starts above it.
    bounds = {"smallest": {e: 0.3 if i % 2 else 0.02 for i, e in enumerate(forty)}}
    bounds["high"] = {e: 0.32 if i % 2 else 0.03 for i, e in enumerate(forty)}
    with pytest.raises(SchemaError, match="No set of ingredients can sum to one"):
        tl.Space([tl.Composition("c", forty, **bounds, at_least=4, at_most=4)])


def test_it_reads_well():
    of = tl.Composition("c", THREE, low={"Pd": 0.05}, high={"Fe": 0.9}, at_most=2, step=0.01, smallest=0.02)
    assert str(of) == (
        "Fe, Ga, Pd; steps of 0.01; Pd from 0.05; Fe to 0.9; each from 0.02 where present; at most 2 of them"
    )
    assert str(tl.Composition("c", THREE, at_least=2, at_most=2)) == "Fe, Ga, Pd; exactly 2 of them"
