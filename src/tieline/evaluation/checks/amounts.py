"""Is there enough to learn from, and of every kind?"""

from collections.abc import Iterator

import numpy as np

from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.schema.wording import name_some

RULE_OF_FIFTY = 50  # specimens from which models begin to work reasonably (Zhao, KIT 2024, section 3.1.1)
TOO_FEW = 10
FEW_OF_A_CLASS = 8  # fewer cannot stand in five folds with two to learn from
LOPSIDED = 10.0  # times more of the commonest label than of the rarest
ONE_VALUE = 0.5  # of the specimens with one and the same value of a measured property


def check_amounts(arrays: TaskArrays) -> Iterator[Finding]:
    """Count specimens, labels, and values that are all the same."""
    if not arrays.target:
        return
    n = int(arrays.has_target.sum())
    name = arrays.target
    if n < RULE_OF_FIFTY:
        yield Finding(
            "few_specimens",
            "red" if n < TOO_FEW else "amber",
            f"{n} specimens have a value of {name}; below {RULE_OF_FIFTY} most models work badly.",
            "Measure more, name few inputs, and prefer a Gaussian process or a linear model.",
            (name,),
        )
    yield from _labels(arrays) if arrays.label is not None else _values(arrays)


def _labels(arrays: TaskArrays) -> Iterator[Finding]:
    assert arrays.label is not None
    names, counts = np.unique(arrays.label[arrays.has_target], return_counts=True)
    if len(names) < 2:
        return
    rare = [f"{a} ({c})" for a, c in zip(names, counts, strict=True) if c < FEW_OF_A_CLASS]
    ratio = counts.max() / counts.min()
    if rare or ratio >= LOPSIDED:
        commonest, rarest = names[counts.argmax()], names[counts.argmin()]
        yield Finding(
            "imbalance",
            "amber",
            f"{arrays.target} is {commonest} {counts.max()} times and {rarest} {counts.min()} times"
            + (f"; few specimens of {name_some(rare)}." if rare else "."),
            "Judge by balanced accuracy or the log loss, measure more of the rare ones, or join them.",
            (arrays.target,),
        )


def _values(arrays: TaskArrays) -> Iterator[Finding]:
    assert arrays.y is not None
    known = arrays.y[arrays.has_target]
    if len(known) < TOO_FEW:
        return
    values, counts = np.unique(known, return_counts=True)
    share = counts.max() / len(known)
    if len(values) > 1 and share >= ONE_VALUE and len(values) > 2:
        yield Finding(
            "imbalance",
            "amber",
            f"{100 * share:.0f} % of the specimens have one {arrays.target}, {values[counts.argmax()]:g}.",
            "Is it a limit of detection? Say so by a flag, or learn first whether the value is another one.",
            (arrays.target,),
        )
    if known.min() > 0 and known.max() / known.min() > 1e3:
        decades = np.log10(known.max() / known.min())
        yield Finding(
            "decades",
            "note",
            f"{arrays.target} spans {decades:.1f} decades.",
            "Its logarithm is mostly learned better, and errors are then relative ones.",
            (arrays.target,),
        )
