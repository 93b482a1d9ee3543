"""What one can set: a number in a range, one of several numbers, one of several kinds.

Every input translates between its values and *codes*, the plain columns (place, column) on which a space
works: a share of the range, a number of steps, or the position in a list. A composition does the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema import guess_role, in_units_of
from tieline.schema.wording import name_known, name_some
from tieline.units import canonical

SETTING_ROLES = ("synthesis", "process")
DIGITS = 14  # significant digits of a value on a step: 0.3, not 0.30000000000000004


@dataclass(frozen=True)
class Numeric:
    """A number that can be set anywhere in a range, or in steps.

    Args:
        name: of the variable: `"annealing_temperature"`.
        low: the least value, in `units`.
        high: the largest value.
        step: values are low, low + step, low + 2 step, ... up to high; None is any value.
        units: `"degC"`, `"min"`; None if unknown, `"1"` if dimensionless.
        role: "synthesis" or "process"; by default guessed from the name, as `tl.table` does.

    Example:
        >>> Numeric("dwell_time", 10, 480, step=10, units="minutes").units
        'min'
    """

    name: str
    low: float
    high: float
    step: float | None = None
    units: str | None = None
    role: str = ""

    def __post_init__(self) -> None:
        _settle(self)
        for setting in ("low", "high", "step"):
            check_number(self.name, setting, getattr(self, setting))
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise SchemaError(
                f"The range of '{self.name}' is empty: low must be below high.",
                found=f"low={self.low}, high={self.high}",
                hint=f"tl.Levels('{self.name}', [{self.low:g}]) for a setting that is fixed",
            )
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise SchemaError(
                f"The step of '{self.name}' must be positive and fit into its range.",
                found=f"step={self.step}, range {self.low:g} to {self.high:g}",
                hint="leave the step out for any value",
            )

    @property
    def n_places(self) -> int | None:
        """How many values there are; None if there is no step."""
        return None if self.step is None else int((self.high - self.low) / self.step + 1e-9) + 1

    @property
    def scale(self) -> float:
        """By how much the value changes when the code changes by one."""
        return self.step or self.high - self.low

    def encode(self, places: xr.Dataset) -> np.ndarray:
        """Read codes off places."""
        return ((_column(self, places) - self.low) / self.scale)[:, None]

    def decode(self, codes: np.ndarray) -> xr.Variable:
        """Turn codes into a numeric variable on `specimen`."""
        values = np.clip(self.low + codes[:, 0] * self.scale, self.low, self.high)
        if self.step is not None:
            largest = np.log10(max(abs(self.low), abs(self.high)))
            values = np.round(values, DIGITS - int(np.ceil(largest)))
        return xr.Variable("specimen", values, _attrs(self))

    def __str__(self) -> str:
        steps = "" if self.step is None else f" in steps of {self.step:g}"
        return f"{self.low:g} to {self.high:g}{_spaced(self.units)}{steps}"


@dataclass(frozen=True)
class Levels:
    """One of several numbers: the settings of a furnace, the thicknesses in stock.

    Args:
        name: of the variable.
        levels: the values, in `units`; they are put in order.
        units: None if unknown, `"1"` if dimensionless.
        role: "synthesis" or "process"; by default guessed from the name.
    """

    name: str
    levels: Sequence[float]
    units: str | None = None
    role: str = ""

    def __post_init__(self) -> None:
        _settle(self)
        for level in self.levels:
            check_number(self.name, "levels", level)
        levels = np.unique(np.asarray(self.levels, dtype=float))
        if levels.size == 0 or levels.size < len(self.levels) or not np.isfinite(levels).all():
            raise SchemaError(
                f"'{self.name}' needs different finite levels.",
                found=name_some(self.levels) or "none",
                hint="[0, 7.5, 15]",
            )
        object.__setattr__(self, "levels", tuple(levels.tolist()))

    @property
    def n_places(self) -> int:
        """How many levels there are."""
        return len(self.levels)

    def encode(self, places: xr.Dataset) -> np.ndarray:
        """Read codes off places: between two levels, a code is between their positions."""
        values, levels = _column(self, places), np.array(self.levels)
        outside = values - np.clip(values, levels[0], levels[-1])
        span = np.ptp(levels) or abs(levels[0]) or 1.0
        return (np.interp(values, levels, np.arange(levels.size)) + outside / span)[:, None]

    def decode(self, codes: np.ndarray) -> xr.Variable:
        """Turn positions into a numeric variable on `specimen`."""
        return xr.Variable("specimen", np.array(self.levels)[codes[:, 0].astype(int)], _attrs(self))

    def __str__(self) -> str:
        return name_some((f"{level:g}" for level in self.levels), limit=8) + _spaced(self.units)


@dataclass(frozen=True)
class Categorical:
    """One of several kinds without an order: a solvent, a furnace.

    Args:
        name: of the variable.
        categories: their names.
        role: "synthesis" or "process"; by default guessed from the name.
    """

    name: str
    categories: Sequence[str]
    role: str = ""

    def __post_init__(self) -> None:
        _settle(self)
        names = () if isinstance(self.categories, str) else tuple(self.categories)
        if not names or len(set(names)) < len(names) or not all(isinstance(c, str) and c for c in names):
            raise SchemaError(
                f"'{self.name}' needs categories: different names, as text.",
                found=repr(self.categories),
                hint='["water", "ethanol"]; tl.Levels for numbers',
            )
        object.__setattr__(self, "categories", names)

    @property
    def n_places(self) -> int:
        """How many categories there are."""
        return len(self.categories)

    def encode(self, places: xr.Dataset) -> np.ndarray:
        """Read codes off places; a category that is not listed becomes NaN."""
        positions = {category: float(i) for i, category in enumerate(self.categories)}
        found = require_variable(self.name, places).values
        return np.array([positions.get(str(c), np.nan) for c in found], dtype=float).reshape(-1, 1)

    def decode(self, codes: np.ndarray) -> xr.Variable:
        """Turn positions into a variable of text on `specimen`."""
        names = np.array(self.categories)[codes[:, 0].astype(int)]
        return xr.Variable("specimen", names, {"role": self.role})

    def __str__(self) -> str:
        return name_some(self.categories, limit=8)


def require_variable(name: str, places: xr.Dataset) -> xr.DataArray:
    """Take a variable out of places.

    Raises:
        SchemaError: these are no places, or they lack it.
    """
    if not isinstance(places, xr.Dataset) or "specimen" not in places.dims:
        raise SchemaError(
            "Places are a Dataset with one row a place, on the dimension 'specimen'.",
            found=type(places).__name__,
            hint="tl.table(dataframe)",
        )
    if name not in places.variables:
        known = [str(v) for v in places.data_vars]
        raise SchemaError(
            f"These places lack '{name}'.", found=name_known(known, name), hint="give every input a value"
        )
    return places[name]


def settle_role(name: str, role: str) -> str:
    """Check the role of an input, or guess it from the name."""
    if not role:
        guess = guess_role(name, pd.Series([0.5], dtype=float))
        return guess if guess in SETTING_ROLES else "process"
    if role not in SETTING_ROLES:
        raise SchemaError(
            f"The role '{role}' of '{name}' is not that of something one sets.",
            found=name_known(SETTING_ROLES, role),
        )
    return role


def check_number(name: str, setting: str, value: object) -> None:
    """See that a setting is a number, or None."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | np.number)):
        raise SchemaError(
            f"The setting {setting} of '{name}' must be a number.",
            found=repr(value),
            hint="no quotes, no unit",
        )


def check_name(name: str) -> None:
    """See that a name can be that of a variable."""
    if not isinstance(name, str) or not name or name in ("specimen", "element"):
        raise SchemaError(
            "An input is named after its variable in the table.",
            found=repr(name),
            hint='text such as "temperature"; specimen and element are taken',
        )


def _settle(of: Numeric | Levels | Categorical) -> None:
    """Check the name, and write role and unit in their one spelling."""
    check_name(of.name)
    object.__setattr__(of, "role", settle_role(of.name, of.role))
    if not isinstance(of, Categorical) and of.units is not None:
        object.__setattr__(of, "units", canonical(of.units))


def _attrs(of: Numeric | Levels) -> dict[str, str]:
    return {"role": of.role} | ({} if of.units is None else {"units": of.units})


def _column(of: Numeric | Levels, places: xr.Dataset) -> np.ndarray:
    """Read a numeric column in the unit of its input."""
    column = require_variable(of.name, places)
    if column.dtype.kind not in "biuf" or column.dims != ("specimen",):
        raise SchemaError(
            f"'{of.name}' is a column of numbers.",
            found=f"{column.dtype} on {', '.join(map(str, column.dims))}",
        )
    known = xr.DataArray(np.zeros(0), dims="specimen", attrs=_attrs(of))
    return in_units_of(known, column).values.astype(float)


def _spaced(units: str | None) -> str:
    return f" {units}" if units and units != "1" else ""
