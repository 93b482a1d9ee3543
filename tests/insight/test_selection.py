"""Stable inputs: those with a meaning are found, few others are."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import NotIdentified, SchemaError
from tieline.insight.selection import stable_inputs

NAMES = [f"x{i}" for i in range(20)]


def task(n=80, seed=0, groups=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, len(NAMES)))
    y = 2 * x[:, 3] - x[:, 7] + rng.normal(0, 0.5, n)
    data = {name: ("specimen", x[:, i], {"role": "process", "units": "1"}) for i, name in enumerate(NAMES)}
    data["y"] = ("specimen", y, {"role": "property", "units": "GPa"})
    if groups is not None:
        data["batch"] = ("specimen", groups)
    return tl.task(
        xr.Dataset(data, {"specimen": np.arange(n)}), "y", NAMES, "batch" if groups is not None else None
    )


def test_inputs_with_a_meaning_are_stable():
    found = stable_inputs(task())
    assert set(found["column"].values[:2]) == {"x3", "x7"}
    assert found["is_stable"].values[:2].all()
    assert (found["frequency"].values[:2] > 0.95).all()
    assert found.attrs["expected_by_chance"] <= 1


def test_of_pure_noise_no_more_are_stable_than_are_promised():
    counts, asked = [], task()
    for seed in range(20):
        shuffled = np.random.default_rng(seed).permutation(asked.table["y"].values)
        noise = replace(asked, table=asked.table.assign(y=asked.table["y"].copy(data=shuffled)))
        found = stable_inputs(noise, n_pairs=20)
        counts.append(int(found["is_stable"].sum()))
    assert np.mean(counts) <= found.attrs["expected_by_chance"]


def test_two_halves_share_no_group_and_few_groups_are_refused():
    with pytest.raises(NotIdentified, match="too small to choose"):
        stable_inputs(task(groups=np.repeat(np.arange(5), 16)))
    found = stable_inputs(task(groups=np.repeat(np.arange(40), 2)), n_chosen=2)
    assert set(found["column"].values[:2]) == {"x3", "x7"}


def test_a_property_that_is_not_asked_for_is_refused():
    with pytest.raises(SchemaError, match="Name a target"):
        stable_inputs(task(), "z")
