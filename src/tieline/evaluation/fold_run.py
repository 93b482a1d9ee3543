"""One candidate on one fold: tuned on the training rows alone, then asked for the test rows.

Settings are tried on inner folds that keep groups together too; the worse half is dropped after each.
Left-out predictions of the settings that stay say how wide intervals are. Nothing of the test rows is seen.

Source: Jamieson & Talwalkar (2016), proceedings.mlr.press/v51/jamieson16, for halving.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import xarray as xr

from tieline.evaluation.candidates import Candidate
from tieline.evaluation.folds import Fold
from tieline.evaluation.left_out import half_widths
from tieline.evaluation.schemes import group_folds
from tieline.models.arrays import Array, Indices
from tieline.models.learner_fit import LEAST_CHANCE, FittedLabel, FittedNumber, fit_label, fit_number
from tieline.models.learner_ways import Settings, Way
from tieline.models.widths import Widths

N_INNER = 3
Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one target as arrays, so that they travel to other processes.

    Attributes:
        x (row, column): inputs.
        y (row): numbers, or labels.
        labels: all labels there are; empty for numbers.
        group (row): number of the group.
        table: the same rows, for tieline models; None where none is compared.
        model: of each tieline candidate, its question.
        more (further): rows of the table beyond the others, to learn from: the target is a limit, or only the
            label of a phase is known.
        more_group (further): numbers of their groups.
    """

    x: Array
    y: np.ndarray
    labels: np.ndarray
    group: Indices
    table: xr.Dataset | None = None
    model: Any = None
    more: Indices = field(default_factory=lambda: np.zeros(0, dtype=int))
    more_group: Indices = field(default_factory=lambda: np.zeros(0, dtype=int))

    @property
    def is_label(self) -> bool:
        """Whether labels are told."""
        return len(self.labels) > 0


@dataclass(frozen=True)
class FoldRun:
    """What one candidate said about the test rows of one fold.

    Attributes:
        rows: numbers of the test rows.
        predicted: means; of labels, probabilities (row, label).
        sd: standard deviations; empty where they were not learned.
        half: half widths of 90 % intervals; empty likewise.
        settings: what was chosen.
        seconds: of processor time, tuning included.
    """

    rows: list[int]
    predicted: list
    sd: list[float]
    half: list[float]
    settings: Settings
    seconds: float


class FoldJob(NamedTuple):
    """What one candidate is asked on one fold, so that it can be asked in another process.

    Attributes:
        rows: of the target.
        fold: numbers of training and of test rows, within `rows`.
        candidate: what is asked.
        seed: of inner folds and of the fit.
        is_tuned: whether settings are tried and intervals learned; otherwise the usual settings only.
    """

    rows: Rows
    fold: Fold
    candidate: Candidate
    seed: int
    is_tuned: bool


def run_folds(jobs: Mapping[Key, FoldJob], executor: Executor | None) -> Iterator[tuple[Key, FoldRun]]:
    """Do jobs one after another, or side by side by an executor; yield each run as it comes."""
    if executor is None:
        yield from ((key, run_fold(job)) for key, job in jobs.items())
        return
    waiting = {executor.submit(run_fold, job): key for key, job in jobs.items()}
    for future in as_completed(waiting):
        yield waiting[future], future.result()


def run_fold(job: FoldJob, *, clock: Callable[[], float] = time.process_time) -> FoldRun:
    """Tune, fit and predict; time is read from the clock."""
    start = clock()
    rows, fold, candidate, seed, is_tuned = job
    train, test = fold
    if candidate.is_tieline:
        predicted, sd, half = _ask_tieline(rows, train, test, seed)
        return FoldRun(test.tolist(), predicted, sd, half, (), clock() - start)
    settings, widths = candidate.tried[0], None
    if is_tuned:
        settings, widths = _tune(rows, train, candidate, seed)
    fitted = _fit(rows, train, candidate.way, settings, seed)
    if isinstance(fitted, FittedLabel):
        return FoldRun(
            test.tolist(), fitted.predict(rows.x[test]).tolist(), [], [], settings, clock() - start
        )
    mean, spread = fitted.predict(rows.x[test])
    sd = widths.sd(spread) if widths else np.zeros(0)
    half = widths.quantile * sd if widths else sd
    return FoldRun(test.tolist(), mean.tolist(), sd.tolist(), half.tolist(), settings, clock() - start)


def losses(rows: Rows, run: FoldRun) -> Array:
    """Loss of each test row: absolute error, or minus the logarithm of the true label's probability."""
    truth = rows.y[run.rows]
    if rows.is_label:
        at = np.searchsorted(rows.labels, truth)
        return -np.log(np.maximum(np.array(run.predicted)[np.arange(len(at)), at], LEAST_CHANCE))
    return np.abs(truth - np.array(run.predicted))


def _fit(rows: Rows, train: Indices, way: Any, settings: Settings, seed: int) -> FittedNumber | FittedLabel:
    if rows.is_label:
        return fit_label(way, settings, rows.x[train], rows.y[train], rows.labels, seed)
    return fit_number(way, settings, rows.x[train], rows.y[train], seed)


def _tune(rows: Rows, train: Indices, candidate: Candidate, seed: int) -> tuple[Settings, Widths | None]:
    """The best of the settings on inner folds, and what its left-out predictions say about intervals."""
    label = rows.y[train] if rows.is_label else None
    group = np.unique(rows.group[train], return_inverse=True)[1]
    if group.max() == 0:  # one group is left to learn from: its rows are all that can be divided
        group = np.arange(len(train))
    inner = [(train[a], train[b]) for a, b in group_folds(group, label, N_INNER, seed)]
    cheaper = candidate.way.while_tried if isinstance(candidate.way, Way) else ()
    alive, loss = list(candidate.tried), {s: 0.0 for s in candidate.tried}
    errors: dict[Settings, list[Array]] = {s: [] for s in candidate.tried}
    spreads: dict[Settings, list[Array]] = {s: [] for s in candidate.tried}
    for learned, left in inner:
        for settings in alive:
            fitted = _fit(rows, learned, candidate.way, settings + cheaper, seed)
            if isinstance(fitted, FittedLabel):
                said = FoldRun(left.tolist(), fitted.predict(rows.x[left]).tolist(), [], [], settings, 0.0)
                loss[settings] += float(losses(rows, said).sum())
                continue
            mean, spread = fitted.predict(rows.x[left])
            errors[settings].append(rows.y[left] - mean)
            spreads[settings].append(spread)
            loss[settings] += float(np.abs(rows.y[left] - mean).sum())
        alive = sorted(alive, key=loss.__getitem__)[: max(1, (len(alive) + 1) // 2)]
    best = alive[0]
    if rows.is_label:
        return best, None
    return best, Widths.of(np.concatenate(errors[best]), np.concatenate(spreads[best]))


def _ask_tieline(rows: Rows, train: Indices, test: Indices, seed: int) -> tuple[list, list, list]:
    """What is predicted of test rows, standard deviations and half widths; of labels, probabilities alone."""
    assert rows.table is not None
    apart = rows.more[~np.isin(rows.more_group, rows.group[test])]
    posterior = rows.model.fit(rows.table.isel(specimen=np.concatenate([train, apart])), seed=seed)
    found = posterior.predict(rows.table[list(rows.model.design_names)].isel(specimen=test))
    if rows.is_label:
        chance = found["phase_probability"].transpose("specimen", "phase").reindex(phase=rows.labels)
        return chance.fillna(0.0).values.tolist(), [], []
    target = rows.model.properties[0]
    mean, sd = found[target].values, found[f"{target}_sd"].values
    return mean.tolist(), sd.tolist(), half_widths(found, target).tolist()
