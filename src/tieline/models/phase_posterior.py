"""The answer of `PhaseProperty`: phases and properties anywhere, and how far to trust them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import SchemaError
from tieline.models.arrays import Indices
from tieline.models.card import card_of
from tieline.models.diagnosis import beyond_values, diagnose
from tieline.models.encoding import Encoding
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.label_errors import label_errors
from tieline.models.line_answer import LineAnswer
from tieline.models.mcmc_answer import SampledAnswer
from tieline.models.offsets import offsets
from tieline.models.phase_count import PhaseCount
from tieline.models.places import as_functions, describe, identities, note_far_places
from tieline.schema import align

if TYPE_CHECKING:
    from tieline.models.phase_property import PhaseProperty

PARTS = ("noise", "within_region", "between_region", "between_hyperparameter")
N_POSITIONS = 401  # of the line at which the density of boundaries is given


@dataclass(frozen=True, eq=False, repr=False)
class PhasePosterior:
    """What `PhaseProperty` learned from a table.

    Attributes:
        model: the question.
        table: what it was asked of.
        encoding: how the table became numbers of order one.
        answer: the engine's fit.
        rows: the rows of the table that were read.
        notes: what was left out or should be known.
        count: how many phases there are.
    """

    model: "PhaseProperty"
    table: xr.Dataset
    encoding: Encoding
    answer: LineAnswer | FusionAnswer | SampledAnswer
    rows: Indices
    notes: tuple[str, ...]
    count: PhaseCount

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        return card_of(self)

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases, in the order of all probabilities."""
        return self.encoding.labels

    @property
    def found(self) -> range:
        """Positions of the phases that no label names and that were added because properties ask for them."""
        fewest = int(self.count.numbers[0]) if self.answer.seen.labelled.any() else len(self.phases)
        return range(fewest, len(self.phases))

    @property
    def results(self) -> xr.Dataset:
        """The table: every value in it counts as a result."""
        return self.table

    @property
    def has_boundaries(self) -> bool:
        """Whether boundaries are points: on a line that was fitted by exact inference."""
        return isinstance(self.answer, LineAnswer)

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def predict(self, grid: xr.Dataset) -> xr.Dataset:
        """Say which phase is at every place, and what the properties are there.

        Args:
            grid: the design variables on `specimen`.

        Returns:
            On the grid's `specimen`: `phase_probability (specimen, phase)`; `phase_entropy`, nat;
            `most_likely_phase`; for every property its mean, `<name>_sd` of a new measurement, and
            `<name>_variance (specimen, part)`, whose parts noise, within_region, between_region and
            between_hyperparameter add up to the square of `<name>_sd`. Units are the table's.

        Raises:
            SchemaError: a design variable is missing, not finite, of other elements, or does not close.
            UnitError: a design variable has a unit that cannot be converted into that of the fit.
        """
        x = self._scaled(grid)
        probability, moments = self.answer.predict(x)
        # 0 log 0 = 0
        entropy = -(probability * np.log(np.maximum(probability, 1e-300))).sum(1)
        labels = np.array(self.phases, dtype=str)
        answer = xr.Dataset(
            {
                "phase_probability": (("specimen", "phase"), probability, {"units": "1"}),
                "phase_entropy": ("specimen", entropy, {"units": "nat"}),
                "most_likely_phase": ("specimen", labels[probability.argmax(1)]),
            },
            coords={"specimen": identities(grid), "phase": labels},
            attrs={
                "model": "PhaseProperty",
                "design": list(self.encoding.design),
                "notes": [*self.notes, *self._far(x)],
            },
        )
        for j, name in enumerate(self.model.properties):
            answer = answer.assign(self._property(j, name, *moments[j]))
        if self.model.properties:
            answer = answer.assign_coords(part=list(PARTS))
        return answer

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def functions(self, grid: xr.Dataset, n: int = 200, *, seed: int = 0) -> xr.DataArray:
        """Draw whole worlds from the posterior: the same draw is one map and one set of functions.

        Args:
            grid: the design variables on `specimen`.
            n: number of draws.
            seed: of the draws.

        Returns:
            (draw, specimen, property): noise-free values, with the drawn phase as the coordinate
            `phase_draw (draw, specimen)`, an index into `phases`, and `units (property)`.
        """
        x = self._scaled(grid)
        phase, values = self.answer.draws(x, n, np.random.default_rng(seed))
        values = values * self.encoding.scale + self.encoding.centre
        return as_functions(values, grid, self, phase).assign_attrs(phases=list(self.phases))

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def diagnose(self) -> xr.Dataset:
        """Say how far to trust this posterior: a verdict, a sentence, an action, and the figures behind.

        Returns:
            attrs `verdict` (green, amber or red), `sentence`, `action`; variables from predicting every
            specimen from the others: `label_accuracy`, `coverage_90 (property)`, `n_labelled`,
            `n_measured (property)`, `loo_mean` and `loo_sd (specimen, property)`, `loo_phase_probability`.
            From chains also `rhat_max`, `ess_bulk_min`, `ess_tail_min`, the worst of all watched
            predictions, and `n_sweeps` of each chain.
        """
        return diagnose(self)

    def phase_count(self) -> xr.DataArray:
        """Say how many phases there are.

        Returns:
            `n_phases_probability (n_phases)`. Where the number was given, and for labelled specimens on a
            line, which are taken to name all phases, it is one number of probability 1.
        """
        return xr.DataArray(
            self.count.probability,
            {"n_phases": self.count.numbers},
            name="n_phases_probability",
            attrs={"units": "1"},
        )

    def label_errors(self) -> xr.DataArray:
        """Say how often each label set names a wrong phase.

        Returns:
            `error_rate (label_set)`, its posterior mean, with the coordinate `error_rate_sd (label_set)`.

        Raises:
            SchemaError: nothing is labelled.
        """
        return label_errors(self)

    def offsets(self) -> xr.Dataset:
        """Say what each instrument adds to every value of a property, beside the commonest instrument.

        Returns:
            `offset` and `offset_sd (instrument, property)` in the units of the properties, which `units
            (property)` names; 0 for the commonest instrument, which predictions refer to.

        Raises:
            SchemaError: properties were not measured on several instruments.
        """
        return offsets(self)

    def boundaries(self, n_positions: int = N_POSITIONS) -> xr.Dataset:
        """Say where the boundaries of a line are.

        Args:
            n_positions: places along the line at which to give the density.

        Returns:
            `density (position)`: boundaries expected per unit of the design; `location` and
            `location_sd (boundary)` for the most probable number of regions; and
            `region_count_probability (n_regions)`.

        Raises:
            SchemaError: the design is no line, or was not fitted by exact inference.
        """
        if not isinstance(self.answer, LineAnswer):
            raise SchemaError(
                "Boundaries are points only on a line fitted by exact inference.",
                found=f"{len(self.encoding.lowest)} design dimensions, inference={self.model.inference!r}",
                hint="posterior.predict(grid).phase_entropy is high along boundaries",
            )
        fit = self.answer.fit
        line = np.linspace(fit.left[0], fit.right[-1], n_positions)
        places = self._position(line)
        density = self.answer.boundary_density(line) * np.ptp(line) / max(np.ptp(places), 1e-300)
        count = self.answer.count_probability()
        location, deviation = self._locations(int(count.argmax()) + 1)
        units = self.table[self.encoding.design[0]].attrs.get("units", "1")
        return xr.Dataset(
            {
                "density": ("position", density, {"units": f"1/({units})"}),
                "location": ("boundary", location, {"units": units}),
                "location_sd": ("boundary", deviation, {"units": units}),
                "region_count_probability": ("n_regions", count),
            },
            coords={
                "position": ("position", places, {"units": units}),
                "n_regions": np.arange(1, len(count) + 1),
            },
        )

    def save(self, path: str | Path) -> Path:
        """Write the posterior to one netCDF file; `tl.load_posterior` reads it back."""
        from tieline.models.posterior_file import save_posterior

        return save_posterior(self, path)

    def _property(self, j: int, name: str, mean: np.ndarray, parts: np.ndarray) -> dict[str, tuple]:
        centre, scale = self.encoding.centre[j], self.encoding.scale[j]
        units = {"units": u} if (u := self.table[name].attrs.get("units")) is not None else {}
        return {
            name: ("specimen", mean * scale + centre, units),
            f"{name}_sd": ("specimen", np.sqrt(parts.sum(1)) * scale, units),
            f"{name}_variance": (
                ("specimen", "part"),
                parts * scale**2,
                {"units": f"({u})^2"} if u else {},
            ),
        }

    def _scaled(self, grid: xr.Dataset) -> np.ndarray:
        """Scaled design (specimen, d), once elements and units are those of the fit."""
        return self.encoding.scaled(align(grid, self.table, self.encoding.design))

    def _far(self, x: np.ndarray) -> Iterable[str]:
        """Notes when places lie well outside what was measured."""
        yield from note_far_places(x)
        for name, beyond in zip(self.model.properties, beyond_values(self.answer.seen, x), strict=True):
            if beyond.any():
                yield (
                    f"{beyond.sum()} of {len(x)} places lie outside the range in which {name} was measured; "
                    f"there {name} is extrapolated."
                )

    def _position(self, points: np.ndarray) -> np.ndarray:
        """The user's coordinate along the line; of a binary composition, its second fraction."""
        line = points * self.encoding.width[0] + self.encoding.lowest[0]
        variable = self.table[self.encoding.design[0]]
        if variable.ndim == 1:
            return line
        second = variable.values[self.rows, 1]
        along = self.answer.seen.x[:, 0] * self.encoding.width[0] + self.encoding.lowest[0]
        slope, offset = np.polyfit(along, second, 1)
        return slope * line + offset

    def _locations(self, n_regions: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each boundary, among draws with that number of regions."""
        assert isinstance(self.answer, LineAnswer)
        drawn = self.answer.draw_boundaries(2000, np.random.default_rng(0))
        alike = [boundaries for boundaries in drawn if len(boundaries) == n_regions - 1]
        if n_regions == 1 or not alike:
            return np.zeros(0), np.zeros(0)
        places = np.sort(self._position(np.array(alike)), axis=1)
        return places.mean(0), places.std(0)
