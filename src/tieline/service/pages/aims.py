"""What a campaign may be after, in plain words, and as the fields of a form."""

from collections.abc import Mapping, Sequence
from typing import Any

from tieline.campaign.aiming import fault_in_aim
from tieline.campaign.campaign import Campaign
from tieline.errors import SchemaError, three_clauses
from tieline.planning.goals import (
    Goal,
    LearnLevelSet,
    LearnPhaseMap,
    Maximize,
    Minimize,
    Pareto,
    PropertyGoal,
    Target,
    level_terms,
    property_terms,
    terms,
    wants_phase_map,
    write_goal,
)
from tieline.service.pages.typed import read_typed

WISHES = {  # of a property
    "": "does not matter",
    "maximize": "as high as possible",
    "minimize": "as low as possible",
    "target": "as close as possible to …",
    "level": "learn where it is above …",
}
NEED_VALUE = ("target", "level")
WISH, VALUE, PHASES = "wish:", "value:", "phases"  # names of fields


def problem_of_goal(campaign: Campaign) -> dict[str, str] | None:
    """What is wrong with the goal beside the data that there are, in three clauses; None if nothing."""
    fault = fault_in_aim(campaign)
    return None if fault is None else three_clauses(fault)


def sentence_of(goal: Goal) -> str:
    """Say in one sentence or two what a goal makes tieline do."""
    if isinstance(goal, Pareto):
        wanted = " and ".join(_wanted(part) for part in goal.parts)
        return (
            f"tieline looks for the best compromises between {wanted}: places that beat what was measured "
            "in one without losing in the others."
        )
    said = [_said(part) for _, part in terms(goal)]
    return " ".join([said[0], *(f"At the same time: {one[:1].lower()}{one[1:]}" for one in said[1:])])


def _said(part: Goal) -> str:
    if isinstance(part, LearnPhaseMap):
        return "tieline proposes what tells most about which phase is where, above all near edges of the map."
    if isinstance(part, LearnLevelSet):
        return f"tieline proposes what tells most about where {_spoken(part.name)} is above {part.level:g}."
    assert isinstance(part, Maximize | Minimize | Target)  # a sum has no other parts
    return (
        f"tieline proposes what is most likely to beat the best so far, where {_wanted(part)} is wanted, and "
        "tries what it knows little about as long as that may pay."
    )


def _wanted(part: PropertyGoal) -> str:
    name = _spoken(part.name)
    if isinstance(part, Target):
        return f"{name} close to {part.value:g}"
    return f"{'high' if isinstance(part, Maximize) else 'low'} {name}"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def fields_of_goal(goal: Goal | None) -> dict[str, str]:
    """A goal as the fields of the form, as far as the form can say it."""
    fields: dict[str, str] = {}
    if goal is None:
        return fields
    for _, part in property_terms(goal):
        fields[WISH + part.name] = type(part).__name__.lower()
        if isinstance(part, Target):
            fields[VALUE + part.name] = f"{part.value:g}"
    for _, part in level_terms(goal):
        fields[WISH + part.name], fields[VALUE + part.name] = "level", f"{part.level:g}"
    return fields | ({PHASES: "on"} if wants_phase_map(goal) else {})


def is_said_by_form(goal: Goal) -> bool:
    """Whether the form says all of a goal: weights and reference values are beyond it."""
    fields = fields_of_goal(goal)
    names = [name.removeprefix(WISH) for name in fields if name.startswith(WISH)]
    return write_goal(read_goal(fields, names)) == write_goal(goal)


def read_goal(fields: Mapping[str, str], properties: Sequence[str]) -> Goal:
    """Read a goal from a form: one wish, several as compromises, with the phase map in equal parts.

    Args:
        fields: of the form.
        properties: that there are.

    Raises:
        SchemaError: nothing is wished for, or a value is missing.
        TielineError: the wishes do not go together.
    """
    wishes = [_wish(name, fields) for name in properties if fields.get(WISH + name)]
    maps = [one for one in wishes if isinstance(one, LearnLevelSet)]
    maps += [LearnPhaseMap()] if PHASES in fields else []
    ends: list[Any] = [one for one in wishes if not isinstance(one, LearnLevelSet)]
    if not wishes and not maps:
        raise SchemaError("What are you after?", found="no wish", hint="say of one property how it should be")
    if len(ends) > 1:
        if maps:
            raise SchemaError(
                "Compromises between several properties cannot be sought beside a map.",
                found=" and ".join(_spoken(one.name) for one in ends),
                hint="leave the map out, or all properties but one",
            )
        return Pareto(*ends)
    parts = [*ends, *maps]
    if len(parts) == 1:
        return parts[0]
    total = parts[0] * (1 / len(parts))
    for part in parts[1:]:
        total = total + part * (1 / len(parts))
    return total


def _wish(name: str, fields: Mapping[str, str]) -> Goal:
    wish, text = fields[WISH + name], fields.get(VALUE + name, "")
    if wish in ("maximize", "minimize"):
        return Maximize(name) if wish == "maximize" else Minimize(name)
    if wish not in NEED_VALUE:
        raise SchemaError("There is no such wish.", found=wish[:40], hint=", ".join(filter(None, WISHES)))
    said = read_typed(text, is_number=True) if text else {}
    if set(said) != {"value"}:
        hint = "a number in the unit of the property"
        raise SchemaError(f"Which value of {_spoken(name)}?", found=text[:40] or "none", hint=hint)
    return (Target if wish == "target" else LearnLevelSet)(name, said["value"])
