"""How far to trust `CompositionProperties`: materials and chemical systems predicted from the others."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import norm

from tieline.models.gaussian_diagnosis import summarise
from tieline.models.stacking import NODES

if TYPE_CHECKING:
    from tieline.models.composition_posterior import CompositionPosterior

WAYS = ("material", "chemical_system")
NO_SKILL = (
    0.05  # share of the error of the median that has to be saved, for a prediction to be worth its name
)


def diagnose(posterior: "CompositionPosterior") -> xr.Dataset:
    """Compare left-out predictions with what was measured, and put the result in one sentence."""
    found = _left_out(posterior).assign(_transfer(posterior))
    names = posterior.model.properties
    return summarise(found, names, posterior.notes, further=list(_worries(names, found)))


def _left_out(posterior: "CompositionPosterior") -> xr.Dataset:
    fit, reading, names = posterior.fit, posterior.reading, posterior.model.properties
    rows = reading.rows[fit.rows]
    size = (posterior.table.sizes["specimen"], len(names))
    mean, sd = np.full(size, np.nan), np.full(size, np.nan)
    coverage, n_measured = np.zeros(len(names)), np.zeros(len(names), dtype=np.intp)
    skill = np.zeros((len(fit.left_out), len(names)))
    nodes = np.concatenate([NODES, norm.ppf([0.05, 0.95])])
    for way, (guesses, regime) in enumerate(zip(fit.left_out, fit.left_out_regime, strict=True)):
        centre = fit.stack.mean(guesses, regime)
        spread = np.sqrt(fit.stack.variances(guesses, regime).sum(0) + reading.variance[fit.rows])
        for j, name in enumerate(names):
            truth = posterior.table[name].values[rows]
            seen = reading.is_value[fit.rows, j]
            at = fit.stack.residual_of(j, np.broadcast_to(nodes, (len(rows), len(nodes))), regime)
            values = reading.scales[j].outward(centre[:, j, None] + spread[:, j, None] * at)
            middle = reading.scales[j].outward(centre[:, j])
            alone = np.abs(truth[seen] - np.median(truth[seen])).mean()
            skill[way, j] = 1 - np.abs(truth[seen] - middle[seen]).mean() / max(alone, 1e-300)
            if way == 0:
                mean[rows[seen], j] = values[seen, : len(NODES)].mean(1)
                sd[rows[seen], j] = values[seen, : len(NODES)].std(1)
                inside = (values[:, -2] <= truth) & (truth <= values[:, -1])
                coverage[j], n_measured[j] = inside[seen].mean(), seen.sum()
    return xr.Dataset(
        {
            "coverage_90": ("property", coverage),
            "n_measured": ("property", n_measured),
            "loo_mean": (("specimen", "property"), mean),
            "loo_sd": (("specimen", "property"), sd),
            "skill": (("way", "property"), skill),
            "weight": (("regime", "learner", "property"), fit.stack.weight),
        },
        coords={
            "specimen": posterior.table["specimen"],
            "property": list(names),
            "way": list(WAYS[: len(skill)]),
            "regime": ["known_system", "new_system"],
            "learner": list(fit.learners),
        },
    )


def _transfer(posterior: "CompositionPosterior") -> dict[str, xr.DataArray]:
    told = posterior.help
    if not told:
        return {}
    columns = {
        "transfer_gain": [h.gain for h in told],
        "transfer_gain_se": [h.gain_se for h in told],
        "transfer_control": [h.control for h in told],
        "source_skill": [h.skill for h in told],
        "source_skill_control": [h.control_skill for h in told],
        "is_used": [h.is_used for h in told],
    }
    names = {"source": [h.source for h in told]}
    return {name: xr.DataArray(values, coords=names, dims="source") for name, values in columns.items()}


def _worries(names: Iterable[str], found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    for name in names:
        skill = found["skill"].sel(property=name).values
        if skill[0] < NO_SKILL:
            yield (
                "red",
                f"Composition says next to nothing of {name}: it is predicted no better than by the median",
                f"Add what else decides {name} to the design, or measure more materials.",
            )
        elif skill[-1] < NO_SKILL:
            yield (
                "amber",
                f"In a new chemical system {name} is predicted no better than by the median",
                "Measure a few specimens of a system before trusting predictions in it.",
            )
    if found.sizes["way"] == 1:
        yield (
            "amber",
            "All specimens are of one chemical system",
            "Use predictions within this system only.",
        )
