"""How far to trust a `Learner`: groups predicted from the others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.design_columns import labels_of
from tieline.models.gaussian_diagnosis import summarise
from tieline.schema import as_variables

if TYPE_CHECKING:
    from tieline.models.learner_posterior import LearnerPosterior

NO_SKILL = 0.1  # share of the variance below which a prediction is hardly worth its name


def diagnose(posterior: "LearnerPosterior") -> xr.Dataset:
    """Compare left-out predictions with what was measured, and put the result in one sentence."""
    if posterior.labels:
        return _of_labels(posterior)
    names = posterior.model.properties
    table = as_variables(posterior.table, names)
    truth = np.stack([table[name].values.astype(float) for name in names], 1)
    mean, sd, half = np.moveaxis(posterior.left_out, 2, 0)
    known = np.isfinite(mean) & np.isfinite(truth)
    inside = np.where(known, np.abs(truth - mean) <= half, 0).sum(0) / known.sum(0)
    r2 = [_explained(truth[k, j], mean[k, j]) for j, k in enumerate(known.T)]
    found = xr.Dataset(
        {
            "coverage_90": ("property", inside),
            "n_measured": ("property", known.sum(0)),
            "loo_mean": (("specimen", "property"), np.where(known, mean, np.nan)),
            "loo_sd": (("specimen", "property"), np.where(known, sd, np.nan)),
            "r2": ("property", np.array(r2)),
        },
        {"specimen": posterior.table["specimen"], "property": list(names)},
    )
    return summarise(found, names, posterior.notes, further=list(_worries(found)))


def _explained(truth: Array, mean: Array) -> float:
    """Share of the variance; NaN where nothing varies."""
    variance = truth.var()
    return float(1 - ((truth - mean) ** 2).mean() / variance) if variance > 0 else np.nan


def _worries(found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    for name, r2 in zip(found["property"].values, found["r2"].values, strict=True):
        if r2 < NO_SKILL:
            yield (
                "red",
                f"The inputs say next to nothing of {name}: they explain {max(r2, 0):.0%} of left-out groups",
                f"Name other inputs, or measure {name} on more specimens.",
            )


def _of_labels(posterior: "LearnerPosterior") -> xr.Dataset:
    chance, names = posterior.left_out_chance, np.array(posterior.labels)
    name = str(posterior.model.phase)
    label = labels_of(as_variables(posterior.table, [name])[name])
    known = np.isfinite(chance).all(1) & (label != "")
    is_right = names[chance[known].argmax(1)] == label[known]
    commonest = max(np.mean(label[known] == name) for name in names)
    share = float(is_right.mean())
    error = float(np.sqrt(share * (1 - share) / known.sum()))
    is_useless = share < commonest + error
    dims = ("specimen", "phase")
    return xr.Dataset(
        {"loo_phase_probability": (dims, chance), "accuracy": share, "n_labelled": int(known.sum())},
        {"specimen": posterior.table["specimen"], "phase": list(posterior.labels)},
        {
            "verdict": "red" if is_useless else "green",
            "sentence": f"{share:.0%} of {known.sum()} left-out labels are told rightly"
            + (f", no more than by always saying the commonest ({commonest:.0%})." if is_useless else "."),
            "action": "Name other inputs, or label more specimens."
            if is_useless
            else "Use the probabilities.",
            "worries": [],
            "notes": list(posterior.notes),
        },
    )
