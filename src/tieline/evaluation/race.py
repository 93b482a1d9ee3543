"""A race over folds: who cannot win any more is not tuned, and not run to the end.

Everybody runs two folds with the usual settings. Who is worse than the best by more than tuning brings, and
by more than chance, drops out; the others are tuned and run on fold after fold. Once tuned, who is behind by
more than a paired standard error drops out too, unless it is simpler and so near that it may win a tie.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from tieline.evaluation.candidates import Candidate
from tieline.evaluation.fold_run import FoldJob, FoldRun, Rows, losses, run_folds
from tieline.evaluation.folds import Fold
from tieline.evaluation.run_log import Key, RunLog
from tieline.evaluation.scores import clustered_error
from tieline.models.arrays import Array, Indices

N_UNTUNED = 2  # folds with the usual settings
HEADROOM = 0.12  # of the best loss: what tuning may bring to somebody who is behind with the usual settings
ERRORS = 2.0  # paired standard errors by which one must be behind to drop out untuned
ERRORS_TUNED = 1.0  # once tuned: who is wrongly dropped would have won by less than that
TIE = 0.02  # of the best loss: a simpler model may be so much worse, if that is within chance
BASELINE = "mean"

Progress = Callable[[int, int], None]


@dataclass(eq=False)
class Race:
    """The state of a race for one target.

    Attributes:
        target: its name.
        rows: of the target.
        folds: of every repeat.
        candidates: by name.
        seed: of everything random.
        log: of runs.
        questions: of each tieline candidate, the rows with the table and the model that reads it.
        runs: of each candidate, of each (repeat, fold), tuned ones in place of others.
        n_done: runs so far.
    """

    target: str
    rows: Rows
    folds: Sequence[Sequence[Fold]]
    candidates: dict[str, Candidate]
    seed: int
    log: RunLog
    questions: dict[str, Rows]
    runs: dict[str, dict[tuple[int, int], FoldRun]] = field(default_factory=dict)
    n_done: int = 0


def run_race(race: Race, executor: Executor | None, progress: Progress | None) -> list[str]:
    """Run it, and name who ran to the end, in no order.

    Args:
        race: at its start; its `runs` are filled in.
        executor: runs side by side; None runs one after another.
        progress: told how many runs were made, and how many there may be at most.
    """
    places = [(r, f) for r, folds in enumerate(race.folds) for f in range(len(folds))]
    total = len(race.candidates) * (len(places) + N_UNTUNED)
    alive = list(race.candidates)
    first = [place for place in places if place[0] == 0][:N_UNTUNED]
    _make(race, [(n, p, False) for n in alive for p in first], executor, progress, total)
    alive = _still_in(race, alive, first, is_tuned=False)
    for n_tuned, place in enumerate(places, 1):
        _make(race, [(n, place, True) for n in alive], executor, progress, total)
        judged = places[: max(n_tuned, len(first))]  # one fold alone says little: all ran more, untuned
        alive = _still_in(race, alive, judged, is_tuned=True)
    return alive


def _make(
    race: Race,
    wanted: Sequence[tuple[str, tuple[int, int], bool]],
    executor: Executor | None,
    progress: Progress | None,
    total: int,
) -> None:
    """Make runs that the log does not hold yet, keeping each as it comes."""
    missing: dict[Key, FoldJob] = {}
    for name, (repeat, fold), is_tuned in wanted:
        candidate = race.candidates[name]
        # Who has nothing to tune ran as well untuned, if that told intervals too.
        is_tuned = is_tuned and not candidate.is_tieline
        key: Key = (race.target, name, repeat, fold, is_tuned)
        kept = race.log.get(key)
        if kept is None:
            rows = race.questions.get(name, race.rows)
            missing[key] = FoldJob(rows, race.folds[repeat][fold], candidate, race.seed + repeat, is_tuned)
        else:
            _take(race, key, kept)
    for key, run in run_folds(missing, executor):
        race.log.put(key, run)
        _take(race, key, run)
        if progress is not None:
            progress(race.n_done, max(total, race.n_done))


def _take(race: Race, key: Key, run: FoldRun) -> None:
    race.runs.setdefault(key[1], {})[key[2], key[3]] = run
    race.n_done += 1


def loss_of(race: Race, name: str, places: Sequence[tuple[int, int]]) -> tuple[Array, Indices]:
    """Losses of a candidate over the test rows of some folds, and the group of each."""
    runs = [race.runs[name][place] for place in places]
    rows = np.concatenate([run.rows for run in runs])
    return np.concatenate([losses(race.rows, run) for run in runs]), race.rows.group[rows]


def _still_in(race: Race, alive: list[str], places: list[tuple[int, int]], *, is_tuned: bool) -> list[str]:
    """Those that may still be recommended; the baseline, which costs nothing, stays."""
    known = {name: loss_of(race, name, places) for name in alive}
    best = min(known, key=lambda name: known[name][0].mean())
    lead, group = known[best]
    kept = []
    for name in alive:
        behind = known[name][0] - lead
        share, error = behind.mean() / lead.mean(), clustered_error(behind, group) / lead.mean()
        if is_tuned:
            is_simpler = race.candidates[name].simplicity < race.candidates[best].simplicity
            is_out = share - ERRORS_TUNED * error > (TIE if is_simpler else 0.0)
        else:
            is_out = share > HEADROOM and share > ERRORS * error
        if name == BASELINE or not is_out:
            kept.append(name)
    return kept
