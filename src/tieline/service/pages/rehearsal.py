"""A back-test: would tieline have found the best of what is measured sooner than chance?"""

from io import BytesIO
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tieline.campaign.campaign import Campaign
from tieline.campaign.rehearsal import (
    CHANCE,
    N_REPEATS,
    N_START,
    OURS,
    Rehearsal,
    begin_rehearsal,
    could_rehearse,
    find_rehearsal,
    read_rehearsal,
)
from tieline.errors import NotFound, TielineError, three_clauses
from tieline.planning.wording import percent
from tieline.service.guard import PROPOSE, READ, needs
from tieline.service.pages.rendering import fragment, refused
from tieline.service.pages.router import Fields, add_page, see_other
from tieline.service.request import Present, deed_of

router = APIRouter()
PATH = "/rehearsal"
NAMES = {OURS: "tieline", CHANCE: "chance"}


def view(campaign: Present) -> dict[str, Any]:
    """What the page shows; always of now, as a back-test knows one state of the data alone."""
    found, obstacle = find_rehearsal(campaign), None
    try:
        goal = str(could_rehearse(campaign).goal)
    except TielineError as error:
        goal, obstacle = "", three_clauses(error)
    done = found if found is not None and found.state == "done" else None
    return {
        "as_of": "",
        "goal": goal,
        "n_start": N_START,
        "n_repeats": N_REPEATS,
        "obstacle": obstacle,
        "rehearsal": None if found is None else _progress(found),
        "is_stale": done is not None and done.about["data"] != campaign.store.fact("data"),
        "told": None if done is None else _told(campaign),
        "problem": None,
    }


def _progress(found: Rehearsal) -> dict[str, Any]:
    about = {key: found.about[key] for key in ("at", "by")}
    numbers = {"n_done": found.n_done, "n_all": found.n_all}
    return about | numbers | {"state": found.state, "problem": dict(found.problem)}


def _told(campaign: Campaign) -> dict[str, Any]:
    """The answer in one sentence, and a row for each strategy."""
    answer = read_rehearsal(campaign).isel(n_start=0)
    rows = []
    for name in NAMES:
        one = answer.sel(strategy=name)
        rows.append(
            {
                "who": NAMES[name],
                "found": percent(one["found_share"].item()),
                "tries": one["mean_tries_spent"].item(),
                "error": one["mean_tries_spent_sd"].item(),
            }
        )
    ours, chance = rows
    gap, error = chance["tries"] - ours["tries"], (ours["error"] ** 2 + chance["error"] ** 2) ** 0.5
    if gap > 2 * error:
        needed = [f"{one['tries']:.0f}" for one in rows]
        words = f"tieline needed {needed[0]} experiments on average where chance needed {needed[1]}"
    elif gap < -2 * error:
        words = "chance was quicker than tieline here: do not rely on its choices in this campaign"
    else:
        words = "tieline and chance cannot be told apart here"
    return {"sentence": words, "rows": rows, "n_places": int(answer.attrs["n_places"])}


add_page(router, PATH, "rehearsal.html", view)


@router.post(PATH, include_in_schema=False)
@needs(PROPOSE, takes_form=True)
def begin(request: Request, fields: Fields) -> Response:
    """Begin a back-test."""
    deed = deed_of(request, "")
    try:
        begin_rehearsal(deed.campaign, by=deed.by(fields.get("by", "")))
    except TielineError as error:
        return refused(request, "rehearsal.html", view(deed.campaign), error)
    return see_other(PATH)


@router.get(f"{PATH}/progress", include_in_schema=False)
@needs(READ)
def progress(campaign: Present) -> Response:
    """How far it is, as the part of the page that asks again by itself."""
    found = find_rehearsal(campaign)
    return fragment("rehearsing.html", {"rehearsal": None if found is None else _progress(found)})


@router.get(f"{PATH}/figure.png", include_in_schema=False)
@needs(READ)
def figure(request: Request, campaign: Present) -> Response:
    """The best so far against the number of experiments."""
    found = find_rehearsal(campaign)
    if found is None or found.state != "done":
        raise NotFound("No back-test is done.", hint="begin one on the page")

    def draw() -> bytes:
        from tieline.figures.backtests import regret

        place = BytesIO()
        regret(read_rehearsal(campaign)).savefig(place, format="png", dpi=130)
        return place.getvalue()

    image = request.app.state.drawings.once(("rehearsal", found.about["at"]), draw)
    return Response(image, media_type="image/png")
