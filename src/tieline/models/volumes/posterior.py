"""The answer of `VolumeAutoencoder`: volumes as latent variables, and volumes and properties from those."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.principal_components import Components, find_components
from tieline.models.volumes.latents import learn_properties, look_up
from tieline.models.volumes.reading import READER, Volumes, read_volumes
from tieline.models.volumes.shape import NetworkShape
from tieline.models.volumes.texture import Texture
from tieline.schema.card import card
from tieline.schema.volumes import AXES

if TYPE_CHECKING:
    from tieline.models.gaussian_posterior import GaussianPosterior
    from tieline.models.volumes.autoencoder import VolumeAutoencoder
    from tieline.models.volumes.network import Network

CHUNK = 32  # volumes that pass the network at once
Source = xr.DataTree | xr.Dataset | xr.DataArray
TEXTURE, LAYOUT = "texture", "layout"


@dataclass(frozen=True, eq=False, repr=False)
class VolumePosterior:
    """What `VolumeAutoencoder` learned from volumes.

    Attributes:
        model: the question.
        table (specimen): latent_mean and latent_sd (specimen, latent), porosity and the properties of the
            volumes it was asked of, and is_held_out; not the volumes themselves.
        shape: how wide the network is.
        texture_coordinates: of what volumes are like.
        weights: of the network.
        history (epoch, term): negative bounds and their terms, nats a volume.
        seed: of the training.
        notes: what should be known.
    """

    model: "VolumeAutoencoder"
    table: xr.Dataset
    shape: NetworkShape
    texture_coordinates: Texture
    weights: tuple[Array, ...]
    history: Array
    seed: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n, edge = self.table.sizes["specimen"], self.shape.edge
        kinds = f"{self.shape.n_texture} of texture, {self.shape.n_layout} of layout"
        return f"<VolumePosterior: {edge}³ blocks in latent variables, {kinds}, from {n} specimens>"

    def _repr_html_(self) -> str:
        held_out = int(self.table["is_held_out"].values.sum())
        n = self.table.sizes["specimen"]
        facts = [
            ("latent variables", f"{self.shape.n_texture} of texture, {self.shape.n_layout} of layout"),
            ("from", f"{n} volumes in blocks of {self.shape.edge}³ voxels, {held_out} of them held out"),
            ("tells", ", ".join(self.model.properties) or "no property"),
        ]
        found = self.diagnose().attrs
        return card(type(self.model).__name__, facts, judged=found, notes=found["notes"])

    @property
    def course(self) -> xr.Dataset:
        """How training went (epoch): negative bounds of learned and held-out volumes and its terms, nats."""
        from tieline.models.volumes.training import HISTORY

        columns = {name: ("epoch", self.history[:, i], {"units": "nat"}) for i, name in enumerate(HISTORY)}
        return xr.Dataset(columns, {"epoch": np.arange(1, len(self.history) + 1)})

    def embed(self, source: Source) -> xr.DataArray:
        """Give volumes as latent variables.

        Args:
            source: a record, a table with volumes, several volumes (specimen, x, y, z), or one (x, y, z).

        Returns:
            (specimen, latent): with the coordinates `kind`, "texture" or "layout", and `sd`, how far the
            network is unsure.

        Raises:
            SchemaError: the volumes are not such as it learned from.
        """
        volumes = self._read(source)
        return self._latents(*self._encode(volumes), volumes.specimen)

    def reconstruct(self, source: Source) -> xr.DataArray:
        """Give volumes back from their latent variables: the probability of solid (specimen, x, y, z)."""
        volumes = self._read(source)
        mean, _ = self._encode(volumes)
        return self._decoded(mean, volumes.specimen)

    def generate(self, n: int, *, seed: int = 0) -> xr.DataArray:
        """Draw volumes that were never made: the probability of solid (specimen, x, y, z)."""
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((n, self.shape.n_latent), dtype=np.float32)
        return self._decoded(drawn, np.arange(n))

    def decode(self, latent: xr.DataArray | Array) -> xr.DataArray:
        """Give the volumes of latent variables (specimen, latent): the probability of solid."""
        values = np.atleast_2d(np.asarray(latent, np.float32))
        n_latent = self.shape.n_latent
        if values.ndim != 2 or values.shape[1] != n_latent or not np.isfinite(values).all():
            raise SchemaError(
                f"A place has {n_latent} latent variables.", found=f"numbers of shape {values.shape}"
            )
        names = np.arange(len(values))
        if isinstance(latent, xr.DataArray) and "specimen" in latent.coords:
            names = np.atleast_1d(latent["specimen"].values)
        return self._decoded(values, names)

    def interpolate(self, source: Source, n: int = 5) -> xr.DataArray:
        """Go from one volume to another in even steps of their latent variables.

        Args:
            source: two volumes.
            n: places, both ends included.

        Returns:
            (share, x, y, z): the probability of solid, by the share of the second volume.
        """
        ends = self.embed(source).values
        if len(ends) != 2 or n < 2:
            raise SchemaError("One goes from one volume to another.", found=f"{len(ends)} volumes, {n=}")
        share = np.linspace(0, 1, n)
        way = (1 - share)[:, None] * ends[0] + share[:, None] * ends[1]
        return self._decoded(way, share).rename(specimen="share")

    def predict(self, source: Source) -> xr.Dataset:
        """Predict the properties of volumes: from Gaussian processes on their latent variables.

        Args:
            source: volumes, as in `embed`.

        Returns:
            (specimen): of every property its mean, its standard deviation `_sd`, the ends `_low` and `_high`
            of its 90 % interval; and `_nearest`, the value of the volume it learned from that lies nearest,
            as published. In `porosity_counted` the porosity, which needs no prediction.

        Raises:
            SchemaError: the volumes are not such as it learned from; or no properties were learned.
        """
        if not self.model.properties:
            raise SchemaError(
                "No properties were learned.", hint=f'{READER}(properties=["porosity"]), with such a column'
            )
        volumes = self._read(source)
        told = self.tell(volumes)
        answer = xr.Dataset(coords={"specimen": told["specimen"]})
        coordinates = self.regressors(told["latent_mean"].values)
        places, known = self._shared(told["latent_mean"].values), self._shared()
        for name, process in self._processes.items():
            found = process.predict(coordinates)
            mean, sd = found[name].values, found[f"{name}_sd"].values
            attrs = self.table[name].attrs
            parts = {
                "": mean,
                "_sd": sd,
                "_low": mean - HALF_OF_90 * sd,
                "_high": mean + HALF_OF_90 * sd,
                "_nearest": look_up(self.table, name, places, known),
            }
            answer = answer.assign({name + end: ("specimen", v, attrs) for end, v in parts.items()})
        answer["porosity_counted"] = ("specimen", volumes.porosity, {"units": "1", "role": "structure"})
        return answer

    def components(self, n: int = 3, source: Source | None = None) -> xr.Dataset:
        """Find the principal components of the latent variables of texture; of all, where there is one kind.

        Each latent variable of texture counts by how much the numbers of a volume vary with it, so that
        distances between scores say how unlike volumes are.

        Args:
            n: components.
            source: volumes to map into the components of those it learned from; by default those themselves.

        Returns:
            score (specimen, component), explained (component), the share of the variance, and loading
            (component, latent), of latent variables so weighed.
        """
        found = self._components(n)
        told = self.table if source is None else self.tell(self._read(source))
        score = found.scores(self._shared(told["latent_mean"].values))
        one = {"units": "1"}
        known = [n for n in ("porosity", *self.model.properties) if n in told]
        return told[known].assign(
            score=(("specimen", "component"), score, one),
            explained=("component", found.explained, one),
            loading=(("component", "latent"), found.axes, one),
            component=np.arange(1, len(found.explained) + 1),
        )

    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; carried (latent), how many nats
            each latent variable carries; and of each property r2 and coverage_90 on held-out volumes, told by
            the others.
        """
        from tieline.models.volumes.diagnosis import diagnose

        return diagnose(self)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def tell(self, volumes: Volumes) -> xr.Dataset:
        """Give volumes as rows of a table (specimen): latent_mean, latent_sd, porosity, and what is known."""
        mean, sd = self._encode(volumes)
        latent = self._latents(mean, sd, volumes.specimen)
        porosity = ("specimen", volumes.porosity, {"units": "1", "role": "structure"})
        told = xr.Dataset(
            {"latent_mean": latent.drop_vars("sd"), "latent_sd": (latent.dims, sd, {"units": "1"})}
        )
        known = {
            name: ("specimen", column.values, {"role": "property", "units": "1"} | column.attrs)
            for name, column in volumes.known.data_vars.items()
        }
        return told.assign({"porosity": porosity, **known})

    @cached_property
    def _network(self) -> "Network":
        from tieline.models.volumes.training import rebuild

        return rebuild(self.shape, self.weights)

    @cached_property
    def _processes(self) -> "dict[str, GaussianPosterior]":
        return learn_properties(
            self.regressors(self.table["latent_mean"].values), self.table, self.model.properties, self.seed
        )

    def regressors(self, latent: Array) -> xr.Dataset:
        """Columns that properties are learned from: principal components of texture."""
        score = self._components(self._shared().shape[1]).scores(self._shared(latent))
        return xr.Dataset({f"component_{i + 1}": ("specimen", c) for i, c in enumerate(score.T)})

    def _components(self, n: int) -> Components:
        return find_components(self._shared(), n)

    def _shared(self, latent: Array | None = None) -> Array:
        """Latent variables that say what a volume is like: of texture, or all where there is one kind.

        Each of texture counts by how much the numbers of a volume vary with it.
        """
        values = self.table["latent_mean"].values if latent is None else latent
        k = self.shape.n_texture
        return values[:, :k] * self.texture_coordinates.deviation if k else values

    def _read(self, source: Source) -> Volumes:
        model = self.model
        return read_volumes(source, model.volume, model.pore, self.shape.edge if model.size else None, ())

    def _encode(self, volumes: Volumes) -> tuple[Array, Array]:
        """Mean and standard deviation (specimen, latent) of the latent variables of volumes."""
        if volumes.edge != self.shape.edge:
            raise SchemaError(
                f"This network reads volumes of {self.shape.edge} blocks along an edge.",
                found=f"{volumes.edge}",
                hint="tl.features.volumes.crop or resample; or fit again with size=",
            )
        means, deviations = [], []
        for start in range(0, len(volumes.solid), CHUNK):
            shares = volumes.shares(slice(start, start + CHUNK))
            mean, log_variance = self._network.encode(shares, self.texture_coordinates.coordinates(shares))
            means.append(np.asarray(mean, float))
            deviations.append(np.exp(0.5 * np.asarray(log_variance, float)))
        return np.concatenate(means), np.concatenate(deviations)

    def _latents(self, mean: Array, sd: Array, names: np.ndarray) -> xr.DataArray:
        kinds = [TEXTURE] * self.shape.n_texture + [LAYOUT] * self.shape.n_layout
        coords = {
            "specimen": names,
            "kind": ("latent", kinds),
            "sd": (("specimen", "latent"), sd, {"units": "1"}),
        }
        return xr.DataArray(mean, coords, ("specimen", "latent"), attrs={"units": "1", "role": "structure"})

    def _decoded(self, latent: Array, names: np.ndarray | Sequence) -> xr.DataArray:
        parts = []
        for start in range(0, len(latent), CHUNK):
            odds = np.asarray(self._network.decode(latent[start : start + CHUNK].astype(np.float32)))
            parts.append(1 / (1 + np.exp(-odds)))
        return xr.DataArray(
            np.concatenate(parts),
            {"specimen": names},
            ("specimen", *AXES),
            name="solid_probability",
            attrs={"units": "1", "role": "structure"},
        )
