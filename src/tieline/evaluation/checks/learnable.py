"""Do the inputs tell anything of the target, and does any value contradict what they tell?"""

from collections.abc import Iterator, Sequence

import numpy as np

from tieline.evaluation.checks.amounts import TOO_FEW
from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array, Indices
from tieline.schema.wording import name_cells

N_TREES = 100
MOST_ROWS = 1500
FAR = 6.0  # robust standard deviations of what is left over, by trees and by a straight line
ERRORS = 2.0  # standard errors by which an explained share must exceed nothing


def check_learnable(
    arrays: TaskArrays, columns: Array, folds: Sequence[tuple[Indices, Indices]], seed: int = 0
) -> Iterator[Finding]:
    """Predict left-out specimens from the others, by trees and by a straight line.

    Args:
        arrays: of one target.
        columns (row, column): the inputs as numbers.
        folds: rows to learn from and rows to test.
        seed: of the trees.
    """
    if arrays.has_target.sum() < TOO_FEW or not columns.shape[1]:
        return
    truth, guess = _left_out(arrays, columns, folds, seed)
    tested = np.asarray(np.isfinite(guess).all((1, 2)))
    # Values so small that their squares vanish, or a label so rare that it was not tested, leave nothing.
    if tested.sum() < TOO_FEW or not truth[tested].var(0).any():
        return
    gain = _gains(truth, guess, tested)  # (row, way)
    best = int(gain.mean(0).argmax())
    share, error = gain.mean(0)[best], gain[:, best].std(ddof=1) / np.sqrt(len(gain))
    if share < ERRORS * error:
        said = f"{100 * max(share, 0):.0f} ± {100 * error:.0f} %"
        yield Finding(
            "not_learnable",
            "amber",
            f"The inputs explain {said} of {arrays.target} in specimens that were left out: "
            "nothing can be shown to be learnable.",
            "Name other inputs, measure more, or accept the mean as the best prediction.",
            (arrays.target,),
        )
    elif arrays.y is not None:
        yield from _misfits(arrays, guess[:, 0])


def _left_out(
    arrays: TaskArrays, columns: Array, folds: Sequence[tuple[Indices, Indices]], seed: int
) -> tuple[Array, Array]:
    """Truth (row, class) and two guesses (row, class, way); a number is one class, standardised."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = arrays.has_target
    if arrays.label is not None:
        names = np.unique(arrays.label[known])
        truth = (arrays.label[:, None] == names).astype(float)
        target = arrays.label
        made = (
            ExtraTreesClassifier(N_TREES, min_samples_leaf=3, random_state=seed),
            LogisticRegression(max_iter=500),
        )
    else:
        assert arrays.y is not None
        scale = float(np.std(arrays.y[known])) or 1.0
        names, target = np.array([""]), (arrays.y - np.nanmean(arrays.y)) / scale
        truth = target[:, None]
        made = (
            ExtraTreesRegressor(N_TREES, min_samples_leaf=3, random_state=seed),
            RidgeCV(np.logspace(-2, 4, 7)),
        )
    guess = np.full((arrays.n, len(names), 2), np.nan)
    chance = np.random.default_rng(seed)  # a table may be sorted
    for train, test in folds:
        train, test = chance.permutation(train[known[train]])[:MOST_ROWS], test[known[test]]
        if not len(test) or (arrays.label is not None and len(np.unique(target[train])) < 2):
            continue
        for way, model in enumerate(made):
            fill = SimpleImputer(strategy="median", keep_empty_features=True)
            fitted = make_pipeline(fill, StandardScaler(), model).fit(columns[train], target[train])
            if arrays.label is None:
                guess[test, 0, way] = fitted.predict(columns[test])
            else:
                at = np.searchsorted(names, fitted.classes_)
                guess[test, :, way] = 0.0
                guess[test[:, None], at, way] = fitted.predict_proba(columns[test])
    return truth, guess


def _gains(truth: Array, guess: Array, tested: np.ndarray) -> Array:
    """What each way explains of each tested row (row, way), as a share of the variance of the truth."""
    seen = truth[tested]
    blank = ((seen - seen.mean(0)) ** 2).sum(1)
    left = ((seen[:, :, None] - guess[tested]) ** 2).sum(1)
    return (blank[:, None] - left) / blank.mean()


def _misfits(arrays: TaskArrays, guess: Array) -> Iterator[Finding]:
    """Values that fit neither of two guesses (row, way) of what the others tell."""
    assert arrays.y is not None
    known = arrays.has_target & np.isfinite(guess).all(1)
    scale = float(np.std(arrays.y[arrays.has_target])) or 1.0
    left = ((arrays.y - np.nanmean(arrays.y)) / scale)[known, None] - guess[known]
    width = np.maximum(1.4826 * np.median(np.abs(left - np.median(left, 0)), 0), 0.01)
    z = (np.abs(left - np.median(left, 0)) / width).min(1)
    # Where scatter has heavy tails, many are far: only a few that stand alone are misfits.
    rows = np.flatnonzero(known)[z > max(FAR, 2.0 * float(np.percentile(z, 98)))]
    if len(rows):
        yield Finding(
            "misfit",
            "amber",
            f"{arrays.target} does not fit what similar specimens tell: "
            f"{name_cells(arrays.y[rows].tolist(), arrays.specimens[rows])}.",
            "Look at these specimens again: exchanged, misread, or something is happening there.",
            (arrays.target,),
            arrays.named(rows),
        )
