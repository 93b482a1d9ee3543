"""The command `tieline screen`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tieline.cli.arguments import AsJson, Sheet
from tieline.cli.backtesting import executor_of
from tieline.cli.printing import console, print_json, print_notes, records_of
from tieline.errors import TielineError
from tieline.progress import progress_bar

if TYPE_CHECKING:
    from tieline.models.posterior import Posterior


def screen(
    source: Annotated[Path, typer.Argument(help="A saved posterior (.nc), or a campaign's folder.")],
    candidates: Annotated[Path, typer.Argument(help="Table of candidates: .csv, .xlsx, .nc, ...")],
    goal: Annotated[
        str,
        typer.Option(help="maximize:NAME, minimize:NAME, target:NAME=VALUE; by default a campaign's own."),
    ] = "",
    sheet: Sheet = "",
    n: Annotated[int, typer.Option("-n", help="How many are kept.")] = 20,
    caution: Annotated[
        float, typer.Option(help="Standard deviations by which predictions are taken to be worse.")
    ] = 0.0,
    workers: Annotated[int, typer.Option(help="Processes that run side by side.")] = 1,
    out: Annotated[Path, typer.Option(help="A .csv or .nc file.")] = Path("screened.csv"),
    as_json: AsJson = False,
) -> None:
    """Find the best of very many candidates by what was learned."""
    from tieline.campaign.places import read_places, write_places
    from tieline.planning.goals import parse_goal
    from tieline.planning.screen import screen as run

    posterior, usual, said = _learned(source)
    if not (goal or usual):
        raise TielineError("Nothing says what is wanted.", hint="--goal maximize:NAME")
    places = read_places(candidates, sheet or None)
    n_places = places.sizes["specimen"]
    with progress_bar("Candidates") as progress, executor_of(workers) as executor:
        best = run(
            posterior,
            places,
            goal or usual,
            n=n,
            caution=caution,
            executor=executor,
            progress=lambda n_seen: progress(n_seen, n_places),
        )
    write_places(best, out)
    if as_json:
        print_json({"best": records_of(best), **best.attrs})
        return
    kept = (
        f"The best {best.sizes['specimen']} of {n_places:,} candidates, to {parse_goal(best.attrs['goal'])}"
    )
    console.print(kept, highlight=False, markup=False)
    print_notes([*said, *best.attrs["notes"]])
    console.print(f"Wrote [bold]{out}[/], best first.")


def _learned(source: Path) -> tuple["Posterior", str, list[str]]:
    """What was learned, in a file or in the folder of a campaign; the campaign's goal, and what to know."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.memory import posterior_of_design

    if (source / "campaign.toml").is_file():
        campaign = Campaign.open(source)
        stale = ["Data or settings changed since the fit."] if campaign.is_stale else []
        return campaign.posterior(), campaign.settings.goal or "", stale
    if source.is_file():
        return posterior_of_design(source), "", []
    raise TielineError(
        f"Nothing was learned in '{source}'.",
        found="a folder without campaign.toml" if source.is_dir() else "no such file",
        hint="name a posterior that was saved as .nc, or the folder of a campaign",
    )
