"""How the inputs of a table become columns of numbers: compositions, spectra, settings and categories."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.elements import element_properties, element_statistics
from tieline.models.arrays import Array
from tieline.schema import as_variables, require
from tieline.schema.wording import name_some

STATISTICS = ("mean", "deviation", "largest", "smallest")  # of the elements of a composition
READER = "A task"


@dataclass(frozen=True)
class DesignColumns:
    """The columns that a table's inputs become, whatever rows are asked about later.

    A composition becomes its mole fractions and statistics of its elements, a spectrum its channels, a
    category one column for each of its names; a number stays what it is.

    Attributes:
        inputs: names of the variables.
        kinds: of each of them: "composition", "channels", "category" or "number".
        members: of each of them: elements with their statistics, channels, names, or nothing.
    """

    inputs: tuple[str, ...]
    kinds: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]

    @staticmethod
    def of(table: xr.Dataset, inputs: Sequence[str]) -> "DesignColumns":
        """Decide on the columns.

        Args:
            table: on `specimen`; text may be a coordinate.
            inputs: names of variables on `specimen`, alone or with one more dimension.

        Raises:
            SchemaError: a variable is missing, or has more dimensions.
        """
        table = as_variables(table, inputs)
        require(table, inputs, READER)
        kinds = tuple(_kind(table[name]) for name in inputs)
        members = tuple(_members(table[name], kind) for name, kind in zip(inputs, kinds, strict=True))
        return DesignColumns(tuple(inputs), kinds, members)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each column, as messages and figures show it."""
        found: list[str] = []
        for name, kind, members in zip(self.inputs, self.kinds, self.members, strict=True):
            if kind == "number":
                found.append(name)
            elif kind == "composition":
                found += [f"x({e})" for e in members] + [f"{p}_{s}" for s in STATISTICS for p in _known()]
            else:
                found += [f"{name}={m}" if kind == "category" else f"{name}[{m}]" for m in members]
        return tuple(found)

    @property
    def input_of(self) -> tuple[str, ...]:
        """The input that each column belongs to."""
        return tuple(name for name in self.inputs for _ in range(self._width(name)))

    def place(self, table: xr.Dataset) -> Array:
        """Columns of a table (specimen, column); NaN where an input is not known.

        Raises:
            SchemaError: an input is missing or of another kind, or an element has no known properties.
        """
        table = as_variables(table, self.inputs)
        require(table, self.inputs, READER)
        blocks = []
        for name, kind, members in zip(self.inputs, self.kinds, self.members, strict=True):
            if (found := _kind(table[name])) != kind:
                raise SchemaError(f"'{name}' is another kind of input than it was.", found=found, hint=kind)
            blocks.append(_block(table[name], kind, members))
        return np.concatenate(blocks, 1)

    def _width(self, name: str) -> int:
        i = self.inputs.index(name)
        n, kind = len(self.members[i]), self.kinds[i]
        return {"number": 1, "composition": n + len(STATISTICS) * len(_known())}.get(kind, n)


def _known() -> list[str]:
    return [str(name) for name in element_properties().data_vars]


def _kind(variable: xr.DataArray) -> str:
    is_number = variable.dtype.kind in "iufb"
    if set(variable.dims) == {"specimen", "element"} and is_number:
        return "composition"
    if variable.ndim == 2 and "specimen" in variable.dims and is_number:
        return "channels"
    if variable.dims == ("specimen",):
        return "number" if is_number else "category"
    raise SchemaError(
        f"The input '{variable.name}' is no number, category, composition or spectrum of a specimen.",
        found=f"{variable.dtype} on {', '.join(map(str, variable.dims))}",
        hint="describe it by numbers first: tl.features",
    )


def _axis(variable: xr.DataArray) -> str:
    return next(str(d) for d in variable.dims if d != "specimen")


def _members(variable: xr.DataArray, kind: str) -> tuple[str, ...]:
    if kind == "number":
        return ()
    if kind == "category":
        return tuple(sorted(set(labels_of(variable).tolist()) - {""}))
    axis = _axis(variable)
    names = variable[axis].values.astype(str) if axis in variable.coords else np.arange(variable.sizes[axis])
    if kind == "channels":
        return tuple(str(n) for n in names)
    is_used = (np.nan_to_num(variable.transpose("specimen", axis).values) > 0).any(0)
    return tuple(str(n) for n in names[is_used])


def _block(variable: xr.DataArray, kind: str, members: tuple[str, ...]) -> Array:
    """Columns (specimen, column) of one input."""
    if kind == "number":
        return variable.values.astype(float)[:, None]
    if kind == "category":
        return (labels_of(variable)[:, None] == np.array(members, dtype=str)).astype(float)
    values = variable.transpose("specimen", _axis(variable)).values.astype(float)
    if kind == "channels":
        if values.shape[1] != len(members):
            raise SchemaError(
                f"'{variable.name}' has other channels than it had.",
                found=f"{values.shape[1]} beside {len(members)}",
                hint="integrate or resample all spectra alike",
            )
        return values
    symbols = variable["element"].values.astype(str)
    # An element that no known specimen contains has no column of its own; its properties speak for it.
    columns = [
        values[:, np.flatnonzero(symbols == e)[0]] if e in symbols else np.zeros(len(values)) for e in members
    ]
    described = element_statistics(variable, STATISTICS)
    columns += [described[f"{p}_{s}"].values for s in STATISTICS for p in _known()]
    return np.stack(columns, 1)


def labels_of(variable: xr.DataArray) -> np.ndarray:
    """Labels (row) as text, "" where there is none; a whole number is written without its point."""
    if variable.dtype.kind == "f":
        return np.array(["" if v != v else f"{v:g}" for v in variable.values])
    return np.array(["" if v is None or v != v else str(v) for v in variable.values])


def known_elements(composition: xr.DataArray) -> bool:
    """Whether all that a composition is made of are elements with known properties."""
    return set(_members(composition, "composition")) <= set(element_properties()["element"].values.tolist())


def describe_inputs(inputs: Sequence[str]) -> str:
    """Name inputs in a sentence."""
    return name_some([name.replace("_", " ") for name in inputs])
