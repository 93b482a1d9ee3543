"""What another table says of compositions: numbers that a model may read beside its own statistics.

A model of the source, fitted as any, predicts the source's properties, or the first principal components of
its spectra, for any composition. A material that is in the source is predicted from others, as if it were
not: the numbers are then as good for the materials that are learned from as for those that are asked about.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array, Indices
from tieline.models.composition_field import MOST_ROWS
from tieline.models.composition_fit import CompositionFit, fit
from tieline.models.composition_reading import READER, Coordinates, read
from tieline.models.element_slots import Slots
from tieline.models.stacking import KNOWN
from tieline.schema.flags import without_limits

MOST_NUMBERS = 6  # of a source; of more properties, principal components


@dataclass(frozen=True, eq=False)
class Source:
    """A fitted source.

    Attributes:
        name: as it was given.
        coordinates: how its compositions are read.
        fit: what was learned from it.
        basis: of the numbers (property, number).
        slots: elements of its rows.
        left_out: numbers of each row, predicted from other materials (row, number).
        skill: share of the error of the median that is saved for materials that were left out (property).
    """

    name: str
    coordinates: Coordinates
    fit: CompositionFit
    basis: Array
    slots: Slots
    left_out: Array
    skill: Array

    @property
    def n_numbers(self) -> int:
        """Of a composition."""
        return self.basis.shape[1]

    def numbers(self, composition: xr.DataArray) -> Array:
        """What the source says of compositions (place, number), of order one; NaN where not known."""
        named = xr.Dataset({self.coordinates.composition: composition})
        x, slots = self.coordinates.place(named), Slots.of(composition)
        found = np.full((len(x), self.n_numbers), np.nan)
        is_known = np.asarray(np.isfinite(x).all(1))
        guesses = self.fit.guess(x[is_known], slots.at(is_known), self.coordinates.group)
        regime = np.full(int(is_known.sum()), KNOWN)
        found[is_known] = self.fit.stack.mean(guesses, regime) @ self.basis
        for place, key in enumerate(_keys(slots)):
            if key in self._rows:
                found[place] = self.left_out[self._rows[key]]
        return found

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        """A row of each material."""
        return {key: row for row, key in enumerate(_keys(self.slots))}


def fit_source(
    name: str, table: xr.Dataset, composition: str, seed: int, *, shuffled: bool = False
) -> Source:
    """Learn from a source what it says of compositions.

    Args:
        name: of the source.
        table: with the composition and properties, numbers or spectra, on `specimen`.
        composition: name of the composition.
        seed: of its fit, and of the order if it is shuffled.
        shuffled: whether every composition gets the properties of another, by chance.

    Raises:
        SchemaError: it has no such composition, or no property.
        NotIdentified: it holds too little.
    """
    columns = source_columns(name, table, composition)
    chance = np.random.default_rng(seed)
    # All rows are left out in turn: one that the process does not learn from would be predicted from itself.
    columns = columns.isel(specimen=np.sort(chance.permutation(columns.sizes["specimen"])[:MOST_ROWS]))
    names = [str(n) for n in columns.data_vars if n != composition]
    reading = read(columns, [composition], names)
    if shuffled:
        reading = reading.reordered(chance.permutation(len(reading.y)))
    found = fit(reading, "stack", seed)
    rows, guesses = found.rows, found.left_out[0]
    regime = found.left_out_regime[0]
    said, truth = found.stack.mean(guesses, regime), reading.y[rows]
    basis = np.eye(len(names))
    if len(names) > MOST_NUMBERS:
        basis = np.linalg.svd(said - said.mean(0), full_matrices=False)[2][:MOST_NUMBERS].T
    error = np.nanmean(np.abs(truth - said), axis=0)
    alone = np.nanmean(np.abs(truth - np.nanmedian(truth, axis=0)), axis=0)
    skill = 1 - error / np.maximum(alone, 1e-12)
    return Source(name, reading.coordinates, found, basis, reading.slots.at(rows), said @ basis, skill)


def source_columns(name: str, table: xr.Dataset, composition: str) -> xr.Dataset:
    """The composition and every property of a source, one number a specimen; a spectrum is one a bin."""
    if not isinstance(table, xr.Dataset) or composition not in table:
        raise SchemaError(
            f"The source '{name}' has no '{composition}'.",
            found=type(table).__name__ if not isinstance(table, xr.Dataset) else ", ".join(map(str, table)),
            hint="a table as the one that is fitted, of the same variable of compositions",
        )
    found: dict[str, xr.DataArray] = {}
    table = without_limits(table, [str(key) for key in table.data_vars if not str(key).endswith("_flag")])
    for key, values in table.data_vars.items():
        is_property = values.attrs.get("role") == "property" and values.dtype.kind in "iuf"
        if not is_property or str(key).endswith(("_sd", "_flag")) or values.dims[:1] != ("specimen",):
            continue
        if values.ndim == 1:
            found[str(key)] = _bare(values)
        elif values.ndim == 2:
            columns = [values.isel({values.dims[1]: i}, drop=True) for i in range(values.shape[1])]
            found |= {f"{key}_{i}": _bare(column) for i, column in enumerate(columns) if float(column.std())}
    if not found:
        raise SchemaError(
            f"The source '{name}' has no property.",
            found=", ".join(map(str, table.data_vars)),
            hint=f'{READER} reads of a source what has attrs["role"] == "property"',
        )
    return xr.Dataset({composition: table[composition], **found})


def _bare(values: xr.DataArray) -> xr.DataArray:
    return values.drop_vars([c for c in values.coords if c != "specimen"])


def _keys(slots: Slots) -> list[bytes]:
    """Something that rows of one material share, and no others."""
    share = slots.share.round(6)
    order = np.argsort(np.where(share > 0, slots.element, np.iinfo(np.int64).max), axis=1, kind="stable")
    element = np.take_along_axis(slots.element, order, 1).astype(np.int64)
    share = np.take_along_axis(share, order, 1)
    n: Indices = (share > 0).sum(1)
    return [element[i, :k].tobytes() + share[i, :k].tobytes() for i, k in enumerate(n)]
