"""How far to trust `CompositionProperties`: materials and chemical systems predicted from the others."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import norm

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.gaussian_diagnosis import summarise
from tieline.models.stacking import NODES, Guesses

if TYPE_CHECKING:
    from tieline.models.composition_posterior import CompositionPosterior

AT = np.concatenate([NODES, norm.ppf([0.05, 0.95])])
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
    for way, (guesses, regime) in enumerate(zip(fit.left_out, fit.left_out_regime, strict=True)):
        said = _Said(posterior, guesses, regime)
        for k, span in enumerate(reading.spans):
            own = [said.column(j) for j in range(span.start, span.stop)]
            alone, off = (sum(float(getattr(one, what).sum()) for one in own) for what in ("alone", "off"))
            skill[way, k] = 1 - off / max(alone, 1e-300)
            if way == 0:
                inside = np.concatenate([one.inside for one in own])
                coverage[k] = inside.mean()
                n_measured[k] = np.logical_or.reduce([one.seen for one in own]).sum()
                if not span.axis:
                    seen = own[0].seen
                    mean[rows[seen], k], sd[rows[seen], k] = own[0].mean, own[0].sd
    return xr.Dataset(
        {
            "coverage_90": ("property", coverage),
            "n_measured": ("property", n_measured),
            "loo_mean": (("specimen", "property"), mean),
            "loo_sd": (("specimen", "property"), sd),
            "skill": (("way", "property"), skill),
            "weight": (("regime", "learner", "property"), _of_properties(posterior, fit.stack.weight)),
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


class _Column(NamedTuple):
    """What was said of one column, left out, and what it was (seen row)."""

    seen: Mask
    mean: Array
    sd: Array
    inside: Mask
    off: Array
    alone: Array


class _Said:
    """What the others say of every row."""

    def __init__(self, posterior: "CompositionPosterior", guesses: Guesses, regime: Indices) -> None:
        """Join the guesses."""
        self.posterior, self.regime = posterior, regime
        fit, reading = posterior.fit, posterior.reading
        self.centre = fit.stack.mean(guesses, regime)
        variance = fit.stack.variances(guesses, regime).sum(0) + reading.variance[fit.rows]
        self.spread = np.sqrt(variance)

    def column(self, j: int) -> _Column:
        """Compare one column with what was measured."""
        fit, reading = self.posterior.fit, self.posterior.reading
        scale, seen = reading.scales[j], reading.is_value[fit.rows, j]
        truth = scale.outward(reading.y[fit.rows[seen], j])
        nodes = np.broadcast_to(AT, (int(seen.sum()), len(AT)))
        at = fit.stack.residual_of(j, nodes, self.regime[seen])
        values = scale.outward(self.centre[seen, j, None] + self.spread[seen, j, None] * at)
        inside = (values[:, -2] <= truth + 1e-9 * np.abs(truth)) & (
            truth <= values[:, -1] + 1e-9 * np.abs(truth)
        )
        off = np.abs(truth - scale.outward(self.centre[seen, j]))
        alone = np.abs(truth - np.median(truth)) if len(truth) else truth
        drawn = values[:, : len(NODES)]
        return _Column(seen, drawn.mean(1), drawn.std(1), inside, off, alone)


def _of_properties(posterior: "CompositionPosterior", columns: Array) -> Array:
    """Means (..., property) over the columns (..., column) of each property."""
    return np.stack([columns[..., span.columns].mean(-1) for span in posterior.reading.spans], -1)


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
