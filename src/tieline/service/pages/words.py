"""How events, times and states are told to people."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tieline.campaign.kept_models import STUDY as MODELS
from tieline.campaign.store.event import Event
from tieline.planning.goals import parse_goal
from tieline.planning.wording import as_read

STATES = {
    "proposed": "open",
    "claimed": "taken",
    "running": "under way",
    "done": "done",
    "failed": "could not be made",
    "abandoned": "given up",
}
ENDS = {
    "done": "Learned",
    "failed": "Could not learn",
    "cancelled": "Learning was stopped",
    "interrupted": "Learning was interrupted",
}
FEW = 3  # names in one sentence


def spoken(name: str, unit: str = "") -> str:
    """A quantity with its unit, as a header says it."""
    unit = as_read(unit)
    plain = name.replace("_", " ")
    return f"{plain} ({unit})" if unit else plain


def moment(at: str) -> str:
    """A time as the clock of this machine shows it."""
    return datetime.fromisoformat(at).astimezone().strftime("%d %b %Y, %H:%M") if at else ""


def ago(at: str) -> str:
    """How long a time is past, in one unit."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            n = int(seconds // size)
            return f"{n} {word}{'s' * (n != 1)} ago"
    return "just now"


def say_event(event: Event) -> str:
    """What happened, in one sentence of the lab."""
    told = event.told
    teller = _TELLERS.get(event.kind)
    return teller(told) if teller else event.kind.replace("_", " ")


def _proposed(told: Mapping[str, Any]) -> str:
    names = [one["name"] for one in told["proposals"]]
    return f"Proposed {_some(names)}" if names else "Nothing was proposed"


def _told(told: Mapping[str, Any]) -> str:
    if not told["results"]:
        return f"{told['specimen'] or told['proposal']}: {STATES.get(told['state'], 'noted')}"
    values = [_value(one) for one in told["results"]]
    return f"Recorded {', '.join(values)} of {told['specimen']}"


def _value(one: Mapping[str, Any]) -> str:
    name = one["property"].replace("_", " ")
    if one["flag"] == "failed":
        return f"{name}: failed"
    sign = {"below": "below ", "above": "above "}.get(one["flag"], "")
    value = one["label"] if one["label"] is not None else f"{one['value']:.6g}"
    unit = as_read(one["unit"] or "")
    return f"{name} {sign}{value} {unit}".strip()


def _moved(told: Mapping[str, Any]) -> str:
    state = "given back" if told["state"] == "proposed" else STATES[told["state"]]
    return f"{_some(told['proposals'])}: {state}" + (f" ({told['why']})" if told["why"] else "")


def _fit_ended(told: Mapping[str, Any]) -> str:
    outcome = told["outcome"].get("sentence") or told["outcome"].get("what") or ""
    return f"{ENDS[told['state']]}. {outcome}".strip()


def _imported(told: Mapping[str, Any]) -> str:
    again = " again" if told["replaces"] else ""
    done = f"; results of {_some(told['done'])}" if told["done"] else ""
    return f"Read {told['file']}{again}{done}"


def _studied(told: Mapping[str, Any]) -> str:
    study, name = told["study"], told["name"]
    if study == MODELS:
        return (
            f"Kept the model {name}" if told["deed"] == "kept" else f"Let the model {name} be asked no more"
        )
    if told["deed"] == "learned":
        return f"Learned a {study} of {name}"
    return f"Read {name} for {study}" if told["deed"] == "kept" else f"Left {name} out of {study}"


def _undone(told: Mapping[str, Any]) -> str:
    return f"Undid event {told['event']}" + (f" ({told['why']})" if told.get("why") else "")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


_TELLERS = {
    "created": lambda told: "The campaign began",
    "aimed": lambda told: f"Set the goal: {parse_goal(told['goal'])}",
    "proposed": _proposed,
    "claimed": lambda told: f"{told['claimed_by']} took {told['proposal']}",
    "renewed": lambda told: f"{told['proposal']} is under way",
    "moved": _moved,
    "told": _told,
    "imported": _imported,
    "fit_started": lambda told: "Began to learn",
    "fit_ended": _fit_ended,
    "attached": lambda told: f"Kept {told['name']}" + (f" of {told['specimen']}" if told["specimen"] else ""),
    "studied": _studied,
    "token_added": lambda told: f"Made a token for {told['name']} ({told['role']})",
    "token_revoked": lambda told: f"Took the token of {told['name']} back",
    "undone": _undone,
}
