"""Does an input already hold the target: as it is, along a curve, or class by class?"""

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

import numpy as np
from scipy.stats import rankdata

from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array

FEWEST = 12  # rows with both values; with fewer a close relation says little
EQUAL = (
    0.99  # correlation of measured columns from which one is nearly the other: noise below 14 % of the spread
)
SET_EQUAL = 0.9995  # of what the lab sets: a target that follows one setting so closely was computed from it
FUNCTION = 0.93  # Chatterjee's correlation, over its largest value: one is a function of the other
CLASS_SHARE = 0.95  # of a column's variance that lies between the classes
FOLLOWS = 1e-4  # share of the target's variance that a formula of inputs leaves over
MOST_FORMULA = 15  # inputs among which a formula is sought
NAMED = 0.03  # share of the variance that is left when the names of a category are known
MANY_NAMES = 0.4  # names a row, from which a category is an identity


def check_leaks(arrays: TaskArrays) -> Iterator[Finding]:
    """Find inputs that tell the target because they hold it."""
    if not arrays.target:
        return
    if arrays.label is not None:
        yield from _of_labels(arrays)
        return
    found = list(_of_numbers(arrays))
    yield from found
    yield from _of_categories(arrays)
    if not found:
        yield from _of_formulas(arrays)


def closeness(x: Array, y: Array) -> float:
    """How nearly two columns are the same up to a straight line or any other monotone curve, from 0 to 1."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    x, y = (values / np.abs(values).max() for values in (x, y))  # squares of very small numbers are nothing
    straight = abs(np.corrcoef(x, y)[0, 1])
    return float(max(straight, abs(np.corrcoef(rankdata(x), rankdata(y))[0, 1])))


def dependence(x: Array, y: Array) -> float:
    """How nearly y is some function of x, as a share of the largest value for as many rows.

    Source: Chatterjee (2021), doi:10.1080/01621459.2020.1758115, the form without ties.
    """
    order = np.argsort(x, kind="stable")
    rank, n = rankdata(y[order], method="ordinal"), len(y)
    value = 1 - 3 * np.abs(np.diff(rank)).sum() / (n**2 - 1)
    return float(value / (1 - 3 * (n - 1) / (n**2 - 1)))


def _of_numbers(arrays: TaskArrays) -> Iterator[Finding]:
    y = arrays.y
    assert y is not None
    for name, x in arrays.numbers.items():
        both = np.isfinite(x) & np.isfinite(y)
        if both.sum() < FEWEST or np.ptp(x[both]) == 0:
            continue
        close = closeness(x[both], y[both])
        is_set = arrays.is_set(name)
        if close >= (SET_EQUAL if is_set else EQUAL):
            yield _leak(arrays, name, f"is nearly {arrays.target} itself (correlation {close:.3f})")
            continue
        is_varied = len(np.unique(x[both])) > 0.5 * both.sum() and len(np.unique(y[both])) > 0.5 * both.sum()
        if not is_set and is_varied and dependence(x[both], y[both]) >= FUNCTION:
            yield _leak(arrays, name, f"tells {arrays.target} by a curve, almost without scatter")
        elif not is_set and (by := _within_names(x, y, both, arrays.texts)):
            yield _leak(arrays, name, f"is nearly {arrays.target} itself within each {by}")


def _within_names(x: Array, y: Array, both: np.ndarray, texts: Mapping[str, np.ndarray]) -> str:
    """The category within each of whose names one column nearly is the other."""
    for by, text in texts.items():
        names, counts = np.unique(text[both], return_counts=True)
        judged = names[counts >= 5]
        if len(judged) < 2 or counts[counts >= 5].sum() < 0.8 * both.sum():
            continue
        rows = [both & (text == name) for name in judged]
        if all(closeness(x[r], y[r]) >= EQUAL for r in rows):
            return by
    return ""


def _of_categories(arrays: TaskArrays) -> Iterator[Finding]:
    """Categories whose names tell the number of a specimen that was left out."""
    y = arrays.y
    assert y is not None
    for name, text in arrays.texts.items():
        known = np.isfinite(y) & (text != "")
        _, at, counts = np.unique(text[known], return_inverse=True, return_counts=True)
        if known.sum() < FEWEST or len(counts) < 2 or len(counts) > MANY_NAMES * known.sum():
            continue
        total = np.bincount(at, y[known])
        others = (total[at] - y[known]) / np.maximum(counts[at] - 1, 1)
        judged = counts[at] > 1
        left = ((y[known] - others)[judged] ** 2).sum() / max(
            ((y[known] - y[known].mean())[judged] ** 2).sum(), 1e-300
        )
        if judged.mean() > 0.8 and left < NAMED and len(np.unique(y[known])) > 5:
            yield _leak(arrays, name, f"tells {arrays.target}: all that share it have nearly one value")


def _of_formulas(arrays: TaskArrays) -> Iterator[Finding]:
    """The target as a weighted sum, or a product of powers, of the numbers among the inputs."""
    y = arrays.y
    assert y is not None
    names = [n for n, x in arrays.numbers.items() if np.isfinite(x).sum() >= FEWEST][:MOST_FORMULA]
    if len(names) < 2 or all(arrays.is_set(n) for n in names):
        return
    x = np.stack([arrays.numbers[n] for n in names], 1)
    rows = np.isfinite(y) & np.isfinite(x).all(1)
    if rows.sum() < max(FEWEST, 3 * len(names)):
        return
    forms = {"a sum": (x[rows], y[rows])}
    if (x[rows] != 0).all() and (y[rows] != 0).all():
        forms["a product"] = (np.log(np.abs(x[rows])), np.log(np.abs(y[rows])))
    for form, (inputs, target) in forms.items():
        if np.ptp(target) == 0:
            continue
        used = _fewest(inputs, target)
        if used:
            parts = ", ".join(names[i] for i in used)
            yield Finding(
                "leak",
                "red",
                f"{arrays.target} follows from {parts} as {form}, almost without scatter.",
                "It was computed from them: leave out at least one, or predict them instead.",
                tuple(names[i] for i in used),
            )
            return


def _fewest(x: Array, y: Array) -> tuple[int, ...]:
    """The fewest of up to three columns that leave nearly nothing of y over; all, if only all do."""
    columns = range(x.shape[1])
    tried = [c for k in (2, 3) for c in combinations(columns, k)]
    for used in [*tried, tuple(columns)]:
        a = np.column_stack([x[:, used], np.ones(len(y))])
        rest = y - a @ np.linalg.lstsq(a, y, rcond=None)[0]
        if rest.var() < FOLLOWS * y.var():
            return used
    return ()


def _of_labels(arrays: TaskArrays) -> Iterator[Finding]:
    label = arrays.label
    assert label is not None
    for name, x in arrays.numbers.items():
        rows = np.isfinite(x) & (label != "")
        if rows.sum() < FEWEST or len(np.unique(label[rows])) < 2 or arrays.is_set(name):
            continue
        if _tells_all(x[rows], label[rows]):
            yield _leak(arrays, name, f"nearly is {arrays.target}: its values lie apart, class by class")
        elif told := _told_by_zero(x[rows], label[rows]):
            yield _leak(arrays, name, f"is zero in all specimens of {told} and in no other")
    for name, text in arrays.texts.items():
        rows = (text != "") & (label != "")
        names, at = np.unique(text[rows], return_inverse=True)
        if rows.sum() < FEWEST or len(names) < 2 or len(names) > MANY_NAMES * rows.sum():
            continue
        counts = np.zeros((len(names), len(np.unique(label[rows]))))
        np.add.at(counts, (at, np.unique(label[rows], return_inverse=True)[1]), 1)
        if counts.max(1).sum() >= EQUAL * rows.sum() and (counts.sum(1) > 1).mean() > 0.8:
            yield _leak(arrays, name, f"tells {arrays.target}: all that share it have one label")
    for name, block in arrays.blocks.items():
        if not arrays.is_set(name):
            yield from _zeros_of_block(arrays, name, block)


def _tells_all(x: Array, label: np.ndarray) -> bool:
    """Whether the classes lie apart in a column, each in a narrow range."""
    names, at = np.unique(label, return_inverse=True)
    mean = np.bincount(at, x) / np.bincount(at)
    between = ((mean[at] - x.mean()) ** 2).mean() / max(x.var(), 1e-300)
    order = np.argsort(mean)
    ends = [(x[at == k].min(), x[at == k].max()) for k in order]
    is_apart = all(a[1] < b[0] for a, b in pairwise(ends))
    return bool(is_apart and between >= CLASS_SHARE and len(names) > 1)


def _told_by_zero(x: Array, label: np.ndarray) -> str:
    """The classes in which a column is zero throughout, if it is so in no other; "" for none."""
    is_zero = x == 0
    if not 4 < is_zero.sum() < len(x) - 4:
        return ""
    mixed = [c for c in np.unique(label) if 0 < is_zero[label == c].mean() < 1]
    return "" if mixed else ", ".join(sorted({str(c) for c in label[is_zero]})[:4])


def _zeros_of_block(arrays: TaskArrays, name: str, block: Array) -> Iterator[Finding]:
    """Channels of a spectrum that are zero-filled where a class has no such peak."""
    label = arrays.label
    assert label is not None
    rows = (label != "") & np.isfinite(block).all(1)
    if rows.sum() < FEWEST or len(np.unique(label[rows])) < 2:
        return
    n_told = sum(bool(_told_by_zero(column, label[rows])) for column in block[rows].T)
    if n_told:
        yield _leak(
            arrays,
            name,
            f"has {n_told} channels that are zero in some classes and nowhere else: zero-filled peaks",
        )


def _leak(arrays: TaskArrays, name: str, what: str) -> Finding:
    return Finding(
        "leak",
        "red",
        f"{name} {what}.",
        f"Leave it out, unless it is known before {arrays.target} is measured.",
        (name,),
    )
