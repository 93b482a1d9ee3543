"""What a campaign has read and need not read again: files that are named by checksum never change."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.files import kept_netcdf
from tieline.campaign.fits import Fit
from tieline.campaign.importing import Imports, specimen_names
from tieline.campaign.kinds import NUMBER, kinds_of
from tieline.campaign.learning import table_of
from tieline.campaign.places import read_places
from tieline.campaign.rows import place_of, to_rows
from tieline.campaign.settings import Settings, complete
from tieline.campaign.store.store import Store
from tieline.campaign.telling import Vocabulary
from tieline.errors import SchemaError, TielineError
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.models.posterior import Posterior, label_sets
from tieline.models.posterior_file import load_posterior
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.volumes.posterior import VolumePosterior
from tieline.planning.pool import check_pool, default_pool, first_of_each, place_names
from tieline.planning.spaces.space import Space
from tieline.schema import specimens_of

N_COVER = 2000  # candidates that stand for a space while many ask for one place each


@dataclass
class Memory:
    """Keeps the latest of each kind.

    Attributes:
        folder: of the campaign.
        store: its store.
    """

    folder: Path
    store: Store
    _kept: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def record(self) -> xr.DataTree | None:
        """What the imports say together, without what was told."""
        return self.once("record", self.store.fact("record"), Imports(self.folder, self.store).joined)

    def posterior(self, fit: Fit | None) -> Posterior | None:
        """What a fit learned."""
        if fit is None:
            return None
        file = kept_netcdf(self.folder / "posteriors", fit.posterior)
        return self.once("posterior", fit.posterior, lambda: posterior_of_design(file))

    def pool(self, settings: Settings, fit: Fit | None, *, many: bool) -> xr.Dataset | Space:
        """The places to choose from: the space or the pool of campaign.toml, or the explored region.

        Args:
            settings: of the campaign.
            fit: the latest one.
            many: whether a list must do instead of a space, as its places are compared only once.

        Raises:
            TielineError: there is nothing to choose from yet.
        """
        if settings.space is not None:
            space = Space.from_dict(settings.space)
            if not many:
                return space
            key = self.pool_key(settings)
            return self.once("cover", key, lambda: space.candidates(N_COVER, seed=settings.seed))
        posterior = self.posterior(fit)
        if settings.pool is not None:
            file = self.folder / settings.pool
            if not file.is_file():
                raise TielineError(
                    f"The pool '{settings.pool}' of campaign.toml is not there.",
                    found=f"no such file in {self.folder}",
                    hint="put the table of candidates into the campaign's folder",
                )
            digest = None if fit is None else fit.posterior
            return self.once(
                "pool",
                (*self.pool_key(settings), digest),
                lambda: _distinct(read_places(file), posterior),
            )
        if posterior is None:
            raise TielineError(
                "Nothing was learned yet, and nothing says what could be made.",
                found="no fit, and neither space nor pool in campaign.toml",
                hint="tieline fit, or [[space.inputs]] in campaign.toml",
            )
        assert fit is not None
        return self.once("region", fit.posterior, lambda: default_pool(posterior))

    def places_of(self, space: Space, at_least: int, seed: int) -> tuple[xr.Dataset, list[str]]:
        """Places (specimen) of a space and their names: all of a small one, else some that cover it evenly.

        Args:
            space: where.
            at_least: how many, if it has so many. There are more, so that few questions make them anew.
            seed: of the sequence.
        """

        def make() -> tuple[xr.Dataset, list[str]]:
            places = space.candidates(n, seed=seed)
            return places, [place_of(row) for row in to_rows(places)]

        n = size_of_small(space) or 1 << (at_least - 1).bit_length()
        return self.once("places", (repr(space), n, seed), make)

    def pool_key(self, settings: Settings) -> tuple[Hashable, ...]:
        """What tells the places of campaign.toml from those that it named before."""
        if settings.space is not None:
            return repr(settings.space), settings.seed
        file = self.folder / (settings.pool or "")
        return settings.pool, file.stat().st_mtime_ns if settings.pool and file.is_file() else None

    def vocabulary(self, settings: Settings, fit: Fit | None) -> Vocabulary:
        """What may be told."""
        key = (self.store.fact("record"), repr(settings), None if fit is None else fit.posterior)
        return self.once("words", key, lambda: self._vocabulary(settings, fit))

    def _vocabulary(self, settings: Settings, fit: Fit | None) -> Vocabulary:
        record, posterior = self.record(), self.posterior(fit)
        known = xr.Dataset() if record is None else specimens_of(record)
        by_role: dict[str, list[str]] = {}
        for name, variable in known.data_vars.items():
            if not str(name).endswith(("_sd", "_flag")):
                by_role.setdefault(variable.attrs.get("role", "property"), []).append(str(name))
        units = {str(n): v.attrs["units"] for n, v in known.data_vars.items() if "units" in v.attrs}
        space = None if settings.space is None else Space.from_dict(settings.space)
        if space is not None:
            stated = {i.name: getattr(i, "units", None) for i in space.inputs}
            units |= {name: unit for name, unit in stated.items() if unit and name not in units}
        phases = [settings.phase] if isinstance(settings.phase, str) else settings.phase or []
        learned = [] if posterior is None else [*label_sets(posterior.model), *posterior.model.properties]
        named = [*(settings.properties or []), *(p for p in phases if p), *learned]
        numbers = [*(settings.properties or []), *([] if posterior is None else posterior.model.properties)]
        found = [*by_role.get("property", []), *by_role.get("structure", [])]
        return Vocabulary(
            design=tuple(_design(settings, posterior, record)),
            settings=tuple([*by_role.get("synthesis", []), *by_role.get("process", [])]),
            results=tuple(dict.fromkeys([*named, *found])),
            properties=tuple(dict.fromkeys([*numbers, *by_role.get("property", [])])),
            specimens=frozenset(specimen_names(record)),
            units=units,
            kinds=kinds_of(known, space) | dict.fromkeys(numbers, NUMBER),
        )

    def once(self, kind: str, key: Any, make: Callable[[], Any]) -> Any:
        """Work something out, unless the same was worked out last time."""
        with self._lock:
            if kind in self._kept and self._kept[kind][0] == key:
                return self._kept[kind][1]
        made = make()
        with self._lock:
            self._kept[kind] = (key, made)
        return made


def size_of_small(space: Space) -> int | None:
    """How many places a space has, if so few that all can be listed and compared."""
    return space.n_places if space.n_places is not None and space.n_places <= N_COVER else None


def posterior_of_design(file: Path) -> Posterior:
    """Read a posterior that can be asked about places.

    Raises:
        SchemaError: it is of measurements, or cannot be read.
    """
    posterior = load_posterior(file)
    if isinstance(posterior, FingerprintPosterior | SpectralPosterior | VolumePosterior):
        raise SchemaError(
            "Only the posterior of a design can be asked about places, and this one is of measurements.",
            found=type(posterior.model).__name__,
            hint="tl.load_posterior reads it",
        )
    return posterior


def _design(settings: Settings, posterior: Posterior | None, record: xr.DataTree | None) -> list[str]:
    """Names of the settings of a specimen, from whatever says them first."""
    said = settings.stated_design
    if said is None and posterior is not None:
        said = posterior.model.design
    if said is None and record is not None:
        try:
            said = complete(settings, table_of(record, settings)).design
        except SchemaError:
            said = None  # nothing varies yet
    return [said] if isinstance(said, str) else list(said or [])


def _distinct(pool: xr.Dataset, posterior: Posterior | None) -> xr.Dataset:
    """Each place of a pool once."""
    if posterior is None:
        return pool
    return pool.isel(specimen=np.sort(first_of_each(place_names(check_pool(posterior, pool)))))
