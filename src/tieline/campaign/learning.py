"""What a campaign's model is, and the table that it reads."""

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.settings import COMPOSITION_PROPERTIES, Settings
from tieline.features.represent import represent
from tieline.models.composition_properties import CompositionProperties
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.phase_property import PhaseProperty
from tieline.schema import as_variables

NOT_LEARNED = (
    "name",
    "goal",
    "space",
    "pool",
    "costs",
    "store",
    "citation",
)  # settings that a fit does not depend on


def model_of(settings: Settings) -> PhaseProperty | GaussianProcess | CompositionProperties:
    """The model of complete settings."""
    assert settings.design is not None  # complete fills it
    assert settings.properties is not None
    if settings.is_smooth:
        kernel = {} if settings.kernel is None else {"kernel": settings.kernel}
        return GaussianProcess(settings.design, settings.properties, **kernel)
    if settings.model == COMPOSITION_PROPERTIES:
        return CompositionProperties(settings.design, settings.properties)
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
    table = represent(record)
    stated = settings.stated_design or []
    design = [stated] if isinstance(stated, str) else stated
    return as_variables(table, [name for name in (settings.instrument, *design) if name])


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
