"""What of a campaign's record a fingerprint could be made of, in a form that it can be made of in minutes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.schema import is_label, specimens_of
from tieline.schema.flags import notes_on_limits, without_limits

FEWEST = 5  # specimens that have a modality, below which nothing is learned of it
LONGEST = {1: 128, 2: 32, 3: 16}  # points along an edge, by the number of dimensions; finer ones are averaged
COLUMNS = {
    "synthesis": "what it is made of",
    "process": "how it was made",
    "structure": "how it is built",
    "property": "what was measured",
}


@dataclass(frozen=True)
class Offer:
    """A modality that a fingerprint can read.

    Attributes:
        name: of it.
        words: what it is.
        n: specimens that have it.
        variables: columns, if it is columns of numbers; none for an array of the record.
    """

    name: str
    words: str
    n: int
    variables: tuple[str, ...] = ()


def offers(record: xr.DataTree) -> list[Offer]:
    """What there is: numeric columns by their role, and every array on `measurement`."""
    specimens, found = _results_of(record), []
    for role, words in COLUMNS.items():
        names = [str(n) for n, v in specimens.data_vars.items() if _is_column(str(n), v, role)]
        names = [
            n for n in names if np.isfinite(specimens[n].values).sum() >= FEWEST and _varies(specimens[n])
        ]
        if names:
            has = np.isfinite(np.stack([specimens[n].values for n in names])).any(0).sum()
            said = ", ".join(n.replace("_", " ") for n in names)
            found.append(Offer(role, f"{words}: {said}", int(has), tuple(names)))
    for node_name, child in record.children.items():
        node = child.to_dataset()
        for name, variable in node.data_vars.items():
            if _is_array(variable):
                n = len(set(node["specimen"].values[_is_measured(variable)].astype(str)))
                shape = " × ".join(str(variable.sizes[d]) for d in variable.dims if d != "measurement")
                if n >= FEWEST:
                    found.append(Offer(f"{node_name}/{name}", f"{node_name}: {name} of {shape} points", n))
    return found


def table_for(
    record: xr.DataTree, chosen: Sequence[Offer]
) -> tuple[xr.Dataset, dict[str, list[str] | str], list[str]]:
    """The table that a fingerprint reads, its modalities, and notes on what was averaged.

    Args:
        record: of the campaign.
        chosen: of what it offers.
    """
    specimens = _results_of(record)
    table = xr.Dataset(coords={"specimen": specimens["specimen"].values.astype(str)})
    modalities: dict[str, list[str] | str] = {}
    notes = []
    for one in chosen:
        if one.variables:
            table = table.assign(
                {
                    n: ("specimen", specimens[n].values.astype(float), specimens[n].attrs)
                    for n in one.variables
                }
            )
            modalities[one.name] = list(one.variables)
            notes += notes_on_limits(specimens, one.variables)
            continue
        node, _, name = one.name.partition("/")
        data = record[node].to_dataset()
        coarse = _coarse(data[name])
        if coarse.size != data[name].size:
            notes.append(
                f"{one.name}: neighbours were averaged, to {' x '.join(map(str, coarse.shape[1:]))} points"
            )
        column = name if name not in table.variables else f"{node}_{name}"
        table[column] = _by_specimen(coarse, data["specimen"].values.astype(str), table)
        modalities[column] = "network"
    has_some = has_any(table, [str(name) for name in table.data_vars])
    if not has_some.all():
        notes.append(f"{(~has_some).sum()} specimens have none of it, and were left aside")
    return table.isel(specimen=has_some), modalities, notes


def has_any(table: xr.Dataset, variables: Sequence[str]) -> np.ndarray:
    """Which specimens have a value of one of the variables."""
    n = table.sizes["specimen"]
    return np.any([np.isfinite(table[v].values.reshape(n, -1)).any(1) for v in variables], axis=0)


def _results_of(record: xr.DataTree) -> xr.Dataset:
    """The specimens, with NaN where a value is only a limit, or failed."""
    specimens = specimens_of(record)
    return without_limits(
        specimens, [str(n) for n, v in specimens.data_vars.items() if v.dtype.kind in "iuf"]
    )


def _is_column(name: str, variable: xr.DataArray, role: str) -> bool:
    is_number = variable.dims == ("specimen",) and not is_label(variable)
    return is_number and variable.attrs.get("role") == role and not name.endswith(("_sd", "_flag"))


def _varies(variable: xr.DataArray) -> bool:
    return float(np.nanstd(variable.values)) > 0


def _is_array(variable: xr.DataArray) -> bool:
    is_on = "measurement" in variable.dims and 2 <= variable.ndim <= 4
    return is_on and variable.dtype.kind in "biuf"


def _is_measured(variable: xr.DataArray) -> np.ndarray:
    values = variable.transpose("measurement", ...).values
    return np.asarray(np.isfinite(values.reshape(len(values), -1)).any(1))


def _coarse(variable: xr.DataArray) -> xr.DataArray:
    """The same with neighbours averaged along every edge that is too long."""
    variable = variable.transpose("measurement", ...)
    longest = LONGEST[variable.ndim - 1]
    windows = {d: -(-n // longest) for d, n in variable.sizes.items() if d != "measurement" and n > longest}
    if not windows:
        return variable.astype(float)
    averaged = variable.astype(float).coarsen(windows, boundary="trim")
    return averaged.mean()  # type: ignore[attr-defined] - xarray makes it as it goes


def _by_specimen(values: xr.DataArray, owners: np.ndarray, table: xr.Dataset) -> xr.DataArray:
    """Repeats by their mean, point by point of those that were measured; NaN where none was."""
    made = np.full((table.sizes["specimen"], *values.shape[1:]), np.nan)
    for i, name in enumerate(table["specimen"].values):
        own = values.values[owners == name]
        is_measured = np.isfinite(own)
        n = is_measured.sum(0)
        np.divide(np.where(is_measured, own, 0).sum(0), n, out=made[i], where=n > 0)
    dims = ("specimen", *values.dims[1:])
    coords = {d: values[d] for d in values.dims[1:] if d in values.coords}
    return xr.DataArray(made, coords, dims, attrs=values.attrs)
