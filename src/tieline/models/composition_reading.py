"""From a table to what `CompositionProperties` learns from: coordinates, values of order one, groups.

Coordinates are statistics of the elements, mole fractions and further numbers of the design, each group of
them scaled by one length, so that the distance of two places is the sum of the absolute differences.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import skew

from tieline.errors import NotIdentified, SchemaError
from tieline.features.elements import element_statistics, stoichiometry
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.composition_basis import Span
from tieline.models.element_slots import Slots
from tieline.models.measurements import read_columns
from tieline.schema import chemical_systems, require
from tieline.schema.columns import refuse_open
from tieline.schema.flags import LIMITS
from tieline.schema.wording import name_some

if TYPE_CHECKING:
    from tieline.models.composition_source import Source

READER = "CompositionProperties"
FEWEST = 4  # values of a property; with fewer nothing can be left out and predicted
STATISTICS = ("mean", "deviation", "largest", "smallest", "electropositive", "electronegative")
# range and commonest bring nothing beside these
STOICHIOMETRY = 1 + len(STATISTICS)  # group of the proportions in which elements are combined
FIRST_NUMBER = 1 + STOICHIOMETRY  # group of the first number beside the composition
MOST_SKEWED = 0.5  # a skewness beyond which a positive property is transformed
WIDE = 3.0  # ratio of the 95th to the 5th percentile from which on a transform matters
MANY_ZEROS = 0.05  # share of values from which on a logarithm would be about zero or not, and little else
OFFSET = 0.05  # of the median: keeps zeros of a positive property finite under a logarithm


@dataclass(frozen=True)
class Coordinates:
    """How a design becomes coordinates.

    Attributes:
        names: of the design variables.
        composition: the one of them that is a composition.
        elements: symbols, in the order of the table.
        kept: statistics and proportions that vary over the table.
        centre: of each coordinate (coordinate).
        scale: of each coordinate (coordinate).
        group: which length each coordinate has (coordinate): 0 for mole fractions, then one for each
            statistic, one for proportions, one for each number, and one for all that a source says.
        sources: what else is known of compositions.
    """

    names: tuple[str, ...]
    composition: str
    elements: tuple[str, ...]
    kept: tuple[str, ...]
    centre: Array
    scale: Array
    group: Indices
    sources: tuple["Source", ...] = ()

    @classmethod
    def of(
        cls,
        table: xr.Dataset,
        names: Sequence[str],
        sources: Sequence["Source"] = (),
        told: Mask | slice = slice(None),
    ) -> tuple["Coordinates", Array]:
        """Read off a table what its design is, and where its specimens lie (specimen, coordinate).

        Args:
            table: with the design.
            names: of the design.
            sources: what else is known of compositions.
            told: the specimens that say how a design varies.

        Raises:
            SchemaError: there is not exactly one composition, or a variable is not one number a specimen.
            NotIdentified: no specimen has a complete design.
        """
        composition = _composition_of(table, names)
        numbers = [name for name in names if name != composition]
        _refuse_other_than_numbers(table, numbers)
        described = _described(table[composition].transpose("specimen", "element"))
        kept = [str(name) for name in described.data_vars if _varies(described[name].values[told])]
        elements = tuple(table["element"].values.astype(str))
        kind = [_kind(name) for name in kept]
        first_source = FIRST_NUMBER + len(numbers)
        of_sources = [first_source + i for i, source in enumerate(sources) for _ in range(source.n_numbers)]
        group = [*kind, *[0] * len(elements), *range(FIRST_NUMBER, first_source), *of_sources]
        empty = np.zeros(len(group))
        groups = np.array(group, dtype=np.intp)
        bare = cls(tuple(names), composition, elements, tuple(kept), empty, empty + 1, groups, tuple(sources))
        places = bare._place(table, described)
        x = places[told]
        x = x[np.isfinite(x).all(1)]
        if not len(x):
            raise NotIdentified(f"No specimen has a complete design of {', '.join(names)}.")
        is_fraction = bare.group == 0
        centre = np.where(is_fraction, 0.0, x.mean(0))
        spread = np.where(x.std(0) > 0, x.std(0), 1.0)
        # Distances are a mean over statistics, another over what a source says, and half a sum over mole
        # fractions: all are about one.
        is_statistic = ~is_fraction & (bare.group < FIRST_NUMBER)
        share = np.where(is_statistic, max(len(kept), 1), 1.0)
        for i, source in enumerate(sources):
            share[bare.group == first_source + i] = source.n_numbers
        scale = np.where(is_fraction, 2.0, spread * share)
        return replace(bare, centre=centre, scale=scale), (places - centre) / scale

    @property
    def first_lengths(self) -> Array:
        """A length for each group, to begin with."""
        n_others = len(self.names) - 1 + len(self.sources)
        # Of mole fractions, statistics and numbers: the best of several on a part of AFLOW's properties.
        return np.array([4.0, *[1.5] * STOICHIOMETRY, *[2.0] * n_others])

    def place(self, design: xr.Dataset) -> Array:
        """Coordinates (specimen, coordinate) of a design, not yet divided by lengths; NaN where not known.

        An element that is not among `elements` is known by its statistics only.
        """
        return self._place(design, _described(design[self.composition].transpose("specimen", "element")))

    def _place(self, design: xr.Dataset, described: xr.Dataset) -> Array:
        composition = design[self.composition].transpose("specimen", "element")
        blocks = [described[name].values for name in self.kept]
        fractions = composition.reindex(element=list(self.elements)).fillna(0.0).values
        numbers = [design[name].values.astype(float) for name in self.names if name != self.composition]
        told = [source.numbers(composition) for source in self.sources]
        x = np.column_stack([*blocks, fractions, *numbers, *told])
        return (x - self.centre) / self.scale


@dataclass(frozen=True)
class Scale:
    """How values of one property become numbers of order one.

    A positive property that is skewed and spans more than a factor is transformed, so that it stays positive.

    Attributes:
        power: 1 for none, 0.5 for a square root, 0 for a logarithm.
        offset: added before a logarithm.
        centre: mean after it.
        spread: standard deviation after it.
    """

    power: float
    offset: float
    centre: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> "Scale":
        """Choose the transform that leaves the least skewness."""
        low, high = np.quantile(values, [0.05, 0.95])
        powers = [1.0]
        if values.min() >= 0 and high > WIDE * low and skew(values) > MOST_SKEWED:
            powers = [1.0, 0.5, 0.0] if np.mean(values == 0) < MANY_ZEROS else [1.0, 0.5]
        offset = OFFSET * (float(np.median(values)) or 1.0)
        tried = [cls(power, offset, 0.0, 1.0) for power in powers]
        best = min(tried, key=lambda scale: abs(skew(scale.inward(values))) if len(powers) > 1 else 0.0)
        inward = best.inward(values)
        spread = float(inward.std())
        flat = spread <= 1e-12 * max(abs(float(inward.mean())), 1e-300)
        return cls(
            best.power, offset, float(inward.mean()), abs(float(inward.mean())) or 1.0 if flat else spread
        )

    def inward(self, values: Array) -> Array:
        """Numbers of order one; NaN stays."""
        if self.power == 0:
            values = np.log(np.maximum(values, 0) + self.offset)
        elif self.power == 0.5:
            values = np.sqrt(np.maximum(values, 0))
        return (values - self.centre) / self.spread

    def variance(self, values: Array, errors: Array) -> Array:
        """Squared standard errors of the numbers of order one; 0 where a value is missing."""
        upper, lower = self.inward(values + errors), self.inward(values - errors)
        return np.nan_to_num(((upper - lower) / 2) ** 2)

    def outward(self, numbers: Array) -> Array:
        """Values in the user's unit."""
        values = numbers * self.spread + self.centre
        if self.power == 0:
            return np.maximum(np.exp(values) - self.offset, 0.0)
        return np.maximum(values, 0.0) ** 2 if self.power == 0.5 else values


@dataclass(frozen=True)
class CompositionReading:
    """What a table holds for `CompositionProperties`.

    Attributes:
        coordinates: how the design is read.
        spans: columns of each property: one, or the bins of a spectrum.
        scales: how each column is read; the bins of a spectrum share one.
        rows: of the table, those with a design and at least one property.
        x: their places (row, coordinate), before lengths.
        slots: their elements.
        y: their values of order one (row, column); NaN where not measured.
        variance: squared standard errors of these (row, column), 0 where none is known.
        bound: -1 where the true value lies below, 1 where it lies above, 0 for values (row, column).
        material: number of the material of each row (row): rows of one composition share it.
        system: number of its chemical system (row).
        systems: names of the chemical systems, by number.
        notes: what was left out or should be known.
    """

    coordinates: Coordinates
    spans: tuple[Span, ...]
    scales: tuple[Scale, ...]
    rows: Indices
    x: Array
    slots: Slots
    y: Array
    variance: Array
    bound: Indices
    material: Indices
    system: Indices
    systems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_value(self) -> Mask:
        """Where something was measured that is no limit (row, column)."""
        return np.isfinite(self.y) & (self.bound == 0)

    def reordered(self, rows: Indices) -> "CompositionReading":
        """The same places with what was measured of other rows."""
        return replace(self, y=self.y[rows], variance=self.variance[rows], bound=self.bound[rows])

    def extremes(self, span: Span) -> tuple[float, float]:
        """The smallest and the largest value of a spectrum, in its unit; no bounds for a number.

        Of n spectra and one more, the chance that this one goes beyond all others is 1 in n + 1 on each side.
        """
        if not span.axis:
            return -np.inf, np.inf
        values = self.scales[span.start].outward(self.y[:, span.columns])
        return float(np.nanmin(values)), float(np.nanmax(values))

    def labels(self, table: xr.Dataset) -> tuple[str, ...]:
        """Names of the columns: of properties, and "phonon_dos[12]" where the axis of a spectrum is 12."""
        found = []
        for span in self.spans:
            n = span.stop - span.start
            at = table[span.axis].values if span.axis in table.coords else range(n)
            found += [f"{span.name}[{value}]" for value in at] if span.axis else [span.name]
        return tuple(found)

    def alike(self, weight: Array) -> Array:
        """Weights (row, column) of which all bins of a spectrum have the same, their mean."""
        found = weight.copy()
        for span in self.spans:
            found[:, span.columns] = weight[:, span.columns].mean(1, keepdims=True)
        return found

    def with_notes(self, notes: Iterable[str]) -> "CompositionReading":
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def read(
    table: xr.Dataset,
    design: Sequence[str],
    properties: Sequence[str],
    sources: Sequence["Source"] = (),
) -> CompositionReading:
    """Read what `CompositionProperties` needs from a table, and what sources say of its compositions.

    Raises:
        SchemaError: a variable is missing, or is not what it should be.
        UnitError: a standard error has another unit than its property.
        NotIdentified: too little was measured to learn anything.
    """
    require(table, [*design, *properties], READER)
    measured = [read_columns(table, name) for name in properties]
    spans = tuple(_spans(table, properties, [column.value.shape[1] for column in measured]))
    values, errors, flags = (np.concatenate(column, 1) for column in zip(*measured, strict=True))
    values[flags == "failed"] = np.nan
    bound = np.select([flags == "below", flags == "above"], [-1, 1], 0)
    # Specimens that nothing was measured of do not say how a design varies.
    is_measured = np.asarray(np.isfinite(values).any(1))
    coordinates, x = Coordinates.of(table, design, sources, is_measured)
    refuse_open(table[coordinates.composition])
    is_placed = np.isfinite(x).all(1)
    rows = np.flatnonzero(is_placed & is_measured)
    values, errors, bound = values[rows], errors[rows], bound[rows]
    scales = tuple(
        scale
        for span in spans
        for scale in [_scale(span.name, values[:, span.columns], bound[:, span.columns])]
        for _ in range(span.start, span.stop)
    )
    y = np.stack([scale.inward(values[:, j]) for j, scale in enumerate(scales)], 1)
    variance = np.stack([s.variance(values[:, j], errors[:, j]) for j, s in enumerate(scales)], 1)
    composition = table[coordinates.composition].transpose("specimen", "element").isel(specimen=rows)
    material = np.unique(composition.values.round(9), axis=0, return_inverse=True)[1].ravel()
    systems, system = np.unique(chemical_systems(composition), return_inverse=True)
    notes = tuple(_notes(spans, flags, int((is_measured & ~is_placed).sum())))
    return CompositionReading(
        coordinates,
        spans,
        scales,
        rows,
        x[rows],
        Slots.of(composition),
        y,
        variance,
        bound,
        material,
        system.ravel(),
        tuple(systems.tolist()),
        notes,
    )


def _described(composition: xr.DataArray) -> xr.Dataset:
    """Statistics of the elements, and proportions."""
    return element_statistics(composition, STATISTICS).assign(stoichiometry(composition).data_vars)


def _kind(name: str) -> int:
    """The group of a statistic, or of a proportion."""
    ending = name.rsplit("_", 1)[1] if "_" in name else ""
    return 1 + STATISTICS.index(ending) if ending in STATISTICS else STOICHIOMETRY


def _scale(name: str, values: Array, bound: Indices) -> Scale:
    """How a property becomes numbers of order one: by its values, limits being none."""
    is_known = np.isfinite(values) & (bound == 0)
    if (n := int(is_known.any(1).sum())) < FEWEST:
        raise NotIdentified(
            f"{READER} needs at least {FEWEST} values of '{name}'.",
            found=f"{n}",
            hint="measure more specimens, or leave the property out",
        )
    return Scale.of(values[is_known])


def _spans(table: xr.Dataset, properties: Sequence[str], sizes: Sequence[int]) -> Iterator[Span]:
    start = 0
    for name, size in zip(properties, sizes, strict=True):
        axis = next((str(dim) for dim in table[name].dims if dim != "specimen"), "")
        yield Span(name, start, start + size, axis)
        start += size


def _refuse_other_than_numbers(table: xr.Dataset, names: Sequence[str]) -> None:
    for name in names:
        if table[name].dims != ("specimen",) or table[name].dtype.kind not in "iufb":
            raise SchemaError(
                f"The design variable '{name}' is not one number a specimen.",
                found=f"{table[name].dtype} on {', '.join(map(str, table[name].dims))}",
                hint="a composition and numbers; GaussianProcess reads categories too",
            )


def _varies(column: Array) -> bool:
    known = column[np.isfinite(column)]
    return bool(known.size) and float(np.ptp(known)) > 1e-9 * float(np.abs(known).max())


def _composition_of(table: xr.Dataset, names: Sequence[str]) -> str:
    found = [name for name in names if "element" in table[name].dims]
    if len(found) != 1:
        raise SchemaError(
            f"The design of {READER} has one composition.",
            found=name_some(found) or f"none among {name_some(names)}",
            hint='tl.table(sheet, formula="formula") makes one; without it take GaussianProcess',
        )
    return found[0]


def _notes(spans: Sequence[Span], flags: np.ndarray, n_unplaced: int) -> Iterator[str]:
    if n_unplaced:
        yield f"{n_unplaced} specimens have no complete design and were left out."
    for span in spans:
        flag = flags[:, span.start]
        if n_failed := int((flag == "failed").sum()):
            yield f"{span.name} is flagged as failed in {n_failed} rows, which teach nothing of it."
        if n_limits := int(np.isin(flag, LIMITS).sum()):
            yield f"{span.name} is only a limit in {n_limits} rows, and is learned as such."
