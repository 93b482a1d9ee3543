"""Unmixing without all pure spectra: non-negative factors of the spots of one specimen.

*Blind*: the spots alone are factorised, with as many components as the elbow of the error asks for;
components are then named by their correlation with pure spectra. *Semi-blind*: pure spectra stay as they are,
and one further spectrum is learned from what they leave over.

Source: Zhao, KIT (2024), section 4.3.4, for the blind way: 2 to 5 components, Pearson r of at least 0.5.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from tieline.models.arrays import Array
from tieline.models.spectral_references import References
from tieline.models.unmixing import Mixture, unmix

MOST_COMPONENTS = 5
LEAST_CORRELATION = 0.5  # the study's; a component below is none of the references
FEWEST_SPOTS = 3
CLEARLY = 3.0  # standard errors of the mean over spots
N_ROUNDS = 5
STRANGER = "none of the references"


@dataclass(frozen=True)
class Blind:
    """Spots of one specimen, factorised.

    Attributes:
        share (spot, compound): of the counts that components named after compounds explain.
        unexplained (spot): share of the counts of components that no pure spectrum resembles.
        n_components: how many the elbow asked for.
        correlation (component): with the pure spectrum that each resembles most.
    """

    share: Array
    unexplained: Array
    n_components: int
    correlation: Array


def factorise(counts: Array, references: References, seed: int) -> Blind:
    """Factorise spots (spot, channel) of one specimen, and name the components."""
    found = {n: _nmf(counts, n, seed) for n in range(1, min(MOST_COMPONENTS, len(counts) - 1) + 1)}
    n_components = _elbow({n: error for n, (_, _, error) in found.items()})
    weight, component, _ = found[n_components]
    correlation = np.corrcoef(component, references.level)[:n_components, n_components:]
    correlation = np.nan_to_num(correlation, nan=-1.0)
    name, best = correlation.argmax(1), correlation.max(1)
    explained = weight * component.sum(1)
    amount = np.zeros((len(counts), len(references.level)))
    for c in np.flatnonzero(best >= LEAST_CORRELATION):
        # A component counts in spots of its pure compound, so that a bright compound does not count more.
        amount[:, name[c]] += explained[:, c] / references.level[name[c]].sum()
    total = amount.sum(1, keepdims=True)
    share = np.divide(amount, total, out=np.full_like(amount, np.nan), where=total > 0)
    strange = explained[:, best < LEAST_CORRELATION].sum(1) / np.maximum(explained.sum(1), 1e-12)
    return Blind(share, strange, n_components, best)


def unmix_semi_blind(counts: Array, references: References) -> tuple[list[Mixture], Array]:
    """Unmix spots (spot, channel) of one specimen with one further spectrum that they share.

    The further spectrum has counts only in channels that the references clearly leave unexplained over all
    spots, since otherwise it could take over a reference.

    Returns:
        The mixtures, whose last compound is the further one if there is any; and its spectrum (channel).
    """
    mixtures = [unmix(spot, references) for spot in counts]
    strength = np.sqrt(len(counts)) * np.nanmean([m.residual for m in mixtures], axis=0)
    is_strange = strength > CLEARLY + np.sqrt(2 * np.log(counts.shape[1])) - 1
    further = np.zeros(counts.shape[1])
    if not is_strange.any():
        return mixtures, further
    n_known = len(references.compounds)
    for _ in range(N_ROUNDS):
        left = np.stack(
            [y - m.amount[:n_known] @ references.level for y, m in zip(counts, mixtures, strict=True)]
        )
        further = np.where(is_strange, np.maximum(np.nanmean(left, axis=0), 0), 0)
        extended = replace(
            references,
            compounds=(*references.compounds, STRANGER),
            level=np.vstack([references.level, further]),
            n_spectra=np.append(references.n_spectra, len(counts)),
        )
        mixtures = [unmix(spot, extended) for spot in counts]
    return mixtures, further


def _nmf(counts: Array, n_components: int, seed: int) -> tuple[Array, Array, float]:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(init="nndsvda", random_state=seed, max_iter=400).set_params(n_components=n_components)
    with warnings.catch_warnings():
        # The elbow needs errors to a per cent; the last digits may go on creeping.
        warnings.simplefilter("ignore", ConvergenceWarning)
        weight = model.fit_transform(counts)
    return weight, model.components_, float(model.reconstruction_err_)


def _elbow(error: dict[int, float]) -> int:
    """The number after which the error falls least steeply compared with before."""
    numbers = sorted(error)
    if len(numbers) < 3:
        return numbers[-1]
    bends = {n: error[n - 1] - 2 * error[n] + error[n + 1] for n in numbers[1:-1]}
    return max(bends, key=lambda n: bends[n])
