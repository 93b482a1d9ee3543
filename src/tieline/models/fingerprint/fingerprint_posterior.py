"""The answer of `Fingerprint`: places in the latent space, clusters, and every modality from any others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.form import Form, Width
from tieline.models.fingerprint.modality_reading import View
from tieline.models.fingerprint.physics import storable
from tieline.models.fingerprint.population import Population
from tieline.models.posterior import names_of
from tieline.schema.card import card
from tieline.schema.wording import name_some

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint import Fingerprint
    from tieline.models.fingerprint.networks import Networks

N_HIDDEN = 128


def forms_of(model: "Fingerprint", views: Sequence[View]) -> tuple[Form, ...]:
    """What networks have to know of the modalities."""
    return tuple(
        Form(
            view.shape,
            modality.likelihood,
            modality.law is None or modality.correction > 0,
            modality.shift,
            modality.correction,
        )
        for (_, modality), view in zip(model.settings, views, strict=True)
    )


def width_of(model: "Fingerprint") -> Width:
    """Sizes of the networks."""
    return Width(model.n_latent, N_HIDDEN)


@dataclass(frozen=True, eq=False, repr=False)
class FingerprintPosterior:
    """What `Fingerprint` learned.

    Attributes:
        model: the question.
        table: what it was asked of.
        views: how each modality is read.
        numbers: of the networks, in one row.
        population: clusters and their laws.
        is_held_out: specimens that training did not see.
        terms: history of training (epoch, term).
        bounds: of each restart, on held-out specimens, nats each.
        n_clusters_tried: numbers of clusters.
        criterion: of each of them, nats.
        seed: of the fit.
        notes: what should be known.
    """

    model: "Fingerprint"
    table: xr.Dataset
    views: tuple[View, ...]
    numbers: Array
    population: Population
    is_held_out: Mask
    terms: Array
    bounds: Array
    n_clusters_tried: Array
    criterion: Array
    seed: int
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        n, k = self.table.sizes["specimen"], self.population.n_clusters
        return f"<FingerprintPosterior: {k} clusters of {name_some(self.model.names)}, from {n} specimens>"

    def _repr_html_(self) -> str:
        facts = [
            ("clusters", str(self.population.n_clusters)),
            ("of", ", ".join(self.model.names)),
            ("specimens", str(self.table.sizes["specimen"])),
        ]
        found = self.diagnose().attrs
        return card(type(self.model).__name__, facts, judged=found, notes=found["notes"])

    @property
    def results(self) -> xr.Dataset:
        """Every value of the table counts as a result."""
        return self.table

    @property
    def has_boundaries(self) -> bool:
        """It knows no boundaries of phases."""
        return False

    @property
    def clusters(self) -> list[str]:
        """Names of the clusters, the most common first."""
        return [f"cluster {k + 1}" for k in range(self.population.n_clusters)]

    @cached_property
    def networks(self) -> "Networks":
        """Encoders and decoders."""
        from tieline.models.fingerprint.networks import rebuild

        return rebuild(forms_of(self.model, self.views), width_of(self.model), self.numbers)

    @cached_property
    def sharpness(self) -> Callable[[tuple[bool, ...]], float]:
        """How far messages about clusters are to be believed, by the modalities used; found once for each."""
        from tieline.models.fingerprint.answers import sharpness_of

        return cache(partial(sharpness_of, self))

    @cached_property
    def trust(self) -> Callable[[int, tuple[bool, ...]], Array]:
        """How far messages (modality) are to be believed where the modality of a number is predicted.

        It depends on the modalities used, and is found once for each question.
        """
        from tieline.models.fingerprint.trust import trust_of

        return cache(partial(trust_of, self))

    @cached_property
    def noise(self) -> Callable[[int, tuple[bool, ...]], Array]:
        """Noise (entry) of the modality of a number, by the modalities used; found once for each."""
        from tieline.models.fingerprint.prediction import noise_of

        return cache(partial(noise_of, self))

    @cached_property
    def history(self) -> xr.Dataset:
        """The bound in training: bound_term (epoch, term) and held_out_bound (epoch), nats a specimen.

        The latter is of held-out specimens, less how far parts of their modalities are from all of them.
        """
        terms = [*self.model.names, "clusters", "entropy"]
        units = {"units": "nat"}
        return xr.Dataset(
            {
                "bound_term": (("epoch", "term"), self.terms[:, :-1], units),
                "held_out_bound": ("epoch", self.terms[:, -1], units),
            },
            coords={"epoch": np.arange(len(self.terms)), "term": terms},
        )

    def embed(self, table: xr.Dataset, *, given: Sequence[str] | str | None = None) -> xr.Dataset:
        """Fingerprints of specimens.

        Args:
            table: on `specimen`, with some of the modalities.
            given: modalities to be used; all that were measured if not given.

        Returns:
            fingerprint and fingerprint_sd (specimen, latent).
        """
        from tieline.models.fingerprint.answers import embed

        return embed(self, table, self.used(given))

    def responsibilities(
        self, table: xr.Dataset, *, given: Sequence[str] | str | None = None, rule: str = "product"
    ) -> xr.Dataset:
        """To which cluster specimens belong.

        Args:
            table: on `specimen`, with some of the modalities.
            given: modalities to be used; all that were measured if not given.
            rule: "product": of all messages at once. "naive_bayes": each modality judged alone, and their
                judgements multiplied.

        Returns:
            cluster_probability (specimen, cluster), most_likely_cluster and cluster_entropy (specimen).
        """
        from tieline.models.fingerprint.answers import responsibilities

        return responsibilities(self, table, self.used(given), rule)

    def predict(
        self,
        table: xr.Dataset,
        target: Sequence[str] | str | None = None,
        *,
        given: Sequence[str] | str | None = None,
        level: float = 0.95,
    ) -> xr.Dataset:
        """Predict modalities from others.

        Args:
            table: on `specimen`, with some of the modalities.
            target: modalities to predict; all of them if not given.
            given: modalities to be used; if not given, all that were measured but those to predict, or all
                where everything is to be predicted.
            level: probability with which intervals are to hold a new measurement.

        Returns:
            For every variable of the targets: its mean, `<name>_sd`, `<name>_low` and `<name>_high`, in its
            unit; cluster_probability (specimen, cluster). A column of labels has `<name>_probability`
            instead.
        """
        from tieline.models.fingerprint.prediction import predict

        targets = self._named(target, "target") if target is not None else self.model.names
        if given is None and target is not None and set(targets) != set(self.model.names):
            given = [name for name in self.model.names if name not in targets]
        return predict(self, table, targets, self.used(given), level)

    def sample(self, cluster: str, n: int = 10, *, seed: int = 0) -> xr.Dataset:
        """Draw new specimens of a cluster, with their noise.

        Args:
            cluster: one of `clusters`.
            n: specimens.
            seed: of the draws.

        Returns:
            Every modality (specimen, ...).
        """
        from tieline.models.fingerprint.sampling import sample

        return sample(self, cluster, n, seed)

    def functions(
        self, grid: xr.Dataset, n: int = 200, *, seed: int = 0, given: Sequence[str] | str | None = None
    ) -> xr.DataArray:
        """Draw what columns of numbers may be, without the noise of a measurement.

        Args:
            grid: on `specimen`, with some of the modalities.
            n: draws.
            seed: of the draws.
            given: modalities to be used; all that were measured if not given.

        Returns:
            (draw, specimen, property).
        """
        from tieline.models.fingerprint.sampling import functions

        return functions(self, grid, n, seed, self.used(given))

    def score(
        self, table: xr.Dataset, *, given: Sequence[str] | str | None = None, seed: int = 0
    ) -> xr.Dataset:
        """Say how well specimens fit what was learned.

        Args:
            table: on `specimen`, with some of the modalities.
            given: modalities to be judged; all that were measured if not given.
            seed: of the draws of latent places.

        Returns:
            On `specimen`: bound and log_evidence, in nats, the latter by importance weights; share_stranger,
            the share of specimens not learned from that fit worse with the same modalities (below 0.01:
            nothing like it was seen); distance_to_cluster, in standard deviations.
        """
        from tieline.models.fingerprint.strangeness import score

        return score(self, table, self.used(given), seed)

    def prototypes(self) -> xr.Dataset:
        """What is typical of each cluster: every modality at its centre, and the parameters of its laws.

        Returns:
            cluster_weight (cluster), every modality and `<name>_sd` (cluster, ...); `<name>_parameter`
            (cluster, `<name>_of`) for modalities with a law.
        """
        from tieline.models.fingerprint.cards import prototypes

        return prototypes(self)

    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this fingerprint: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; of held-out specimens,
            relative_error and coverage (target, given), each modality from all others and from each alone;
            n_specimens (cluster).
        """
        from tieline.models.fingerprint.fingerprint_diagnosis import diagnose

        return diagnose(self)

    def used(self, given: Sequence[str] | str | None) -> Mask:
        """Which modalities are to be used (modality)."""
        names = self.model.names if given is None else self._named(given, "given")
        return np.array([name in names for name in self.model.names])

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back.

        Functions of your own cannot stand in a file: what was learned with them stays, but cannot be fitted
        again.
        """
        from tieline.models.posterior_file import save_posterior

        modalities = tuple(
            (name, replace(m, law=storable(m.law)) if m.law else m) for name, m in self.model.settings
        )
        laws = tuple(replace(fitted, law=storable(fitted.law)) for fitted in self.population.laws)
        kept = replace(
            self,
            model=replace(self.model, modalities=modalities),
            population=replace(self.population, laws=laws),
        )
        return save_posterior(kept, path)

    def _named(self, names: Sequence[str] | str, argument: str) -> tuple[str, ...]:
        names = names_of(names)
        for name in names:
            if name not in self.model.names:
                raise SchemaError(
                    f"{argument} names '{name}', which is no modality of this fingerprint.",
                    found=f"{name_some(self.model.names)}. {did_you_mean(name, self.model.names)}".strip(),
                )
        return names
