"""Settings that a map does not span: where they are held, and what one moves them with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.figures.resting import Held, is_category, rest_of
from tieline.figures.views import View
from tieline.models.posterior import Posterior
from tieline.planning.pool import design_names
from tieline.planning.wording import label, rounded, spoken_unit
from tieline.schema.wording import name_known


def controls_of(view: View, table: xr.Dataset) -> list[dict[str, Any]]:
    """A slider for each number that a view does not span, and a choice for each category.

    Args:
        view: with what is held.
        table (specimen): says how far values reach.
    """
    controls = []
    for name in view.others:
        column = table[name]
        if "element" in column.dims:
            continue  # its other elements rest: they can move only together
        value = rest_of(view.table[name], view.held)
        about: dict[str, Any] = {"name": name, "header": label(column, name), "value": value.item()}
        if is_category(column):
            controls.append(about | {"choices": _categories(column), "low": None, "high": None, "said": ""})
            continue
        low, high = _ends(column)
        said = f"{rounded(float(value), high - low)} {spoken_unit(column)}".strip()
        controls.append(about | {"choices": [], "low": low, "high": high, "said": said})
    return controls


def read_held(said: Mapping[str, str], posterior: Posterior) -> Held:
    """Read where settings are to be held.

    Args:
        said: by name, as text.
        posterior: knows the settings, and how far they reach.

    Raises:
        SchemaError: there is no such setting, or nothing was learned there.
    """
    held: dict[str, float | str] = {}
    names = [n for n in design_names(posterior) if "element" not in posterior.table[n].dims]
    for name, text in said.items():
        if name not in names:
            raise SchemaError(f"There is no setting '{name}' to hold.", found=name_known(names, name))
        column = posterior.table[name]
        held[name] = _category(name, text, column) if is_category(column) else _value(name, text, column)
    return held


def _category(name: str, text: str, column: xr.DataArray) -> str:
    if text not in (known := _categories(column)):
        raise SchemaError(f"'{name}' was never there.", found=text[:60], hint=", ".join(known))
    return text


def _value(name: str, text: str, column: xr.DataArray) -> float:
    low, high = _ends(column)
    try:
        value = float(text)
    except ValueError:
        value = np.nan  # nowhere
    if not low <= value <= high:
        raise SchemaError(f"'{name}' was never there.", found=text[:60], hint=f"{low:g} to {high:g}")
    return value


def _ends(column: xr.DataArray) -> tuple[float, float]:
    return float(np.nanmin(column.values)), float(np.nanmax(column.values))


def _categories(column: xr.DataArray) -> list[str]:
    return sorted(set(column.values.astype(str)) - {"", "nan"})
