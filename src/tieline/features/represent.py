"""From a record to the table that models read."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema import check, require, specimens_of
from tieline.schema.wording import name_some

VOLUMES = "volumes"  # the node of porous volumes


def represent(
    record: xr.DataTree, *, phase: str | None = None, properties: Sequence[str] | None = None
) -> xr.Dataset:
    """Make the table of a record: one row a specimen, numbers and labels with their roles.

    Volumes of pore and solid in the node /volumes are described by `tl.features.volumes.describe`.

    Args:
        record: with its node /specimens.
        phase: the variable that holds phase labels, if its role does not say so already.
        properties: the properties to keep, with their standard errors; by default all.

    Returns:
        Dataset on `specimen`; text that is no label is a coordinate. `attrs["notes"]` says what of the record
        the table does not use.

    Raises:
        SchemaError: the record has no specimens, or not what was asked for.
    """
    if not isinstance(record, xr.DataTree):
        raise SchemaError(
            "A table is made from a record.",
            found=type(record).__name__,
            hint="a Dataset on 'specimen' is a table already: hand it to model.fit",
        )
    specimens = specimens_of(record).copy()
    wanted = [*([phase] if phase else []), *(properties or [])]
    require(specimens, wanted, reader="represent")
    if phase:
        specimens[phase].attrs["role"] = "structure"
    # A record that was read has the notes of its specimens at its root too.
    notes = list(dict.fromkeys([*record.attrs.get("notes", []), *specimens.attrs.get("notes", [])]))
    kept: dict[str, xr.DataArray] = {}
    texts: dict[str, xr.DataArray] = {}
    for name, variable in specimens.data_vars.items():
        is_label = variable.attrs.get("role") == "structure"
        if _is_text(variable) and not is_label:
            notes.append(f"/specimens: {name} is text, kept beside the variables")
            texts[str(name)] = variable
        elif properties is None or variable.attrs.get("role") != "property" or _is_of(str(name), properties):
            kept[str(name)] = variable if is_label else variable.astype(float)
    table = xr.Dataset(kept, specimens.coords, {**record.attrs, **specimens.attrs}).assign_coords(texts)
    table.attrs["notes"] = [*notes, *_add_volumes(record, table), *_unused_nodes(record)]
    check(table)
    return table


def _add_volumes(record: xr.DataTree, table: xr.Dataset) -> list[str]:
    """Add columns that describe the volumes of a record to its table; a column of the sheet stays."""
    if not _has_volumes(record):
        return []
    from tieline.features.volumes.table import describe_node

    described = describe_node(record[VOLUMES].to_dataset(), table["specimen"].values)
    kept = [str(name) for name in described if name in table]
    table.update(described.drop_vars(kept))
    notes = [f"/{VOLUMES}: described by {len(described)} numbers a volume"]
    return notes + (
        [f"/specimens: {name_some(kept)} of the sheet kept, not that of the volumes"] if kept else []
    )


def _has_volumes(record: xr.DataTree) -> bool:
    """Whether a record holds volumes that are told apart into pore and solid."""
    node = record.children.get(VOLUMES)
    return node is not None and "volume" in node and "flag_meanings" in node["volume"].attrs


def _is_text(variable: xr.DataArray) -> bool:
    return not np.issubdtype(variable.dtype, np.number) and variable.dtype != bool


def _is_of(name: str, properties: Sequence[str]) -> bool:
    return name in properties or name.removesuffix("_sd") in properties


def _unused_nodes(record: xr.DataTree) -> list[str]:
    """Name the modalities that nothing turns into numbers yet."""
    used = {"/specimens", *([f"/{VOLUMES}"] if _has_volumes(record) else [])}
    nodes = [node for node in record.subtree if "measurement" in node.dims and node.path not in used]
    return [
        f"{node.path}: {node.sizes['measurement']} measurements of {name_some(node.data_vars)} not used"
        for node in nodes
    ]
