import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize

import tieline as tl
from tieline.errors import TielineError
from tieline.planning.spaces.search import search

TEN = [f"E{i}" for i in range(10)]


@pytest.mark.parametrize("seed", range(4))
def test_the_maximum_over_ten_components_is_found_to_a_thousandth(seed):
    """A concave quadratic whose maximum lies on some of the bounds; 8000 places are scored."""
    rng = np.random.default_rng(seed)
    slope, root = rng.normal(size=10), rng.normal(size=(10, 10))

    def value(x):
        return x @ slope - 0.3 * ((x @ root) ** 2).sum(-1)

    best = search(
        tl.Space([tl.Composition("c", TEN, low=0.01, high=0.4)]), lambda places: value(places["c"].values)
    )
    sums_to_one = {"type": "eq", "fun": lambda x: x.sum() - 1}
    exact = minimize(
        lambda x: -value(x), np.full(10, 0.1), bounds=[(0.01, 0.4)] * 10, constraints=sums_to_one, tol=1e-12
    )
    spread = np.ptp(value(np.random.default_rng(0).dirichlet(np.ones(10), 2000)))
    assert -exact.fun - float(best["score"][0]) < 1e-3 * spread
    assert best.attrs["n_scored"] <= 8100


def test_a_category_with_settings_of_its_own_is_found():
    space = tl.Space(
        [
            tl.Numeric("temperature", 300, 900),
            tl.Numeric("dwell", 10, 480, step=10),
            tl.Categorical("solvent", ["water", "ethanol", "acetone"]),
        ]
    )
    peaks = {"water": (400, 100, 1.0), "ethanol": (700, 300, 1.3), "acetone": (500, 50, 1.1)}

    def score(places):
        t, d, height = np.array([peaks[s] for s in places["solvent"].values]).T
        return height * np.exp(-(((places["temperature"] - t) / 60) ** 2) - ((places["dwell"] - d) / 60) ** 2)

    best = search(space, score, n_candidates=300, n_nearby=150)
    assert best["solvent"].values.tolist() == ["ethanol"]
    assert best["dwell"].values.tolist() == [300]
    assert float(best["score"][0]) > 1.3 - 1e-3


def test_the_best_set_of_ingredients_is_found():
    """Of 165 sets of at most three of ten; the exact answer is from the whole lattice."""
    of = tl.Composition("c", TEN, at_most=3, smallest=0.05, step=0.01)
    rng = np.random.default_rng(3)
    single, pairs = rng.normal(size=10), 3 * rng.normal(size=(10, 10))

    def value(x):
        return x @ single + np.einsum("ni,ij,nj->n", x, pairs, x)

    space = tl.Space([of, tl.Numeric("temperature", 300, 900)])

    def score(places):
        return value(places["c"].values) - ((places["temperature"].values - 640) / 100) ** 2

    best = search(space, score)
    assert float(best["score"][0]) > value(of.listing() / 100).max() - 1e-3


def test_a_small_space_is_searched_whole():
    space = tl.Space([tl.Numeric("x", 0, 20, step=1), tl.Levels("y", [1, 2, 3])])
    asked = []

    def score(places):
        asked.append(places.sizes["specimen"])
        return -abs(places["x"] - 7) - places["y"]

    best = search(space, score, n_best=3)
    assert asked == [63]
    assert best["x"].values.tolist() == [7, 6, 7]
    assert best["score"].values.tolist() == [-1, -2, -2]
    assert best["specimen"].values.tolist() == [0, 1, 2]
    assert best.attrs["n_scored"] == 63


def test_constraints_are_kept_and_the_best_are_different():
    space = tl.Space(
        [tl.Composition("c", TEN, step=0.01), tl.Numeric("t", 0, 1)],
        [tl.LinearConstraint({"E0": 1, "t": 1}, at_most=0.8)],
    )
    best = search(space, lambda p: p["c"].sel(element="E0") * p["t"], n_best=10)
    assert space.contains(best).all()
    assert len(np.unique(np.column_stack([best["c"], best["t"]]), axis=0)) == 10
    assert (np.diff(best["score"]) <= 0).all()
    assert float(best["score"][0]) == pytest.approx(0.16, abs=1e-3)


def test_the_same_seed_gives_the_same_answer():
    space = tl.Space([tl.Numeric("x", 0, 1), tl.Numeric("y", 0, 1)])

    def score(places):
        return -((places["x"] - 0.3) ** 2) - (places["y"] - 0.6) ** 2

    few = {"n_candidates": 64, "rounds": 3, "n_nearby": 30}
    xr.testing.assert_identical(search(space, score, seed=5, **few), search(space, score, seed=5, **few))
    cover = search(space, score, rounds=0, n_candidates=64)
    assert cover.attrs["n_scored"] == 64


@pytest.mark.parametrize("score", [lambda p: np.full(p.sizes["specimen"], np.nan), lambda p: np.zeros(3)])
def test_a_score_that_is_none_is_refused(score):
    with pytest.raises(TielineError, match="one number for every place"):
        search(tl.Space([tl.Numeric("x", 0, 1)]), score)


def test_minus_infinity_is_never_chosen_where_there_is_better():
    space = tl.Space([tl.Numeric("x", 0, 1)])
    best = search(space, lambda p: np.where(p["x"] > 0.5, -np.inf, p["x"]), n_candidates=100, n_nearby=50)
    assert float(best["x"][0]) == pytest.approx(0.5, abs=1e-3)
