"""What a campaign is after.

Goals add up, with weights: `0.7 * Maximize("strength") + 0.3 * LearnPhaseMap()`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

import numpy as np

from tieline.errors import TielineError, did_you_mean


class Goal:
    """Anything a campaign can be after. Goals can be weighted and added; never made directly."""

    def __mul__(self, weight: float) -> "Weighted":
        return Weighted(tuple((weight * share, part) for share, part in terms(self)))

    __rmul__ = __mul__

    def __add__(self, other: "Goal") -> "Weighted":
        return Weighted(terms(self) + terms(other))


@dataclass(frozen=True)
class Maximize(Goal):
    """Find the place where a property is largest."""

    name: str

    def __str__(self) -> str:
        return f"maximize {_spoken(self.name)}"


@dataclass(frozen=True)
class Minimize(Goal):
    """Find the place where a property is smallest."""

    name: str

    def __str__(self) -> str:
        return f"minimize {_spoken(self.name)}"


@dataclass(frozen=True)
class Target(Goal):
    """Find the place where a property is closest to a value, given in the property's own unit."""

    name: str
    value: float

    def __str__(self) -> str:
        return f"bring {_spoken(self.name)} to {self.value:g}"


@dataclass(frozen=True)
class LearnPhaseMap(Goal):
    """Learn which phase is where, over the whole pool."""

    def __str__(self) -> str:
        return "learn the phase map"


@dataclass(frozen=True)
class LearnLevelSet(Goal):
    """Learn where a property is above a level, given in its own unit, over the whole pool."""

    name: str
    level: float

    def __str__(self) -> str:
        return f"learn where {_spoken(self.name)} is above {self.level:g}"


@dataclass(frozen=True, init=False)
class Pareto(Goal):
    """Find the best compromises between properties: what is gained is hypervolume.

    No property is weighed against another. A measurement gains as far as it dominates what no measured
    specimen dominates yet.

    Attributes:
        parts: what each property should be.
        reference: value of each property, in its own unit, from which the volume is counted: what is no
            better than that is worth nothing. None for the worst that was measured.
    """

    parts: tuple["PropertyGoal", ...]
    reference: tuple[float | None, ...]

    def __init__(self, *parts: "PropertyGoal", reference: Mapping[str, float] | None = None) -> None:
        """Name what two properties or more should be: `Pareto(Maximize("a"), Minimize("b"))`.

        Args:
            *parts: at least two, of different properties.
            reference: by name, values that are just worth nothing, for example `{"a": 0.0, "b": 100.0}`; the
                worst that was measured for those left out.
        """
        names = [part.name for part in parts if isinstance(part, PropertyGoal)]
        if len(names) < max(2, len(parts)) or len(set(names)) < len(names):
            raise TielineError(
                "Pareto compares two different properties or more.",
                found=", ".join(map(str, parts)) or "nothing",
                hint='tl.Pareto(tl.Maximize("yield"), tl.Minimize("cost"))',
            )
        given = dict(reference or {})
        if strangers := sorted(set(given) - set(names)):
            raise TielineError(
                "The reference names a property that is not compared.",
                found=f"{', '.join(strangers)} {did_you_mean(strangers[0], names)}".strip(),
                hint=f"values of {' and '.join(names)}",
            )
        if any(not math.isfinite(value) for value in given.values()):
            raise TielineError(
                "A reference is a number in the unit of its property.",
                found=f"{given}",
                hint="leave out a property to count from the worst measured value",
            )
        object.__setattr__(self, "parts", tuple(parts))
        object.__setattr__(
            self, "reference", tuple(None if name not in given else float(given[name]) for name in names)
        )

    def __str__(self) -> str:
        pairs = zip(self.parts, self.reference, strict=True)
        told = [f"{part}" if start is None else f"{part} from {start:g}" for part, start in pairs]
        return "the best compromises between: " + ", ".join(told)


@dataclass(frozen=True)
class Weighted(Goal):
    """A sum of goals. Weights are relative: each part is brought to a common scale first.

    Properties are divided by the spread of their predictions over the pool and added, so a weight is a price
    per spread. Where the phase map is in the sum too, an improvement by one spread of the property stands
    beside one nat of information about every place of the map.
    """

    parts: tuple[tuple[float, Goal], ...]

    def __post_init__(self) -> None:
        for weight, part in self.parts:
            if not (math.isfinite(weight) and weight > 0):
                raise TielineError(
                    f"The weight of '{part}' must be a positive number.",
                    found=f"{weight:g}",
                    hint="Minimize(...) instead of a negative weight; leave a goal out to ignore it",
                )
            if any(isinstance(part, Maximize) and other == Minimize(part.name) for _, other in self.parts):
                raise TielineError(
                    "A property cannot be wanted both large and small.",
                    found=f"{part} and minimize it",
                    hint="tl.Target(name, value) for a value in between",
                )
            if isinstance(part, Pareto):
                raise TielineError(
                    "Pareto cannot be a part of a sum: it weighs nothing against anything.",
                    found=str(self),
                    hint="a sum of the single goals, or Pareto alone",
                )

    def __str__(self) -> str:
        return " + ".join(f"{weight:g} × {part}" for weight, part in self.parts)


PropertyGoal = Union[Maximize, Minimize, Target]  # noqa: UP007 - a runtime alias for isinstance and annotations


def terms(goal: Goal) -> tuple[tuple[float, Goal], ...]:
    """Take a goal apart into weights and single goals."""
    return goal.parts if isinstance(goal, Weighted) else ((1.0, goal),)


def property_terms(goal: Goal) -> tuple[tuple[float, PropertyGoal], ...]:
    """Keep the parts that want a property to be something."""
    if isinstance(goal, Pareto):
        return tuple((1.0, part) for part in goal.parts)
    return tuple((w, part) for w, part in terms(goal) if isinstance(part, PropertyGoal))


def utility_of(goal: PropertyGoal, values: np.ndarray) -> np.ndarray:
    """What values of its property are worth to a goal, larger is better, in the property's unit."""
    if isinstance(goal, Maximize):
        return values
    return -values if isinstance(goal, Minimize) else -np.abs(values - goal.value)


def map_terms(goal: Goal) -> tuple[tuple[float, LearnPhaseMap | LearnLevelSet], ...]:
    """Keep the parts that want a map: of phases, or of where a property is above a level."""
    return tuple((w, part) for w, part in terms(goal) if isinstance(part, LearnPhaseMap | LearnLevelSet))


def level_terms(goal: Goal) -> tuple[tuple[float, LearnLevelSet], ...]:
    """Keep the parts that want to know where a property is above a level."""
    return tuple((w, part) for w, part in map_terms(goal) if isinstance(part, LearnLevelSet))


def map_weight(goal: Goal) -> float:
    """Sum the weights of the parts that concern a map; 0 when there are none."""
    return sum(w for w, _ in map_terms(goal))


def names_in(goal: Goal) -> list[str]:
    """Name the properties that a goal speaks of."""
    levels = [part.name for _, part in level_terms(goal)]
    return list(dict.fromkeys([part.name for _, part in property_terms(goal)] + levels))


def wants_phase_map(goal: Goal) -> bool:
    """Whether a goal asks which phase is where."""
    return any(isinstance(part, LearnPhaseMap) for _, part in map_terms(goal))


GRAMMAR = (
    "maximize:NAME, minimize:NAME, target:NAME=VALUE, learn-phase-map, learn-level-set:NAME=VALUE,"
    " pareto(maximize:NAME, minimize:NAME from VALUE), or a sum such as"
    " 0.7*maximize:NAME + 0.3*learn-phase-map, with spaces around the +"
)


def parse_goal(text: str) -> Goal:
    """Read a goal from one line of text, as the command line and campaign.toml write it.

    Args:
        text: see `GRAMMAR`.

    Raises:
        TielineError: the text is not a goal; the message shows the forms.

    Example:
        >>> str(parse_goal("0.7*maximize:strength + 0.3*learn-phase-map"))
        '0.7 × maximize strength + 0.3 × learn the phase map'
    """
    pareto = re.fullmatch(r"\s*pareto\s*\((.*)\)\s*", text, re.IGNORECASE)
    if pareto:
        return _parse_pareto(pareto[1])
    goals = [_parse_term(part.strip()) for part in re.split(r"\s\+\s", text.strip())]
    total = goals[0]
    for goal in goals[1:]:
        total = total + goal
    return total


def write_goal(goal: Goal) -> str:
    """Write a goal as text that `parse_goal` reads back."""
    if isinstance(goal, Weighted):
        return " + ".join(f"{weight!r}*{write_goal(part)}" for weight, part in goal.parts)
    if isinstance(goal, Pareto):
        starts = ["" if value is None else f" from {value!r}" for value in goal.reference]
        parts = [write_goal(part) + start for part, start in zip(goal.parts, starts, strict=True)]
        return f"pareto({', '.join(parts)})"
    if isinstance(goal, Target):
        return f"target:{goal.name}={goal.value!r}"
    if isinstance(goal, LearnLevelSet):
        return f"learn-level-set:{goal.name}={goal.level!r}"
    if isinstance(goal, Maximize | Minimize):
        return f"{type(goal).__name__.lower()}:{goal.name}"
    return "learn-phase-map"


def _parse_pareto(text: str) -> Pareto:
    """Read what stands between the brackets: `maximize:yield, minimize:cost from 100`."""
    parts, reference = [], {}
    for piece in text.split(","):
        goal, start, value = piece.partition(" from ")
        parts.append(_parse_term(goal.strip()))
        if start:
            reference |= {name: _number(value, piece.strip()) for name in names_in(parts[-1])}
    return Pareto(*parts, reference=reference)


def _parse_term(text: str) -> Goal:
    weight, star, rest = text.partition("*")
    if star:
        return float(_number(weight, text)) * _parse_term(rest.strip())
    kind, _, name = (piece.strip() for piece in text.partition(":"))
    kind = kind.lower().replace("_", "-").replace("maximise", "maximize").replace("minimise", "minimize")
    if kind == "learn-phase-map" and not name:
        return LearnPhaseMap()
    if kind == "maximize" and name:
        return Maximize(name)
    if kind == "minimize" and name:
        return Minimize(name)
    if kind in ("target", "learn-level-set") and "=" in name:
        name, _, value = name.rpartition("=")
        made = Target if kind == "target" else LearnLevelSet
        return made(name.strip(), _number(value, text))
    guess = did_you_mean(kind, ["maximize", "minimize", "target", "learn-phase-map", "learn-level-set"])
    raise TielineError("This is not a goal.", found=f"'{text}'. {guess}".strip(), hint=GRAMMAR)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _number(text: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TielineError(f"'{text}' should be a number.", found=f"'{whole}'", hint=GRAMMAR) from None
