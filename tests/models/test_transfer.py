import numpy as np
import xarray as xr
from scattered import scattered

import tieline as tl


def landscape(places):
    x, y = places["x"].values, places["y"].values
    return np.sin(6 * x) * np.cos(4 * y)


def another(places):
    x, y = places["x"].values, places["y"].values
    return np.cos(9 * x * y) - np.sin(11 * y + 2 * x)


def table(seed, earlier, n_own=8, n_earlier=40):
    """An earlier campaign of many specimens, and a few of the present one."""
    rng = np.random.default_rng(seed)
    found = scattered(seed, n_earlier + n_own)
    is_own = np.arange(n_earlier + n_own) >= n_earlier
    value = np.where(is_own, landscape(found), earlier(found)) + 0.02 * rng.standard_normal(is_own.size)
    return found.assign(
        value=("specimen", value),
        campaign=("specimen", np.where(is_own, "now", "before")),
    )


def error(data, grid, **options):
    found = tl.GaussianProcess(["x", "y"], "value", **options).fit(data).predict(grid)
    return np.sqrt(np.mean((found["value"].values - landscape(grid)) ** 2))


def test_a_related_campaign_helps():
    with_it, without = [], []
    for seed in range(3):
        data = table(seed, lambda places: 3 + 0.9 * landscape(places))
        grid = scattered(seed + 90, 80)
        own = data.isel(specimen=data["campaign"].values == "now")
        with_it.append(error(data, grid, campaign="campaign"))
        without.append(error(own, grid))
    assert np.mean(with_it) < 0.6 * np.mean(without)


def test_an_unrelated_campaign_does_not_hurt():
    with_it, without = [], []
    for seed in range(6):
        data, grid = table(seed, another, n_own=14), scattered(seed + 90, 80)
        own = data.isel(specimen=data["campaign"].values == "now")
        with_it.append(error(data, grid, campaign="campaign"))
        without.append(error(own, grid))
    assert np.mean(with_it) < 1.15 * np.mean(without)


def test_what_does_not_help_is_left_out_with_a_note():
    """Another sign in the earlier campaign, which no relatedness between 0 and 1 can turn around."""
    data = table(1, lambda places: -landscape(places), n_own=20)
    posterior = tl.GaussianProcess(["x", "y"], "value", campaign="campaign").fit(data)
    if posterior.fit.entries.campaign.max() == 0:
        assert "Earlier campaigns were left out" in posterior.notes[-1]
    else:
        assert posterior.fit.hyper.alike[0, 1] < 0.3


def test_the_present_campaign_is_that_of_the_last_row_or_the_one_named():
    data = table(2, lambda places: 5 + landscape(places), n_own=10)
    model = {"design": ["x", "y"], "properties": "value", "campaign": "campaign"}
    now, before = (
        tl.GaussianProcess(**model, **target).fit(data).predict(data) for target in ({}, {"target": "before"})
    )
    assert float(before["value"].mean() - now["value"].mean()) > 4
    named = tl.GaussianProcess(**model, target="now").fit(data).predict(data)
    xr.testing.assert_identical(named, now)


def test_the_level_of_another_campaign_is_its_own():
    data = table(3, lambda places: 1000 + landscape(places), n_own=10)
    grid = scattered(5, 60)
    assert error(data, grid, campaign="campaign") < 0.4


def test_with_hardly_anything_of_its_own_the_earlier_campaign_is_kept_with_a_note():
    data = table(4, landscape, n_own=2)
    posterior = tl.GaussianProcess(["x", "y"], "value", campaign="campaign").fit(data)
    assert "2 own values are too few" in posterior.notes[-1]
    assert posterior.fit.entries.campaign.max() == 1
