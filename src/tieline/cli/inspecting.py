"""The command `tieline inspect`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from tieline.cli.arguments import AsJson, Sheet, words_in
from tieline.cli.printing import COLOURS, console, print_json, print_notes
from tieline.errors import TielineError

if TYPE_CHECKING:
    import xarray as xr

    from tieline.evaluation.inspection import Inspection


def inspect(
    source: Annotated[Path, typer.Argument(help="A table, or a campaign's folder.")],
    target: Annotated[str, typer.Option(help="What is to be predicted.")] = "",
    inputs: Annotated[str, typer.Option(help="What from, with commas between.")] = "",
    groups: Annotated[str, typer.Option(help="Column of what was made or measured together.")] = "",
    sheet: Sheet = "",
    out: Annotated[
        Path | None, typer.Option(help="Draw what was found into this .png, .pdf or .svg.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report on the quality of data: leaks, repeats, gaps, outliers, units, and whether there is enough."""
    from tieline.evaluation.task import inspect as look_over

    report = look_over(
        read_source(source, sheet or None), target or None, words_in(inputs) or None, groups or None
    )
    if out is not None:
        from tieline.figures import inspection, save

        save(inspection(report), out)
    if as_json:
        columns = report.columns.to_dataframe().reset_index().to_dict("records")
        print_json({**inspection_json(report), "columns": columns})
        return
    print_findings(report)
    print_notes(report.notes)
    if out is not None:
        console.print(f"Wrote [bold]{out}[/].")


def inspection_json(report: "Inspection") -> dict[str, Any]:
    """What was found, for programs."""
    findings = [vars(finding) for finding in report.findings]
    return {"verdict": report.verdict, "findings": findings, "notes": report.notes}


def read_source(source: Path, sheet: str | None = None) -> "xr.Dataset":
    """Read a table from a file, or from the folder of a campaign.

    Args:
        source: the file or the folder.
        sheet: which sheet of a spreadsheet file.

    Raises:
        TielineError: there is neither.
    """
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.places import read_places
    from tieline.features.represent import represent

    if (source / "campaign.toml").is_file():
        return represent(Campaign.open(source).record())
    if source.is_file():
        return read_places(source, sheet)
    raise TielineError(
        f"There are no data in '{source}'.",
        found="a folder without campaign.toml" if source.is_dir() else "no such file",
        hint="name a table, or the folder of a campaign",
    )


def print_findings(report: "Inspection") -> None:
    """Print the verdict, each finding with what to do, and the columns."""
    n = report.table.sizes["specimen"]
    console.print(f"[bold {COLOURS[report.verdict]}]● {report.verdict}[/]  {n} rows", highlight=False)
    for finding in report.findings:
        style = COLOURS.get(finding.severity, "dim")
        console.print(f"  [{style}]{finding.severity:<6}[/]{escape(finding.sentence)}", highlight=False)
        console.print(f"        [dim]{escape(finding.action)}[/]", highlight=False)
    table = Table(box=None)
    for i, header in enumerate(("column", "known", "different", "smallest", "median", "largest", "unit")):
        table.add_column(header, justify="right" if 0 < i < 6 else "left")
    for row in report.columns.to_dataframe().reset_index().to_dict("records"):
        ends = (row[key] for key in ("smallest", "median", "largest"))
        numbers = ("" if value != value else f"{value:.4g}" for value in ends)
        counts = (str(row["n_known"]), str(row["n_different"]))
        table.add_row(escape(row["column"]), *counts, *numbers, "" if row["units"] == "1" else row["units"])
    console.print(table)
