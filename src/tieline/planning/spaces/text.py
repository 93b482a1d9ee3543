"""Spaces as plain text and numbers, for campaign.toml and for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from tieline.errors import SchemaError, TielineError, did_you_mean
from tieline.planning.spaces.constraints import LinearConstraint, Rule, rule_name
from tieline.planning.spaces.inputs import Categorical, Levels, Numeric, settle_role
from tieline.planning.spaces.mixture import Composition

KINDS = {
    "elements": Composition,
    "levels": Levels,
    "categories": Categorical,
    "low": Numeric,
    "high": Numeric,
}


def write_space(inputs: Sequence[Any], constraints: Sequence[LinearConstraint | Rule]) -> dict[str, Any]:
    """Write the parts of a space as text, numbers, lists and mappings, leaving out what is the default.

    Raises:
        TielineError: a rule is a function.
    """
    rules = [c for c in constraints if not isinstance(c, LinearConstraint)]
    if rules:
        raise TielineError(
            "A rule is a function, which cannot be written as text.",
            found=", ".join(rule_name(rule) for rule in rules),
            hint="a tl.LinearConstraint where possible; otherwise add the rule again after reading the space",
        )
    written = {"inputs": [_write(i) for i in inputs], "constraints": [_write(c) for c in constraints]}
    return {key: parts for key, parts in written.items() if parts}


def read_space(settings: Mapping[str, Any]) -> tuple[list[Any], list[LinearConstraint]]:
    """Read the parts of a space.

    Raises:
        SchemaError: a setting is unknown, missing or of the wrong form.
    """
    _refuse_unknown("A space", settings, ["inputs", "constraints"])
    inputs = [_read(_kind(part), part) for part in _parts(settings, "inputs")]
    return inputs, [_read(LinearConstraint, part) for part in _parts(settings, "constraints")]


def _write(part: Any) -> dict[str, Any]:
    written = {}
    for field in fields(part):
        value = getattr(part, field.name)
        is_guess = field.name == "role" and value == settle_role(part.name, "")
        if value is None or value == field.default or is_guess:
            continue
        written[field.name] = list(value) if isinstance(value, tuple) else value
    return written


def _parts(settings: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    parts = settings.get(key, [])
    if not isinstance(parts, Sequence) or not all(isinstance(part, Mapping) for part in parts):
        raise SchemaError(
            f"The {key} of a space are a list.", found=f"{parts!r:.80}", hint=f"[[space.{key}]]"
        )
    return list(parts)


def _kind(part: Mapping[str, Any]) -> type:
    for key, kind in KINDS.items():
        if key in part:
            return kind
    raise SchemaError(
        "An input of the space says neither what it ranges over nor what it is one of.",
        found=", ".join(part) or "nothing",
        hint="low and high, or levels, or categories, or elements",
    )


def _read(kind: type, part: Mapping[str, Any]) -> Any:
    known = {field.name: field for field in fields(kind)}
    what = f"{kind.__name__} '{part.get('name')}'" if "name" in part else kind.__name__
    _refuse_unknown(what, part, list(known))
    missing = [name for name, field in known.items() if field.default is MISSING and name not in part]
    if missing:
        raise SchemaError(f"{what} lacks {', '.join(missing)}.", found=", ".join(part) or "nothing")
    try:
        return kind(**part)
    except (TypeError, ValueError, AttributeError) as error:
        raise SchemaError(
            f"A setting of {what} has the wrong form.",
            found=f"{dict(part)!r}: {error}",
            hint="numbers without quotes, text in quotes, lists in [ ]",
        ) from error


def _refuse_unknown(what: str, part: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in part:
        if key not in known:
            raise SchemaError(
                f"{what} has no setting '{key}'.",
                found=f"{part[key]!r:.80}. {did_you_mean(key, known)}".strip(),
                hint=f"one of {', '.join(known)}",
            )
