"""Tables and records as netCDF files, and back."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.partial import partial_beside
from tieline.schema.wording import name_some

# netCDF attributes are numbers and text. Anything else is written as JSON behind this mark.
_JSON = "json:"


def save_netcdf(data: xr.Dataset | xr.DataTree, path: str | os.PathLike[str]) -> Path:
    """Write a table or a record to a file, whole or not at all.

    Args:
        data: a table, a record, or any Dataset of numbers and text.
        path: the file; one that exists is replaced only once the new one is complete.

    Returns:
        The path.

    Raises:
        SchemaError: the folder does not exist, or something in the data has no form in netCDF.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise SchemaError(f"There is no folder '{target.parent}'.", hint="create it first")
    _refuse_slashes(data)
    partial = partial_beside(target)
    try:
        encoded = _encode(data) if isinstance(data, xr.Dataset) else _on_each_node(data, _encode)
        encoded.to_netcdf(partial, engine="h5netcdf")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"'{target.name}' could not be written as netCDF.",
            found=str(error),
            hint="variables hold numbers or text; attrs hold numbers, text, lists and dictionaries",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def open_netcdf(path: str | os.PathLike[str]) -> xr.Dataset | xr.DataTree:
    """Read a file that `save_netcdf` wrote, or any netCDF-4 file, into memory.

    Args:
        path: the file. It is closed again before this returns.

    Returns:
        A record (DataTree) if the file has nodes, otherwise a Dataset.

    Raises:
        SchemaError: there is no such file, or it is not readable as netCDF-4.
    """
    source = Path(path)
    if not source.is_file():
        raise SchemaError(f"There is no file '{source}'.", hint="check the name; netCDF files end in .nc")
    try:
        # A unit such as "min" must not turn a column into durations.
        with xr.open_datatree(source, engine="h5netcdf", decode_timedelta=False) as tree:
            loaded = _on_each_node(tree.load(), _decode)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise SchemaError(
            f"'{source.name}' cannot be read as netCDF-4.",
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
            hint="the file may be damaged, cut short or of another kind; fetch it again",
        ) from error
    return loaded if loaded.children else loaded.to_dataset()


def _on_each_node(tree: xr.DataTree, change: Callable[[xr.Dataset], xr.Dataset]) -> xr.DataTree:
    nodes = {node.path: change(node.to_dataset(inherit=False)) for node in tree.subtree}
    return xr.DataTree.from_dict(nodes, name=tree.name)


def _encode(dataset: xr.Dataset) -> xr.Dataset:
    return _with_attrs(dataset, _attr_to_netcdf)


def _decode(dataset: xr.Dataset) -> xr.Dataset:
    decoded = _with_attrs(dataset, _attr_from_netcdf)
    for name, variable in decoded.variables.items():
        if variable.dtype.kind == "O":
            decoded[name] = variable.astype(str)
    return decoded.drop_encoding()


def _with_attrs(dataset: xr.Dataset, change: Any) -> xr.Dataset:
    """Copy a dataset, every attribute changed."""
    copy = dataset.copy()
    copy.attrs = {key: change(value) for key, value in dataset.attrs.items()}
    for name, variable in dataset.variables.items():
        copy[name].attrs = {key: change(value) for key, value in variable.attrs.items()}
    return copy


def _attr_to_netcdf(value: Any) -> Any:
    is_plain = isinstance(value, str | int | float | np.ndarray | np.number) and not isinstance(value, bool)
    if is_plain and not str(value).startswith(_JSON):
        return value
    return _JSON + json.dumps(value, ensure_ascii=False, default=_plain)


def _attr_from_netcdf(value: Any) -> Any:
    return json.loads(value[len(_JSON) :]) if isinstance(value, str) and value.startswith(_JSON) else value


def _plain(value: Any) -> Any:
    """Give JSON a plain number or list for numpy's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"an attribute of type {type(value).__name__} has no form in netCDF")


def _refuse_slashes(data: xr.Dataset | xr.DataTree) -> None:
    datasets = [data] if isinstance(data, xr.Dataset) else [node.dataset for node in data.subtree]
    slashed = [name for dataset in datasets for name in dataset.variables if "/" in str(name)]
    if slashed:
        raise SchemaError(
            f"A '/' cannot stand in a name in netCDF: {name_some(slashed)}.",
            hint="rename(old='new') before saving",
        )
