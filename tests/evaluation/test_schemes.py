"""No group stands on both sides of a fold, whatever the scheme."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.evaluation.schemes import cluster_folds, group_folds, time_folds


@pytest.mark.parametrize("n_folds", [2, 5, 50])
def test_groups_are_dealt_whole_and_every_row_is_tested_once(n_folds):
    rng = np.random.default_rng(0)
    group = rng.integers(0, 30, 200)
    folds = group_folds(group, None, n_folds, seed=1)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(200))
    assert all(not set(group[train]) & set(group[test]) for train, test in folds)
    assert len(folds) == min(n_folds, 30)


def test_folds_are_of_like_size_although_groups_are_not():
    group = np.repeat(np.arange(12), np.arange(1, 13))
    sizes = [len(test) for _, test in group_folds(group, None, 3, seed=0)]
    assert max(sizes) - min(sizes) <= 2


def test_labels_are_dealt_evenly():
    label = np.repeat(["A", "B"], [40, 10])
    for _, test in group_folds(np.arange(50), label, 5, seed=0):
        assert (label[test] == "B").sum() == 2


def test_clusters_are_held_out_whole():
    rng = np.random.default_rng(0)
    centre = np.repeat([[0.0, 0], [10, 0], [0, 10]], 20, 0)
    folds = cluster_folds(centre + rng.standard_normal((60, 2)), np.arange(60), 3, seed=0)
    assert sorted(tuple(test) for _, test in folds) == [tuple(range(k, k + 20)) for k in (0, 20, 40)]


def test_what_is_tested_came_after_what_was_learned_from():
    rng = np.random.default_rng(0)
    when = rng.permutation(100).astype(float)
    group = (when // 7).astype(int)
    for train, test in time_folds(when, group, 4):
        assert when[train].max() < when[test].min()
        assert not set(group[train]) & set(group[test])


def test_what_a_group_showed_later_is_not_learned_from():
    group = np.repeat(np.arange(10), 4)
    group[-1] = 0
    when = np.arange(40.0)
    folds = time_folds(when, group, 3)
    assert len(folds) == 3
    assert all(when[train].max() < when[test].min() for train, test in folds)


def test_folds_that_cannot_be_made_are_refused():
    with pytest.raises(tl.NotIdentified, match="wholly before"):
        time_folds(np.arange(8.0), np.zeros(8, int), 3)
    with pytest.raises(tl.NotIdentified, match="one cluster"):
        cluster_folds(np.zeros((8, 2)), np.arange(8), 3, seed=0)


def test_there_are_no_more_clusters_than_places_and_labels_that_stand_once_are_dealt():
    places = np.random.default_rng(0).random((40, 2))
    assert len(cluster_folds(places, np.arange(40), 60, seed=0)) == 40
    folds = group_folds(np.arange(6), np.array(list("abcdef")), 3, seed=0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(6))


@pytest.mark.parametrize("as_text", [True, False], ids=["text", "times"])
def test_dates_order_folds_in_time(as_text):
    days = pd.date_range("2026-01-01", periods=40, freq="36h")[::-1]
    rng = np.random.default_rng(0)
    x = rng.random(40)
    frame = pd.DataFrame({"x": x, "y": 2 * x + 0.1 * rng.random(40)})
    frame["date"] = days.strftime("%Y-%m-%d %H:%M") if as_text else days
    roles = {"x": "process", "y": "property", "date": "structure"}
    table = tl.table(frame, roles=roles, units={"x": "1", "y": "1"})
    folds = tl.task(table, "y", ["x"], order="date").folds("y", scheme="time")
    assert len(folds) > 1
    assert all(days[train].max() < days[test].min() for train, test in folds)
    bad = table.assign(date=("specimen", ["soon"] * 40, {"role": "process"}))
    with pytest.raises(tl.SchemaError, match="numbers or dates"):
        tl.task(bad, "y", ["x"], order="date").folds("y", scheme="time")


def test_a_task_divides_only_rows_that_know_the_target():
    rng = np.random.default_rng(0)
    x, y = rng.random(60), rng.random(60)
    y = y + 5 * x
    y[::4] = np.nan
    about = {"role": "process", "units": "1"}
    table = xr.Dataset(
        {"x": ("specimen", x, about), "y": ("specimen", y, {"role": "property", "units": "1"})},
        {"specimen": np.arange(60)},
    )
    task = tl.task(table, "y", order="x")
    for scheme in ("grouped", "clusters", "time"):
        for train, test in task.folds("y", scheme):
            assert np.isfinite(y[np.concatenate([train, test])]).all()
    with pytest.raises(tl.SchemaError, match="Did you mean 'grouped'"):
        task.folds("y", "group")


def test_one_group_only_cannot_be_divided():
    with pytest.raises(tl.NotIdentified, match="of one group"):
        group_folds(np.zeros(10, dtype=int), None, 5, seed=0)
