"""The inputs of a space side by side as columns of numbers, with its linear constraints as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.planning.spaces.axis import Axis
from tieline.planning.spaces.constraints import LinearConstraint
from tieline.planning.spaces.inputs import Categorical, Levels, Numeric
from tieline.planning.spaces.mixture import Composition
from tieline.schema.wording import name_some

Input = Numeric | Levels | Categorical | Composition
EQUAL = 1e-12  # limits this close, on scaled rows, are one
EXACT = 1e-9  # how far a constraint may be missed by rounding, relative to how much its sum can vary


@dataclass(frozen=True)
class Coding:
    """Inputs and linear constraints of a space, on codes (place, column).

    A code is a share of the range, a number of steps, a fraction, or the position in a list.

    Args:
        inputs: in the order of the columns.
        linear: constraints on the values of numeric inputs and of ingredients.
    """

    inputs: tuple[Input, ...]
    linear: tuple[LinearConstraint, ...] = ()

    @cached_property
    def axes(self) -> tuple[Axis | Composition, ...]:
        """What knows the codes of each input: a composition itself, or an axis."""
        return tuple(i if isinstance(i, Composition) else Axis(i.n_places) for i in self.inputs)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Say which columns each input has."""
        ends = np.cumsum([axis.n_columns for axis in self.axes]).tolist()
        return tuple(slice(end - a.n_columns, end) for a, end in zip(self.axes, ends, strict=True))

    @cached_property
    def mixture(self) -> tuple[Composition, slice] | None:
        """Find the composition and its columns, if there is one."""
        pairs = zip(self.inputs, self.slices, strict=True)
        return next(((i, columns) for i, columns in pairs if isinstance(i, Composition)), None)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and the largest code of every column."""
        low, high = zip(*(axis.bounds() for axis in self.axes), strict=True)
        return np.concatenate(low), np.concatenate(high)

    @cached_property
    def is_whole(self) -> np.ndarray:
        """Say which columns hold whole numbers."""
        return np.repeat([a.is_whole for a in self.axes], [a.n_columns for a in self.axes])

    @cached_property
    def is_choice(self) -> np.ndarray:
        """Say which columns are positions in a list."""
        choices = [isinstance(i, Levels | Categorical) for i in self.inputs]
        return np.repeat(choices, [axis.n_columns for axis in self.axes])

    @cached_property
    def rows(self) -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray, np.ndarray]:
        """Write the linear constraints on codes, each scaled so that its largest term varies by about one.

        Returns:
            coefficients (row, column) of the numeric columns; {column: (row, position)} of the columns that
            are positions; lows and highs (row).
        """
        n_rows, n_columns = len(self.linear), self.is_whole.size
        coefficients, tables = np.zeros((n_rows, n_columns)), {}
        shift = np.zeros(n_rows)
        limits = np.array([constraint.limits for constraint in self.linear]).reshape(-1, 2)
        for row, constraint in enumerate(self.linear):
            for name, weight in constraint.coefficients.items():
                of, column = self._find(name)
                if isinstance(of, Levels):
                    table = tables.setdefault(column, np.zeros((n_rows, of.n_places)))
                    table[row] = weight * np.array(of.levels)
                elif isinstance(of, Numeric):
                    coefficients[row, column] = weight * of.scale
                    shift[row] += weight * of.low
                else:
                    coefficients[row, column] = weight / of.total
        low, high = self.bounds
        terms = [np.abs(coefficients) * (high - low), *(np.ptp(t, axis=1)[:, None] for t in tables.values())]
        scale = np.hstack(terms).max(axis=1) if n_rows else np.ones(0)
        scale = np.where(scale > 0, scale, 1.0)
        return (
            coefficients / scale[:, None],
            {column: table / scale[:, None] for column, table in tables.items()},
            (limits[:, 0] - shift) / scale,
            (limits[:, 1] - shift) / scale,
        )

    @cached_property
    def equations(self) -> tuple[np.ndarray, np.ndarray]:
        """Write what numeric columns must always meet: linear equations, and the sum of a composition.

        Returns:
            coefficients (equation, column), and which of `rows` the first equations are.
        """
        coefficients, _, low, high = self.rows
        which = np.flatnonzero(high - low <= EQUAL)
        if self.mixture is None:
            return coefficients[which], which
        closure = np.zeros((1, self.is_whole.size))
        closure[0, self.mixture[1]] = 1.0
        return np.vstack([coefficients[which], closure]), which

    def row_values(self, codes: np.ndarray) -> np.ndarray:
        """Work out the sums of the linear constraints, scaled as in `rows`: (place, row)."""
        coefficients, tables, _, _ = self.rows
        values = codes @ coefficients.T
        for column, table in tables.items():
            position = np.clip(np.nan_to_num(codes[:, column]), 0, table.shape[1] - 1)
            values = values + table[:, np.round(position).astype(int)].T
        return values

    def holds(self, codes: np.ndarray, tolerance: float = EXACT) -> np.ndarray:
        """Tell which places are within all bounds and linear constraints."""
        holds = self.meets_rows(codes, tolerance)
        for axis, columns in zip(self.axes, self.slices, strict=True):
            holds = holds & axis.holds(codes[:, columns], tolerance)
        return holds

    def meets_rows(self, codes: np.ndarray, tolerance: float = EXACT) -> np.ndarray:
        """Tell which places meet the linear constraints."""
        *_, low, high = self.rows
        values = self.row_values(codes)
        return np.all((values >= low - tolerance) & (values <= high + tolerance), axis=1)

    def spread(self, cube: np.ndarray) -> np.ndarray:
        """Map (point, n_free) in [0, 1) to codes, evenly; constraints aside."""
        ends = np.cumsum([axis.n_free for axis in self.axes])[:-1]
        parts = np.split(cube, ends, axis=1)
        return np.hstack([axis.spread(part) for axis, part in zip(self.axes, parts, strict=True)])

    @property
    def n_free(self) -> int:
        """Coordinates of a unit cube that say where a place is."""
        return sum(axis.n_free for axis in self.axes)

    def listing(self) -> np.ndarray:
        """List all codes of a finite space, constraints aside; the last input changes fastest."""
        lists = [axis.listing() for axis in self.axes]
        index = np.indices([len(codes) for codes in lists]).reshape(len(lists), -1)
        return np.hstack([codes[rows] for codes, rows in zip(lists, index, strict=True)])

    def bounds_at(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the bounds of each code of each place while the same ingredients are there."""
        low, high = (np.broadcast_to(bound, codes.shape).copy() for bound in self.bounds)
        if self.mixture is not None:
            of, columns = self.mixture
            low[:, columns], high[:, columns] = of.bounds_at(codes[:, columns])
        return low, high

    def encode(self, places: xr.Dataset) -> np.ndarray:
        """Read codes off places; they need not be allowed."""
        return np.hstack([i.encode(places) for i in self.inputs])

    def decode(self, codes: np.ndarray) -> xr.Dataset:
        """Turn codes into places."""
        pairs = zip(self.inputs, self.slices, strict=True)
        variables = {i.name: i.decode(codes[:, columns]) for i, columns in pairs}
        coordinates: dict[str, np.ndarray] = {"specimen": np.arange(len(codes))}
        if self.mixture is not None:
            coordinates["element"] = np.array(self.mixture[0].elements)
        return xr.Dataset(variables, coordinates)

    def _find(self, name: str) -> tuple[Numeric | Levels | Composition, int]:
        """Find what a constraint names: a numeric input, or an ingredient, and its column."""
        known: list[str] = []
        for of, columns in zip(self.inputs, self.slices, strict=True):
            if isinstance(of, Numeric | Levels):
                if of.name == name:
                    return of, columns.start
                known.append(of.name)
            elif isinstance(of, Composition):
                if name in of.elements:
                    return of, columns.start + list(of.elements).index(name)
                known += of.elements
        raise SchemaError(
            f"A constraint names '{name}', which is neither a numeric input nor an ingredient.",
            found=f"{name_some(known, 12)}. {did_you_mean(name, known)}".strip(),
            hint="a rule for categories: lambda places: places['solvent'] != 'water'",
        )


def different(codes: np.ndarray, than: Sequence[np.ndarray] = ()) -> np.ndarray:
    """List the rows that are new: neither among earlier rows nor among other codes, up to 1e-9."""
    stacked = np.vstack([*than, codes])
    keys = np.ascontiguousarray(np.round(stacked / EXACT)) + 0.0  # no negative zeros: bytes are compared
    _, first = np.unique(keys.view(f"V{keys.itemsize * keys.shape[1]}").reshape(-1), return_index=True)
    n_other = len(stacked) - len(codes)
    return np.sort(first[first >= n_other]) - n_other
