"""The answer of `CompositionProperties`: properties of any composition, and how far to trust them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from tieline.errors import SchemaError, did_you_mean
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.card import card_of
from tieline.models.composition_basis import Span
from tieline.models.composition_fit import CompositionFit
from tieline.models.composition_reading import CompositionReading
from tieline.models.composition_transfer import Help
from tieline.models.element_slots import Slots
from tieline.models.joint_bands import Edges
from tieline.models.measurements import read_columns
from tieline.models.places import as_functions, describe, identities
from tieline.models.posterior import names_of, no_boundaries
from tieline.models.spectrum_answer import axes_of, gather
from tieline.models.stacking import KNOWN, NEW, NODES
from tieline.schema import align, chemical_systems, in_units_of
from tieline.schema.flags import is_no_result
from tieline.schema.places import as_variables
from tieline.schema.wording import name_known, name_some

if TYPE_CHECKING:
    from tieline.models.composition_properties import CompositionProperties

PARTS = ("noise", "function", "between_learner")
BOUNDS = (0.05, 0.5, 0.95)
AT = np.concatenate([NODES, norm.ppf(BOUNDS)])


@dataclass(frozen=True, eq=False, repr=False)
class CompositionPosterior:
    """What `CompositionProperties` learned from a table.

    Attributes:
        model: the question.
        table: what it was asked of.
        reading: how the table became numbers of order one.
        fit: the learners, and how they are joined.
        help: what was found of each source that was to help.
    """

    model: "CompositionProperties"
    table: xr.Dataset
    reading: CompositionReading
    fit: CompositionFit
    help: tuple[Help, ...] = ()

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        return card_of(self)

    @property
    def results(self) -> xr.Dataset:
        """The table with only the values that count as results: no limits, nothing that failed."""
        is_value = np.zeros((self.table.sizes["specimen"], self.reading.y.shape[1]), dtype=bool)
        is_value[self.reading.rows] = self.reading.is_value
        return self.table.assign(
            {
                span.name: self.table[span.name].where(
                    xr.DataArray(is_value[:, span.columns].any(1), dims="specimen")
                )
                for span in self.reading.spans
            }
        )

    @property
    def has_boundaries(self) -> bool:
        """Whether `boundaries` has an answer: never, since a composition has no neighbours in order."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or should be known."""
        n, n_process = len(self.reading.rows), len(self.fit.rows)
        if n_process == n:
            return self.reading.notes
        return (*self.reading.notes, f"The Gaussian process learned from {n_process} of {n} specimens.")

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def predict(self, grid: xr.Dataset, *, given: str | Sequence[str] = ()) -> xr.Dataset:
        """Say what the properties are at every place, also where some were already measured there.

        Args:
            grid: the design variables on `specimen`, with any elements, and the properties that are given.
            given: names of properties that were measured on these very specimens. Where the grid has a
                number, the others are predicted with it; where it has NaN, without. `<name>_sd` in the grid
                is its standard error; what `<name>_flag` calls a limit or failed is not taken.

        Returns:
            On the grid's `specimen`: for every property its mean, `<name>_sd` of a new measurement,
            `<name>_quantile (specimen, probability)` at 5, 50 and 95 %, and `<name>_variance (specimen,
            part)`, whose parts noise, function and between_learner add up to the square of `<name>_sd`. Those
            of a spectrum have its axis after `specimen`, and `<name>_band (specimen, axis, side)` holds the
            whole spectrum with a probability of 90 %.
            `new_system` says where nothing of the chemical system was learned from, `far` where a place is
            further from all data than nearly any that was left out; a note counts both. Units are the
            table's.

        Raises:
            SchemaError: a design variable is missing, not finite, of what is no element, or does not close;
                or what is given is no property, or not in the grid.
            UnitError: a variable has a unit that cannot be converted into that of the fit.
        """
        x, slots, regime = self.places(grid)
        guesses = self.fit.guess(x, slots, self.reading.coordinates.group)
        centre = self.fit.stack.mean(guesses, regime)
        parts = self.fit.stack.variances(guesses, regime)
        size = np.sqrt(parts.sum(0))
        known = self._given(grid, given)
        about, spread = self.fit.stack.given(*self._scores(known, centre, size, regime), regime)
        said = _Said(centre, size, parts, about, spread, regime)
        is_far = np.asarray((guesses.reach > self.fit.furthest + 1e-9).all(1))
        answer = {}
        for k, span in enumerate(self.reading.spans):
            answer |= self._spectrum(k, span, said) if span.axis else self._property(span, span.start, said)
        answer["new_system"] = ("specimen", regime == NEW)
        answer["far"] = ("specimen", is_far)
        return xr.Dataset(
            answer,
            coords={
                "specimen": identities(grid),
                "part": list(PARTS),
                "probability": list(BOUNDS),
                **axes_of(self.reading.spans, self.table),
            },
            attrs={
                "model": "CompositionProperties",
                "design": list(self.model.design_names),
                "notes": [
                    *self.notes,
                    *known.notes,
                    *_note_places(regime == NEW, is_far, self._strangers(grid)),
                ],
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
            (draw, specimen, property): noise-free values, with `units (property)`. Up to 2,000 places are
            drawn jointly without approximation. Spectra are drawn by `spectra`.

        Raises:
            SchemaError: every property is a spectrum; or the grid is not one of `predict`.
        """
        numbers = [span for span in self.reading.spans if not span.axis]
        if not numbers:
            raise SchemaError(
                "No property is one number a specimen.",
                found=", ".join(f"{span.name} on {span.axis}" for span in self.reading.spans),
                hint=f"posterior.spectra(grid, '{self.reading.spans[0].name}') draws spectra",
            )
        values = self._draws(grid, n, seed)[:, :, [span.start for span in numbers]]
        return as_functions(values, grid, self, names=[span.name for span in numbers])

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def spectra(self, grid: xr.Dataset, name: str, n: int = 200, *, seed: int = 0) -> xr.DataArray:
        """Draw whole spectra from the posterior: the same draw is one set of functions.

        Args:
            grid: the design variables on `specimen`.
            name: of a property that is a spectrum.
            n: number of draws.
            seed: of the draws.

        Returns:
            (draw, specimen, axis): noise-free values in the unit of the table.

        Raises:
            SchemaError: no such spectrum was learned; or the grid is not one of `predict`.
        """
        known = {span.name: span for span in self.reading.spans if span.axis}
        if name not in known:
            raise SchemaError(f"'{name}' is no spectrum that was learned.", found=name_known(known, name))
        span = known[name]
        coords = {"specimen": identities(grid), **axes_of([span], self.table)}
        coords.pop("side")
        values = self._draws(grid, n, seed)[:, :, span.columns]
        attrs = {key: self.table[name].attrs[key] for key in ("units",) if key in self.table[name].attrs}
        return xr.DataArray(values, coords, ("draw", "specimen", span.axis), name, attrs)

    def _draws(self, grid: xr.Dataset, n: int, seed: int) -> Array:
        """Noise-free values (draw, specimen, column)."""
        x, slots, regime = self.places(grid)
        group = self.reading.coordinates.group
        guesses = self.fit.guess(x, slots, group)
        centre = self.fit.stack.mean(guesses, regime)
        size = np.sqrt(self.fit.stack.variances(guesses, regime)[1:].sum(0))
        score = self.fit.field.draws(x / self.fit.field.lengths[group], n, np.random.default_rng(seed))
        values = np.empty_like(score)
        for j in range(values.shape[2]):
            values[:, :, j] = self._values(j, score[:, :, j].T, centre, size, regime).T
        return values

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; variables from predicting left-out
            materials and left-out chemical systems from the others: `loo_mean` and `loo_sd (specimen,
            property)`, `coverage_90 (property)`, `n_measured (property)`, `skill (way, property)` (1 - mean
            absolute error over that of the median), and `weight (regime, learner, property)`. With
            sources, `transfer_gain (source)`, the share of the error in left-out systems that each saves,
            `transfer_gain_se`, `transfer_control` of the shuffled source, `source_skill` and
            `source_skill_control` in predicting the source itself, and `is_used`.
        """
        from tieline.models.composition_diagnosis import diagnose

        return diagnose(self)

    def boundaries(self) -> xr.Dataset:
        """Refuse: compositions of many elements have no boundaries along a line.

        Raises:
            SchemaError: always.
        """
        raise no_boundaries("CompositionProperties", self.model)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def places(self, grid: xr.Dataset) -> tuple[Array, Slots, Indices]:
        """Coordinates (place, coordinate) of a design, its elements, and whether each system is known."""
        design = align(grid, self._reference(grid), self.model.design_names)
        systems = chemical_systems(design[self.reading.coordinates.composition])
        regime = np.where(np.isin(systems, self.reading.systems), KNOWN, NEW)
        composition = design[self.reading.coordinates.composition]
        return self.reading.coordinates.place(design), Slots.of(composition), regime

    def _reference(self, grid: xr.Dataset) -> xr.Dataset:
        """The table's design with the elements of a grid, of which some may be in no specimen."""
        reference = self.table[list(self.model.design_names)]
        if not isinstance(grid, xr.Dataset) or "element" not in grid.coords:
            return reference
        return reference.reindex(element=grid["element"].values, fill_value=0.0)

    def _strangers(self, grid: xr.Dataset) -> list[str]:
        """Elements of a grid that no specimen contains."""
        found = (self._composition_of(grid) > 0).any("specimen")
        known = (self._composition_of(self.table) > 0).any("specimen")
        names = set(found["element"].values[found.values]) - set(known["element"].values[known.values])
        return sorted(str(name) for name in names)

    def _composition_of(self, data: xr.Dataset) -> xr.DataArray:
        return data[self.reading.coordinates.composition]

    def _given(self, grid: xr.Dataset, given: str | Sequence[str]) -> "_Given":
        """Values that are given, of order one."""
        names, known = names_of(given), list(self.model.properties)
        value = np.full((grid.sizes["specimen"], self.reading.y.shape[1]), np.nan)
        variance, notes = np.zeros_like(value), []
        for name in names:
            if name not in known or name not in grid:
                what = "was not learned" if name not in known else "is not in the grid"
                raise SchemaError(
                    f"'{name}' is given, but {what}.",
                    found=f"properties {', '.join(known)}. {did_you_mean(name, known)}".strip(),
                    hint="give measured properties as columns of the grid, NaN where not measured",
                )
            span = self.reading.spans[known.index(name)]
            measured = read_columns(_in_units(grid, name, self.table[name]), name)
            is_none = is_no_result(measured.flag)
            if n_none := int(is_none.any(1).sum()):
                notes.append(f"{name} is a limit or failed at {n_none} places, and was not taken there.")
            taken, scale = np.where(is_none, np.nan, measured.value), self.reading.scales[span.start]
            value[:, span.columns] = scale.inward(taken)
            variance[:, span.columns] = scale.variance(taken, measured.error)
        return _Given(value, variance, tuple(notes))

    def _scores(self, known: "_Given", centre: Array, size: Array, regime: Indices) -> tuple[Array, Array]:
        """Normal scores of what is given, and their squared standard errors (place, property)."""
        residual, error = (known.value - centre) / size, np.sqrt(known.variance) / size
        upper, lower = (self.fit.stack.score(residual + side * error, regime) for side in (1, -1))
        return (upper + lower) / 2, ((upper - lower) / 2) ** 2

    def _values(self, j: int, score: Array, centre: Array, size: Array, regime: Indices) -> Array:
        """Values of a property (place, ...) in its unit at normal scores."""
        residual = self.fit.stack.residual_of(j, score, regime)
        return self.reading.scales[j].outward(centre[:, j, None] + size[:, j, None] * residual)

    def _property(self, span: Span, j: int, said: "_Said") -> dict[str, tuple]:
        """The variables of a property that is a number, or of one bin of a spectrum."""
        unit = self.table[span.name].attrs.get("units")
        units = {} if unit is None else {"units": unit}
        at = said.about[:, j, None] + said.spread[:, j, None] * AT
        values = self._values(j, at, said.centre, said.size, said.regime)
        values = np.clip(values, *self.reading.extremes(span))
        nodes, bounds = values[:, : len(NODES)], values[:, len(NODES) :]
        variance = nodes.var(1)
        parts = said.parts[:, :, j]
        shares = (parts / parts.sum(0)).T * variance[:, None]
        return {
            span.name: ("specimen", nodes.mean(1), units),
            f"{span.name}_sd": ("specimen", np.sqrt(shares.sum(1)), units),
            f"{span.name}_quantile": (("specimen", "probability"), bounds, units),
            f"{span.name}_variance": (("specimen", "part"), shares, {"units": f"({unit})^2"} if unit else {}),
        }

    def _spectrum(self, k: int, span: Span, said: "_Said") -> dict[str, tuple]:
        """The variables of a spectrum, and its band."""
        factor, extremes = self.fit.bands[said.regime, k], self.reading.extremes(span)
        bins, band = [], []
        for j in range(span.start, span.stop):
            bins.append(self._property(span, j, said))
            size = said.size[:, j]
            edges = Edges.of(self.fit.stack, j, said.about[:, j], said.spread[:, j], size, said.regime)
            ends = said.centre[:, j, None] + size[:, None] * edges.band(factor)
            band.append(np.clip(self.reading.scales[j].outward(ends), *extremes))
        return gather(span, bins, band)


class _Said(NamedTuple):
    """What is said of places (place, column), of order one, before it has a unit.

    Attributes:
        centre: of the distribution.
        size: expected size of a residual.
        parts: of its square (part, place, column).
        about: mean of normal scores, given what is known.
        spread: their standard deviation.
        regime: of each place (place).
    """

    centre: Array
    size: Array
    parts: Array
    about: Array
    spread: Array
    regime: Indices


class _Given(NamedTuple):
    """What is known of places: values of order one (place, property), squared standard errors, notes."""

    value: Array
    variance: Array
    notes: tuple[str, ...]


def _in_units(grid: xr.Dataset, name: str, known: xr.DataArray) -> xr.Dataset:
    """A property of a grid, with what stands beside it, in the unit of the fit."""
    beside = [f"{name}{end}" for end in ("_sd", "_flag") if f"{name}{end}" in grid]
    taken = as_variables(grid, [name, *beside])[[name, *beside]]
    return taken.assign(
        {
            part: in_units_of(known, taken[part], difference=part != name)
            for part in taken
            if not str(part).endswith("_flag")
        }
    )


def _note_places(is_new: Mask, is_far: Mask, strangers: list[str]) -> list[str]:
    notes = (
        [f"No specimen contains {name_some(strangers)}: known by its properties only."] if strangers else []
    )
    if is_new.any():
        notes.append(
            f"{is_new.sum()} of {len(is_new)} places are of chemical systems that were not learned from."
        )
    if is_far.any():
        notes.append(
            f"{is_far.sum()} of {len(is_far)} places are extrapolated: far from every composition known."
        )
    return notes
