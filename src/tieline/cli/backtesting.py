"""The command `tieline backtest`."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tieline.cli.arguments import AsJson, Sheet, words_in
from tieline.cli.printing import console, print_json, print_notes
from tieline.errors import TielineError
from tieline.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd


def backtest(
    source: Annotated[Path, typer.Argument(help="A table of results, or a campaign's folder.")],
    goal: Annotated[str, typer.Option(help="maximize:NAME, minimize:NAME, target:NAME=VALUE")] = "",
    sheet: Sheet = "",
    acquisition: Annotated[
        str, typer.Option(help="Strategies, with commas between.")
    ] = "log_ei,ucb,pi,random",
    model: Annotated[str, typer.Option(help="gaussian or phase.")] = "gaussian",
    design: Annotated[str, typer.Option(help="Design variables, with commas between.")] = "",
    n_start: Annotated[str, typer.Option(help="Sizes of the start, with commas between.")] = "5",
    repeats: Annotated[int, typer.Option(help="Runs of each strategy from each start.")] = 50,
    tries: Annotated[int | None, typer.Option(help="Allowed after the start.")] = None,
    batch: Annotated[int, typer.Option(help="Places chosen at a time.")] = 1,
    noise: Annotated[float, typer.Option(help="Sd added to results, in their unit.")] = 0.0,
    without_replacement: Annotated[
        bool, typer.Option("--without-replacement", help="Measure no place twice.")
    ] = False,
    top_share: Annotated[float | None, typer.Option(help="Count the best share as found.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Count what is at least as good as found.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that run side by side.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for figures, tables and runs.")] = Path("backtest"),
    as_json: AsJson = False,
) -> None:
    """Compare strategies on results that are known: who would have found the best soonest?"""
    from tieline.campaign.backtesting import RUNS, known_results, strategies_of, write_backtest
    from tieline.planning.backtest import backtest as run
    from tieline.planning.backtest_answer import tabulate

    known = known_results(source, goal=goal, design=words_in(design), sheet=sheet or None)
    strategies = strategies_of(known, words_in(acquisition), model)
    out.mkdir(parents=True, exist_ok=True)
    with progress_bar("Virtual experiments") as progress, executor_of(workers) as executor:
        result = run(
            known.table,
            known.goal,
            strategies,
            n_start=_numbers(n_start),
            n_repeats=repeats,
            n_tries=tries,
            batch=batch,
            noise=noise,
            starts_with_replacement=not without_replacement,
            picks_with_replacement=not without_replacement,
            top_share=top_share,
            threshold=threshold,
            seed=seed,
            executor=executor,
            keep=out / RUNS,
            progress=progress,
        )
    files = write_backtest(result, out)
    rows = tabulate(result)
    if as_json:
        print_json({"rows": rows.to_dict("records"), "files": [str(file) for file in files], **result.attrs})
        return
    _print(rows, str(known.goal), result.attrs["n_places"])
    print_notes(result.attrs["notes"])
    names = ", ".join(file.name for file in files)
    console.print(f"Wrote {names} into {out}.", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"The runs are kept in {out / RUNS}: with more --repeats the same command goes on from there.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _numbers(text: str) -> list[int]:
    try:
        return [int(word) for word in words_in(text)]
    except ValueError:
        raise TielineError(
            "Sizes of the start are whole numbers.", found=f"'{text}'", hint="--n-start 5,10,20"
        ) from None


@contextmanager
def executor_of(workers: int) -> Iterator[Executor | None]:
    """As many processes as were asked for; for one the work is done here."""
    if workers < 1:
        raise TielineError("At least one process does the work.", found=f"--workers {workers}", hint="1")
    if workers == 1:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:  # a fork would copy locked threads
        yield pool


def _print(rows: "pd.DataFrame", goal: str, n_places: int) -> None:
    console.print(f"[bold]Virtual experiments on {n_places} places, to {escape(goal)}[/]", highlight=False)
    table = Table(box=None)
    headers = ("strategy", "start", "found", "95 %", "tries where found", "tries spent")
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i else "left")
    for row in rows.to_dict("records"):
        low, high = row["found_share_low"], row["found_share_high"]
        table.add_row(
            escape(str(row["strategy"])),
            str(row["n_start"]),
            f"{100 * row['found_share']:.0f} %",
            "" if low != low else f"{100 * low:.0f}-{100 * high:.0f} %",
            _with_error(row["mean_extra_tries"], row["mean_extra_tries_sd"]),
            _with_error(row["mean_tries_spent"], row["mean_tries_spent_sd"]),
        )
    console.print(table)


def _with_error(mean: float, error: float) -> str:
    if mean != mean:
        return "-"
    return f"{mean:.1f}" if error != error else f"{mean:.1f} ± {error:.1f}"
