"""The commands of `tieline`. Each opens a campaign folder, does one thing and prints what came out.

Everything heavy is imported inside the commands, so that `tieline --help` answers at once.
"""

from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tieline.cli.arguments import AsJson, AsOf, CampaignFolder, Sheet, moment_of, words_in
from tieline.cli.backtesting import backtest
from tieline.cli.comparing import compare
from tieline.cli.exporting import export
from tieline.cli.inspecting import inspect
from tieline.cli.keeping import model
from tieline.cli.printing import (
    console,
    errors,
    plain,
    print_error,
    print_json,
    print_notes,
    print_proposals,
    print_verdict,
    records_of,
)
from tieline.cli.recording import record, undo, verify
from tieline.cli.screening import screen
from tieline.cli.serving import serve, token
from tieline.cli.unmixing import unmix
from tieline.errors import TielineError

USER_ERROR = 2  # exit code of anything that the user can mend


class Patient(TyperGroup):
    """Prints what a user can mend as a message, without a traceback; faults of ours keep theirs."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn a TielineError into exit code 2."""
        try:
            return super().invoke(ctx)
        except TielineError as error:
            print_error(error)
            raise typer.Exit(USER_ERROR) from None


app = typer.Typer(
    cls=Patient,
    help="Fuse structure and property data of materials, say how sure, and propose the next experiment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a fault of ours: Python's own traceback is what a bug report needs
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where report and figures go.")] = Path("tieline-demo"),
    offline: Annotated[bool, typer.Option("--offline", help="Download nothing.")] = False,
) -> None:
    """Run three campaigns from data to proposals and write a report."""
    with console.status("Loading tieline ..."):
        from tieline.campaign.demo import run, studies
        from tieline.figures.report import write_report
        from tieline.planning.listing import list_proposals

    chapters = []
    for study in studies(offline=offline):
        if isinstance(study, str):
            console.print(f"\n[dim]{study}[/]")
            continue
        console.print()
        console.rule(f"[bold]{study.title}", align="left")
        console.print(study.about)
        started = perf_counter()
        with console.status(f"Fitting {study.table.sizes['specimen']} specimens ..."):
            chapter = run(study)
        chapters.append(chapter)
        seconds = perf_counter() - started
        console.print(f"Fitted {study.table.sizes['specimen']} specimens in {seconds:.1f} s.", style="dim")
        for remark in chapter.remarks:
            console.print(remark, style="dim", highlight=False)
        print_verdict(chapter.diagnosis)
        print_proposals(list_proposals(chapter.posterior, chapter.batch), str(study.goal))
    with console.status("Drawing figures ..."):
        written = write_report(chapters, out, title="tieline demonstration")
    console.print(f"\nReport: [bold]{written[0]}[/], with {len(written) - 1} figures beside it.")


@app.command()
def new(
    folder: CampaignFolder,
    name: Annotated[str, typer.Option(help="Of the campaign; by default the folder's.")] = "",
    goal: Annotated[str, typer.Option(help="For example maximize:strength.")] = "",
    model: Annotated[
        str, typer.Option(help="PhaseProperty; without phases GaussianProcess or CompositionProperties.")
    ] = "",
    challengers: Annotated[
        str, typer.Option(help="Other models that every fit holds against it, with commas between.")
    ] = "",
) -> None:
    """Start a campaign in a new folder."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.settings import Settings
    from tieline.planning.goals import parse_goal, write_goal

    wanted = write_goal(parse_goal(goal)) if goal else None
    others = words_in(challengers) or None
    settings = Settings(name or folder.resolve().name, model=model or None, challengers=others, goal=wanted)
    Campaign.create(folder, settings)
    console.print(f"Made [bold]{folder}[/]. Next: tieline import {folder} FILE")


@app.command(name="import")
def import_file(
    folder: CampaignFolder,
    file: Annotated[Path, typer.Argument(help="A table, a pattern, or a folder of them.", metavar="FILE")],
    sheet: Sheet = "",
) -> None:
    """Add a file of measurements to a campaign."""
    from tieline.campaign.aiming import fault_in_aim, notes_beside_fault
    from tieline.campaign.campaign import Campaign
    from tieline.schema import specimens_of

    campaign = Campaign.open(folder)
    notes = campaign.import_file(file, sheet=sheet or None)
    specimens = specimens_of(campaign.record())
    console.print(f"Imported [bold]{file}[/]: the campaign has {specimens.sizes['specimen']} specimens.")
    _print_columns(specimens)
    print_notes(notes_beside_fault(campaign, notes))
    if fault := fault_in_aim(campaign):
        print_error(fault)
    console.print(f"Next: tieline fit {folder}")


@app.command()
def fit(
    folder: CampaignFolder,
    background: Annotated[bool, typer.Option("--background", help="As a process of its own.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop the fit that is running.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn from everything that was imported or recorded."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.fits import latest_fit

    campaign = Campaign.open(folder)
    if background or cancel:
        _fit_elsewhere(campaign, stop=cancel)
        return
    use, notes = campaign.uses()
    with errors.status("Fitting ..."):
        diagnosis = campaign.fit().diagnose()
    done = latest_fit(campaign.store)
    assert done is not None  # just now
    notes = [note for note in notes if note not in diagnosis.attrs["notes"]]
    if as_json:
        verdict = _verdict(diagnosis)
        print_json(verdict | {"use": use, "notes": [*verdict["notes"], *notes]} | _model_of(done))
        return
    console.print(use, highlight=False, markup=False, soft_wrap=True)
    print_verdict(diagnosis)
    print_notes([*done.judged, *notes])
    console.print(f"Next: tieline propose {folder}")


@app.command()
def predict(
    folder: CampaignFolder,
    grid: Annotated[Path | None, typer.Argument(help="Places to predict.", metavar="[GRID]")] = None,
    sheet: Sheet = "",
    model: Annotated[str, typer.Option(help="One that `tieline model` keeps.")] = "",
    out: Annotated[Path, typer.Option(help="A .csv or .nc file.")] = Path("predictions.csv"),
) -> None:
    """Predict phases and properties, by default all over the explored region."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.kept_models import kept_model
    from tieline.campaign.places import read_places, write_places

    campaign = Campaign.open(folder)
    asked = kept_model(campaign, model) if model else campaign
    predicted = asked.predict(read_places(grid, sheet or None) if grid else None)
    write_places(predicted, out)
    console.print(f"Wrote [bold]{out}[/] with {predicted.sizes['specimen']} places.")
    print_notes(predicted.attrs["notes"])


@app.command()
def propose(
    folder: CampaignFolder,
    n: Annotated[int, typer.Option("-n", help="How many.")] = 5,
    goal: Annotated[
        str, typer.Option(help="maximize:NAME, minimize:NAME, target:NAME=VALUE, learn-phase-map")
    ] = "",
    pool: Annotated[Path | None, typer.Option(help="Table of places to choose from.")] = None,
    sheet: Sheet = "",
    acquisition: Annotated[
        str | None, typer.Option(help="pi, log_ei, ucb, thompson, p_best, lookahead or information.")
    ] = None,
    batch: Annotated[str, typer.Option(help="believer, liar_min, liar_max or local_penalty.")] = "believer",
    audit: Annotated[int, typer.Option(help="How many of them are drawn at random.")] = 0,
    anew: Annotated[
        bool, typer.Option("--anew", help="Disregard earlier proposals without a result.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose what to make or measure next."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.lists import LIST
    from tieline.campaign.naming import span
    from tieline.campaign.places import read_places
    from tieline.planning.goals import parse_goal
    from tieline.planning.listing import list_proposals

    campaign = Campaign.open(folder)
    with errors.status("Choosing ..."):
        chosen = campaign.propose(
            read_places(pool, sheet or None) if pool else None,
            n=n,
            goal=parse_goal(goal) if goal else None,
            acquisition=acquisition,  # type: ignore[arg-type] - propose checks it
            batch=batch,  # type: ignore[arg-type]
            audit=audit,
            anew=anew,
        )
    if as_json:
        print_json({"proposals": records_of(chosen), **chosen.attrs})
        return
    print_proposals(list_proposals(campaign.posterior(), chosen), str(parse_goal(chosen.attrs["goal"])))
    if not (goal or campaign.settings.goal):
        console.print("  · No goal was set: use --goal, or the line goal in campaign.toml.", style="dim")
    print_notes(chosen.attrs["notes"])
    file = folder / LIST
    names = span(chosen["proposal"].values.tolist())
    console.print(f"Kept as {file}, where the specimens are called {names}.", highlight=False, soft_wrap=True)
    console.print(f"Fill in what you measure there. Next: tieline import {folder} {file}", soft_wrap=True)


app.command()(record)


@app.command()
def show(
    folder: CampaignFolder,
    report: Annotated[bool, typer.Option("--report", help="Write report.html and figures.")] = False,
    events: Annotated[int, typer.Option(help="How many of the latest events to list.")] = 0,
    as_of: AsOf = "",
    as_json: AsJson = False,
) -> None:
    """Show what is in a campaign, and how far its fit can be trusted."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.fits import latest_fit
    from tieline.schema import specimens_of

    campaign = Campaign.open(folder, as_of=moment_of(as_of))
    settings = campaign.settings
    specimens = specimens_of(campaign.record()) if campaign.has_record else None
    diagnosis = campaign.posterior().diagnose() if campaign.has_posterior else None
    done = latest_fit(campaign.store)
    is_stale = done is not None and campaign.is_stale
    if as_json:
        found = {"settings": vars(settings), "imports": campaign.imports(), "is_stale": is_stale}
        found["n_specimens"] = 0 if specimens is None else specimens.sizes["specimen"]
        found["proposals"] = _states(campaign)
        found["fits"] = [{"fit": f.name, "state": f.state, "stage": f.stage} for f in campaign.fits()]
        found["events"] = [vars(event) for event in campaign.events(after=campaign.store.last() - events)]
        found |= {} if done is None else _model_of(done)
        print_json(found | ({} if diagnosis is None else _verdict(diagnosis)))
        return
    console.print(f"[bold]{settings.name}[/], imported: {', '.join(campaign.imports()) or 'nothing yet'}")
    if specimens is not None:
        _print_columns(specimens)
    if states := _states(campaign):
        told = ", ".join(f"{n} {state}" for state, n in states.items())
        console.print(f"  {'proposals':<10} {told}", highlight=False)
    for fit in (f for f in campaign.fits()[-1:] if f.state != "done"):
        console.print(f"The latest fit is {fit.state}: {fit.name}, begun {fit.started}.", style="yellow")
    if diagnosis is None:
        console.print("Not fitted yet.")
    else:
        print_verdict(diagnosis)
    if done is not None and done.judged:
        console.print(f"  {'model':<10} {done.outcome['model']}", highlight=False)
        print_notes(done.judged)
    if is_stale:
        console.print(f"Data or settings changed since the fit: tieline fit {folder}", style="yellow")
    for event in campaign.events(after=campaign.store.last() - events) if events else ():
        who = f" by {event.by}" if event.by else ""
        console.print(f"  {event.number:>5}  {event.at}  {event.kind}{who}", highlight=False, markup=False)
    if report:
        console.print(f"Report: [bold]{campaign.report()}[/]")


@app.command()
def doctor() -> None:
    """Show versions, cores, memory and data, for a question or a bug report."""
    from tieline.cli.checkup import checkup

    for name, finding in checkup():
        console.print(f"{name:<14}{finding}", highlight=False, markup=False)


app.command()(backtest)
app.command()(inspect)
app.command()(compare)
app.command()(screen)
app.command()(model)
app.command()(unmix)
app.command()(export)
app.command()(undo)
app.command()(verify)
app.command()(serve)
app.command()(token)


def _fit_elsewhere(campaign: Any, *, stop: bool) -> None:
    """Start a fit as a process of its own, or stop the one that is running."""
    if not stop:
        name = campaign.start_fit()
        console.print(f"Began {name}. How it goes: tieline show {campaign.path}")
        return
    running = [fit.name for fit in campaign.fits() if fit.state == "running"]
    if not running:
        raise TielineError("No fit is running.", hint=f"tieline fit {campaign.path} --background")
    for name in running:
        campaign.cancel_fit(name)
        console.print(f"Cancelled {name}.")


def _model_of(fit: Any) -> dict[str, Any]:
    """The model of a fit and how it came into use; nothing of fits that earlier versions wrote down."""
    return {key: fit.outcome[key] for key in ("model", "arrived", "challenge") if key in fit.outcome}


def _states(campaign: Any) -> dict[str, int]:
    """How many proposals are in each state, and how many are overdue."""
    listed = campaign.proposals()
    states = listed["state"].values.tolist()
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    n_overdue = int(listed["is_overdue"].sum())
    return counts | ({"overdue": n_overdue} if n_overdue else {})


def _print_columns(specimens: Any) -> None:
    """One line a role: which variables have it, with units."""
    by_role: dict[str, list[str]] = {}
    for name, variable in specimens.data_vars.items():
        units = variable.attrs.get("units", "")
        text = f"{name} ({units})" if units not in ("", "1") else str(name)
        by_role.setdefault(variable.attrs.get("role", "no role"), []).append(text)
    for role, names in by_role.items():
        console.print(f"  {role:<10} {', '.join(names)}", highlight=False, markup=False)


def _verdict(diagnosis: Any) -> dict[str, Any]:
    """Verdict, notes, and the numbers behind it that fit on a line."""
    short = {n: v for n, v in diagnosis.data_vars.items() if v.dims in ((), ("property",))}
    words = {key: diagnosis.attrs[key] for key in ("verdict", "sentence", "action", "notes")}
    return words | {str(name): plain(variable) for name, variable in short.items()}
