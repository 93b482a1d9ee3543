"""How a specimen was really made, as people type it: one field for each setting, and for each element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.kinds import COMPOSITION, TEXT
from tieline.campaign.telling import TOLERANCE
from tieline.errors import SchemaError, three_clauses
from tieline.planning.listing import element_heading
from tieline.planning.spaces.inputs import Categorical
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.space import Space
from tieline.schema import specimens_of
from tieline.service.pages.typed import read_typed
from tieline.service.pages.words import spoken

MOST_CHOICES = 30  # categories offered to choose from


@dataclass(frozen=True)
class SettingField:
    """A field to type a setting into.

    Attributes:
        name: of the setting.
        element: of a composition; "" for other settings.
        header: as tables head it, with its unit.
        is_number: whether it is one; else it is a text.
        choices: texts that were said before.
    """

    name: str
    element: str
    header: str
    is_number: bool
    choices: tuple[str, ...] = ()


def fields_of_settings(settings: Mapping[str, Any], units: Mapping[str, str]) -> list[SettingField]:
    """The fields of settings that were asked for.

    Args:
        settings: by name; of a composition a mapping of elements.
        units: by name.
    """
    fields = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            fields += _elements(name, list(value))
        else:
            is_number = not isinstance(value, str)
            fields.append(SettingField(name, "", spoken(name, units.get(name, "")), is_number))
    return fields


def fields_of_design(campaign: Campaign) -> list[SettingField]:
    """The fields of everything that a specimen needs, where nothing was asked for."""
    words = campaign.vocabulary()
    known = specimens_of(campaign.record()) if campaign.has_record else xr.Dataset()
    stated = campaign.settings.space
    inputs = {} if stated is None else {one.name: one for one in Space.from_dict(stated).inputs}
    fields = []
    for name in words.design:
        kind = words.kinds.get(name)
        if kind == COMPOSITION:
            fields += _elements(name, _ingredients(inputs.get(name), known))
        else:
            header = spoken(name, words.units.get(name, ""))
            choices = _choices(name, inputs.get(name), known) if kind == TEXT else ()
            fields.append(SettingField(name, "", header, kind != TEXT, choices))
    return fields


def _elements(name: str, elements: Sequence[str]) -> list[SettingField]:
    return [SettingField(name, e, element_heading(e), is_number=True) for e in elements]


def _ingredients(one: Any, known: xr.Dataset) -> list[str]:
    if isinstance(one, Composition):
        return list(one.elements)
    return [str(e) for e in known["element"].values]


def _choices(name: str, one: Any, known: xr.Dataset) -> tuple[str, ...]:
    said = list(one.categories) if isinstance(one, Categorical) else []
    if name in known:
        said += [str(v) for v in known[name].values.ravel() if v is not None and str(v) not in ("", "nan")]
    return tuple(dict.fromkeys(said))[:MOST_CHOICES]


def read_made(
    fields: Sequence[SettingField], said: Mapping[str, str], asked: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Read settings as somebody typed them.

    Args:
        fields: that there are.
        said: what was typed, by header; an empty field says nothing.
        asked: the settings that were asked for, which hold for the elements that nothing was typed for.

    Returns:
        Settings as `Campaign.tell` takes them, those alone of which something was typed; and what is wrong,
        by header in three clauses.
    """
    made, faults, shares = {}, {}, {}
    for field in fields:
        text = said.get(field.header, "")
        if not text:
            continue
        try:
            value = _read(field, text)
        except SchemaError as error:
            faults[field.header] = three_clauses(error)
            continue
        if field.element:
            shares.setdefault(field.name, dict(asked.get(field.name, {})))[field.element] = value / 100
        else:
            made[field.name] = value
    for name, parts in shares.items():
        total = 100 * sum(parts.values())
        if abs(total - 100) > 100 * TOLERANCE:
            first = next(f.header for f in fields if f.name == name and said.get(f.header))
            hint = "type every element that was not as asked"
            faults.setdefault(
                first,
                three_clauses(
                    SchemaError("The elements do not add up to 100 at.%.", found=f"{total:.4g}", hint=hint)
                ),
            )
        made[name] = parts
    return made, faults


def _read(field: SettingField, text: str) -> Any:
    """One setting: a number with its unit if one was typed, or a text.

    Raises:
        SchemaError: it is no number, or more than one.
    """
    if not field.is_number:
        return text
    said = read_typed(text, is_number=True)
    if set(said) - {"value", "unit"} or (field.element and "unit" in said) or not np.isfinite(said["value"]):
        raise SchemaError("This is not a setting.", found=text[:60], hint="a number, such as 760")
    return said if "unit" in said and not field.element else said["value"]
