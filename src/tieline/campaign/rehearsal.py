"""Back-tests of a campaign's own results, as a process of its own that goes on where it was broken off.

All lies in `backtest/`: what was asked for, every virtual experiment as it is done, how far it is, and the
answer. Whoever looks only reads.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tieline.campaign.backtesting import RUNS, Known, known_results, strategies_of
from tieline.campaign.campaign import Campaign
from tieline.campaign.errands import Errand
from tieline.errors import Conflict, TielineError
from tieline.planning.backtest import RANDOM, backtest
from tieline.planning.virtual_lab import open_lab
from tieline.schema import open_netcdf, save_netcdf

FOLDER, ANSWER = "backtest", "backtest.nc"
FEWEST = 12  # places: of fewer, chance finds the best as soon as anybody
N_START, N_REPEATS, MOST_TRIES = 5, 20, 40
RULES = {
    "batch": 1,
    "starts_with_replacement": False,
    "picks_with_replacement": False,
    "seed": 0,
}
OURS, CHANCE = "tieline", "chance"  # names of the strategies


@dataclass(frozen=True)
class Rehearsal:
    """A back-test as it stands.

    Attributes:
        state: running, done, failed, or interrupted if its process died.
        about: goal, the last event that it knows, who began it and when.
        n_done: virtual campaigns that are done.
        n_all: of so many.
        problem: what went wrong, in three clauses.
    """

    state: str
    about: Mapping[str, Any]
    n_done: int
    n_all: int
    problem: Mapping[str, str]


def could_rehearse(campaign: Campaign) -> Known:
    """What a back-test would be about.

    Raises:
        TielineError: there are no results, the goal has no best place, or there are too few places.
    """
    campaign.record()
    known = known_results(campaign.path)
    rules = strategies_of(known, [RANDOM], "gaussian")
    assert rules  # it raises where the goal has no best place
    names = [known.design] if isinstance(known.design, str) else known.design
    lab, _ = open_lab(
        known.table, tuple(names), known.goal, 0.0, top_share=None, threshold=None, n_tries=None, **RULES
    )
    if lab.n_places < FEWEST:
        raise TielineError(
            "There are too few results to tell a good choice from luck.",
            found=f"{lab.n_places} places with a result",
            hint=f"{FEWEST} or more; until then, `Trust` says how good predictions are",
        )
    return known


def begin_rehearsal(campaign: Campaign, *, by: str = "") -> None:
    """Begin a back-test as a process of its own.

    Raises:
        Conflict: one is running.
        TielineError: the results cannot answer.
    """
    before = find_rehearsal(campaign)
    if before is not None and before.state == "running":
        raise Conflict("A back-test is running.", hint="wait for it")
    could_rehearse(campaign)
    # What an interrupted one has done already, is not done again.
    done = () if before is not None and before.state == "interrupted" else (ANSWER, RUNS)
    about = {"goal": campaign.settings.goal or "", "data": campaign.store.fact("data"), "by": by}
    _errand(campaign.path).begin(about, *done)


def find_rehearsal(campaign: Campaign) -> Rehearsal | None:
    """How the latest back-test stands; None if there was none."""
    errand = _errand(campaign.path)
    if not errand.about():
        return None
    progress = errand.progress()
    n_done, n_all = progress.get("n_done", 0), progress.get("n_all", 0)
    return Rehearsal(errand.state(), errand.about(), n_done, n_all, progress.get("problem", {}))


def read_rehearsal(campaign: Campaign) -> xr.Dataset:
    """The answer of the latest back-test, as `tieline.backtest` gives it."""
    answer = open_netcdf(campaign.path / FOLDER / ANSWER)
    assert isinstance(answer, xr.Dataset)
    return answer


def _errand(folder: Path) -> Errand:
    return Errand("tieline.campaign.rehearsal", folder, FOLDER, ANSWER)


def rehearse(folder: Path) -> None:
    """Do the work, and write how far it is after every few virtual campaigns."""
    errand = _errand(folder)

    try:
        with Campaign.open(folder) as campaign:
            known = could_rehearse(campaign)
        rules = strategies_of(known, ["log_ei"], "gaussian")
        answer = backtest(
            known.table,
            known.goal,
            {OURS: rules["log_ei"], CHANCE: RANDOM},
            n_start=N_START,
            n_repeats=N_REPEATS,
            n_tries=MOST_TRIES,
            **RULES,
            chunk=1,
            keep=errand.place / RUNS,
            progress=lambda n_done, n_all: errand.say(n_done=n_done, n_all=n_all),
        )
        save_netcdf(answer, errand.place / ANSWER)
    except TielineError as error:
        errand.complain(error)


if __name__ == "__main__":
    rehearse(Path(sys.argv[1]))
