"""What a campaign studies and what it is after: the file campaign.toml, which people may edit."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.citation import Citation
from tieline.errors import SchemaError, TielineError
from tieline.planning.goals import names_in, parse_goal, wants_phase_map, write_goal
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.space import Space
from tieline.schema import is_label
from tieline.schema.wording import name_known

HEAD = """\
# The settings of a tieline campaign. Edit them freely, then run `tieline fit` again.
# What is left out is taken from the roles of the imported columns.
# goal: maximize:NAME, minimize:NAME, target:NAME=VALUE, learn-phase-map, learn-level-set:NAME=VALUE,
#       pareto(maximize:NAME, minimize:NAME from VALUE), or a sum such as
#       0.7*maximize:NAME + 0.3*learn-phase-map
"""


PHASE_PROPERTY, GAUSSIAN_PROCESS = "PhaseProperty", "GaussianProcess"
COMPOSITION_PROPERTIES = "CompositionProperties"
MODELS = (PHASE_PROPERTY, GAUSSIAN_PROCESS, COMPOSITION_PROPERTIES)
ONLY_OF = {  # settings that one of the models has
    "phase": PHASE_PROPERTY,
    "instrument": PHASE_PROPERTY,
    "inference": PHASE_PROPERTY,
    "n_sweeps": PHASE_PROPERTY,
    "kernel": GAUSSIAN_PROCESS,
}


@dataclass(frozen=True)
class Settings:
    """The settings of a campaign; None is what the data are asked for.

    Attributes:
        name: of the campaign.
        model: `PhaseProperty`; where there are no phases `GaussianProcess`, or `CompositionProperties` for
            many properties of compositions.
        challengers: other models, which a fit holds against the one in use; the better one stays in use.
        design: the name of a composition, or names of columns; of text too for `GaussianProcess`.
        phase: the column of phase labels, or several of different instruments or people; "" if there is none.
        properties: the columns to learn.
        instrument: the column that says which instrument measured a specimen's properties, if they differ.
        inference: the engine of `PhaseProperty`.
        n_sweeps: most sweeps of each chain of the full posterior.
        kernel: of `GaussianProcess`.
        goal: as `parse_goal` reads it.
        seed: of everything random.
        space: of what could be made, as `Space.to_dict` writes it.
        pool: file of candidates, in the folder; not beside a space.
        costs: column of the pool that says what each place costs, or the cost of a measurement by what it
            measures, as in `tieline.propose`: proposals are then chosen by gain per cost.
        store: URL of a PostgreSQL server, where the campaign is not kept in its folder alone.
        citation: who made the data and what others may do with them, as `Citation.from_dict` reads it.
    """

    name: str
    model: str | None = None
    challengers: list[str] | None = None
    design: str | list[str] | None = None
    phase: str | list[str] | None = None
    properties: list[str] | None = None
    instrument: str | None = None
    inference: str | None = None
    n_sweeps: int | None = None
    kernel: str | None = None
    goal: str | None = None
    seed: int = 0
    space: dict[str, Any] | None = None
    pool: str | None = None
    costs: str | dict[str, float] | None = None
    store: str | None = None
    citation: dict[str, Any] | None = None

    @property
    def stated_design(self) -> str | list[str] | None:
        """The design as it is set, or else the inputs of the space."""
        if self.design is not None or self.space is None:
            return self.design
        space = Space.from_dict(self.space)
        return space.names[0] if [type(i) for i in space.inputs] == [Composition] else space.names

    @property
    def is_smooth(self) -> bool:
        """Whether the model is `GaussianProcess`, which reads text."""
        return self.model == GAUSSIAN_PROCESS

    @property
    def reads_labels(self) -> bool:
        """Whether the model is `PhaseProperty`, which knows phases."""
        return self.model in (None, PHASE_PROPERTY)


def read_settings(path: Path) -> Settings:
    """Read campaign.toml.

    Raises:
        SchemaError: it is not TOML, or a setting has the wrong form.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(
            f"{path.name} cannot be read.", found=str(error), hint="text stands in quotes, lists in [ ]"
        ) from error
    _refuse_unknown(found)
    if "goal" in found:
        _refuse_no_goal(found["goal"])
    _refuse_of_other_model(found)
    _refuse_two_pools(found)
    Citation.from_dict(found.get("citation"))
    return Settings(**{"name": path.parent.name, **found})


def _refuse_unknown(found: Mapping[str, Any]) -> None:
    forms = {
        "name": str,
        "model": str,
        "challengers": list,
        "design": str | list,
        "phase": str | list,
        "properties": list,
        "instrument": str,
        "inference": str,
        "n_sweeps": int,
        "kernel": str,
        "goal": str,
        "seed": int,
        "space": dict,
        "pool": str,
        "costs": str | dict,
        "store": str,
        "citation": dict,
    }
    for key, value in found.items():
        if key not in forms:
            raise SchemaError(
                f"campaign.toml has no setting '{key}'.", found=repr(value), hint=f"one of {', '.join(forms)}"
            )
        is_text_list = not isinstance(value, list) or all(isinstance(v, str) for v in value)
        if not isinstance(value, forms[key]) or isinstance(value, bool) or not is_text_list:
            raise SchemaError(
                f"The setting '{key}' in campaign.toml has the wrong form.",
                found=repr(value),
                hint='text in quotes, a list of names as ["a", "b"], seed and n_sweeps as whole numbers',
            )


def check_models(model: str | None, challengers: Sequence[str] = (), goal: str | None = None) -> None:
    """See that the models of a campaign exist, and can have its goal.

    Args:
        model: that it begins with.
        challengers: that are held against it.
        goal: as `parse_goal` reads it; None if none was set.

    Raises:
        SchemaError: one does not exist, cannot have the goal, or is named twice.
    """
    models = [model or PHASE_PROPERTY, *challengers]
    for name in models:
        if name not in MODELS:
            raise SchemaError(
                f"A campaign has no model '{name}'.",
                found=name_known(MODELS, name),
                hint=f'model = "{GAUSSIAN_PROCESS}" in campaign.toml, or leave the line out',
            )
        if name != PHASE_PROPERTY and goal is not None and wants_phase_map(parse_goal(goal)):
            raise SchemaError(
                f"{name} has no phases, and its campaign cannot learn a phase map.",
                found=f"goal = {goal!r} beside {'model' if name == model else 'challenger'} = {name!r}",
                hint="another goal, or leave the model out",
            )
    if twice := [name for name in MODELS if models.count(name) > 1]:
        raise SchemaError(
            f"{twice[0]} cannot challenge itself.",
            found=f"model = {models[0]!r} beside challengers = {models[1:]!r}",
            hint=f"challengers are others of {', '.join(MODELS)}",
        )


def _refuse_of_other_model(found: Mapping[str, Any]) -> None:
    """See that every setting is one of the models."""
    challengers = found.get("challengers", [])
    check_models(found.get("model"), challengers, found.get("goal"))
    model = found.get("model", PHASE_PROPERTY)
    for key, of in ONLY_OF.items():
        if found.get(key) and of not in (model, *challengers):
            raise SchemaError(
                f"The setting '{key}' in campaign.toml is not one of {model}.",
                found=f"{key} = {found[key]!r}",
                hint=f'leave it out, or model = "{of}"',
            )
    if challengers and model == PHASE_PROPERTY and found.get("phase"):
        raise SchemaError(
            f"{challengers[0]} has no phases, and cannot take the place of a model that learns them.",
            found=f"phase = {found['phase']!r} beside challengers = {challengers!r}",
            hint='phase = "" to learn properties alone, or leave the challengers out',
        )


def _refuse_two_pools(found: Mapping[str, Any]) -> None:
    """See that a space is one, and the only thing to choose from."""
    if "space" not in found:
        return
    Space.from_dict(found["space"])
    if "pool" in found:
        raise SchemaError(
            "campaign.toml names both a space and a pool to choose from.",
            found=f"pool = {found['pool']!r} beside [space]",
            hint="leave one of them out",
        )


def _refuse_no_goal(text: str) -> None:
    try:
        parse_goal(text)
    except TielineError as error:
        raise SchemaError(
            "The setting 'goal' in campaign.toml is not a goal.",
            found=error.found or error.what,
            hint=error.hint,
        ) from error


def write_settings(settings: Settings) -> str:
    """Write settings as the text of campaign.toml, leaving out what is None."""
    said = {key: value for key, value in vars(settings).items() if value is not None}
    citation = said.pop("citation", {})
    tables = {"citation": {"creators": citation.get("creators", [])}, "space": said.pop("space", {})}
    lines = _toml_lines(said)
    if citation:
        flat = {key: value for key, value in citation.items() if key != "creators"}
        lines += ["", "[citation]", *_toml_lines(flat)]
    for table, kinds in tables.items():
        for kind, parts in kinds.items():
            for part in parts:
                lines += ["", f"[[{table}.{kind}]]", *_toml_lines(part)]
    return HEAD + "\n".join(lines) + "\n"


def _toml_lines(said: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in said.items()]


def _toml(value: Any) -> str:
    """Write a value on one line; strings, numbers and flat lists are as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def complete(settings: Settings, table: xr.Dataset) -> Settings:
    """Fill what the settings leave open from the roles of the table's variables.

    A composition is the design if there is one; otherwise all numeric synthesis and process settings that
    vary.

    Raises:
        SchemaError: the settings name a variable that the table lacks, or nothing can be taken for the
            design.
    """
    _refuse_strangers(settings, table)
    stated = settings.stated_design
    design = stated if stated is not None else _guess_design(table)
    phase = settings.phase if settings.phase is not None else _guess_phase(table)
    phase = phase if settings.reads_labels else ""
    properties = settings.properties
    if properties is None:
        properties = [v for v in properties_of(settings, table) if _has_numbers(table[v])]
    goal = settings.goal
    if goal is None:
        goal = f"maximize:{properties[0]}" if properties else "learn-phase-map"
    return replace(settings, design=design, phase=phase, properties=properties, goal=goal)


def _refuse_strangers(settings: Settings, table: xr.Dataset) -> None:
    """See that every variable that campaign.toml names is among the data, or, as text, beside them."""
    for key in ("design", "phase", "properties", "instrument"):
        said = getattr(settings, key) or []
        for name in [said] if isinstance(said, str) else said:
            if name not in table.variables or name in table.dims:
                raise SchemaError(
                    f"The line {key} in campaign.toml names '{name}', which the data lack.",
                    found=name_known(table.data_vars, name),
                    hint=f"correct the line {key} in campaign.toml, or leave it out to have it guessed",
                )


def strangers_in_goal(goal: str | None, properties: Sequence[str]) -> list[str]:
    """Tell which properties of a goal are not there, each in one sentence with what it may mean.

    Args:
        goal: as `parse_goal` reads it; None if none was set.
        properties: that can be asked for.
    """
    return [f"{_lacking(name)}: {name_known(properties, name)}" for name in _strangers(goal, properties)]


def fault_of_goal(goal: str | None, properties: Sequence[str]) -> SchemaError | None:
    """What is wrong with the names in the line `goal` of campaign.toml, and what to type; None if nothing.

    Args:
        goal: as `parse_goal` reads it; None if none was set.
        properties: that can be asked for.
    """
    strangers = _strangers(goal, properties)
    if goal is None or not strangers:
        return None
    near = _with_nearest_names(goal, strangers, properties)
    line = f"goal = {json.dumps(near, ensure_ascii=False)} in campaign.toml"
    return SchemaError(
        f"{_lacking(strangers[0])}.",
        found=name_known(properties, strangers[0]),
        hint=line
        if near
        else "name one of these in the line goal of campaign.toml, or measure what it names",
    )


def _lacking(name: str) -> str:
    return f"The goal asks for '{name}', which is not among the properties"


def _strangers(goal: str | None, properties: Sequence[str]) -> list[str]:
    return [] if goal is None else [n for n in names_in(parse_goal(goal)) if n not in properties]


def _with_nearest_names(goal: str, strangers: Sequence[str], properties: Sequence[str]) -> str:
    """A goal with names that there are in the place of those that are not; "" where one has none near it."""
    text = write_goal(parse_goal(goal))
    for name in strangers:
        close = get_close_matches(name, properties, n=1)
        if not close:
            return ""
        text = re.sub(rf":{re.escape(name)}(?!\w)", f":{close[0]}".replace("\\", r"\\"), text)
    return text


def properties_of(settings: Settings, table: xr.Dataset) -> list[str]:
    """List the properties that a campaign can be after: those it names, or else all that it has."""
    if settings.properties is not None:
        return settings.properties
    named = [v for v in _with_role(table, "property") if not v.endswith("_sd")]
    return [v for v in named if v != settings.instrument]


def _with_role(table: xr.Dataset, *roles: str) -> list[str]:
    return [str(name) for name, variable in table.data_vars.items() if variable.attrs.get("role") in roles]


def _has_numbers(variable: xr.DataArray) -> bool:
    return np.issubdtype(variable.dtype, np.number) and bool(np.isfinite(variable).any())


def _guess_design(table: xr.Dataset) -> str | list[str]:
    compositions = [str(name) for name, variable in table.data_vars.items() if "element" in variable.dims]
    if compositions:
        return compositions[0]
    settings = [v for v in _with_role(table, "synthesis", "process") if not v.endswith("_sd")]
    varying = [v for v in settings if _has_numbers(table[v]) and float(table[v].std()) > 0]
    if not varying:
        raise SchemaError(
            "No column can be taken for the design: what you set when you make a specimen.",
            found=", ".join(str(v) for v in table.data_vars) or "no columns",
            hint='write design = ["temperature", "time"] into campaign.toml',
        )
    return varying


def _guess_phase(table: xr.Dataset) -> str:
    labels = [v for v in _with_role(table, "structure") if is_label(table[v])]
    preferred = [v for v in labels if "phase" in v.lower()]
    return (preferred or labels or [""])[0]
