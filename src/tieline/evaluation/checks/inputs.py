"""Inputs that say nothing, or say what another one says."""

from collections.abc import Iterator

import numpy as np

from tieline.evaluation.checks.leaks import closeness
from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays

ALIKE = 0.98  # rank or straight correlation of two inputs that say the same
NEARLY_CONSTANT = 0.98  # of the rows with one value
FEWEST = 12
MOST_INPUTS = 300  # beyond it pairs are not compared


def check_inputs(arrays: TaskArrays) -> Iterator[Finding]:
    """Look for inputs that never change, that say the same, or that only number the rows."""
    yield from _constant(arrays)
    yield from _alike(arrays)
    yield from _identifiers(arrays)


def _constant(arrays: TaskArrays) -> Iterator[Finding]:
    columns = {n: x[np.isfinite(x)] for n, x in arrays.numbers.items()}
    columns |= {n: t[t != ""] for n, t in arrays.texts.items()}
    for name, known in columns.items():
        if not len(known):
            yield Finding("constant", "amber", f"{name} was never recorded.", "Leave it out.", (name,))
            continue
        values, counts = np.unique(known, return_counts=True)
        share = counts.max() / len(known)
        if len(known) > 1 and (len(values) == 1 or (share >= NEARLY_CONSTANT and len(known) >= 50)):
            always = "always" if len(values) == 1 else f"in {100 * share:.0f} % of the rows"
            yield Finding(
                "constant",
                "amber",
                f"{name} is {always} {_written(values[counts.argmax()])}: what it does cannot be learned.",
                "Leave it out, or vary it.",
                (name,),
            )


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _alike(arrays: TaskArrays) -> Iterator[Finding]:
    names = list(arrays.numbers)[:MOST_INPUTS]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b = arrays.numbers[first], arrays.numbers[second]
            both = np.isfinite(a) & np.isfinite(b)
            if both.sum() < FEWEST or (close := closeness(a[both], b[both])) < ALIKE:
                continue
            yield Finding(
                "correlated_inputs",
                "amber",
                f"{first} and {second} say nearly the same (correlation {close:.3f}).",
                "Predictions hardly suffer, but which one matters cannot be told: keep one, or vary both.",
                (first, second),
            )


def _identifiers(arrays: TaskArrays) -> Iterator[Finding]:
    for name, x in arrays.numbers.items():
        if arrays.n >= FEWEST and np.isfinite(x).all() and (np.diff(x) == 1).all():
            yield Finding(
                "identifier", "amber", f"{name} numbers the rows.", "Leave it out: it says nothing.", (name,)
            )
    for name, text in arrays.texts.items():
        if arrays.n >= FEWEST and len(np.unique(text)) > 0.9 * arrays.n:
            yield Finding(
                "identifier",
                "amber",
                f"{name} is another one in nearly every row.",
                "Leave it out: of a new specimen it says nothing.",
                (name,),
            )
