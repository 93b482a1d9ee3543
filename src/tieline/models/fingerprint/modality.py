"""One kind of measurement in a fingerprint: what it reads, what predicts it, how it scatters."""

from collections.abc import Sequence
from dataclasses import dataclass

from tieline.errors import SchemaError, did_you_mean
from tieline.models.fingerprint.laws import Law
from tieline.models.posterior import names_of

LIKELIHOODS = ("gaussian", "bernoulli", "poisson", "categorical")


@dataclass(frozen=True, kw_only=True)
class Modality:
    """Settings of one modality of `Fingerprint`.

    Args:
        variables: what it reads: one variable with dimensions of its own (an image, a curve), or several
            columns of numbers that belong together. The variable of the modality's own name if not given.
        law: of `tieline.physics`, if its curve follows physics: every cluster then has parameters of its own,
            and the cluster alone decides the curve. Without, a network predicts it from the fingerprint.
        likelihood: "gaussian" for values on a scale, "bernoulli" for pixels or flags of 0 and 1, "poisson"
            for counts, "categorical" for one column of labels.
        weight: what its log likelihood is multiplied by; above 1, fingerprints follow it more closely.
        shift: pixels, or parts of one, by which an image may be moved without being another one; used while
            learning.
        correction: how far a specimen may depart from the law of its cluster in a way that its fingerprint
            tells, as standard deviation relative to the spread of the modality. A network learns it, drawn
            towards zero; 0 for the law alone.
    """

    variables: str | Sequence[str] | None = None
    law: Law | None = None
    likelihood: str = "gaussian"
    weight: float = 1.0
    shift: float = 0.0
    correction: float = 0.0

    def __post_init__(self) -> None:
        if self.variables is not None:
            object.__setattr__(self, "variables", names_of(self.variables))
        if self.likelihood not in LIKELIHOODS:
            nearest = did_you_mean(self.likelihood, LIKELIHOODS)
            raise SchemaError(
                f"There is no likelihood '{self.likelihood}'. {nearest}".strip(),
                hint=" or ".join(LIKELIHOODS),
            )
        if self.law is not None and self.likelihood != "gaussian":
            raise SchemaError(
                "A law of physics goes with Gaussian scatter.", found=f"likelihood='{self.likelihood}'"
            )
        if not 0 <= self.correction < float("inf") or (self.correction and self.law is None):
            raise SchemaError(
                "A correction is not negative, and goes with a law that it corrects.",
                found=f"correction={self.correction}, law={self.law}",
                hint="tl.Modality(law=tl.physics.Bilinear(), correction=0.1)",
            )
        if not 0 < self.weight < float("inf") or self.shift < 0:
            raise SchemaError(
                "The weight of a modality is positive, its shift not negative.",
                found=f"weight={self.weight}, shift={self.shift}",
            )
