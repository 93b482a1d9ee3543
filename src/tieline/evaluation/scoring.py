"""Scores of a race, and which model they recommend."""

import numpy as np
import xarray as xr

from tieline.evaluation.fold_run import FoldRun
from tieline.evaluation.race import BASELINE, TIE, Race, loss_of
from tieline.evaluation.scores import clustered_error
from tieline.models.arrays import Array, Indices


def score_race(race: Race, finished: list[str], units: str) -> xr.Dataset:
    """Score every candidate on the folds that it ran.

    Returns:
        On `candidate`, best first: loss (mean absolute error, or log loss) with its standard error, behind,
        behind_se (loss beyond that of the best on the same rows, paired), for numbers also rmse, r2, r2_se,
        coverage_90 and width_90, for labels accuracy and balanced_accuracy; seconds of processor time a fold,
        n_folds, is_finished, and predicted (candidate, row) with `chance` (candidate, row, label).
    """
    best = min(finished, key=lambda name: loss_of(race, name, sorted(race.runs[name]))[0].mean())
    found = {name: _score(race, name, best) for name in race.candidates}
    order = sorted(found, key=lambda name: (name not in finished, found[name]["loss"]))
    scores = {key: ("candidate", np.array([found[n][key] for n in order])) for key in found[best]}
    told = np.stack([_told(race, name) for name in order])
    data = xr.Dataset(scores, {"candidate": order})
    data["is_finished"] = ("candidate", np.isin(order, finished))
    data["settings"] = ("candidate", [_commonest(race, name) for name in order])
    if race.rows.is_label:
        data = data.assign_coords(label=race.rows.labels)
        data["chance"] = (("candidate", "row", "label"), told)
    else:
        data["predicted"] = (("candidate", "row"), told[:, :, 0], {"units": units})
        for name in ("loss", "loss_se", "behind", "behind_se", "rmse", "width_90"):
            data[name].attrs["units"] = units
    data["truth"] = ("row", race.rows.y)
    data["group"] = ("row", race.rows.group)
    data.attrs.update(measure="log loss" if race.rows.is_label else "mean absolute error", best=best)
    return data


def recommend(race: Race, finished: list[str]) -> str:
    """The simplest that is as good as the best, as far as these data can tell.

    The mean is recommended where the best does not beat it by more than a paired standard error.
    """
    places = sorted(race.runs[finished[0]])
    known = {name: loss_of(race, name, places) for name in finished}
    best = min(known, key=lambda name: known[name][0].mean())
    lead, group = known[best]
    tied = []
    for name in finished:
        behind = known[name][0] - lead
        is_chance = behind.mean() <= clustered_error(behind, group)
        if name == best or (is_chance and (name == BASELINE or behind.mean() <= TIE * lead.mean())):
            tied.append(name)
    return min(tied, key=lambda name: (race.candidates[name].simplicity, known[name][0].mean()))


def _score(race: Race, name: str, best: str) -> dict[str, float]:
    places = sorted(race.runs[name])
    loss, group = loss_of(race, name, places)
    shared = [place for place in places if place in race.runs[best]]
    own, group_of_shared = loss_of(race, name, shared)
    behind = own - loss_of(race, best, shared)[0]
    runs = [race.runs[name][place] for place in places]
    found = {
        "loss": loss.mean(),
        "loss_se": clustered_error(loss, group),
        "behind": behind.mean(),
        "behind_se": clustered_error(behind, group_of_shared),
        "seconds": np.mean([run.seconds for run in runs]),
        "n_folds": len(places),
    }
    rows = np.concatenate([run.rows for run in runs])
    more = _of_labels if race.rows.is_label else _of_numbers
    return found | more(race, runs, rows, group)


def _of_numbers(race: Race, runs: list[FoldRun], rows: Indices, group: Indices) -> dict[str, float]:
    truth = race.rows.y[rows]
    guess = np.concatenate([run.predicted for run in runs])
    variance = float(np.var(truth)) or 1e-300
    squared, blank = (truth - guess) ** 2, (truth - truth.mean()) ** 2
    share = float(squared.mean() / variance)
    # A fold that was run untuned only told no intervals.
    told = [run for run in runs if len(run.half)]
    inside = (
        np.concatenate([np.abs(race.rows.y[r.rows] - r.predicted) <= r.half for r in told])
        if told
        else [np.nan]
    )
    width = 2 * np.concatenate([run.half for run in told]) if told else [np.nan]
    return {
        "rmse": float(np.sqrt(squared.mean())),
        "r2": 1 - share,
        # Of a ratio: what the variance of the truth itself does is in numerator and denominator.
        "r2_se": clustered_error((squared - share * blank) / variance, group),
        "coverage_90": float(np.mean(inside)),
        "width_90": float(np.mean(width)),
    }


def _of_labels(race: Race, runs: list[FoldRun], rows: Indices, group: Indices) -> dict[str, float]:
    truth = race.rows.y[rows]
    told = race.rows.labels[np.concatenate([np.array(run.predicted).argmax(1) for run in runs])]
    is_right = (told == truth).astype(float)
    return {
        "accuracy": is_right.mean(),
        "accuracy_se": clustered_error(is_right, group),
        "balanced_accuracy": float(np.mean([is_right[truth == c].mean() for c in np.unique(truth)])),
    }


def _told(race: Race, name: str) -> Array:
    """What was predicted of each row (row, label or one), averaged over repeats; NaN where never tested."""
    width = max(len(race.rows.labels), 1)
    total, n = np.zeros((len(race.rows.y), width)), np.zeros(len(race.rows.y))
    for run in race.runs[name].values():
        total[run.rows] += np.array(run.predicted).reshape(len(run.rows), width)
        n[run.rows] += 1
    return np.where(n[:, None] > 0, total / np.maximum(n, 1)[:, None], np.nan)


def _commonest(race: Race, name: str) -> str:
    """The settings that most folds chose, as text; of a tie those of the first fold."""
    chosen = [run.settings for _, run in sorted(race.runs[name].items())]
    most = max(chosen, key=chosen.count)
    return ", ".join(f"{key}={value}" for key, value in most)
