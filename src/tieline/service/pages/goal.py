"""What the campaign is after: see it in plain words, and choose something else."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.campaign.aiming import aim
from tieline.campaign.campaign import Campaign
from tieline.errors import TielineError
from tieline.planning.goals import Goal, parse_goal, write_goal
from tieline.service.guard import PROPOSE, needs
from tieline.service.pages.aims import (
    PHASES,
    VALUE,
    WISH,
    WISHES,
    fields_of_goal,
    is_said_by_form,
    problem_of_goal,
    read_goal,
    sentence_of,
)
from tieline.service.pages.overview import goal_in_words
from tieline.service.pages.rendering import refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.request import Viewed, deed_of

router = APIRouter()


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    goal, words = _goal(campaign), campaign.vocabulary()
    names = list(words.properties)
    return {
        "goal": goal_in_words(campaign),
        "line": write_goal(goal) if goal is not None else "",
        "sentence": sentence_of(goal) if goal is not None else "",
        "is_stated": campaign.settings.goal is not None,
        "is_beyond_form": goal is not None and not is_said_by_form(goal),
        "properties": [{"name": name, "unit": words.units.get(name, "")} for name in names],
        "has_labels": campaign.settings.reads_labels and len(names) < len(words.results),
        "wishes": WISHES,
        "typed": fields_of_goal(goal),
        "problem": problem_of_goal(campaign),
    }


def _goal(campaign: Campaign) -> Goal | None:
    """What the campaign is after; None where that is not said and nothing was learned."""
    if campaign.settings.goal:
        return parse_goal(campaign.settings.goal)
    return campaign.goal() if campaign.has_posterior else None


add_page(router, "/goal", "goal.html", view)


@router.post("/goal", include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def choose(request: Request, fields: Fields) -> Response:
    """Write another goal into campaign.toml."""
    deed = deed_of(request, fields.get("key", ""))
    try:
        goal = read_goal(fields, deed.campaign.vocabulary().properties)
        aim(deed.campaign, goal, by=deed.by(fields.get("by", "")), key=deed.key)
    except TielineError as error:
        typed = {n: text for n, text in fields.items() if n.startswith((WISH, VALUE)) or n == PHASES}
        return refused(request, "goal.html", view(deed.campaign) | {"typed": typed}, error)
    return see_other("/goal", f"The goal is now: {goal}.")
