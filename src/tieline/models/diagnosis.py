"""How far to trust a phase map and its properties: every specimen predicted from the others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import binom, spearmanr

from tieline.models.arrays import Array, Mask
from tieline.models.convergence import LEAST_ESS, MOST_RHAT
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.line_answer import LineAnswer
from tieline.models.mcmc_answer import SampledAnswer
from tieline.models.observations import Observations, has_label
from tieline.models.verdict import judge

if TYPE_CHECKING:
    from tieline.models.phase_posterior import PhasePosterior

LEVEL = 0.90  # of the intervals whose coverage is counted
HALF_OF_90 = 1.645  # standard deviations on either side that hold it, for a normal
FALSE_ALARM = 0.01  # chance that honest intervals are called dishonest
FEW_LABELS = 3  # per phase
FEW_VALUES = 8  # of a property
NEAR = 0.05  # of the design's width: so close to its last value a property is hardly extrapolated
MOST_BEYOND = 0.25  # of the specimens outside the range of a property: then a green verdict would mislead
UNSETTLED = 0.05  # change of a membership in the last pass
FEW_NAMES = 3  # specimens that are worth a label, by name


def diagnose(posterior: "PhasePosterior") -> xr.Dataset:
    """Compare leave-one-out predictions with what was measured, and put the result in one sentence."""
    found = _leave_one_out(posterior)
    found = found.assign(_chains(posterior))
    told = "Predictions of each specimen from the others agree with what was measured"
    fine = ("green", told, "Use the map and its intervals.")
    approximate = " (approximate inference)" if isinstance(posterior.answer, FusionAnswer) else ""
    return judge(found, _worries(posterior, found), fine, posterior.notes, addition=approximate)


def beyond_values(seen: Observations, x: Array) -> list[Mask]:
    """Which places (place) lie outside the range in which each property was measured.

    Args:
        seen: what was measured.
        x: scaled design (place, d).
    """
    beyond = []
    for y in seen.y.T:
        own = seen.x[~np.isnan(y)]
        lowest, highest = own.min(0) - NEAR, own.max(0) + NEAR
        beyond.append(((x < lowest) | (x > highest)).any(1))
    return beyond


def _chains(posterior: "PhasePosterior") -> dict[str, float]:
    """How well chains agree, if the answer comes from any."""
    if not isinstance(posterior.answer, SampledAnswer):
        return {}
    sample = posterior.answer.sample
    return {
        "rhat_max": sample.convergence.rhat,
        "ess_bulk_min": sample.convergence.ess_bulk,
        "ess_tail_min": sample.convergence.ess_tail,
        "n_sweeps": sample.n_sweeps,
    }


def _leave_one_out(posterior: "PhasePosterior") -> xr.Dataset:
    seen, encoding, n = posterior.answer.seen, posterior.encoding, posterior.table.sizes["specimen"]
    probability, mean, variance = posterior.answer.leave_one_out()
    guess = probability.argmax(1)
    right = np.concatenate([(guess == label.argmax(1))[has_label(label)] for label in seen.labels])
    inside = np.abs(mean - seen.y) <= HALF_OF_90 * np.sqrt(variance)
    measured = ~np.isnan(seen.y)
    n_measured = measured.sum(0)

    def spread(values: np.ndarray) -> np.ndarray:
        full = np.full((n, values.shape[1]), np.nan)
        full[posterior.rows] = values
        return full

    return xr.Dataset(
        {
            "label_accuracy": right.mean() if right.size else np.nan,
            "n_labelled": right.size,
            "coverage_90": ("property", np.where(measured, inside, 0).sum(0) / np.maximum(n_measured, 1)),
            "n_measured": ("property", n_measured),
            "loo_mean": (("specimen", "property"), spread(mean * encoding.scale + encoding.centre)),
            "loo_sd": (("specimen", "property"), spread(np.sqrt(variance) * encoding.scale)),
            "loo_phase_probability": (("specimen", "phase"), spread(probability)),
        },
        coords={
            "specimen": posterior.table["specimen"],
            "property": list(posterior.model.properties),
            "phase": list(posterior.phases),
        },
    )


def _label_next(posterior: "PhasePosterior", found: xr.Dataset) -> str:
    """Name the specimens without a label whose phase is the least certain."""
    rows = np.asarray(posterior.rows)[~posterior.answer.seen.labelled]
    if not rows.size:
        return "Make and label specimens near the edges of the map."
    surest = found["loo_phase_probability"].values[rows].max(1)
    chosen = found["specimen"].values[rows[np.argsort(surest, kind="stable")[:FEW_NAMES]]]
    return f"Label the specimens whose phase is the least certain: {', '.join(map(str, chosen))}."


def _worries(posterior: "PhasePosterior", found: xr.Dataset):
    """Yield (verdict, sentence, action) for everything that is not as it should be."""
    answer = posterior.answer
    if isinstance(answer, FusionAnswer) and answer.fit.change > UNSETTLED:
        yield (
            "amber",
            "Some specimens still change phase from pass to pass, so map edges may move",
            _label_next(posterior, found),
        )
    if isinstance(answer, SampledAnswer) and not answer.sample.convergence.reached:
        chains = answer.sample.convergence
        yield (
            "amber",
            f"The chains do not agree yet (R-hat {chains.rhat:.3f}, where {MOST_RHAT:g} is wanted; "
            f"{min(chains.ess_bulk, chains.ess_tail):.0f} effective draws of {LEAST_ESS:.0f})",
            f"Fit again with n_sweeps={2 * answer.sample.n_sweeps}.",
        )
    yield from _found_phases(posterior)
    counts = np.delete(answer.seen.label_counts, posterior.found)
    if answer.seen.labelled.any():
        if counts.min() < FEW_LABELS:
            name = posterior.phases[int(counts.argmin())]
            yield (
                "amber",
                f"Phase {name} has only {counts.min():g} label{'s' * bool(counts.min() != 1)}",
                f"Label more specimens near phase {name}.",
            )
        share = counts.max() / counts.sum()
        n, accuracy = int(found.n_labelled), float(found.label_accuracy)
        if len(counts) > 1 and accuracy <= share and accuracy < 1:
            yield (
                "red",
                f"Only {accuracy:.0%} of {n} left-out labels are guessed, no better than the commonest phase",
                "Check the labels and the design; do not act on this map.",
            )
    beyond = beyond_values(answer.seen, answer.seen.x)
    for name, outside in zip(posterior.model.properties, beyond, strict=True):
        if outside.mean() > MOST_BEYOND:
            yield (
                "amber",
                f"{outside.mean():.0%} of the specimens lie outside the range in which {name} was measured, "
                "and intervals are least sure there",
                f"Measure {name} there, or do not use it there.",
            )
        n, coverage = int(found.n_measured.sel(property=name)), float(found.coverage_90.sel(property=name))
        if n < FEW_VALUES:
            yield (
                "amber",
                f"{name} was measured on only {n} specimen{'s' * (n != 1)}",
                f"Measure {name} on more specimens.",
            )
        elif binom.cdf(round(coverage * n), n, LEVEL) < FALSE_ALARM:
            yield (
                "red" if coverage < 0.75 else "amber",
                f"Only {coverage:.0%} of {n} left-out values of {name} fall into their 90 % intervals",
                f"Widen the intervals of {name}, look for outliers, or measure repeats.",
            )
        elif _scatters_with_its_size(posterior, found.sel(property=name), name):
            yield (
                "amber",
                f"{name} scatters the more the larger it is, so its intervals are too narrow there",
                f"Give tieline the logarithm of {name}.",
            )


def _found_phases(posterior: "PhasePosterior") -> Iterator[tuple[str, str, str]]:
    """A worry for every phase that no label names: which specimens it explains, and which to label."""
    answer = posterior.answer
    if isinstance(answer, LineAnswer):  # there labels are taken to name all phases
        return
    specimens = posterior.table["specimen"].values[posterior.rows]
    for k in posterior.found:
        name, share = posterior.phases[k], answer.fit.membership[:, k]
        n = int((answer.fit.membership.argmax(1) == k).sum())
        surest = ", ".join(str(s) for s in specimens[np.argsort(-share, kind="stable")[:FEW_LABELS]])
        yield (
            "amber",
            f"A phase without labels, {name}, explains {n} specimens better than the labelled phases do",
            f"Label specimens there, first {surest}.",
        )


def _scatters_with_its_size(posterior: "PhasePosterior", found: xr.Dataset, name: str) -> bool:
    """Whether a positive property misses its predictions by more where it is larger, beyond chance."""
    value, mean, sd = posterior.table[name].values, found["loo_mean"].values, found["loo_sd"].values
    known = np.isfinite(value) & np.isfinite(mean)
    if (value[known] <= 0).any() or np.ptp(mean[known]) == 0:
        return False
    size = np.abs(value - mean)[known] / sd[known]
    chance = np.asarray(spearmanr(size, mean[known], alternative="greater"))[1]
    return bool(chance < FALSE_ALARM)
