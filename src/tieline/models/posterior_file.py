"""Posteriors on disk: one netCDF file with arrays, and the rest as JSON. Nothing in it is executed."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.encoding import Encoding
from tieline.models.expert_mixture import ExpertMixture
from tieline.models.experts import Expert, Layout, Pairs
from tieline.models.fusion import Fusion
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.gate import Gate, GateSettings
from tieline.models.gate_mixture import Focus, GateMixture
from tieline.models.line import Regions, Segmentation
from tieline.models.line_answer import LineAnswer
from tieline.models.line_fit import LineFit, Stretches
from tieline.models.observations import Observations
from tieline.models.phase_posterior import PhasePosterior
from tieline.models.phase_property import PhaseProperty
from tieline.models.segments import Settings
from tieline.models.sites import Sites
from tieline.schema import open_netcdf, save_netcdf

FORMAT = "tieline posterior 1"

# Only these can stand in a file; a name that is not here is refused, never imported.
PARTS = {
    part.__name__: part
    for part in (
        Encoding, Expert, ExpertMixture, Focus, Fusion, FusionAnswer, Gate, GateMixture, GateSettings, Layout,
        LineAnswer, LineFit, Observations, Pairs, PhaseProperty, Regions, Segmentation, Settings, Sites,
        Stretches,
    )
}  # fmt: skip


def save_posterior(posterior: PhasePosterior, path: str | Path) -> Path:
    """Write a posterior; the file is complete or absent.

    Args:
        posterior: of any tieline model.
        path: of the file, by custom ending in .nc.
    """
    arrays: dict[str, np.ndarray] = {}
    seen: dict[int, str] = {}
    structure = {
        name: _dismantle(getattr(posterior, name), arrays, seen)
        for name in ("model", "encoding", "answer", "rows", "notes")
    }
    values = xr.Dataset({name: (_dimensions(a), a) for name, a in arrays.items()})
    attrs = {"format": FORMAT, "structure": json.dumps(structure)}
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), "/table": posterior.table, "/arrays": values})
    return save_netcdf(tree, path)


def load_posterior(path: str | Path) -> PhasePosterior:
    """Read a posterior that `save` wrote.

    Raises:
        SchemaError: the file is not a posterior, or is damaged.
    """
    tree = open_netcdf(path)
    if not isinstance(tree, xr.DataTree) or tree.attrs.get("format") != FORMAT:
        raise SchemaError(
            f"{Path(path).name} is not a posterior that this version of tieline reads.",
            found=f"format {tree.attrs.get('format', 'none')!r}",
            hint="posterior.save(path) writes one; fit again if it comes from another version",
        )
    try:
        structure = json.loads(tree.attrs["structure"])
        arrays = {str(name): a.values for name, a in tree["arrays"].data_vars.items()}
        parts = {name: _assemble(value, arrays) for name, value in structure.items()}
        parts["notes"] = tuple(parts["notes"])
        return PhasePosterior(table=tree["table"].to_dataset(), **parts)
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{Path(path).name} is damaged.",
            found=f"{type(error).__name__}: {error}",
            hint="fit again and save",
        ) from error


def _dimensions(array: np.ndarray) -> tuple[str, ...]:
    """Dimensions named by their length, so that a file of many small arrays has few of them."""
    return tuple(f"length_{size}_{axis}" for axis, size in enumerate(array.shape))


def _dismantle(value: Any, arrays: dict[str, np.ndarray], seen: dict[int, str]) -> Any:
    """JSON for a value, its arrays put aside; an array that occurs twice is kept once."""
    if is_dataclass(value):
        inside = {f.name: _dismantle(getattr(value, f.name), arrays, seen) for f in fields(value)}
        return {"part": type(value).__name__, "fields": inside}
    if isinstance(value, np.ndarray):
        if id(value) not in seen:
            seen[id(value)] = f"a{len(arrays)}"
            arrays[seen[id(value)]] = value
        return {"array": seen[id(value)]}
    if isinstance(value, tuple | list):
        return {"items": [_dismantle(v, arrays, seen) for v in value]}
    return value.item() if isinstance(value, np.generic) else value


def _assemble(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "items" in value:
        return tuple(_assemble(v, arrays) for v in value["items"])
    if value["part"] not in PARTS:
        raise ValueError(f"unknown part {value['part']!r}")
    return PARTS[value["part"]](**{k: _assemble(v, arrays) for k, v in value["fields"].items()})
