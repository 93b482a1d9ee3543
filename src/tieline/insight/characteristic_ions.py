"""Which ions tell a compound from the others.

Two ways. **Coefficients** of the logistic regression, averaged over folds, as in the study. **Specificity**:
how many standard errors of one spot the logarithm of a peak lies above that of the next strongest compound,
times the logarithm of the counts by which it does. A peak is characteristic if it is both clearly stronger
and well seen; coefficients, in contrast, are shared out among all peaks that tell the same.

How sure a rank is, is told by drawing the references again: `frequency` is how often the peak is among
the first.

Source: Zhao, KIT (2024), section 4.3.3 and Table 4.6, for the coefficients.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.evaluation.folds import grouped_folds
from tieline.features.spectra import assign_ions
from tieline.models.class_rule import learn_classes
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.spectral_reading import read_references
from tieline.models.spectral_references import References, learn_references

WAYS = ("specificity", "coefficient")
N_FOLDS = 5


def characteristic_ions(
    posterior: SpectralPosterior,
    *,
    by: str = "specificity",
    n: int = 15,
    elements: Sequence[str] = (),
    charge: int = -1,
    tolerance: float = 0.01,
    n_bootstraps: int = 30,
    seed: int = 0,
) -> xr.Dataset:
    """List the peaks that tell each compound from the others, the most telling first.

    Args:
        posterior: of `SpectralComposition`.
        by: "specificity" or "coefficient".
        n: peaks of each compound.
        elements: what ions may hold; with it every peak gets the likeliest ion that fits, of the compound's
            own elements if there is one.
        charge: of the ions.
        tolerance: of their mass, u.
        n_bootstraps: how often references are drawn again.
        seed: of these draws.

    Returns:
        On (compound, rank): the axis' value of the peak (mz), score, frequency, level (counts of a spot of
        the compound), next_level (of the strongest other compound), and ion, "" where none fits.

    Raises:
        SchemaError: there is no such way, or not that many peaks.
    """
    if by not in WAYS:
        raise SchemaError(f"There is no way '{by}'. {did_you_mean(by, WAYS)}".strip(), hint=" or ".join(WAYS))
    references = posterior.references
    n_peaks, axis = len(references.channels), references.axis
    if not 1 <= n <= n_peaks:
        raise SchemaError("So many peaks cannot be listed.", found=f"n={n} of {n_peaks} peaks")
    spectra, label = read_references(posterior.table, posterior.model.spectrum, posterior.model.reference)
    way = _specificity if by == "specificity" else _coefficients
    score = way(spectra.counts, label, references)
    first = np.argsort(-score, axis=1, kind="stable")[:, :n]
    often = _frequency(way, spectra.counts, label, references, n, n_bootstraps, seed)
    level = references.level
    others = np.stack([np.delete(level, k, 0).max(0) for k in range(len(level))])
    dims, counts = ("compound", "rank"), {"units": "counts"}
    peaks = references.channels[first]
    return xr.Dataset(
        {
            axis: (dims, peaks, posterior.table[axis].attrs),
            "score": (dims, np.take_along_axis(score, first, 1), {"units": "1"}),
            "frequency": (dims, np.take_along_axis(often, first, 1), {"units": "1"}),
            "level": (dims, np.take_along_axis(level, first, 1), counts),
            "next_level": (dims, np.take_along_axis(others, first, 1), counts),
            "ion": (dims, _ions(peaks, references.compounds, elements, charge, tolerance)),
        },
        coords={"compound": list(references.compounds), "rank": np.arange(1, n + 1)},
        attrs={"by": by},
    )


def _specificity(counts: np.ndarray, label: np.ndarray, references: References) -> np.ndarray:
    """Score (compound, peak); negative where another compound is stronger."""
    level, n = references.level, len(references.level)
    logarithm = np.log1p(level)
    variance = references.spread + 1 / np.maximum(level, 1)
    score = np.zeros_like(level)
    for k in range(n):
        other = np.arange(n) != k
        clear = (logarithm[k] - logarithm[other]) / np.sqrt(variance[k] + variance[other])
        surplus = np.log1p(np.maximum(level[k] - level[other].max(0), 0))
        score[k] = np.where(surplus > 0, clear.min(0) * surplus, clear.min(0))
    return score


def _coefficients(counts: np.ndarray, label: np.ndarray, references: References) -> np.ndarray:
    """Coefficients (compound, peak) of the logistic regression, averaged over folds."""
    fewest = int(np.unique(label, return_counts=True)[1].min())
    if fewest < 2:
        return learn_classes(counts, label).coefficient
    folds = grouped_folds(label, n_folds=min(N_FOLDS, fewest))
    return np.mean([learn_classes(counts[train], label[train]).coefficient for train, _ in folds], axis=0)


def _frequency(
    way: Callable[[np.ndarray, np.ndarray, References], np.ndarray],
    counts: np.ndarray,
    label: np.ndarray,
    references: References,
    n: int,
    n_bootstraps: int,
    seed: int,
) -> np.ndarray:
    """How often each peak is among the first `n` (compound, peak) of references drawn again."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(label == compound) for compound in references.compounds]
    often = np.zeros_like(references.level)
    for _ in range(n_bootstraps):
        draw = np.concatenate([rng.choice(row, len(row)) for row in rows])
        again = learn_references(counts[draw], label[draw], references.channels, references.axis)
        score = way(counts[draw], label[draw], again)
        np.put_along_axis(hits := np.zeros_like(often), np.argsort(-score, axis=1)[:, :n], 1, axis=1)
        often += hits
    return often / max(n_bootstraps, 1)


def _ions(
    peaks: np.ndarray, compounds: Sequence[str], elements: Sequence[str], charge: int, tolerance: float
) -> np.ndarray:
    """The likeliest ion of every peak (compound, rank); "" where none fits, or none was asked for.

    Ions of the compound's own elements, as far as its name is a formula, go before those of all elements.
    """
    named = np.full(peaks.shape, "", dtype=object)
    if not elements:
        return named.astype(str)
    for k, compound in enumerate(compounds):
        own = [e for e in elements if e == "H" or e in re.findall("[A-Z][a-z]?", compound)]
        for allowed in (elements, own):
            found = assign_ions(peaks[k], allowed, charge=charge, tolerance=tolerance, most=1)
            for mz, ion in zip(found["mz"].values, found["ion"].values, strict=True):
                named[k, peaks[k] == mz] = ion
    return named.astype(str)
