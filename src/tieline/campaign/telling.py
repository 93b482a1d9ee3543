"""What somebody tells of an experiment, looked over at the door: names, units, flags, compositions."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
import xarray as xr

from tieline.campaign.kinds import kind_of, refuse_other_kind
from tieline.campaign.rows import from_rows
from tieline.campaign.store import tables
from tieline.campaign.store.event import Event
from tieline.campaign.store.store import Store, last_event
from tieline.errors import Conflict, NotFound, SchemaError, UnitError, did_you_mean
from tieline.schema.closure import ROUNDING
from tieline.schema.flags import FLAGS
from tieline.schema.wording import name_known
from tieline.units import canonical, convert

WORDS = ("value", "sd", "flag", "unit")
WORDS_OF_SETTING = ("value", "unit")
ABSOLUTE_ZERO = {"K": 0.0, "degC": -273.15, "degF": -459.67}
LARGEST = 1e300  # what is larger is a slip, and its square no number
TOLERANCE = 0.02  # a composition that sums to one but for this is closed, as in imported files

Value = float | str | Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Vocabulary:
    """What a campaign speaks of.

    Attributes:
        design: names of the settings, empty if not known yet.
        settings: other names that may be said of how a specimen was made.
        results: names of properties and labels, empty if not known yet.
        properties: those of them that are numbers.
        units: of each name that has one.
        kinds: whether a name stands for numbers, texts or compositions, as far as that is known.
        specimens: identities that imported files name.
    """

    design: tuple[str, ...]
    settings: tuple[str, ...]
    results: tuple[str, ...]
    properties: tuple[str, ...]
    specimens: frozenset[str]
    units: Mapping[str, str]
    kinds: Mapping[str, str]


def read_results_told(told: Mapping[str, Value | Sequence[Value]], known: Vocabulary) -> list[Row]:
    """Bring results into rows of the store, one a measurement.

    Args:
        told: by property: a number, the text of a label, `{"value", "sd", "flag", "unit"}`, or a list of
            these for repeats.
        known: what the campaign speaks of.

    Raises:
        SchemaError: a property is not known, or a value is none.
        UnitError: a unit is unknown, or is not one of the property.
    """
    rows = []
    for name, said in told.items():
        _refuse_stranger(name, known.results, "measures", "properties")
        several = [said] if isinstance(said, str | Mapping) or not isinstance(said, Sequence) else said
        if not several:
            raise SchemaError(
                f"A result of '{name}' has no value.", found="an empty list", hint="leave it out"
            )
        rows += [_result(name, one, known.units.get(name)) for one in several]
    for row in (row for row in rows if row["flag"] != "failed"):
        refuse_other_kind(row["property"], _held(row), known.kinds.get(row["property"]))
    return rows


def _held(row: Row) -> Any:
    """The value of a result that has one."""
    return row["value"] if row["label"] is None else row["label"]


def _result(name: str, said: Value, known_unit: str | None) -> Row:
    parts: dict[str, Any] = dict(said) if isinstance(said, Mapping) else {"value": said}
    _refuse_other_words(f"A result of '{name}'", parts, WORDS)
    value, sd, flag = parts.get("value"), parts.get("sd"), parts.get("flag", "ok")
    if flag not in FLAGS:
        raise SchemaError(
            f"A result of '{name}' has the flag '{flag}'.",
            found=did_you_mean(flag, FLAGS),
            hint=" or ".join(FLAGS),
        )
    unit = _unit(name, parts.get("unit"), known_unit)
    label = value if isinstance(value, str) else None
    number = None if value is None or label is not None else _number(name, value)
    if flag == "failed":
        number = label = None
    elif number is None and not label:
        raise SchemaError(
            f"A result of '{name}' has no value.",
            found=repr(value),
            hint='a number, a label, or {"flag": "failed"}',
        )
    if label is not None and (sd is not None or flag != "ok" or known_unit):
        raise SchemaError(
            f"'{name}' is a number with a unit, an error or a limit, or else a label; this is both.",
            found=repr(said),
            hint="numbers without quotes",
        )
    error = None if sd is None else _number(name, sd)
    if error is not None and error < 0:
        raise SchemaError(f"The standard error of '{name}' is negative.", found=f"{error:g}")
    return {"property": name, "value": number, "label": label, "sd": error, "flag": flag, "unit": unit}


def _refuse_other_words(what: str, said: Mapping[str, Any], words: Collection[str]) -> None:
    for word in said:
        if word not in words:
            raise SchemaError(
                f"{what} has no '{word}'.",
                found=did_you_mean(str(word), words),
                hint=f"one of {', '.join(words)}",
            )


def _number(name: str, value: Any) -> float:
    number = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not -LARGEST <= number <= LARGEST:  # NaN is neither
        found = repr(value) if is_number and isinstance(number, float) else str(value)[:80]
        raise SchemaError(
            f"'{name}' is not a finite number.", found=found, hint='leave it out, or {"flag": "failed"}'
        )
    return float(number)


def _unit(name: str, said: Any, known: str | None) -> str | None:
    if said is None:
        return known
    if not isinstance(said, str):
        raise UnitError(f"The unit of '{name}' is no text.", found=repr(said)[:80], hint='"degC"')
    unit = canonical(said)
    if known and unit != known:
        try:
            convert([1.0], unit, known)
        except UnitError as error:
            raise UnitError(
                f"'{name}' is not measured in {unit}.", found=f"it has the unit {known}", hint=known
            ) from error
    return unit


def read_settings_told(said: Mapping[str, Any], known: Vocabulary, *, is_whole: bool) -> Row:
    """Bring settings of a specimen into the units of the campaign.

    Args:
        said: by name: a number, text, `{"value", "unit"}`, or a composition as a mapping of elements.
        known: what the campaign speaks of.
        is_whole: whether all settings of the design must be there.

    Raises:
        SchemaError: a setting is not known or missing, or a composition does not close.
        UnitError: a unit is unknown, or is not one of the setting.
    """
    allowed = (*known.design, *known.settings) if known.design else ()
    made = {}
    for name, value in said.items():
        _refuse_stranger(name, allowed, "sets", "settings")
        made[name] = _setting(name, value, known.units.get(name))
        refuse_other_kind(name, made[name], known.kinds.get(name))
    missing = [name for name in known.design if name not in made]
    if is_whole and (missing or not made):
        raise SchemaError(
            f"The settings of the specimen are not complete: {', '.join(missing) or 'none were given'}.",
            found=", ".join(made) or "nothing",
            hint=f"give each of {', '.join(known.design)}" if known.design else "name what was set",
        )
    return made


def read_places_told(places: Sequence[Mapping[str, Any]], known: Vocabulary) -> xr.Dataset:
    """Make places (specimen) of settings that are told, in the units of what is known.

    Raises:
        SchemaError: a setting is not known or missing, or a composition does not close.
        UnitError: a unit is unknown, or is not one of the setting.
    """
    rows = [read_settings_told(place, known, is_whole=True) for place in places]
    return from_rows(rows, {name: {"units": unit} for name, unit in known.units.items()})


def _setting(name: str, value: Any, known_unit: str | None) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "value" in value:
        _refuse_other_words(f"The setting '{name}'", value, WORDS_OF_SETTING)
        number, unit = _number(name, value["value"]), _unit(name, value.get("unit"), known_unit)
        if unit not in (None, "1") and known_unit is None:
            raise UnitError(
                f"The campaign does not know in which unit '{name}' is.",
                found=f"{number:g} {unit}",
                hint="give its units in [[space.inputs]] of campaign.toml, or send the bare number",
            )
        _refuse_below_zero(name, number, unit)
        return (
            float(convert(number, unit, known_unit)) if unit and known_unit and unit != known_unit else number
        )
    if isinstance(value, Mapping):
        fractions = {str(element): _number(name, v) for element, v in value.items()}
        total = sum(fractions.values())
        if not fractions or min(fractions.values()) < 0 or abs(total - 1) > TOLERANCE:
            raise SchemaError(
                f"'{name}' is no composition.",
                found=f"a sum of {total:g}",
                hint="mole fractions that are not negative and sum to one",
            )
        if abs(total - 1) <= ROUNDING:
            return fractions
        return {element: v / total for element, v in fractions.items()}
    number = _number(name, value)
    _refuse_below_zero(name, number, known_unit)
    return number


def _refuse_below_zero(name: str, number: float, unit: str | None) -> None:
    lowest = ABSOLUTE_ZERO.get(unit or "")
    if lowest is not None and number < lowest:
        raise SchemaError(
            f"'{name}' is below absolute zero.",
            found=f"{number:g} {unit}",
            hint=f"correct the value, or its unit; nothing is below {lowest:g} {unit}",
        )


def _refuse_stranger(name: str, known: Collection[str], deed: str, what: str) -> None:
    if known and name not in known:
        raise SchemaError(
            f"The campaign {deed} no '{name}'.",
            found=name_known(known, name),
            hint=f"name one of these; new {what} are named in campaign.toml or come with an imported file",
        )


def tell(
    store: Store,
    words: Vocabulary,
    results: Mapping[str, Value | Sequence[Value]],
    *,
    proposal: str,
    specimen: str,
    made: Mapping[str, Any] | None,
    is_partial: bool,
    by: str,
    key: str,
) -> Event:
    """Record what came out of an experiment.

    Args:
        store: of the campaign.
        words: what the campaign speaks of.
        results: as `read_results_told` reads them.
        proposal: that was followed; "" for none.
        specimen: identity; by default the name of the proposal, or a new one.
        made: settings that were really made, where they are not those asked for.
        is_partial: whether more results of the proposal will follow.
        by: who tells.
        key: of the request.

    Raises:
        SchemaError: a name is not known, a value is none, or nothing is told.
        NotFound: there is no such proposal.
    """
    state = "" if not proposal else "running" if is_partial else "done"
    about = {"proposal": proposal, "specimen": specimen, "state": state, "why": ""}

    def read() -> Reading:
        rows = read_results_told(results, words)
        settings = read_settings_told(made or {}, words, is_whole=False)
        if not rows and not settings:
            raise SchemaError(
                "Nothing was told.",
                hint='tell({"hardness": 5.2}, proposal="P2026-11-24-1"); or fail, or abandon',
            )
        return Reading(rows, {**about, "made": settings})

    sent = {**about, "made": _as_sent(made or {}), "told": _as_sent(results)}
    return _once(store, words, sent, read, by=by, key=key)


def fail(store: Store, words: Vocabulary, proposal: str, *, why: str, by: str, key: str) -> Event:
    """Record that what was proposed could not be made, which a model may learn from."""
    about = {"proposal": proposal, "specimen": "", "made": {}, "state": "failed", "why": why}

    def read() -> Reading:
        lost = {"value": None, "label": None, "sd": None, "flag": "failed"}
        rows = [{"property": name, **lost, "unit": words.units.get(name)} for name in words.properties]
        return Reading(rows, about)

    return _once(store, words, about, read, by=by, key=key)


@dataclass(frozen=True)
class Reading:
    """What was sent, looked over and completed from the vocabulary.

    Attributes:
        rows: of the store, one a measurement.
        about: proposal, specimen, made, state and why.
    """

    rows: list[Row]
    about: Mapping[str, Any]


def _once(
    store: Store, words: Vocabulary, sent: Any, read: Callable[[], Reading], *, by: str, key: str
) -> Event:
    """Write down what was sent, or find it: the vocabulary may have grown since it was first sent."""
    try:
        before = store.answered("told", sent, key)
    except Conflict:  # unless the log is of an earlier version, which went by the completed rows
        reading = read()
        before = store.answered("told", {**reading.about, "results": reading.rows}, key)
    return before or _write(store, words, read(), sent, by=by, key=key)


def _as_sent(said: Any) -> Any:
    """What was sent as plain content, sound or not, alike for the same numbers."""
    if isinstance(said, Mapping):
        return {str(name): _as_sent(part) for name, part in said.items()}
    if isinstance(said, np.generic):
        return _as_sent(said.item())
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said) if -LARGEST <= said <= LARGEST else "not finite"
    if isinstance(said, Sequence) and not isinstance(said, str):
        return [_as_sent(part) for part in said]
    return said if said is None or isinstance(said, str | bool) else repr(said)


def _write(store: Store, words: Vocabulary, reading: Reading, sent: Any, *, by: str, key: str) -> Event:
    rows, about = reading.rows, reading.about
    proposal, settings = about["proposal"], about["made"]

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        for row in rows:
            _refuse_other_than_first(connection, row)
        for setting, value in settings.items():
            refuse_other_kind(setting, value, _first_kind(connection, setting, words))
        asked, attrs = _asked(connection, proposal)
        name = about["specimen"] or proposal or _new_name(connection)
        if name in words.specimens and settings:
            raise SchemaError(
                f"How the specimen '{name}' was made stands in an imported file.",
                found=", ".join(settings),
                hint="correct the file and import it again, or tell the results alone",
            )
        before = _made(connection, name)
        if before is None and not asked and name not in words.specimens:
            read_settings_told(settings, words, is_whole=True)
        with_unit = {n: {"units": words.units[n]} for n in settings if n in words.units}
        return {
            "specimen": name,
            "proposal": proposal,
            "state": about["state"],
            "why": about["why"],
            "asked": asked,
            "made": (before or {}) | settings,
            "attrs": with_unit | attrs,
            "results": rows,
        }

    return store.write("told", settle, by=by, key=key, request=sent)


def _asked(connection: sa.Connection, name: str) -> tuple[Row, Row]:
    """What a proposal asked for, and unit and role of its settings."""
    if not name:
        return {}, {}
    proposal = tables.proposal
    row = connection.execute(
        sa.select(proposal.c.design, proposal.c.attrs).where(proposal.c.name == name)
    ).first()
    if row is None:
        raise NotFound(f"There is no proposal '{name}'.", hint="ask for the list of proposals")
    design = json.loads(row.design)
    return design, {n: a for n, a in json.loads(row.attrs).items() if n in design}


def _refuse_other_than_first(connection: sa.Connection, row: Row) -> None:
    """See that a result is of the unit, and of the kind, in which its property was first told."""
    name, told = row["property"], tables.measurement
    first = sa.select(told).where(told.c.property == name).order_by(told.c.event, told.c.line).limit(1)
    if row["unit"] and (known := connection.execute(first.where(told.c.unit.is_not(None))).first()):
        _unit(name, row["unit"], known.unit)
    has_value = told.c.flag != "failed"
    if row["flag"] != "failed" and (known := connection.execute(first.where(has_value)).first()):
        refuse_other_kind(name, _held(row), kind_of(_held(known._asdict())))


def _first_kind(connection: sa.Connection, setting: str, words: Vocabulary) -> str | None:
    """What a setting was when the first specimen was told, where nothing else says what it is."""
    specimen = tables.specimen
    if setting in words.kinds:
        return None  # looked at before
    first = sa.select(specimen.c.asked, specimen.c.made).order_by(specimen.c.event).limit(1)
    row = connection.execute(first).first()
    said = {} if row is None else json.loads(row.asked) | json.loads(row.made)
    return kind_of(said[setting]) if setting in said else None


def _made(connection: sa.Connection, name: str) -> Row | None:
    """How a specimen was made, as far as was told; None if it was not heard of."""
    specimen = tables.specimen
    made = connection.execute(sa.select(specimen.c.made).where(specimen.c.name == name)).scalar()
    return None if made is None else json.loads(made)


def _new_name(connection: sa.Connection) -> str:
    last = last_event(connection)
    return f"told-{1 if last is None else last.number + 1}"
