"""How results look in a terminal."""

import json
import math
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tieline.errors import TielineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import xarray as xr

console = Console()
errors = Console(stderr=True)
COLOURS = {"green": "green", "amber": "yellow", "red": "red"}


def print_error(error: TielineError) -> None:
    """Print what is wrong, what was found and what to try, to standard error."""
    errors.print(error.what, style="bold red", markup=False, highlight=False, soft_wrap=True)
    for word, clause in (("Found", error.found), ("Try", error.hint)):
        if clause:
            errors.print(f"  [dim]{word}:[/] {escape(clause)}", highlight=False, soft_wrap=True)


def print_verdict(diagnosis: "xr.Dataset") -> None:
    """Print how far a fit can be trusted, what would help, and what was done to the data."""
    verdict = diagnosis.attrs["verdict"]
    console.print(
        f"[bold {COLOURS[verdict]}]● {verdict}[/]  {escape(diagnosis.attrs['sentence'])}", highlight=False
    )
    if diagnosis.attrs["action"]:
        console.print(f"  [dim]What to do:[/] {escape(diagnosis.attrs['action'])}", highlight=False)
    print_notes(diagnosis.attrs["notes"])


def print_notes(notes: "Iterable[str]") -> None:
    """Print what should be known beside a result."""
    for note in notes:
        console.print(f"  · {note}", style="dim", highlight=False, markup=False)


def print_proposals(listing: "pd.DataFrame", goal: str) -> None:
    """Print proposals as a table, and below it the reason for each."""
    *headers, _ = (str(column) for column in listing.columns)
    console.print(f"[bold]What to do next, to {escape(goal)}[/]", highlight=False)
    table = Table(box=None)
    table.add_column("", style="bold")
    for header in headers:
        table.add_column(escape(header), justify="right", vertical="top")
    rows = [(str(number), *cells) for number, *cells in listing.itertuples(name=None)]
    for number, *cells, _ in rows:
        table.add_row(number, *(escape(cell) for cell in cells))
    console.print(table)
    for number, *_, reason in rows:
        console.print(f" [bold]{number}[/]  {escape(reason)}", highlight=False)


def print_json(content: Any) -> None:
    """Print JSON to standard output; what is not a number is null."""
    print(json.dumps(_without_gaps(content), ensure_ascii=False, indent=2))


def records_of(places: "xr.Dataset") -> list[dict[str, Any]]:
    """Places (specimen) as plain records; a composition becomes a mapping of its elements."""
    rows = (places.isel(specimen=i) for i in range(places.sizes["specimen"]))
    return [{str(name): plain(variable) for name, variable in row.data_vars.items()} for row in rows]


def plain(variable: "xr.DataArray") -> Any:
    """A plain value, or values by the names of their first coordinate."""
    if variable.ndim == 0:
        return variable.values.tolist()
    return dict(zip(variable[variable.dims[0]].values.tolist(), variable.values.tolist(), strict=True))


def _without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_gaps(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_gaps(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
