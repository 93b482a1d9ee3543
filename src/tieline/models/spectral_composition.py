"""Which compounds a spectrum is made of, and how much of each."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import NotIdentified, SchemaError, did_you_mean
from tieline.models.arrays import Array
from tieline.models.class_rule import learn_classes, resampled
from tieline.models.pseudo_mixtures import has_several_groups, learn_regression
from tieline.models.sensitivity import Sensitivity, calibrate, given, is_linked
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.spectral_reading import READER, match_channels, read_references, read_spectra
from tieline.models.spectral_references import References, learn_references
from tieline.models.spectral_worlds import simulate
from tieline.models.unmixing import MISFIT, unmix
from tieline.schema import require
from tieline.schema.wording import name_some

METHODS = ("unmixing", "probabilities", "pseudo_mixtures", "nmf", "semi_blind")
HEADROOM = 1.25  # an unknown may fit this much worse than the worst reference before it is called strange


@dataclass(frozen=True)
class SpectralComposition:
    """Which compounds an unknown spectrum is made of, learned from spectra of pure ones.

    Spectra are peak areas of ToF-SIMS, or counts over any other axis to which compounds contribute in
    proportion to their amounts.

    Reads:
        spectrum (specimen, channel): counts, not negative; one row for each spot. The channel's coordinate is
            the axis, such as m/z in u.
        reference (specimen): which pure compound a row is a reference of; "" where it is of none.
        group (specimen): which spots belong together, such as those of one pellet. Optional.
        known_share (specimen, compound): composition of known mixtures among the rows, NaN elsewhere.
            Optional.

    Learns:
        the spectrum of each compound and how spots scatter; relative sensitivity factors, if mixtures are
        known.

    Args:
        spectrum: name of the variable of spectra.
        reference: name of the variable of labels.
        method: "unmixing", weighted non-negative least squares with intervals; "probabilities", of a logistic
            regression; "pseudo_mixtures", a regression on mixed references; "nmf", blind factors of the spots
            of one group; "semi_blind", unmixing with one further spectrum that the spots of one group share.
        group: name of the variable of groups.
        known_share: name of the variable of known compositions.
        sensitivity: relative sensitivity factor of each compound, if known: counts of a share in a mixture
            relative to what the pure spectra say; 1 for those that are not named.
        matrix_effect: sd of the logarithm of a compound's yield between mixtures, if known; 0.3 allows for a
            third.
        level: probability with which intervals are to hold the truth.

    Source:
        Zhao et al. (2023), doi:10.1021/acsami.3c09643, whose way is "probabilities". Departs from it: the
        default unmixes with the noise that the references show, gives intervals, and says when something is
        none of the references.
    """

    reads: ClassVar = ("spectrum", "reference", "group", "known_share")

    spectrum: str = "area"
    reference: str = "reference"
    _: KW_ONLY
    method: str = "unmixing"
    group: str | None = None
    known_share: str | None = None
    sensitivity: Mapping[str, float] | tuple[tuple[str, float], ...] = ()
    matrix_effect: float = 0.0
    level: float = 0.9

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "sensitivity", tuple((str(c), float(f)) for c, f in dict(self.sensitivity).items())
        )
        self._check()

    @threadpool_limits.wrap(limits=1, user_api="blas")  # matrices are small: threads would only wait
    def fit(self, table: xr.Dataset, *, seed: int = 0) -> SpectralPosterior:
        """Learn from spectra of pure compounds.

        Args:
            table: on `specimen`, one row for each spot; rows without a label are left aside.
            seed: of the splits and weights of pseudo-mixtures, of resampling and of factorisations.

        Returns:
            The posterior; it answers `predict` and `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: fewer than two compounds, or too few spectra of them.
        """
        spectra, label = read_references(table, self.spectrum, self.reference)
        require(table, [n for n in (self.group, self.known_share) if n], READER)
        references = learn_references(spectra.counts, label, spectra.channels, spectra.axis)
        worst = max(unmix(row, references).misfit for row in spectra.counts)
        regression, notes = None, spectra.notes
        if self.method == "pseudo_mixtures":
            group = spectra.of_rows(table, self.group)
            if self.group and not has_several_groups(label, group):
                group = spectra.of_rows(table, None)
                notes += (
                    f"Some compounds have one '{self.group}' only: single spots were held out instead.",
                )
            regression = learn_regression(spectra.counts, label, group, self.level, seed)
        return SpectralPosterior(
            self,
            table.copy(deep=True),
            references,
            learn_classes(spectra.counts, label),
            self._sensitivity(table, references),
            max(MISFIT, HEADROOM * worst),
            seed,
            notes,
            regression,
            tuple(resampled(spectra.counts, label, seed)) if self.method == "probabilities" else (),
        )

    def simulate(self, design: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
        """Draw a world from the prior of this model: spectra of given compositions.

        Args:
            design: `share (specimen, compound)`, rows of sum one, with the axis of the spectra as a
                coordinate.
            seed: of the draw.

        Returns:
            The design with a spectrum for every row, and the compound of those rows that are pure.
        """
        return simulate(design, self.spectrum, self.reference, seed)

    def _sensitivity(self, table: xr.Dataset, references: References) -> Sensitivity:
        known = dict(self.sensitivity)
        strangers = sorted(set(known) - set(references.compounds))
        if strangers:
            raise SchemaError(
                f"Sensitivity factors are given for compounds without references: {name_some(strangers)}.",
                found=f"references of {name_some(references.compounds)}",
                hint=did_you_mean(strangers[0], references.compounds),
            )
        log_variance = references.log_yield_variance
        if self.known_share is None:
            factor = np.array([known.get(c, 1.0) for c in references.compounds])
            return given(factor, log_variance, self.matrix_effect)
        amount, share = self._known_mixtures(table, references)
        return calibrate(amount, share, log_variance, self.matrix_effect)

    def _known_mixtures(self, table: xr.Dataset, references: References) -> tuple[Array, Array]:
        """Amounts as unmixed, and shares as known, of the mixtures of known composition."""
        known = table[self.known_share]
        if set(known.dims) != {"specimen", "compound"} or "compound" not in known.coords:
            raise SchemaError(
                f"'{self.known_share}' holds the known composition of mixtures on (specimen, compound).",
                found=f"dimensions {name_some(known.dims)}; coordinates {name_some(known.coords)}",
            )
        share = (
            known.transpose("specimen", "compound")
            .reindex(compound=list(references.compounds))
            .fillna(0)
            .values
        )
        is_mixture = ((share > 0).sum(1) > 1) & (np.abs(share.sum(1) - 1) < 0.02)
        if not is_linked(share[is_mixture]):
            raise NotIdentified(
                "The known mixtures do not tell how all their compounds compare.",
                found=f"{is_mixture.sum()} mixtures of two or more compounds, with shares of sum one",
                hint="add mixtures that join the compounds: A with B, B with C",
            )
        spectra = match_channels(read_spectra(table, self.spectrum), references.channels, references.axis)
        amount = np.stack([unmix(row, references).amount for row in spectra.counts[is_mixture]])
        return amount, share[is_mixture]

    def _check(self) -> None:
        if self.method not in METHODS:
            raise SchemaError(
                f"There is no method '{self.method}'. {did_you_mean(self.method, METHODS)}".strip(),
                hint=" or ".join(METHODS),
            )
        factors = dict(self.sensitivity)
        wrong = [f"{c}: {f:g}" for c, f in factors.items() if not 0 < f < np.inf]
        if wrong or not 0 <= self.matrix_effect < np.inf or not 0 < self.level < 1:
            raise SchemaError(
                "Sensitivity factors are positive, a matrix effect not negative, a level between 0 and 1.",
                found=", ".join([*wrong, f"matrix_effect={self.matrix_effect:g}", f"level={self.level:g}"]),
            )
        if self.sensitivity and self.known_share:
            raise SchemaError(
                "Sensitivity factors are either given or learned from known mixtures.",
                found=f"sensitivity and known_share={self.known_share!r}",
                hint="leave out one of them",
            )
        if self.spectrum == self.reference:
            raise SchemaError(
                f"{READER} reads every variable for one purpose.", found=f"'{self.spectrum}' twice"
            )
