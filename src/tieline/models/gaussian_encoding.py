"""From a table to the entries that a Gaussian process reads, and back to the user's units."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.gaussian_kernel import Entries
from tieline.models.measurements import is_named, read_measurements
from tieline.schema import require
from tieline.schema.closure import ROUNDING
from tieline.schema.columns import refuse_open
from tieline.schema.wording import name_some

READER = "GaussianProcess"
FEWEST = 2  # values of a property; of one, nothing can be told of its scale
ENOUGH_FOR_SCALE = 5  # values of the present campaign that tell its mean and spread
HALF = np.sqrt(0.5)  # puts two categories at a distance of one


@dataclass(frozen=True)
class Inputs:
    """How a design becomes coordinates of order one.

    Attributes:
        names: of the design variables.
        categories: of each variable its categories, sorted; none for numbers.
        group: number of the lengthscale of each coordinate (coordinate).
        lowest: of each coordinate in the data.
        width: of each coordinate in the data, 1 where it never varied.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    group: Indices
    lowest: Array
    width: Array

    @classmethod
    def of(cls, table: xr.Dataset, names: Sequence[str]) -> "Inputs":
        """Read off a table what its design variables are and how far they reach, measured or not.

        Raises:
            SchemaError: a variable is neither numbers, nor text, nor a composition.
        """
        categories, group, is_category = [], [], []
        for name in names:
            variable = table.variables[name]
            found = () if variable.dtype.kind in "iufb" else _categories(name, variable)
            first = group[-1] + 1 if group else 0
            size = len(found) + 1 if found else variable.sizes.get("element", 1)
            group += [first] * size if found else range(first, first + size)
            is_category += [bool(found)] * size
            categories.append(found)
        empty = np.zeros(len(group))
        bare = cls(tuple(names), tuple(categories), np.array(group, dtype=np.intp), empty, empty + 1)
        x = bare.scaled(table)
        x = x[np.isfinite(x).all(1)]
        if not len(x):
            raise NotIdentified(
                f"No specimen has a complete design of {', '.join(names)}.", hint="fill the design's columns"
            )
        lowest = np.where(is_category, 0.0, x.min(0))
        width = np.where(is_category, 1.0, np.ptp(x, axis=0))
        return cls(bare.names, bare.categories, bare.group, lowest, np.where(width > 0, width, 1.0))

    def scaled(self, design: xr.Dataset) -> Array:
        """Coordinates (specimen, coordinate) of a design; NaN where it is not known."""
        blocks = []
        for name, categories in zip(self.names, self.categories, strict=True):
            variable = design.variables[name]
            if categories:
                blocks.append(_one_hot(variable.values, categories))
            elif variable.ndim == 2:
                blocks.append(variable.transpose("specimen", "element").values)
            else:
                blocks.append(variable.values[:, None])
        return (np.hstack(blocks) - self.lowest) / self.width

    def note_unseen(self, design: xr.Dataset) -> Iterator[str]:
        """A note for every variable of a design with categories that were not in the data."""
        for name, categories in zip(self.names, self.categories, strict=True):
            named = {str(v) for v in design.variables[name].values if is_named(v)} if categories else set()
            if strangers := sorted(named - set(categories)):
                yield f"No specimen has {name} {name_some(strangers)}: taken to be unlike every other."


@dataclass(frozen=True)
class Outputs:
    """How values of the properties become numbers of order one.

    Attributes:
        names: of the properties.
        centre: mean of each property.
        scale: standard deviation of each property.
    """

    names: tuple[str, ...]
    centre: Array
    scale: Array


@dataclass(frozen=True)
class Reading:
    """What a table holds for a Gaussian process.

    Attributes:
        inputs: how the design was read.
        outputs: how the properties were read.
        entries: values that were measured, or bounded, with the row of the table.
        bound: -1 for entries that lie below their value, 1 above, 0 for values (entry).
        tried: rows of the table that were tried.
        x: places of these (tried, coordinate).
        is_failed: which of these failed (tried).
        notes: what was left out.
    """

    inputs: Inputs
    outputs: Outputs
    entries: Entries
    bound: Indices
    tried: Indices
    x: Array
    is_failed: Mask
    notes: tuple[str, ...]


def read(
    table: xr.Dataset, design: Sequence[str], properties: Sequence[str], campaign: str | None, target: str
) -> Reading:
    """Read what a Gaussian process needs from a table.

    Args:
        table: on `specimen`.
        design: names of the design variables.
        properties: names of the properties.
        campaign: name of the column that says which campaign a row is from, if there is one.
        target: the campaign that predictions are for.

    Raises:
        SchemaError: a variable is missing, or is not what it should be.
        UnitError: a standard error has another unit than its property.
        NotIdentified: too little was measured to learn anything.
    """
    require(table, [*design, *properties, *([campaign] if campaign else [])], READER)
    for name in design:
        _refuse_open(name, table)
    inputs = Inputs.of(table, design)
    x = inputs.scaled(table)
    is_placed = np.asarray(np.isfinite(x).all(axis=1))
    value, error, flag = (
        np.stack(c, 1) for c in zip(*(read_measurements(table, p) for p in properties), strict=True)
    )
    is_failed = (flag == "failed").any(1) & is_placed
    is_known = np.isfinite(value) & (flag != "failed")
    notes = list(_notes(is_known.any(1) | is_failed, is_placed))
    is_known &= is_placed[:, None]
    for j, name in enumerate(properties):
        _refuse_too_few(name, int(is_known[:, j].sum()))
    member = _campaigns(table, campaign, target, is_placed)
    row, output = np.nonzero(is_known)
    y = value[row, output]
    bound = np.select([flag[row, output] == "below", flag[row, output] == "above"], [-1, 1], 0)
    present = [
        _of_target(y[output == j], (member[row] == 0)[output == j], (bound == 0)[output == j])
        for j in range(len(properties))
    ]
    centre = np.array([values.mean() for values in present])
    spread = np.array([values.std() for values in present])
    flat = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    scale = np.where(flat, np.where(centre == 0, 1.0, np.abs(centre)), spread)
    entries = Entries(
        x[row],
        output,
        row,
        member[row],
        (y - centre[output]) / scale[output],
        (error[row, output] / scale[output]) ** 2,
    )
    tried = np.flatnonzero((is_known.any(1) | is_failed) & (member == 0))
    outputs = Outputs(tuple(properties), centre, scale)
    return Reading(inputs, outputs, entries, bound, tried, x[tried], is_failed[tried], tuple(notes))


def _categories(name: str, variable: xr.Variable) -> tuple[str, ...]:
    if variable.dims != ("specimen",):
        raise SchemaError(
            f"The design variable '{name}' is neither numbers nor one category a specimen.",
            found=f"{variable.dtype} on {', '.join(map(str, variable.dims))}",
            hint="a column of numbers or names, or one composition on (specimen, element)",
        )
    found = sorted({str(v) for v in variable.values if is_named(v)})
    if not found:
        raise SchemaError(f"The design variable '{name}' is empty.", hint="leave it out of the design")
    return tuple(found)


def _one_hot(values: np.ndarray, categories: tuple[str, ...]) -> Array:
    """Coordinates of categories, the last for all that were not seen; NaN where none is named."""
    code = {category: i for i, category in enumerate(categories)}
    known = np.array([is_named(v) for v in values], dtype=bool)
    x = np.full((len(values), len(categories) + 1), np.nan)
    x[known] = HALF * np.eye(len(categories) + 1)[[code.get(str(v), -1) for v in values[known]]]
    return x


def _refuse_open(name: str, table: xr.Dataset) -> None:
    """Refuse a composition that does not sum to one."""
    variable = table.variables[name]
    if variable.ndim != 2 or variable.dtype.kind not in "iufb" or "element" not in variable.dims:
        return
    total = variable.sum("element", skipna=False).values
    if (np.abs(total - 1) > ROUNDING).any():  # looked at first, as the names of rows take their time
        refuse_open(table[name])


def _campaigns(table: xr.Dataset, campaign: str | None, target: str, is_placed: Mask) -> Indices:
    """Number of the campaign of each row, the target's being 0 (specimen)."""
    if campaign is None:
        return np.zeros(len(is_placed), dtype=np.intp)
    values = table.variables[campaign].values.astype(str)
    nameless = np.flatnonzero(np.isin(values, ("", "nan", "None")) & is_placed)
    if nameless.size:
        raise SchemaError(
            f"'{campaign}' must say for every specimen which campaign it is from.",
            found=f"nothing in {nameless.size} rows, the first is row {nameless[0]}",
            hint="fill the column",
        )
    others = sorted(set(values) - {target})
    number = {name: i for i, name in enumerate([target, *others])}
    return np.array([number[v] for v in values], dtype=np.intp)


def _of_target(values: Array, is_own: Mask, is_value: Mask) -> Array:
    """What sets the scale: no limits, and the present campaign alone if it has enough values."""
    kept = is_own & is_value if (is_own & is_value).sum() >= ENOUGH_FOR_SCALE else is_value
    return values[kept] if kept.sum() >= FEWEST else values


def _notes(is_informative: Mask, is_placed: Mask) -> Iterator[str]:
    n = int((is_informative & ~is_placed).sum())
    if n:
        yield f"{n} specimens have no complete design and were left out."


def _refuse_too_few(name: str, n: int) -> None:
    if n < FEWEST:
        raise NotIdentified(
            f"{READER} needs at least {FEWEST} values of '{name}'.",
            found=f"{n}",
            hint="measure more specimens, or leave the property out",
        )
