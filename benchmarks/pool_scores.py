"""What is reported of the loops on a pool."""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.pool_loop import N_START, Course, Pool

Number = tuple[str, float]  # metric, value


def spread(name: str, values: Sequence[float] | np.ndarray) -> Iterator[Number]:
    """Give a mean over repeats and its standard error."""
    values = np.asarray(values, float)
    yield f"{name}_mean", values.mean()
    if len(values) > 1:
        yield f"{name}_se", values.std(ddof=1) / np.sqrt(len(values))


def tries(pool: Pool, courses: Sequence[Course], batch: int) -> Iterator[Number]:
    """Give the extra tries until the best was found; in batches all experiments, the start included."""
    start = N_START if batch > 1 else 0
    yield from spread("tries", [course.tries + start for course in courses])


def failures(pool: Pool, courses: Sequence[Course]) -> Iterator[Number]:
    """Count tries until the best grade, and what the first tries of a loop brought."""
    assert pool.failed is not None
    found = [np.flatnonzero(pool.winners[course.tried]) for course in courses]
    yield from spread("tries", [max(rows[0] + 1 - N_START, 0) if rows.size else np.nan for rows in found])
    chosen = [course.tried[N_START:] for course in courses]
    yield from spread("best_grade", [pool.winners[rows].sum() for rows in chosen])
    yield from spread("failed", [pool.failed[rows].sum() for rows in chosen])


def pareto(pool: Pool, courses: Sequence[Course]) -> Iterator[Number]:
    """Give the hypervolume of what was found, as a share of that of the whole pool."""
    gains = pool.outcome * np.array(pool.signs)
    most = hypervolume(gains)
    yield from spread("hypervolume", [hypervolume(gains[course.tried]) / most for course in courses])


def hypervolume(gains: np.ndarray) -> float:
    """The area that gains (candidate, 2) dominate above zero."""
    ordered = gains[np.argsort(-gains[:, 0])]
    heights = np.maximum.accumulate(np.append(0.0, ordered[:, 1]))
    return float((ordered[:, 0].clip(0) * np.diff(heights)).sum())
