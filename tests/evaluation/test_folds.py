import numpy as np
import pytest

import tieline as tl
from tieline.evaluation.folds import LeakWarning, grouped_folds, warn_of_leaks


def test_groups_are_never_torn_apart():
    label, group = np.repeat(["A", "B"], 20), np.tile(np.repeat(np.arange(5), 4), 2)
    folds = grouped_folds(label, group)
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(40))
    for train, test in folds:
        assert set(group[train]).isdisjoint(group[test])
        assert set(label[train]) == {"A", "B"}
    assert warn_of_leaks(folds, group) == []


def test_without_groups_every_label_is_in_every_fold():
    label = np.repeat(["A", "B", "C"], 12)
    for _, test in grouped_folds(label):
        assert set(label[test]) == {"A", "B", "C"}


def test_the_seed_draws_the_folds():
    label = np.repeat(["A", "B"], 12)
    one, again, other = (grouped_folds(label, seed=s)[0][1] for s in (0, 0, 1))
    assert one.tolist() == again.tolist() != other.tolist()


def test_a_split_that_leaks_warns_by_name():
    rows = np.arange(4)
    with pytest.warns(LeakWarning, match="A split leaks: pellet 2 stand among"):
        leaking = warn_of_leaks([(rows[:3], rows[3:])], ["pellet 1", "pellet 1", "pellet 2", "pellet 2"])
    assert leaking == ["pellet 2"]


def test_one_condition_may_be_held_out_at_a_time():
    folds = grouped_folds(["A", "B"] * 3, [1, 1, 2, 2, 3, 3], n_folds=0)
    assert [test.tolist() for _, test in folds] == [[0, 1], [2, 3], [4, 5]]


def test_what_cannot_be_split_is_told():
    with pytest.raises(tl.NotIdentified, match=r"one group only.*\n.*B"):
        grouped_folds(["A", "A", "B", "B"], [1, 2, 1, 1], n_folds=2)
    with pytest.raises(tl.SchemaError, match="5 folds, 2 groups"):
        grouped_folds(["A", "A", "B", "B"], [1, 2, 1, 2])
