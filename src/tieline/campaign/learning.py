"""What a campaign's model is, and the table that it reads."""

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.settings import Settings
from tieline.features.represent import represent
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.phase_property import PhaseProperty
from tieline.schema import as_variables, specimens_of
from tieline.schema.flags import is_no_result

NOT_LEARNED = (
    "name",
    "goal",
    "space",
    "pool",
    "costs",
    "store",
    "citation",
)  # settings that a fit does not depend on


def model_of(settings: Settings) -> PhaseProperty | GaussianProcess:
    """The model of complete settings."""
    assert settings.design is not None  # complete fills it
    assert settings.properties is not None
    if settings.is_smooth:
        kernel = {} if settings.kernel is None else {"kernel": settings.kernel}
        return GaussianProcess(settings.design, settings.properties, **kernel)
    said = {"inference": settings.inference, "n_sweeps": settings.n_sweeps}
    return PhaseProperty(
        design=settings.design,
        phase=settings.phase or None,
        properties=settings.properties,
        instrument=settings.instrument,
        **{name: value for name, value in said.items() if value is not None},
    )


def settings_of_fit(settings: Settings) -> dict[str, Any]:
    """The settings that a fit depends on."""
    return {name: value for name, value in asdict(settings).items() if name not in NOT_LEARNED}


def table_of(record: xr.DataTree, settings: Settings) -> xr.Dataset:
    """What models read: numbers and labels, and the text that campaign.toml gives a part."""
    table, specimens = represent(record), specimens_of(record)
    stated = settings.stated_design or []
    design = [stated] if isinstance(stated, str) else stated
    table = as_variables(table, [name for name in (settings.instrument, *design) if name])
    if not settings.is_smooth:
        table = _without_limits(table, specimens)
    return table


def _without_limits(table: xr.Dataset, specimens: xr.Dataset) -> xr.Dataset:
    """Leave out values that are only limits, for a model that would take them for results."""
    values, notes = {}, []
    for name in (str(v) for v in table.data_vars if f"{v}_flag" in specimens):
        is_limit = is_no_result(specimens[f"{name}_flag"].values)
        n = int((is_limit & table[name].notnull().values).sum())
        if n:
            values[name] = table[name].where(xr.DataArray(~is_limit, dims="specimen"))
            notes.append(f'{name}: {n} limits left out; model = "GaussianProcess" learns from them')
    return table.assign(values).assign_attrs(notes=[*table.attrs.get("notes", []), *notes])


def checksum_of(table: xr.Dataset) -> str:
    """SHA-256 of what a table says: names, values and units, not remarks."""
    digest = hashlib.sha256()
    for name in sorted(map(str, table.variables)):
        variable = table.variables[name]
        text = variable.values.astype(str) if variable.dtype.kind not in "iufb" else variable.values
        digest.update(
            f"{name} {variable.dims} {text.shape} {text.dtype.str} {variable.attrs.get('units')}".encode()
        )
        digest.update(np.ascontiguousarray(text).tobytes())
    return digest.hexdigest()
