"""What a campaign is after is a line of campaign.toml: here it is changed, and the log remembers it."""

import json
import re
import tomllib
from collections.abc import Iterable

from tieline.campaign.campaign import Campaign
from tieline.campaign.opening import SETTINGS
from tieline.campaign.places import write_whole
from tieline.campaign.settings import check_models, fault_of_goal, properties_of, strangers_in_goal
from tieline.campaign.store.event import Event
from tieline.errors import SchemaError
from tieline.planning.goals import Goal, write_goal
from tieline.schema import specimens_of

AIMED = "aimed"  # the kind of event
LINE = re.compile(r"^goal\s*=[^\n]*\n?", re.M)
TABLE = re.compile(r"^\s*\[", re.M)  # what comes after a table's head belongs to the table


def aim(campaign: Campaign, goal: Goal, *, by: str = "", key: str = "") -> Event:
    """Write another goal into campaign.toml, where everything else stays as somebody wrote it.

    Args:
        campaign: that is after something else from now on.
        goal: what that is.
        by: who does it.
        key: of the request.

    Raises:
        SchemaError: the goal names a property that the data lack, the model cannot have it, or the line
            cannot be found.
    """
    settings, text = campaign.settings, write_goal(goal)
    request = {"goal": text}
    if before := campaign.store.answered(AIMED, request, key):
        return before
    check_models(settings.model, settings.challengers or (), text)
    properties = campaign.vocabulary().properties
    if properties and (fault := fault_of_goal(text, properties)):
        raise SchemaError(fault.what, found=fault.found, hint="name one of these")
    file = campaign.path / SETTINGS
    write_whole(file, with_goal(file.read_text(encoding="utf-8"), text))
    content = {"goal": text, "before": settings.goal or ""}
    return campaign.store.write(AIMED, content, by=by, key=key, request=request)


def fault_in_aim(campaign: Campaign) -> SchemaError | None:
    """What is wrong with the goal of a campaign, beside the data that it has; None if nothing."""
    return fault_of_goal(campaign.settings.goal, _properties(campaign)) if campaign.has_record else None


def notes_beside_fault(campaign: Campaign, notes: Iterable[str]) -> list[str]:
    """Notes of an import without those that `fault_in_aim`, which is shown beside them, says as well."""
    said = strangers_in_goal(campaign.settings.goal, _properties(campaign))
    return [note for note in notes if note not in said]


def _properties(campaign: Campaign) -> list[str]:
    return properties_of(campaign.settings, specimens_of(campaign.record()))


def with_goal(text: str, goal: str) -> str:
    r"""The text of campaign.toml with another goal.

    Raises:
        SchemaError: the line cannot be found for sure.

    Example:
        >>> print(with_goal('# mine\ngoal = "learn-phase-map"\nseed = 3', "maximize:hardness"))
        # mine
        goal = "maximize:hardness"
        seed = 3
    """
    line = f"goal = {json.dumps(goal, ensure_ascii=False)}\n"
    head = TABLE.search(text)
    top, tables = (text[: head.start()], text[head.start() :]) if head else (text, "")
    if LINE.search(top):
        changed = LINE.sub(lambda _: line, top) + tables
    else:
        changed = top.rstrip("\n") + "\n" * bool(top.strip()) + line + "\n" * bool(tables) + tables
    try:
        is_right = tomllib.loads(changed) == tomllib.loads(text) | {"goal": goal}
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise SchemaError(
            "The goal cannot be written into campaign.toml.",
            found="a line 'goal' that is not written on one line",
            hint=f"write {line.strip()} into the file yourself",
        )
    return changed
