"""Fingerprints: what images, curves, spectra and numbers of a specimen have in common, and its cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.models.fingerprint.modality import Modality
from tieline.models.fingerprint.modality_reading import READER
from tieline.models.posterior import names_of
from tieline.schema.wording import name_some

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

NETWORK = "network"
Setting = Any  # a Modality, a law, "network" or a list of columns


@dataclass(frozen=True)
class Fingerprint:
    """A few numbers for every specimen that all its modalities agree on, and clusters that follow physics.

    Each modality has an encoder, which says where in a latent space the specimen may be. The product of what
    all of them say is its fingerprint, whichever were measured. Clusters are a mixture of Gaussians in that
    space. A modality is predicted either by a network, from the fingerprint, or by a law of physics, whose
    parameters differ from cluster to cluster: specimens are then grouped by how they behave, and images
    learn to tell the groups.

    Reads:
        modalities: variables on `specimen` and up to three further dimensions; an image (specimen, y, x), a
            curve or spectrum (specimen, strain), columns of numbers, or one column of labels. What was not
            measured is NaN, a whole modality of a specimen or points of it.

    Learns:
        fingerprints, clusters and their probabilities, the parameters of every law in every cluster, and how
        to predict any modality from any others.

    Args:
        modalities: settings by name. `"network"`: a network predicts it. A law of `tieline.physics`: the
            cluster decides it. A list of columns: these numbers together are one modality. A `Modality` says
            more.
        n_clusters: how many clusters, or several numbers of which the one with the best criterion is taken.
        n_latent: how many numbers a fingerprint has.
        start: the modalities in whose values clusters are sought first; those with a law if not given, or
            else all.
        n_epochs: passes over all specimens at most; training ends earlier if held-out specimens ask for it.
        design: columns that one sets before a specimen is made, for planning.
        properties: columns that planning may ask for, all others being left aside.
        restarts: how often networks are trained from new weights; the best is kept, the spread is told.

    Source:
        Walker et al. (2024), doi:10.3934/fods.2024019. Departs from it: responsibilities at their optimum
        instead of one draw, exact maximisation on all specimens, any subset of modalities, learned noise.
    """

    reads: ClassVar = ("modalities",)

    modalities: Mapping[str, Setting] | Sequence[Setting]
    _: KW_ONLY
    n_clusters: int | Sequence[int] = (2, 3, 4, 5, 6, 7, 8)
    n_latent: int = 4
    start: str | Sequence[str] | None = None
    n_epochs: int = 100
    restarts: int = 1
    design: str | Sequence[str] = ()
    properties: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "modalities", _settings(self.modalities))
        if not isinstance(self.n_clusters, int):
            object.__setattr__(self, "n_clusters", tuple(int(k) for k in self.n_clusters))
        for name in ("design", "properties"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        if self.start is not None:
            object.__setattr__(self, "start", names_of(self.start))
        self._check()

    @property
    def phase(self) -> None:
        """It reads no labels of phases."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities."""
        return tuple(name for name, _ in self.settings)

    @property
    def settings(self) -> tuple[tuple[str, Modality], ...]:
        """Every modality with its settings."""
        return self.modalities  # type: ignore[return-value]  # brought into this form when made

    def fit(self, table: xr.Dataset, *, seed: int = 0) -> "FingerprintPosterior":
        """Learn fingerprints and clusters from a table.

        Args:
            table: on `specimen`; a specimen may lack any modality.
            seed: of starts, weights, batches and of who is held out.

        Returns:
            The posterior; it answers `embed`, `responsibilities`, `predict`, `sample`, `score` and
            `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: a modality says nothing, or a specimen has none.
        """
        from tieline.models.fingerprint.fingerprint_fit import fit

        return fit(self, table, seed)

    def simulate(self, design: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
        """Draw a world from the prior of this model: clusters, and every modality of a table.

        Args:
            design: with all modalities, of which shapes, units and the size of values are taken.
            seed: of the draw.

        Returns:
            Every modality on `specimen`, with the drawn clusters as the coordinate `cluster_truth`.
        """
        from tieline.models.fingerprint.fingerprint_worlds import simulate

        return simulate(self, design, seed)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of all variables that are read."""
        return tuple(v for name, modality in self.settings for v in modality.variables or (name,))

    def _check(self) -> None:
        counts = (self.n_clusters,) if isinstance(self.n_clusters, int) else self.n_clusters
        if not counts or min(counts) < 1 or self.n_latent < 1 or self.n_epochs < 1 or self.restarts < 1:
            raise SchemaError(
                "Numbers of clusters, latent dimensions, epochs and restarts are at least 1.",
                found=f"n_clusters={self.n_clusters}, n_latent={self.n_latent}, n_epochs={self.n_epochs}, "
                f"restarts={self.restarts}",
            )
        known = self.variables
        for argument in ("design", "properties"):
            for name in getattr(self, argument):
                if name not in known:
                    raise SchemaError(
                        f"{argument} names '{name}', which no modality reads.",
                        found=f"{name_some(known)}. {did_you_mean(name, known)}".strip(),
                    )
        for name in self.start or ():
            if name not in self.names:
                raise SchemaError(
                    f"start names '{name}', which is no modality.",
                    found=f"{name_some(self.names)}. {did_you_mean(name, self.names)}".strip(),
                )


def _settings(given: object) -> tuple[tuple[str, Modality], ...]:
    """Settings of every modality, spelled out."""
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence):
        pairs = [(g, NETWORK) if isinstance(g, str) else tuple(g) for g in given]
    else:
        pairs = []
    if not pairs:
        raise SchemaError(
            f"{READER} reads at least one modality.",
            found=type(given).__name__,
            hint="modalities={'image': 'network', 'curve': tl.physics.Line()}",
        )
    return tuple((str(name), _setting(str(name), setting)) for name, setting in pairs)


def _setting(name: str, setting: object) -> Modality:
    if isinstance(setting, Modality):
        return setting
    if setting == NETWORK:
        return Modality()
    if hasattr(setting, "parameters"):
        return Modality(law=setting)  # type: ignore[arg-type]
    if isinstance(setting, Sequence) and not isinstance(setting, str):
        return Modality(variables=setting)
    raise SchemaError(
        f"Modality '{name}' is set to something else than a network, a law or columns.",
        found=repr(setting),
        hint="'network', tl.physics.Line(), a list of columns, or tl.Modality(...)",
    )
