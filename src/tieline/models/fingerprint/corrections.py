"""Laws with a small learned correction: what a network adds to the curve of a cluster, for each specimen.

The correction is a function of the latent place, drawn towards zero. What is left of a curve without it is
what the law explains: laws are fitted to that, exactly as without corrections.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tieline.models.arrays import Array
from tieline.models.fingerprint.laws import FittedLaw
from tieline.models.fingerprint.population import Curves, Population

if TYPE_CHECKING:
    from tieline.models.fingerprint.bound import LawCurves
    from tieline.models.fingerprint.fingerprint import Fingerprint
    from tieline.models.fingerprint.modality_reading import View
    from tieline.models.fingerprint.networks import Networks


@dataclass(frozen=True, eq=False)
class Correction:
    """Of the law of one modality.

    Attributes:
        modality: its number.
        law: its number among those with a law.
        size: standard deviation before anything was seen, of standardised values.
        centre: of the modality (point).
        scale: of the modality (point).
    """

    modality: int
    law: int
    size: float
    centre: Array
    scale: Array

    def added(self, networks: "Networks", z: Array) -> Array:
        """What is added to the law at latent places (..., point), in the unit of the modality."""
        decoder = networks.decoders[self.modality]
        assert decoder is not None, "a correction has a decoder"
        return self.size * self.scale * decoder(z.astype(np.float32)).astype(float)

    def standard(self, fitted: FittedLaw) -> "LawCurves":
        """Curves and noise of all clusters, of standardised values."""
        from tieline.models.fingerprint.bound import LawCurves

        curve = (fitted.curve - self.centre) / self.scale
        return LawCurves(curve.astype(np.float32), (fitted.noise / self.scale[0] ** 2).astype(np.float32))


def corrections_of(model: "Fingerprint", views: Sequence["View"]) -> tuple[Correction, ...]:
    """The corrections that a model asks for."""
    with_law = [m for m, (_, modality) in enumerate(model.settings) if modality.law is not None]
    return tuple(
        Correction(m, law, model.settings[m][1].correction, views[m].centre, views[m].scale)
        for law, m in enumerate(with_law)
        if model.settings[m][1].correction
    )


def without_corrections(
    curves: Sequence[Curves], corrections: Sequence[Correction], networks: "Networks", z: Array
) -> tuple[Curves, ...]:
    """Curves less what networks add at the latent places of their specimens (specimen, latent)."""
    left = list(curves)
    for c in corrections:
        known = left[c.law]
        values = np.where(known.is_seen, known.values - c.added(networks, z), 0.0)
        left[c.law] = replace(known, values=values)
    return tuple(left)


def log_uncorrected(
    population: Population, curves: Sequence[Curves], corrections: Sequence[Correction]
) -> Array:
    """Log likelihood of curves under laws that are not corrected (specimen, cluster)."""
    corrected = {c.law for c in corrections}
    total = np.zeros((len(curves[0].values), population.n_clusters))
    for i, (fitted, known) in enumerate(zip(population.laws, curves, strict=True)):
        if i not in corrected:
            total += fitted.log_likelihood(known)
    return total


def share(fitted: FittedLaw, responsibility: Array, added: Array) -> float:
    """Share of the correction (specimen, point) in what tells curves apart; the law has the rest."""
    curve = responsibility @ fitted.curve
    by_law, by_network = np.sum((curve - curve.mean(0)) ** 2), np.sum(added**2)
    return float(by_network / max(by_law + by_network, 1e-300))
