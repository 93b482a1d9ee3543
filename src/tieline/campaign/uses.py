"""What a fit learns from what, and what of the data it leaves aside."""

import json
from dataclasses import replace

import numpy as np
import xarray as xr

from tieline.campaign.settings import GAUSSIAN_PROCESS, Settings, complete, properties_of, strangers_in_goal


def describe_use(settings: Settings, table: xr.Dataset, specimens: xr.Dataset) -> str:
    """Say in one line what is learned from what, and how to use what is not.

    Args:
        settings: of the campaign, as campaign.toml says them.
        table (specimen): what the model reads.
        specimens (specimen): everything that was imported, text too.
    """
    whole = complete(settings, table)
    design = [whole.design] if isinstance(whole.design, str) else whole.design or []
    properties = whole.properties or []
    phases = [whole.phase] if isinstance(whole.phase, str) else whole.phase or []
    learned = [*(name for name in phases if name), *properties]
    never = _never_measured(settings, specimens)
    unused: dict[str, list[str]] = {}
    for name in (str(v) for v in specimens.data_vars if v not in [*design, *learned, whole.instrument]):
        is_error = name.endswith("_sd") and name.removesuffix("_sd") in specimens
        if not is_error and name not in never:
            unused.setdefault(_why_unused(specimens[name], settings.is_smooth), []).append(name)
    clauses = []
    for why, names in unused.items():
        labels = names[0] if isinstance(whole.phase, str) else [*phases, *names]
        given = {"design": [*design, *names], "properties": [*properties, *names], "phase": labels}
        remedy = (
            f"{why} = {json.dumps(given[why], ensure_ascii=False)} in campaign.toml" if why in given else why
        )
        clauses.append(f"{', '.join(names)} ({remedy})")
    line = f"Learned {', '.join(learned) or 'nothing'} from {', '.join(design)}."
    if whole.instrument:
        line = f"{line[:-1]}, with an offset for each {whole.instrument}."
    return f"{line} Not used: {'; '.join(clauses)}." if clauses else line


def notes_on_settings(settings: Settings, table: xr.Dataset) -> list[str]:
    """Tell what the data do not have that a campaign is after.

    Args:
        settings: of the campaign, as campaign.toml says them.
        table (specimen): with roles.
    """
    never = _never_measured(settings, table)
    notes = [f"{name}: never measured, so nothing is learned of it." for name in never]
    return [*notes, *strangers_in_goal(settings.goal, properties_of(settings, table))]


def _never_measured(settings: Settings, table: xr.Dataset) -> list[str]:
    there = properties_of(replace(settings, properties=None), table)
    names = dict.fromkeys([*there, *(n for n in settings.properties or [] if n in table.data_vars)])
    return [name for name in names if not _finite(table[name]).size]


def _why_unused(variable: xr.DataArray, takes_text: bool) -> str:
    """Name the setting that would use a variable, or say why none can."""
    role = variable.attrs.get("role", "property")
    is_number = np.issubdtype(variable.dtype, np.number)
    if role == "structure" and not is_number:
        return "phase"
    if not is_number and role in ("synthesis", "process"):
        return "design" if takes_text else f'text, which model = "{GAUSSIAN_PROCESS}" reads'
    if not is_number:
        return "text"
    if role in ("structure", "property"):
        return "properties"
    known = _finite(variable)
    if known.size and "element" not in variable.dims and (known == known[0]).all():
        return f"always {known[0]:g}"
    return "design" if known.size else "never given"


def _finite(variable: xr.DataArray) -> np.ndarray:
    if not np.issubdtype(variable.dtype, np.number):
        return np.zeros(0)
    return variable.values[np.isfinite(variable.values)]
