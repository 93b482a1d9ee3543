"""Settings as really made that lie outside the space of campaign.toml: taken, and said so."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieline.campaign.kinds import COMPOSITION, NUMBER, kind_of
from tieline.campaign.rows import from_rows
from tieline.campaign.settings import Settings
from tieline.campaign.store.event import Event
from tieline.errors import UnitError
from tieline.planning.spaces.inputs import Categorical, Levels, Numeric
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.space import Input, Space


def notes_outside(settings: Settings, event: Event) -> list[str]:
    """Tell which settings of a specimen that was told lie outside the space; between steps is no matter.

    Args:
        settings: of the campaign.
        event: of a kind that tells how a specimen was made; others have no notes.
    """
    made, attrs = event.told.get("made", {}), event.told.get("attrs", {})
    if settings.space is None or not made:
        return []
    inputs = [one for one in Space.from_dict(settings.space).inputs if one.name in made]
    outside = [one.name for one in inputs if not _reaches(one, made[one.name], attrs.get(one.name, {}))]
    return [
        f"{name}: {_shown(made[name], attrs.get(name, {}))} lies outside the space of campaign.toml."
        for name in outside
    ]


def _reaches(one: Input, value: Any, attrs: Mapping[str, Any]) -> bool:
    if isinstance(one, Categorical):
        return value in one.categories
    if kind_of(value) != (COMPOSITION if isinstance(one, Composition) else NUMBER):
        return False  # the space says something else by now than when this was told
    if isinstance(one, Composition):
        there = {element: fraction for element, fraction in value.items() if fraction > 0}
        if not set(there) <= set(one.elements):
            return False
        value = dict.fromkeys(one.elements, 0.0) | there
    if isinstance(one, Levels):
        one = Numeric(one.name, min(one.levels), max(one.levels), units=one.units)
    place = from_rows([{one.name: value}], {one.name: attrs})
    try:
        return bool(Space([replace(one, step=None)]).contains(place).all())
    except UnitError:
        return False


def _shown(value: Any, attrs: Mapping[str, Any]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{element} {fraction:.3g}" for element, fraction in value.items())
    text = value if isinstance(value, str) else f"{value:g}"
    return f"{text} {attrs.get('units', '')}".rstrip()
