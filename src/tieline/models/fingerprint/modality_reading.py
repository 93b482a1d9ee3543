"""A table as arrays of order one, modality by modality, and what is refused at the door."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.arrays import Array
from tieline.models.fingerprint.modality import Modality
from tieline.schema import require
from tieline.schema.flags import without_limits
from tieline.schema.wording import name_some

READER = "Fingerprint"
LEAST_SPREAD = 1e-9  # of a modality, relative to its size, below which it is constant


@dataclass(frozen=True, eq=False)
class View:
    """How one modality is read.

    Attributes:
        name: of the modality.
        variables: that it reads.
        dims: of one measurement, without the specimen; none for numbers.
        shape: of one measurement.
        centre: what is subtracted from every entry (entry).
        scale: what every entry is divided by (entry).
        grid: coordinate along a curve (point); empty for everything else.
        categories: names, of a column of labels.
        units: of the values, "" if not told.
    """

    name: str
    variables: tuple[str, ...]
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    centre: Array
    scale: Array
    grid: Array
    categories: tuple[str, ...] = ()
    units: str = ""

    def raw(self, table: xr.Dataset) -> Array:
        """Values as they stand (specimen, entry), NaN where not measured.

        Raises:
            SchemaError: the shape is another one than that which was learned.
        """
        if self.categories:
            return _one_hot(table[self.variables[0]], self.categories)
        if not self.dims:
            table = without_limits(table, self.variables)
            return np.stack([_floats(table[v]) for v in self.variables], axis=1)
        variable = table[self.variables[0]]
        if set(variable.dims) != {"specimen", *self.dims}:
            raise SchemaError(
                f"Modality '{self.name}' has other dimensions than those that were learned.",
                found=", ".join(map(str, variable.dims)),
                hint=f"specimen, {', '.join(self.dims)}",
            )
        variable = variable.transpose("specimen", *self.dims)
        if variable.shape[1:] != self.shape:
            raise SchemaError(
                f"Modality '{self.name}' has another shape than that which was learned.",
                found=" x ".join(map(str, variable.shape[1:])),
                hint=f"bring it to {' x '.join(map(str, self.shape))} before asking",
            )
        return _floats(variable).reshape(variable.shape[0], -1)

    def inward(self, raw: Array) -> Array:
        """Values of order one, 0 where not measured."""
        return np.nan_to_num((raw - self.centre) / self.scale)


def look(table: xr.Dataset, name: str, modality: Modality) -> View:
    """Learn from a table how a modality is to be read.

    Raises:
        SchemaError: a variable is missing or is not what it should be.
        NotIdentified: nothing was measured, or everything is the same.
    """
    variables = tuple(modality.variables or (name,))
    require(table, variables, READER)
    first = table[variables[0]]
    dims = tuple(str(d) for d in first.dims if d != "specimen")
    _check_dims(table, name, variables)
    units = str(first.attrs.get("units", ""))
    empty = np.zeros(0)
    if modality.likelihood == "categorical":
        categories = _categories(first, name)
        n = len(categories)
        return View(name, variables, (), (n,), np.zeros(n), np.ones(n), empty, categories)
    shape = tuple(first.sizes[d] for d in dims) or (len(variables),)
    blank = View(name, variables, dims, shape, empty, empty, empty, (), units)
    raw = blank.raw(table)
    _check_values(raw, name, modality.likelihood, table["specimen"].values)
    centre, scale = _standard(raw, name, modality.likelihood, variables if not dims else ())
    grid = _grid(table, name, dims, shape) if modality.law is not None or len(dims) == 1 else empty
    return View(name, variables, dims, shape, centre, scale, grid, (), units)


def _check_dims(table: xr.Dataset, name: str, variables: Sequence[str]) -> None:
    for v in variables:
        dims = [str(d) for d in table[v].dims]
        if "specimen" not in dims or (len(variables) > 1 and len(dims) > 1) or len(dims) > 4:
            raise SchemaError(
                f"Modality '{name}' cannot be read from '{v}'.",
                found=f"dimensions {', '.join(dims) or 'none'}",
                hint="one variable on specimen and one to three further dimensions, or columns on specimen",
            )


def _check_values(raw: Array, name: str, likelihood: str, specimens: np.ndarray) -> None:
    rows = np.flatnonzero(np.isinf(raw).any(1))
    if rows.size:
        raise SchemaError(
            f"Modality '{name}' holds infinite values.",
            found=f"specimens {name_some(specimens[rows])}",
            hint="set them to NaN (not measured)",
        )
    known = raw[~np.isnan(raw)]
    if not known.size:
        raise NotIdentified(
            f"Modality '{name}' was never measured.",
            found="NaN everywhere",
            hint="leave it out of modalities",
        )
    low, high = known.min(), known.max()
    if likelihood == "bernoulli" and not (low >= 0 and high <= 1):
        raise SchemaError(
            f"Modality '{name}' is to be 0 or 1.",
            found=f"values from {low:g} to {high:g}",
            hint="likelihood='gaussian', or scale it",
        )
    if likelihood == "poisson" and not (low >= 0 and (known % 1 == 0).all()):
        raise SchemaError(
            f"Modality '{name}' is to hold counts.",
            found=f"values from {low:g} to {high:g}",
            hint="whole numbers that are not negative, or likelihood='gaussian'",
        )


def _standard(raw: Array, name: str, likelihood: str, columns: Sequence[str]) -> tuple[Array, Array]:
    """Centre and scale of every entry; one scale for all pixels or points, one each for columns."""
    is_seen = ~np.isnan(raw)
    n_measured = int(is_seen.any(1).sum())
    if n_measured < 2:
        raise NotIdentified(
            f"Modality '{name}' was measured on one specimen only.",
            found=f"{n_measured} of {len(raw)} specimens",
            hint="measure it on more specimens, or leave it out of modalities",
        )
    count = np.maximum(is_seen.sum(0), 1)
    centre = np.where(is_seen, raw, 0).sum(0) / count
    squares = np.where(is_seen, (raw - centre) ** 2, 0)
    scale = np.sqrt(squares.sum(0) / count) if columns else np.sqrt(squares.sum() / is_seen.sum())
    scale = np.broadcast_to(scale, centre.shape)
    _refuse_constant(scale, centre, name, columns)
    if likelihood in ("bernoulli", "poisson"):
        return np.zeros_like(centre), np.ones_like(centre)
    return centre, scale.copy()


def _refuse_constant(scale: Array, centre: Array, name: str, columns: Sequence[str]) -> None:
    is_constant = scale <= LEAST_SPREAD * (np.abs(centre) + 1e-300)
    if is_constant.any():
        which = [name for name, same in zip(columns, is_constant, strict=False) if same]
        raise NotIdentified(
            f"Modality '{name}' is the same for every specimen.",
            found=f"one value of {name_some(which)}" if which else "no difference between measurements",
            hint="leave it out: what never varies tells nothing of a specimen",
        )


def _grid(table: xr.Dataset, name: str, dims: Sequence[str], shape: Sequence[int]) -> Array:
    if len(dims) > 1:
        raise SchemaError(
            f"Modality '{name}' follows a law, which needs a curve.",
            found=f"dimensions {', '.join(dims)}",
            hint="one dimension beside the specimen, with a coordinate",
        )
    if dims and dims[0] in table.coords and table[dims[0]].dtype.kind in "iuf":
        return table[dims[0]].values.astype(float)
    return np.arange(shape[0], dtype=float)


def _floats(variable: xr.DataArray) -> Array:
    if variable.dtype.kind not in "biuf":
        raise SchemaError(
            f"'{variable.name}' is no column of numbers.",
            found=f"{variable.dtype}",
            hint="likelihood='categorical' if these are labels",
        )
    return variable.values.astype(float)


def _labels(variable: xr.DataArray) -> list[str]:
    """Labels as text, "" where there is none."""
    return ["" if v is None or v != v else str(v) for v in variable.values]


def _categories(variable: xr.DataArray, name: str) -> tuple[str, ...]:
    found = tuple(sorted(set(_labels(variable)) - {""}))
    if len(found) < 2:
        raise NotIdentified(
            f"Modality '{name}' has one label only.",
            found=name_some(found) or "no label at all",
            hint="leave it out: what never varies tells nothing of a specimen",
        )
    return found


def _one_hot(variable: xr.DataArray, categories: Sequence[str]) -> Array:
    labels = _labels(variable)
    strangers = sorted(set(labels) - {"", *categories})
    if strangers:
        raise SchemaError(
            f"'{variable.name}' has labels that were not learned: {name_some(strangers)}.",
            found=f"known are {name_some(categories)}",
            hint="set them to '' (not measured)",
        )
    hot = np.array([[label == c for c in categories] for label in labels], dtype=float)
    hot[[label == "" for label in labels]] = np.nan
    return hot
