"""Folds that do not leak: what was measured together is tested together."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from tieline.errors import NotIdentified, SchemaError
from tieline.schema.wording import name_some

Fold = tuple[np.ndarray, np.ndarray]


class LeakWarning(UserWarning):
    """Spectra of one group stand on both sides of a split, so that scores are too good."""


def grouped_folds(
    label: ArrayLike, group: ArrayLike | None = None, *, n_folds: int = 5, seed: int = 0
) -> list[Fold]:
    """Split rows into folds with as even shares of labels as groups allow.

    Args:
        label (row): what is to be told.
        group (row): what was measured together, such as spots of one pellet; without it every row is by
            itself.
        n_folds: how many; with 0, every group is one fold.
        seed: of the order.

    Returns:
        For every fold the rows to learn from and the rows to test.

    Raises:
        SchemaError: there are fewer groups than folds.
        NotIdentified: some label would have nothing left to learn from.

    Example:
        >>> train, test = grouped_folds(["A", "A", "B", "B"], [1, 2, 1, 2], n_folds=2)[0]
        >>> len(train), len(test)
        (2, 2)
    """
    label = np.asarray(label).astype(str)
    group = np.arange(len(label)) if group is None else np.asarray(group)
    n_groups = len(np.unique(group))
    if n_groups < max(n_folds, 2) or n_folds in (1,) or n_folds < 0:
        raise SchemaError(
            "There must be at least two folds, and a group for each of them.",
            found=f"{n_folds} folds, {n_groups} groups",
            hint="fewer folds, or n_folds=0 to hold out one group at a time",
        )
    alone = [c for c in np.unique(label) if len(np.unique(group[label == c])) < 2]
    if alone:
        raise NotIdentified(
            "Some labels occur in one group only, and could not be learned when it is held out.",
            found=name_some(alone),
            hint="measure them on a second pellet or day, or group by spot",
        )
    splitter = (
        LeaveOneGroupOut() if n_folds == 0 else StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    )
    return list(splitter.split(np.zeros((len(label), 1)), label, group))


def warn_of_leaks(folds: Sequence[Fold], group: ArrayLike) -> list[str]:
    """Warn when groups stand on both sides of a split.

    Args:
        folds: rows to learn from and rows to test.
        group (row): what was measured together.

    Returns:
        The groups that leak, in order of their names.
    """
    group = np.asarray(group).astype(str)
    leaking = sorted({g for train, test in folds for g in set(group[train]) & set(group[test])})
    if leaking:
        warnings.warn(
            f"A split leaks: {name_some(leaking)} stand among what is learned from and among what is tested. "
            "Scores are too good; split by group with tieline.evaluation.folds.grouped_folds.",
            LeakWarning,
            stacklevel=2,
        )
    return leaking
