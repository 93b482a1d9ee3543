"""Shares of unknown spectra by each of the methods: one form of answer for all of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from tieline.errors import NotIdentified
from tieline.models.arrays import Array, Mask
from tieline.models.factorisation import FEWEST_SPOTS, factorise, unmix_semi_blind
from tieline.models.spectral_reading import Unknowns
from tieline.models.unmixing import Mixture, shares, unmix

if TYPE_CHECKING:
    from tieline.models.spectral_posterior import SpectralPosterior

CLEARLY_PRESENT = 3.1  # standard errors above zero: one in a thousand absent compounds is called present


@dataclass(frozen=True)
class Shares:
    """What was found in unknown spectra.

    Attributes:
        share: (specimen, compound), of sum one; NaN where nothing was counted.
        low: lower ends of intervals, alike.
        high: upper ends.
        is_present: whether a compound is clearly there.
        unexplained: (specimen) share of the counts that no reference explains.
        misfit: (specimen) mean square of the residuals of unmixing.
        notes: what should be known.
    """

    share: Array
    low: Array
    high: Array
    is_present: Mask
    unexplained: Array
    misfit: Array
    notes: tuple[str, ...] = ()


def find_shares(posterior: "SpectralPosterior", unknowns: Unknowns) -> Shares:
    """Answer unknown spectra by the method of the model; every method is told how well references fit."""
    method = posterior.model.method
    mixtures = _mixtures(posterior, unknowns)
    plain = _unmixed(posterior, unknowns, mixtures)
    if method == "unmixing":
        return plain
    if method == "semi_blind":
        return _semi_blind(posterior, unknowns)
    ways = {"probabilities": _probabilities, "pseudo_mixtures": _regressed, "nmf": _factorised}
    return ways[method](posterior, unknowns, plain)


def _mixtures(posterior: "SpectralPosterior", unknowns: Unknowns) -> list[Mixture | None]:
    rows = zip(unknowns.spectra.counts, unknowns.n_spots, unknowns.is_empty, strict=True)
    return [None if is_empty else unmix(row, posterior.references, int(n)) for row, n, is_empty in rows]


def _unmixed(posterior: "SpectralPosterior", unknowns: Unknowns, mixtures: list[Mixture | None]) -> Shares:
    sensitivity, n_compounds = posterior.sensitivity, len(posterior.compounds)
    share, low, high, height = np.full((4, len(mixtures), n_compounds), np.nan)
    misfit, unexplained = np.full((2, len(mixtures)), np.nan)
    for i, mixture in enumerate(mixtures):
        if mixture is not None:
            share[i], low[i], high[i], height[i] = shares(
                mixture.of_first(n_compounds),
                sensitivity.factor,
                sensitivity.log_variance,
                posterior.model.level,
            )
            misfit[i], unexplained[i] = mixture.misfit, mixture.unexplained
    n_empty = sum(m is None for m in mixtures)
    notes = [f"{n_empty} spectra hold no counts and are not answered."] if n_empty else []
    strange = np.array(unknowns.names)[misfit > posterior.worst_misfit]
    if len(strange):
        notes.append(
            f"{len(strange)} of {len(mixtures)} spectra hold something that is none of the references; their "
            "intervals are wider."
        )
    return Shares(share, low, high, height > CLEARLY_PRESENT, unexplained, misfit, tuple(notes))


def _probabilities(posterior: "SpectralPosterior", unknowns: Unknowns, plain: Shares) -> Shares:
    counts, level = unknowns.spectra.counts, posterior.model.level
    share = posterior.classes.probability(counts)
    draws = np.stack([rule.probability(counts) for rule in posterior.resampled])
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    note = "Shares are probabilities of classes: they say which compounds, hardly how much of each."
    return _replaced(plain, unknowns, share, np.minimum(low, share), np.maximum(high, share), note)


def _regressed(posterior: "SpectralPosterior", unknowns: Unknowns, plain: Shares) -> Shares:
    regression = posterior.regression
    assert regression is not None  # fit learned it
    share = regression.share(unknowns.spectra.counts)
    low, high = (np.clip(share + error, 0, 1) for error in regression.error)
    if np.isnan(regression.r2):
        note = "There are no spots to hold out: the intervals of the regression are not known."
        return _replaced(plain, unknowns, share, np.zeros_like(share), np.ones_like(share), note)
    leaking = f"of spots learned from {regression.r2_leaking:.3f}"
    note = f"R2 on mixtures of held-out spots {regression.r2:.3f}; {leaking}."
    return _replaced(plain, unknowns, share, np.minimum(low, share), np.maximum(high, share), note)


def _factorised(posterior: "SpectralPosterior", unknowns: Unknowns, plain: Shares) -> Shares:
    share, low, high = np.full((3, *plain.share.shape), np.nan)
    unexplained, notes = plain.unexplained.copy(), []
    for name, rows in _groups(posterior, unknowns):
        found = factorise(np.nan_to_num(unknowns.spectra.counts[rows]), posterior.references, posterior.seed)
        # How far spots of one specimen differ is all that a factorisation tells of its error.
        reach = norm.ppf((1 + posterior.model.level) / 2) * np.nanstd(found.share, axis=0, ddof=1)
        share[rows], unexplained[rows] = found.share, found.unexplained
        low[rows], high[rows] = np.clip(found.share - reach, 0, 1), np.clip(found.share + reach, 0, 1)
        r = ", ".join(f"{value:.2f}" for value in found.correlation)
        notes.append(f"{name}: {found.n_components} components, Pearson r {r}.")
    answer = _replaced(plain, unknowns, share, low, high, *notes)
    return Shares(share, low, high, answer.is_present, unexplained, plain.misfit, answer.notes)


def _semi_blind(posterior: "SpectralPosterior", unknowns: Unknowns) -> Shares:
    mixtures: list[Mixture | None] = [None] * len(unknowns.names)
    plain = _unmixed(posterior, unknowns, _mixtures(posterior, unknowns))
    unexplained, notes = plain.unexplained.copy(), []
    for name, rows in _groups(posterior, unknowns):
        found, further = unmix_semi_blind(unknowns.spectra.counts[rows], posterior.references)
        for row, mixture in zip(rows, found, strict=True):
            mixtures[row] = mixture
            extra = mixture.amount[len(posterior.compounds) :].sum() * further.sum()
            unexplained[row] = extra / max(np.nansum(unknowns.spectra.counts[row]), 1.0)
        if further.any():
            strongest = posterior.references.channels[np.argsort(-further)[:3]]
            peaks = ", ".join(f"{m:.2f}" for m in strongest if further.any())
            notes.append(f"{name}: a further spectrum, strongest at {peaks}.")
    answer = _unmixed(posterior, unknowns, mixtures)
    return Shares(
        answer.share,
        answer.low,
        answer.high,
        answer.is_present,
        unexplained,
        plain.misfit,
        (*plain.notes, *notes),
    )


def _groups(posterior: "SpectralPosterior", unknowns: Unknowns) -> list[tuple[str, np.ndarray]]:
    """Rows of each group; all rows are one where the model names no groups."""
    group = unknowns.group if unknowns.group is not None else np.full(len(unknowns.names), "all spectra")
    found = [
        (str(g), np.flatnonzero((group == g) & ~unknowns.is_empty)) for g in dict.fromkeys(group.tolist())
    ]
    found = [(name, rows) for name, rows in found if len(rows)]
    small = [name for name, rows in found if len(rows) < FEWEST_SPOTS]
    if small:
        raise NotIdentified(
            f"The method '{posterior.model.method}' needs at least {FEWEST_SPOTS} spots of one specimen.",
            found=f"fewer of {', '.join(small[:3])}",
            hint='method="unmixing" answers a single spectrum',
        )
    return found


def _replaced(
    plain: Shares, unknowns: Unknowns, share: Array, low: Array, high: Array, *notes: str
) -> Shares:
    """The same with shares of another method; nothing where nothing was counted."""
    share, low, high = (np.where(unknowns.is_empty[:, None], np.nan, x) for x in (share, low, high))
    return Shares(share, low, high, low > 0, plain.unexplained, plain.misfit, (*plain.notes, *notes))
