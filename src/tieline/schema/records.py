"""A record: /specimens, and one sibling node for every other modality."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.wording import name_known, name_some


def specimens_of(record: xr.DataTree) -> xr.Dataset:
    """Return the node /specimens as a Dataset.

    Raises:
        SchemaError: there is none.
    """
    if "specimens" not in record.children:
        raise SchemaError(
            "A record has a node /specimens, which this one lacks.",
            found=name_some(f"/{name}" for name in record.children) or "no nodes",
            hint="xarray.DataTree.from_dict({'/specimens': tieline.table(dataframe)})",
        )
    return record["specimens"].to_dataset()


def check_nodes(record: xr.DataTree) -> None:
    """Check that every measurement and every parent belongs to a specimen of the record.

    Raises:
        SchemaError: a node has no measurements, or names a specimen that /specimens does not know.
    """
    specimens = specimens_of(record)
    known = {str(name) for name in specimens.specimen.values}
    for path, node in _measured_nodes(record):
        if "measurement" not in node.dims or "specimen" not in node.coords:
            raise SchemaError(
                f"{path} needs the dimension 'measurement' and the coordinate 'specimen' on it.",
                found=f"dimensions {name_some(node.dims)}; coordinates {name_some(node.coords)}",
                hint="node.assign_coords(specimen=('measurement', [...]))",
            )
        strangers = {str(name) for name in np.atleast_1d(node.coords["specimen"].values)} - known
        if strangers:
            raise SchemaError(
                f"{path} measures specimens that /specimens does not know: {name_some(sorted(strangers))}.",
                found=name_known(sorted(known), min(strangers)),
                hint="add them to the sheet of specimens, or correct the names",
            )
    if "parent" in specimens:
        _check_parents(specimens)


def _measured_nodes(record: xr.DataTree) -> Iterator[tuple[str, xr.DataTree]]:
    for node in record.subtree:
        if node.path not in {"/", "/specimens"} and (node.data_vars or not node.children):
            yield node.path, node


def _check_parents(specimens: xr.Dataset) -> None:
    pairs = zip(specimens.specimen.values, specimens["parent"].values, strict=True)
    parent_of = {str(child): str(parent) for child, parent in pairs if str(parent)}
    known = {str(name) for name in specimens.specimen.values}
    for child, parent in parent_of.items():
        if parent not in known:
            raise SchemaError(
                f"The parent of '{child}' is '{parent}', which is not a specimen.",
                found=name_known(sorted(known), parent),
                hint="add the parent as a row, or leave the cell empty",
            )
        line = [child]
        while line[-1] in parent_of:
            line.append(parent_of[line[-1]])
            if line[-1] in line[:-1]:
                raise SchemaError(
                    "A specimen cannot descend from itself.",
                    found=" -> ".join(line),
                    hint="correct the column 'parent'",
                )
