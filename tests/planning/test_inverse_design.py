import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.planning.inverse_design import inverse_design

SPACE = tl.Space([tl.Numeric("width", 1.0, 5.0), tl.Numeric("height", 1.0, 5.0)])


def plate(settings, seed):
    """A plate whose sides are as wanted, but for what the seed does to them."""
    off = 1 + 0.01 * np.random.default_rng(seed).standard_normal(2)
    return xr.DataArray(np.array([settings["width"], settings["height"]]) * off)


def search(**changes):
    target = plate({"width": 2.2, "height": 4.1}, 10**6)
    return inverse_design(
        target, SPACE, plate, lambda p: np.log(p.values), **({"n_start": 8, "n": 28, "seed": 1} | changes)
    )


def test_settings_are_found_with_where_they_may_lie():
    history = search()
    found = history["found"]
    assert found["setting"].values.tolist() == ["width", "height"]
    np.testing.assert_allclose(found, [2.2, 4.1], rtol=0.05)
    assert (history["low"] <= found).all()
    assert (history["high"] >= found).all()
    assert (history["high"] - history["low"] < 0.8).all()


def test_every_structure_is_remembered_with_its_own_seed():
    history = search()
    assert history.sizes["generation"] == 28
    assert len(np.unique(history["seed"])) == 28
    assert (np.diff(history["least_distance"].values) <= 0).all()
    for i in (0, 27):
        row = history.isel(generation=i)
        made = plate({name: row[name].item() for name in SPACE.names}, row["seed"].item())
        distance = np.linalg.norm(np.log(made) - np.log(plate({"width": 2.2, "height": 4.1}, 10**6)))
        assert row["distance"].item() == pytest.approx(distance)


def test_the_search_is_better_than_its_start():
    least = search()["least_distance"].values
    assert least[-1] < 0.3 * least[7]


def test_the_same_seed_makes_the_same_search():
    xr.testing.assert_identical(search(n=12), search(n=12))
    assert not np.array_equal(search(n=12)["width"], search(n=12, seed=2)["width"])


def test_progress_is_told():
    told = []
    search(n=10, progress=lambda done, n: told.append((done, n)))
    assert told == [(i + 1, 10) for i in range(10)]


def test_structures_that_all_look_alike_identify_nothing():
    with pytest.raises(tl.NotIdentified, match="look the same"):
        inverse_design(
            plate({"width": 2, "height": 3}, 0), SPACE, plate, lambda _: np.ones(2), n_start=4, n=4
        )


def test_refuses_numbers_that_make_no_search():
    for wrong in ({"n_start": 1}, {"n_start": 30}, {"batch": 0}):
        with pytest.raises(tl.TielineError, match="begins with two structures"):
            search(**wrong)
