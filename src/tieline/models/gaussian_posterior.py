"""The answer of `GaussianProcess`: properties anywhere, and how far to trust them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.models.arrays import Array, Mask
from tieline.models.card import card_of
from tieline.models.feasibility import log_success
from tieline.models.gaussian_average import GaussianAverage
from tieline.models.gaussian_encoding import Reading
from tieline.models.gaussian_field import GaussianField, draw_from_average
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.places import as_functions, describe, identities, note_far_places
from tieline.models.posterior import no_boundaries
from tieline.schema import align

if TYPE_CHECKING:
    from tieline.models.gaussian_process import GaussianProcess

PARTS = ("noise", "function", "between_hyperparameter")


@dataclass(frozen=True, eq=False, repr=False)
class GaussianPosterior:
    """What `GaussianProcess` learned from a table.

    Attributes:
        model: the question.
        table: what it was asked of.
        reading: how the table became numbers of order one.
        fit: the processes, given their hyperparameters and the measurements.
        feasible: where specimens can be made, if some failed.
    """

    model: "GaussianProcess"
    table: xr.Dataset
    reading: Reading
    fit: GaussianAverage
    feasible: GaussianFit | None = None

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        return card_of(self)

    @property
    def results(self) -> xr.Dataset:
        """The table with only the values that count as results: no limits, nothing of earlier campaigns.

        Limits of this campaign stand in `<name>_limit`.
        """
        table = self.table
        for j, name in enumerate(self.reading.outputs.names):
            known = np.isfinite(table.variables[name].values)
            is_result, is_limit = (
                self._told(j, self.reading.bound == 0),
                self._told(j, self.reading.bound != 0),
            )
            if not is_result[known].all():
                table = table.assign({name: self.table[name].where(xr.DataArray(is_result, dims="specimen"))})
            if is_limit.any():
                limit = self.table[name].where(xr.DataArray(is_limit, dims="specimen"))
                table = table.assign({f"{name}_limit": limit})
        return table

    def _told(self, output: int, which: Mask) -> Mask:
        """Specimens of this campaign of which some entries (entry) tell an output (specimen)."""
        entries = self.fit.entries
        found = np.zeros(self.table.sizes["specimen"], dtype=bool)
        found[entries.row[which & (entries.campaign == 0) & (entries.output == output)]] = True
        return found

    @property
    def has_boundaries(self) -> bool:
        """Whether `boundaries` has an answer: never, since a smooth function has none."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or should be known."""
        return self.reading.notes

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def predict(self, grid: xr.Dataset) -> xr.Dataset:
        """Say what the properties are at every place.

        Args:
            grid: the design variables on `specimen`.

        Returns:
            On the grid's `specimen`: for every property its mean, `<name>_sd` of a new measurement, and
            `<name>_variance (specimen, part)`, whose parts noise, function and between_hyperparameter add up
            to the square of `<name>_sd`; and `success_probability`, if specimens failed. Units are the
            table's.

        Raises:
            SchemaError: a design variable is missing, not finite, of other elements, or does not close.
            UnitError: a design variable has a unit that cannot be converted into that of the fit.
        """
        x = self._scaled(grid)
        answer = {}
        for j, name in enumerate(self.model.properties):
            only = np.eye(len(self.model.properties))[j]
            mean, within, between = self.fit.moments(x, only)
            parts = np.stack([np.full_like(mean, self.fit.noise(only)), within, between], -1)
            answer |= self._property(j, name, mean, parts)
        if self.feasible is not None:
            chance = np.exp(log_success(self.feasible, x))
            answer["success_probability"] = ("specimen", chance, {"units": "1"})
        return xr.Dataset(
            answer,
            coords={"specimen": identities(grid), "part": list(PARTS)},
            attrs={
                "model": "GaussianProcess",
                "design": list(self.reading.inputs.names),
                "notes": [*self.notes, *self.reading.inputs.note_unseen(grid), *note_far_places(x)],
            },
        )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def functions(self, grid: xr.Dataset, n: int = 200, *, seed: int = 0) -> xr.DataArray:
        """Draw whole worlds from the posterior: the same draw is one set of functions.

        Args:
            grid: the design variables on `specimen`.
            n: number of draws.
            seed: of the draws.

        Returns:
            (draw, specimen, property): noise-free values, with `units (property)`.
        """
        outputs = self.reading.outputs
        values = draw_from_average(self.fit, self._scaled(grid), n, np.random.default_rng(seed))
        return as_functions(values * outputs.scale + outputs.centre, grid, self)

    def field(self, x: Array, weights: Mapping[str, float], *, is_rough: bool = False) -> GaussianField:
        """The joint distribution of a weighted sum of properties over places, exact.

        It is that of the most probable hyperparameters: proposals made by them need fewer tries than those
        made by a Gaussian with the moments of all draws, and are as good as scores averaged over the draws.

        Args:
            x: the places (place, coordinate), from `scaled`.
            weights: of each property, per unit of that property.
            is_rough: whether mean and variance will do, for a first look at very many places.
        """
        outputs = self.reading.outputs
        shares = np.array([weights.get(name, 0.0) for name in outputs.names])
        make = GaussianField.rough if is_rough else GaussianField.of
        return make(self.fit.fits[0], x, shares * outputs.scale, float(shares @ outputs.centre))

    def log_success(self, x: Array) -> Array | None:
        """Logarithm of the probability that a specimen can be made (place); None if none has failed."""
        return None if self.feasible is None else log_success(self.feasible, x)

    def measured(self, names: Collection[str]) -> Array:
        """The places (place, coordinate) where any of these properties was measured, in this campaign."""
        entries = self.fit.entries
        asked = np.isin(self.reading.outputs.names, list(names))[entries.output] & (entries.campaign == 0)
        return entries.x[asked][np.unique(entries.row[asked], return_index=True)[1]]

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; variables from predicting every
            specimen from the others: `coverage_90 (property)`, `n_measured (property)`, `loo_mean` and
            `loo_sd (specimen, property)`.
        """
        from tieline.models.gaussian_diagnosis import diagnose

        return diagnose(self)

    def boundaries(self) -> xr.Dataset:
        """Refuse: a smooth function has no boundaries.

        Raises:
            SchemaError: always.
        """
        raise no_boundaries("A Gaussian process", self.model)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def scaled(self, design: xr.Dataset) -> Array:
        """Coordinates (specimen, coordinate) of a design whose elements and units are those of the fit."""
        return self.reading.inputs.scaled(design)

    def _scaled(self, grid: xr.Dataset) -> Array:
        """Coordinates of any places, once elements and units are those of the fit."""
        return self.scaled(align(grid, self.table, self.reading.inputs.names))

    @cached_property
    def _units(self) -> dict[str, str | None]:
        return {name: self.table.variables[name].attrs.get("units") for name in self.model.properties}

    def _property(self, j: int, name: str, mean: Array, parts: Array) -> dict[str, tuple]:
        centre, scale = self.reading.outputs.centre[j], self.reading.outputs.scale[j]
        unit = self._units[name]
        units = {} if unit is None else {"units": unit}
        parts = parts * scale**2
        return {
            name: ("specimen", mean * scale + centre, units),
            f"{name}_sd": ("specimen", np.sqrt(parts.sum(1)), units),
            f"{name}_variance": (("specimen", "part"), parts, {"units": f"({unit})^2"} if unit else {}),
        }
