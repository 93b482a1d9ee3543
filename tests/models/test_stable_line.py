"""A line in columns that are chosen again and again: those with a meaning, and hardly any other."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import Ridge

import tieline as tl
from tieline.models.stable_line import SHRINKAGE, StableLine


def world(seed=0, n=80, n_columns=60):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_columns))
    return x, 2 * x[:, 3] - x[:, 7] + 0.5 * rng.standard_normal(n)


@pytest.mark.parametrize("seed", range(3))
def test_columns_with_a_meaning_are_chosen_and_the_line_is_a_ridge_in_them(seed):
    x, y = world(seed)
    found = StableLine().fit(x, y)
    assert {3, 7} <= set(found.chosen_)
    assert len(found.chosen_) <= 4
    theirs = Ridge(SHRINKAGE).fit(x[:, found.chosen_], y)
    np.testing.assert_allclose(found.predict(x), theirs.predict(x[:, found.chosen_]))


def test_where_nothing_is_stable_the_mean_is_said():
    x, _ = world()
    found = StableLine(0.95).fit(x, np.random.default_rng(9).standard_normal(80) + 4)
    assert len(found.chosen_) == 0
    np.testing.assert_allclose(found.predict(x), found.intercept_)


def test_columns_are_chosen_within_the_folds_of_a_comparison():
    x, y = world(n=60, n_columns=40)
    names = [f"x{j}" for j in range(40)]
    columns = {name: ("specimen", x[:, j], {"role": "process"}) for j, name in enumerate(names)}
    asked = tl.task(xr.Dataset(columns, {"specimen": np.arange(60)}).assign(y=("specimen", y)), "y", names)
    loss = tl.compare(asked, ["ridge", "stable_line"], n_folds=3).scores["loss"].sel(target="y").to_series()
    assert loss["stable_line"] < 0.7 * loss["ridge"]
    noise = asked.table.assign(y=("specimen", np.random.default_rng(1).standard_normal(60)))
    found = tl.compare(replace(asked, table=noise), ["stable_line"], n_folds=3)
    row = found.scores.sel(target="y", candidate="stable_line")
    assert row["r2"] <= row["r2_se"]
