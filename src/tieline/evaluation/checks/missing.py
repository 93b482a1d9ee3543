"""Is what is missing missing by chance?"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import fisher_exact, mannwhitneyu

from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays
from tieline.models.arrays import Array, Mask

FEWEST = 5  # missing and known values
FALSE_ALARM = 0.001  # of all comparisons of a table together
EFFECT = 0.65  # chance that a value is larger where the other is missing, below which nobody cares
MOSTLY = 0.5  # missing


def check_missing(arrays: TaskArrays) -> Iterator[Finding]:
    """Compare rows in which a value is missing with those where it is known."""
    holes: dict[str, Mask] = {name: ~np.isfinite(x) for name, x in arrays.numbers.items()}
    holes |= {name: np.asarray(~np.isfinite(b).all(1)) for name, b in arrays.blocks.items()}
    holes |= {name: np.asarray(t == "") for name, t in arrays.texts.items()}
    known = arrays.all_numbers
    if arrays.target:
        holes[arrays.target] = ~arrays.has_target
    judged = {n: h for n, h in holes.items() if FEWEST <= h.sum() <= arrays.n - FEWEST}
    n_tests = max(len(judged) * (len(known) + (arrays.label is not None)), 1)
    for name, hole in judged.items():
        if name != arrays.target and hole.mean() >= MOSTLY:
            yield Finding(
                "mostly_missing",
                "amber",
                f"{name} is missing in {100 * hole.mean():.0f} % of the rows.",
                "Leave it out, or measure it; a filled-in value says nothing.",
                (name,),
            )
        if told := _tells(arrays, name, hole, known, FALSE_ALARM / n_tests):
            yield Finding(
                "missing_not_at_random",
                "amber",
                f"{name} is missing where {told} ({hole.sum()} of {arrays.n} rows).",
                "Ask why: failures and limits of detection can be told by a flag; a filled-in value would be "
                "biased.",
                (name,),
                arrays.named(hole),
            )


def _tells(arrays: TaskArrays, name: str, hole: Mask, known: dict[str, Array], level: float) -> str:
    """What goes with the missing values, the target before others."""
    order = sorted((other for other in known if other != name), key=lambda other: other != arrays.target)
    for other in order:
        values = known[other]
        here, there = values[hole & np.isfinite(values)], values[~hole & np.isfinite(values)]
        if min(len(here), len(there)) < FEWEST or np.ptp(np.append(here, there)) == 0:
            continue
        test = mannwhitneyu(here, there)
        share = test.statistic / (len(here) * len(there))
        if test.pvalue < level and abs(share - 0.5) > EFFECT - 0.5:
            return f"{other} is {'large' if share > 0.5 else 'small'}"
    if arrays.label is not None and name != arrays.target:
        for label in np.unique(arrays.label[arrays.has_target]):
            mine = arrays.label == label
            counts = [
                [(hole & mine).sum(), (~hole & mine).sum()],
                [(hole & ~mine).sum(), (~hole & ~mine).sum()],
            ]
            share = hole[mine].mean() - hole[~mine].mean() if 0 < mine.sum() < len(mine) else 0.0
            if abs(share) > 0.15 and fisher_exact(counts)[1] < level:  # type: ignore[operator]
                return f"{arrays.target} is {'' if share > 0 else 'not '}{label}"
    return ""
