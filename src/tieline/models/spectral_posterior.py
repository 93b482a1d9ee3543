"""The answer of `SpectralComposition`: shares of unknown spectra, and how far to trust them."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.models.arrays import Array
from tieline.models.class_rule import ClassRule
from tieline.models.pseudo_mixtures import Regression
from tieline.models.sensitivity import Sensitivity
from tieline.models.spectral_reading import READER, Unknowns, read_unknowns
from tieline.models.spectral_references import References
from tieline.models.spectral_shares import Shares, find_shares
from tieline.schema.card import card
from tieline.schema.wording import name_some

if TYPE_CHECKING:
    from tieline.models.spectral_composition import SpectralComposition


@dataclass(frozen=True, eq=False, repr=False)
class SpectralPosterior:
    """What `SpectralComposition` learned from spectra of pure compounds.

    Attributes:
        model: the question.
        table: what it was asked of.
        references: the pure spectra, and how spots scatter.
        classes: which compound a spectrum would be taken for.
        sensitivity: relative sensitivity factors.
        worst_misfit: mean square of residuals beyond which a spectrum holds something that is none of the
            references.
        seed: of what is drawn when unknowns are answered.
        notes: what was left out.
        regression: on pseudo-mixtures, if this is the method.
        resampled: classes learned from resampled references, if probabilities are the method.
    """

    model: "SpectralComposition"
    table: xr.Dataset
    references: References
    classes: ClassRule
    sensitivity: Sensitivity
    worst_misfit: float
    seed: int
    notes: tuple[str, ...] = ()
    regression: Regression | None = None
    resampled: tuple[ClassRule, ...] = field(default=())

    def __repr__(self) -> str:
        compounds, n = name_some(self.compounds), self.table.sizes["specimen"]
        return f"<SpectralPosterior: shares of {compounds}, from {n} specimens>"

    def _repr_html_(self) -> str:
        facts = [
            ("told apart", ", ".join(self.compounds)),
            ("from", f"{self.table.sizes['specimen']} spectra"),
        ]
        found = self.diagnose().attrs
        return card(type(self.model).__name__, facts, judged=found, notes=found["notes"])

    @property
    def compounds(self) -> list[str]:
        """Names of the pure compounds."""
        return list(self.references.compounds)

    @cached_property
    def pure(self) -> xr.Dataset:
        """The pure spectra as learned: level and level_sd (compound, channel), in counts of one spot."""
        known, axis = self.references, self.references.axis
        attrs = {"units": "counts"}
        return xr.Dataset(
            {
                "level": (("compound", axis), known.level, attrs),
                "level_sd": (("compound", axis), np.sqrt(known.level_variance), attrs),
                "spot_sd": (axis, np.sqrt(known.spread), {"units": "1"}),
            },
            coords={"compound": self.compounds, axis: self.table[axis].sel({axis: known.channels})},
            attrs={"dose_sd": known.dose_sd},
        )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def predict(self, table: xr.Dataset, *, by: str | None = None) -> xr.Dataset:
        """Say what unknown spectra are made of.

        Args:
            table: spectra on `specimen`, over the axis of the references. What was not measured is NaN.
            by: name of a variable; spectra that agree in it are spots of one specimen and are averaged first.

        Returns:
            On `specimen`: share, share_low, share_high and is_present (specimen, compound); class_probability
            (specimen, compound) and most_likely_compound; unexplained, the share of the counts that no
            reference explains; misfit, about 1 where references explain everything; is_none_of_references,
            whether something in the spectrum is none of the references; n_truncated, how many peaks are
            higher than in any reference. Shares are NaN where nothing was counted.

        Raises:
            SchemaError: the spectra are missing, negative, or over other channels.
            NotIdentified: the method needs several spots of one specimen.
        """
        group = self.model.group if self.model.method in ("nmf", "semi_blind") and by is None else None
        unknowns = read_unknowns(table, self.model.spectrum, self.references, by, group)
        return self._answer(unknowns, find_shares(self, unknowns))

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; from every reference told by the
            others: loo_share (specimen, compound) and loo_misfit (specimen), NaN for rows that are no
                references; n_spectra
            and share_sd (compound), the standard error of a compound's share where it is absent.
        """
        from tieline.models.spectral_diagnosis import diagnose

        return diagnose(self)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def _answer(self, unknowns: Unknowns, found: Shares) -> xr.Dataset:
        counts = unknowns.spectra.counts
        dims, one = ("specimen", "compound"), {"units": "1"}
        probability = np.where(unknowns.is_empty[:, None], np.nan, self.classes.probability(counts))
        likely = np.array(self.compounds)[np.nan_to_num(probability).argmax(1)]
        return xr.Dataset(
            {
                "share": (dims, found.share, one),
                "share_low": (dims, found.low, one),
                "share_high": (dims, found.high, one),
                "is_present": (dims, found.is_present),
                "class_probability": (dims, probability, one),
                "most_likely_compound": ("specimen", np.where(unknowns.is_empty, "", likely)),
                "unexplained": ("specimen", found.unexplained, one),
                "misfit": ("specimen", found.misfit, one),
                "is_none_of_references": ("specimen", found.misfit > self.worst_misfit),
                "n_truncated": ("specimen", _above(counts, self.references).sum(1)),
            },
            coords={"specimen": unknowns.names, "compound": self.compounds},
            attrs={
                "model": READER,
                "method": self.model.method,
                "level": self.model.level,
                "notes": [*self.notes, *unknowns.spectra.notes, *found.notes],
            },
        )


def _above(counts: Array, references: References) -> np.ndarray:
    """Which peaks are clearly higher than in any reference: by five standard errors of counting."""
    return counts > references.highest + 5 * np.sqrt(np.maximum(references.highest, 1))
