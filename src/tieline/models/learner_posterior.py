"""The answer of `Learner`: properties or labels anywhere, and how far to trust them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array, Indices
from tieline.models.card import card_of
from tieline.models.design_columns import DesignColumns
from tieline.models.learner_fit import FittedLabel, Preparation
from tieline.models.learner_parts import NumberParts, fit_all
from tieline.models.places import as_functions, describe, identities
from tieline.models.posterior import no_boundaries, property_named
from tieline.models.widths import Widths
from tieline.schema import as_variables, in_units_of, require, require_places
from tieline.schema.flags import notes_on_limits

if TYPE_CHECKING:
    from tieline.models.learner import Learner

PARTS = ("noise", "function")
BOUNDS = (0.05, 0.5, 0.95)
MOST_FAR = 20_000  # places whose distance from all specimens is worked out
N_WAVES = 200  # of random functions
SHARE_OF_FUNCTION = 0.5  # of the error's variance, where nothing says which share is noise
FAR = 99  # percentile of the distances of specimens from their nearest, beyond which a place is far


@dataclass(frozen=True, eq=False, repr=False)
class LearnerPosterior:
    """What `Learner` learned from a table.

    A file keeps settings, table, seed and left-out predictions; the fit itself is made anew from these.

    Attributes:
        model: the question.
        table: what it was asked of.
        seed: of the fit.
        columns: how inputs become numbers.
        widths: of each property, how wide intervals are.
        left_out (specimen, property, 3): mean, sd and half width of the 90 % interval of specimens that were
            not learned from.
        labels: what can be told.
        left_out_chance (specimen, label): probabilities of labels likewise.
    """

    model: "Learner"
    table: xr.Dataset
    seed: int
    columns: DesignColumns
    widths: tuple[Widths, ...]
    left_out: Array
    labels: tuple[str, ...]
    left_out_chance: Array

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        return card_of(self)

    @property
    def results(self) -> xr.Dataset:
        """The table: every value counts as a result."""
        return self.table

    @property
    def has_boundaries(self) -> bool:
        """Whether `boundaries` has an answer: never."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or should be known."""
        n = int((~np.isfinite(self._x).all(1)).sum())
        filled = [f"{n} specimens lack an input, which was filled with its median."] if n else []
        return (*filled, *notes_on_limits(self.table, self.model.properties))

    def predict(self, grid: xr.Dataset) -> xr.Dataset:
        """Say what is to be expected at every place.

        Args:
            grid: the inputs on `specimen`; compositions may be of any elements, numbers may be missing.

        Returns:
            On the grid's `specimen`: for every property its mean, `<name>_sd` of a new measurement,
            `<name>_variance (specimen, part)`, whose parts noise and function add up to its square, and
            `<name>_quantile (specimen, probability)` at 5, 50 and 95 %; or `phase_probability (specimen,
            phase)`, `most_likely_phase` and `phase_entropy` (nat). `far` says where a place is further from
            all specimens than nearly any of them is from the others; for more than 20,000 places it is not
            worked out.

        Raises:
            SchemaError: an input is missing, or of another kind.
            UnitError: an input has a unit that cannot be converted into that of the fit.
        """
        x = self.placed(grid)
        answer: dict[str, tuple] = {}
        coords: dict[str, object] = {"specimen": identities(grid)}
        if self.labels:
            answer |= self._told(x)
            coords["phase"] = list(self.labels)
        else:
            for j, name in enumerate(self.model.properties):
                answer |= self._property(j, name, x)
            coords |= {"probability": list(BOUNDS), "part": list(PARTS)}
        notes = list(self.notes)
        if len(x) <= MOST_FAR:
            is_far = self.distance(x) > self._reach
            answer["far"] = ("specimen", is_far)
            if is_far.any():
                notes.append(f"{is_far.sum()} of {len(x)} places are extrapolated: far from every specimen.")
        attrs = {"model": "Learner", "design": list(self.model.design_names), "notes": notes}
        return xr.Dataset(answer, coords, attrs)

    def means(self, grid: xr.Dataset) -> xr.Dataset:
        """Means of the properties alone: what `predict` says, in a fraction of the time.

        Args:
            grid: the inputs on `specimen`.
        """
        x = self.placed(grid)
        parts = [part for part in self.parts if isinstance(part, NumberParts)]
        said = {n: part.mean(x) for n, part in zip(self.model.properties, parts, strict=True)}
        return xr.Dataset({n: ("specimen", v) for n, v in said.items()}, {"specimen": identities(grid)})

    def functions(self, grid: xr.Dataset, n: int = 200, *, seed: int = 0) -> xr.DataArray:
        """Draw whole worlds: the same draw is one set of functions, mixed from what parts of the fit say.

        Args:
            grid: the inputs on `specimen`.
            n: number of draws.
            seed: of the draws.

        Returns:
            (draw, specimen, property): noise-free values, with `units (property)`; of labels no property, and
            `phase_draw (draw, specimen)`.
        """
        x, rng = self.placed(grid), np.random.default_rng(seed)
        if self.labels:
            (fitted,) = self.parts
            assert isinstance(fitted, FittedLabel)
            edges = fitted.predict(x).cumsum(1)
            drawn = (rng.random((n, len(x), 1)) > edges).sum(2).clip(max=len(self.labels) - 1)
            return as_functions(np.zeros((n, len(x), 0)), grid, self, drawn)
        values = np.empty((n, len(x), len(self.model.properties)))
        for j, part in enumerate(self.parts):
            assert isinstance(part, NumberParts)
            mean, spread = part.predict(x)
            size = self._function_sd(j, spread)
            values[:, :, j] = mean + size * _common(self._preparation.apply(x), self._length, n, rng)
        return as_functions(values, grid, self)

    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; of properties `coverage_90` and
            `n_measured (property)`, `loo_mean` and `loo_sd (specimen, property)`, `r2 (property)`; of labels
            `loo_phase_probability (specimen, phase)`: predictions of groups from the others.
        """
        from tieline.models.learner_diagnosis import diagnose

        return diagnose(self)

    def formula(self, name: str | None = None) -> str:
        """What was found for a property by `way="formula"`, to be read: inputs in their units.

        Args:
            name: of the property; by default the only one.

        Raises:
            SchemaError: it was learned in another way, or there is no such property.
        """
        known = tuple(self.model.properties)
        if self.model.way != "formula" or self.model.uncertainty in ("bootstrap", "ensemble"):
            raise SchemaError(
                "Only one fit by formula can be written as one.",
                found=f'way="{self.model.way}", uncertainty="{self.model.uncertainty}"',
                hint='tl.Learner(..., way="formula")',
            )
        name = property_named(known, name)
        part = self.parts[known.index(name)]
        assert isinstance(part, NumberParts)
        return f"{name} = {part.members[0].formula(self.columns.names)}"

    def boundaries(self) -> xr.Dataset:
        """Refuse: no boundaries are learned.

        Raises:
            SchemaError: always.
        """
        raise no_boundaries("Learner", self.model)

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back, and fits again."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def placed(self, grid: xr.Dataset) -> Array:
        """Columns (place, column) of a grid, in the units of the fit."""
        require_places(grid)
        grid = as_variables(grid, self.model.design_names)
        require(grid, self.model.design_names, "Learner")
        known = as_variables(self.table, self.model.design_names)
        changed = {n: in_units_of(known[n], grid[n]) for n in self.model.design_names if n not in known.dims}
        return self.columns.place(grid.assign({n: v for n, v in changed.items() if v is not grid[n]}))

    def distance(self, x: Array) -> Array:
        """Distance (place) to the nearest specimen, in standard deviations of the inputs."""
        return np.atleast_2d(self.nearest(x, 1)[0])[:, 0]

    def nearest(self, x: Array, n: int) -> tuple[Array, Indices]:
        """Distances and rows (place, n) of the nearest specimens."""
        found, at = self._neighbours.kneighbors(self._preparation.apply(x), n)
        return found / np.sqrt(self._neighbours.n_features_in_), at

    @cached_property
    def _x(self) -> Array:
        return self.columns.place(self.table)

    @cached_property
    def parts(self) -> tuple[NumberParts | FittedLabel, ...]:
        """The fits themselves: one for each property, or that of the labels."""
        return fit_all(self)

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation.of(self._x)

    @cached_property
    def _neighbours(self):
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors().fit(self._preparation.apply(self._x))

    @cached_property
    def _reach(self) -> float:
        """How far specimens are from others of other places, at most but for a few."""
        found, _ = self.nearest(self._x, min(2, len(self._x)))
        apart = found[:, -1][found[:, -1] > 0]
        return float(np.percentile(apart, FAR)) if len(apart) else 0.0

    @cached_property
    def _length(self) -> float:
        """Over how far functions are alike: the typical distance between specimens."""
        x = self._preparation.apply(self._x)
        some = x[np.random.default_rng(self.seed).permutation(len(x))[:200]]
        return float(np.median(np.linalg.norm(some[:, None] - some[None], axis=2))) or 1.0

    def _function_sd(self, j: int, spread: Array) -> Array:
        """Standard deviation (place) of the function, without noise."""
        widths = self.widths[j]
        disagreed = widths.share * spread**2
        if self.model.uncertainty == "conformal":  # errors of one fit do not tell noise and function apart
            disagreed = np.maximum(disagreed, SHARE_OF_FUNCTION * widths.sd(spread) ** 2)
        return np.sqrt(disagreed)

    def _told(self, x: Array) -> dict[str, tuple]:
        (fitted,) = self.parts
        assert isinstance(fitted, FittedLabel)
        chance = fitted.predict(x)
        entropy = -(chance * np.log(np.maximum(chance, 1e-300))).sum(1)
        return {
            "phase_probability": (("specimen", "phase"), chance, {"units": "1"}),
            "most_likely_phase": ("specimen", np.array(self.labels)[chance.argmax(1)]),
            "phase_entropy": ("specimen", entropy, {"units": "nat"}),
        }

    def _property(self, j: int, name: str, x: Array) -> dict[str, tuple]:
        part, widths = self.parts[j], self.widths[j]
        assert isinstance(part, NumberParts)
        unit = as_variables(self.table, [name])[name].attrs.get("units")
        units = {} if unit is None else {"units": unit}
        mean, spread = part.predict(x)
        sd = widths.sd(spread)
        quantile = np.stack([mean - widths.quantile * sd, mean, mean + widths.quantile * sd], 1)
        function = np.minimum(self._function_sd(j, spread) ** 2, sd**2)
        parts = np.stack([sd**2 - function, function], 1)
        return {
            name: ("specimen", mean, units),
            f"{name}_sd": ("specimen", sd, units),
            f"{name}_variance": (("specimen", "part"), parts, {"units": f"({unit})^2"} if unit else {}),
            f"{name}_quantile": (("specimen", "probability"), quantile, units),
        }


def _common(x: Array, length: float, n: int, rng: np.random.Generator) -> Array:
    """Smooth random functions (draw, place) of variance one: places that are alike err alike."""
    waves = x @ rng.standard_normal((x.shape[1], N_WAVES)) / length + rng.uniform(0, 2 * np.pi, N_WAVES)
    return rng.standard_normal((n, N_WAVES)) @ (np.sqrt(2 / N_WAVES) * np.cos(waves)).T
