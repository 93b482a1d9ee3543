"""What more specimens would bring: the error of one model that learns from a part of its rows."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
import xarray as xr

from tieline.evaluation.fold_run import FoldJob, FoldRun, losses, run_folds
from tieline.evaluation.race import Race
from tieline.evaluation.scores import clustered_error
from tieline.models.arrays import Indices

SHARES = (0.25, 0.5)  # of the groups of a training fold, besides all of them
N_FOLDS = 3  # that it is drawn from
FLAT = 0.05  # exponent below which more specimens hardly help
FEWEST = 10  # training rows


def learning_curve(race: Race, name: str, executor: Executor | None) -> xr.Dataset:
    """Let a candidate learn from a quarter and from half of its groups, with the settings that it chose.

    Args:
        race: that was run.
        name: of the candidate.
        executor: runs side by side.

    Returns:
        On `share`: n_learned (mean number of training rows), loss and loss_se of three folds; attrs
        `exponent` of the power law through them, and `n_to_halve`, how many more rows would halve the loss
        (inf where hardly any number would).
    """
    places = sorted(place for place in race.runs[name] if place[0] == 0)[:N_FOLDS]
    candidate, read = race.candidates[name], race.questions.get(name, race.rows)
    jobs: dict[tuple[float, int], FoldJob] = {}
    for repeat, fold in places:
        train, test = race.folds[repeat][fold]
        for share in SHARES:
            part = _part(train, race.rows.group, share, race.seed + fold)
            if len(part) >= FEWEST:
                fixed = replace(candidate, tried=(race.runs[name][repeat, fold].settings,))
                jobs[share, fold] = FoldJob(read, (part, test), fixed, race.seed, is_tuned=False)
    made = dict(run_folds(jobs, executor))
    rows = []
    for share in sorted({s for s, _ in jobs}):
        folds = [f for s, f in jobs if s == share]
        runs, n = [made[share, f] for f in folds], np.mean([len(jobs[share, f].fold[0]) for f in folds])
        rows.append((share, n, *_mean_loss(race, runs)))
    everything = [race.runs[name][place] for place in places]
    n = np.mean([len(race.folds[r][f][0]) for r, f in places])
    rows.append((1.0, n, *_mean_loss(race, everything)))
    share, n_learned, loss, error = np.array(rows).T
    exponent = _exponent(n_learned, loss, error)
    # The rows that would be learned from in the end are all of them.
    n_all = len(race.rows.y)
    more = n_all * (2 ** (1 / exponent) - 1) if exponent > FLAT else np.inf
    return xr.Dataset(
        {"n_learned": ("share", n_learned), "loss": ("share", loss), "loss_se": ("share", error)},
        {"share": share},
        {"exponent": exponent, "n_to_halve": more},
    )


def _part(train: Indices, group: Indices, share: float, seed: int) -> Indices:
    """Rows of a random share of the groups."""
    names = np.unique(group[train])
    kept = np.random.default_rng(seed).permutation(names)[: max(1, round(share * len(names)))]
    return train[np.isin(group[train], kept)]


def _mean_loss(race: Race, runs: Sequence[FoldRun]) -> tuple[float, float]:
    loss = np.concatenate([losses(race.rows, run) for run in runs])
    group = race.rows.group[np.concatenate([run.rows for run in runs])]
    return float(loss.mean()), clustered_error(loss, group)


def _exponent(n: np.ndarray, loss: np.ndarray, error: np.ndarray) -> float:
    """How fast the loss falls: loss ~ n ** -exponent, by weighted least squares of the logarithms."""
    if len(n) < 2 or (loss <= 0).any():
        return 0.0
    weight = loss / np.maximum(np.nan_to_num(error, nan=0.1), 1e-3 * loss)
    design = np.column_stack([np.ones(len(n)), -np.log(n)])
    found = np.linalg.lstsq(design * weight[:, None], np.log(loss) * weight, rcond=None)[0]
    return float(found[1])
