"""What is reported of the loops on a pool: for each metric one value a repeat, then means and differences."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.pool_loop import N_START, Course, Pool
from tieline.evaluation.scores import paired_difference

Scores = Mapping[str, np.ndarray]  # metric: (repeat)
Number = tuple[str, float]  # metric, value


def tries(pool: Pool, courses: Sequence[Course], batch: int) -> Scores:
    """Give the extra tries until the best was found; in batches all experiments, the start included."""
    start = N_START if batch > 1 else 0
    return {"tries": np.array([course.tries + start for course in courses], float)}


def failures(pool: Pool, courses: Sequence[Course]) -> Scores:
    """Count tries until the best grade, and what the tries after the start brought."""
    assert pool.failed is not None
    first = [np.flatnonzero(pool.winners[course.tried])[0] for course in courses]
    chosen = [course.tried[N_START:] for course in courses]
    return {
        "tries": np.maximum(np.array(first) + 1.0 - N_START, 0),
        "best_grade": np.array([pool.winners[rows].sum() for rows in chosen], float),
        "failed": np.array([pool.failed[rows].sum() for rows in chosen], float),
    }


def pareto(pool: Pool, courses: Sequence[Course]) -> Scores:
    """Give the hypervolume of what was found, as a share of that of the whole pool."""
    gains = pool.outcome * np.array(pool.signs)
    return {"hypervolume": np.array([hypervolume(gains[c.tried]) for c in courses]) / hypervolume(gains)}


def hypervolume(gains: np.ndarray) -> float:
    """The area that gains (candidate, 2) dominate above zero."""
    ordered = gains[np.argsort(-gains[:, 0])]
    heights = np.maximum.accumulate(np.append(0.0, ordered[:, 1]))
    return float((ordered[:, 0].clip(0) * np.diff(heights)).sum())


def means(scores: Scores) -> Iterator[Number]:
    """Give the mean over repeats of each metric, and its standard error."""
    for name, values in scores.items():
        yield f"{name}_mean", float(values.mean())
        if len(values) > 1:
            yield f"{name}_se", float(values.std(ddof=1) / np.sqrt(len(values)))


def differences(ours: Scores, other: Scores, method: str) -> Iterator[Number]:
    """Give ours minus another method's, over the repeats that both took, and its standard error."""
    for name, values in other.items():
        n = min(len(values), len(ours[name]))
        if n > 1:
            ahead, error = paired_difference(ours[name][:n], values[:n])
            yield f"{name}_minus_{method}", float(ahead)
            yield f"{name}_minus_{method}_se", float(error)
