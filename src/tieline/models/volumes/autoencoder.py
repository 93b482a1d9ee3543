"""Porous volumes in a few numbers: learned without labels, so that few labelled ones suffice afterwards."""

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, did_you_mean
from tieline.models.posterior import names_of
from tieline.models.volumes.posterior import VolumePosterior
from tieline.models.volumes.reading import READER, Volumes, read_volumes
from tieline.models.volumes.shape import NetworkShape
from tieline.models.volumes.texture import Texture, pair_numbers
from tieline.models.volumes.waves import Waves
from tieline.schema.memory import require_memory

if TYPE_CHECKING:
    from tieline.models.volumes.training import Progress

ARCHITECTURES = ("patches", "convolutions")
VIEWS = ("shift", "mirror", "turn")
FEWEST = 20  # volumes; a tenth of them says when to stop
MOST_FOR_WAVES = 400  # volumes whose waves are looked at
CHUNK = 100  # volumes whose texture is counted at once
COPIES = 5  # of the weights: gradient, two moments of the optimiser, the best so far
BYTES = 4  # of a number
ACTIVATIONS = 60  # numbers held for a block of a volume during a step, measured


@dataclass(frozen=True)
class VolumeAutoencoder:
    """Porous volumes in a few latent variables, by a variational autoencoder.

    The latent variables are of two kinds. Those of *texture* say what a volume is like: how porous, how fine,
    how stretched along which axis. They are read off how alike voxels are that lie a step apart, which no
    shift of the volume changes, and have to give these numbers back. Those of *layout* say where its
    ligaments run. Together they give back the voxels.

    Reads:
        volume (specimen, x, y, z): pore and solid, cubes of one size.
        properties (specimen): numbers that are known of some of the volumes, NaN elsewhere. Optional.

    Learns:
        an encoder and a decoder; and from the latent variables of texture, the properties.

    Args:
        volume: name of the variable of volumes.
        properties: names of the columns that `predict` answers.
        pore: the value that is pore, where the attrs of the volumes do not tell.
        size: edge of a volume as the network reads it, in blocks of voxels: a power of two, at least 16. None
            for one voxel a block. Blocks keep their share of solid, so no porosity is lost.
        architecture: "patches", or "convolutions" for that of the published study, four layers of kernel 4
            and stride 2.
        layout: latent variables of where ligaments run.
        texture: latent variables of what a volume is like; 0 for latent variables of one kind, as published.
        hidden: width of the layer between patches and latent variables.
        n_epochs: passes over the volumes, at most.
        batch_size: volumes a step.
        rate: of learning, at first.
        patience: epochs without a better bound on held-out volumes, after which training ends.
        held_out: share of the volumes that only say when to stop.
        views: how volumes are varied at random while they are learned: "shift" for periodic ones, "mirror"
            and "turn" where all axes are treated alike.

    Source:
        Y. Zhao, KIT (2024), section 4.2.2, whose network is `VolumeAutoencoder.as_published()`. Departs from
        it: texture has latent variables of its own, and volumes are varied.
    """

    reads: ClassVar = ("volume", "properties")

    volume: str = "volume"
    properties: Sequence[str] = ()
    _: KW_ONLY
    pore: int | None = None
    size: int | None = None
    architecture: str = "patches"
    layout: int = 48
    texture: int = 16
    hidden: int = 512
    n_epochs: int = 40
    batch_size: int = 32
    rate: float = 1e-3
    patience: int = 8
    held_out: float = 0.1
    views: Sequence[str] = VIEWS

    def __post_init__(self) -> None:
        object.__setattr__(self, "properties", names_of(self.properties))
        object.__setattr__(self, "views", names_of(self.views))
        self._check()

    @classmethod
    def as_published(cls, volume: str = "volume", properties: Sequence[str] = ()) -> "VolumeAutoencoder":
        """The network and the training of the published study; it took 14 h on a graphics processor there."""
        return cls(
            volume,
            properties,
            architecture="convolutions",
            layout=256,
            texture=0,
            hidden=2048,
            n_epochs=1000,
            batch_size=64,
            rate=1e-5,
            patience=1000,
            views=(),
        )

    def fit(
        self,
        source: xr.DataTree | xr.Dataset | xr.DataArray,
        *,
        seed: int = 0,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: "Progress | None" = None,
    ) -> VolumePosterior:
        """Learn from volumes.

        Args:
            source: a record with the node /volumes, a table with a variable of volumes, or volumes alone.
            seed: of weights, order, views, draws, and which volumes are held out.
            checkpoint: a file that is written after every epoch. Where it exists, training goes on from it.
            progress: called with the number of epochs done, of all, and the negative bound of held-out
                volumes in nats.

        Returns:
            The posterior; it answers `embed`, `reconstruct`, `generate`, `interpolate`, `predict`,
            `components` and `diagnose`.

        Raises:
            SchemaError: the volumes are missing, or are not cubes of pore and solid that divide into blocks;
                or the checkpoint is damaged.
            NotIdentified: too few volumes.
            Conflict: the checkpoint is of another training.
            NotConverged: training diverged.
            TielineError: the memory does not suffice. The message says how much is needed.
        """
        from tieline.models.volumes.training import Course, train  # late: it loads jax

        volumes = read_volumes(source, self.volume, self.pore, self.size, tuple(self.properties))
        n = len(volumes.solid)
        if n < FEWEST:
            raise NotIdentified(
                f"{READER} learns from {FEWEST} volumes or more.",
                found=f"{n} volumes",
                hint="tl.features.volumes.describe needs none to learn from",
            )
        held_out = np.zeros(n, bool)
        held_out[np.random.default_rng((seed, n)).permutation(n)[: max(2, round(self.held_out * n))]] = True
        texture = _texture_of(volumes, np.flatnonzero(~held_out), self.texture)
        shape = self._shape(volumes, np.flatnonzero(~held_out), texture)
        n_numbers = COPIES * shape.n_weights + ACTIVATIONS * self.batch_size * volumes.edge**3
        require_memory(
            float(BYTES * n_numbers),
            f"Training on {n} volumes",
            hint="a smaller size=, hidden= or batch_size=",
        )
        settings = (self.n_epochs, self.batch_size, self.rate, self.patience, tuple(self.views))
        course = Course(*settings, seed)
        place = None if checkpoint is None else Path(checkpoint)
        trained = train(volumes, held_out, texture, shape, course, place, progress)
        untold = VolumePosterior(self, xr.Dataset(), shape, texture, trained.weights, trained.history, seed)
        return replace(untold, table=untold.tell(volumes).assign(is_held_out=("specimen", held_out)))

    def _shape(self, volumes: Volumes, rows: np.ndarray, texture: Texture) -> NetworkShape:
        waves = None
        if self.architecture == "patches":
            waves = Waves.of(volumes.shares(rows[:MOST_FOR_WAVES]), self.layout)
        return NetworkShape(
            architecture=self.architecture,
            edge=volumes.edge,
            n_layout=self.layout,
            hidden=self.hidden,
            waves=waves,
            tolerance=tuple(map(float, texture.tolerance)),
            to_solid=(float(texture.mean[0]), *map(float, texture.to_solid)),
        )

    def _check(self) -> None:
        counts = {
            name: getattr(self, name) for name in ("layout", "hidden", "n_epochs", "batch_size", "patience")
        }
        wrong = [f"{name}={value}" for name, value in counts.items() if not value >= 1]
        if self.texture < 0:
            wrong.append(f"texture={self.texture}")
        if not self.rate > 0:
            wrong.append(f"rate={self.rate}")
        if not 0 < self.held_out < 1:
            wrong.append(f"held_out={self.held_out}")
        if wrong:
            raise SchemaError(
                f"The settings of {READER} are positive numbers, and held_out is a share.",
                found=", ".join(wrong),
            )
        for word, allowed in [(self.architecture, ARCHITECTURES), *((v, VIEWS) for v in self.views)]:
            if word not in allowed:
                raise SchemaError(
                    f"{READER} does not know '{word}'. {did_you_mean(word, allowed)}".rstrip(),
                    hint=" or ".join(allowed),
                )
        if self.volume in self.properties or len(set(self.properties)) < len(self.properties):
            raise SchemaError(
                f"{READER} reads every variable for one purpose.",
                found=", ".join((self.volume, *self.properties)),
            )


def _texture_of(volumes: Volumes, rows: np.ndarray, n: int) -> Texture:
    parts = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
    return Texture.of(np.concatenate([pair_numbers(volumes.shares(part)) for part in parts]), n)
