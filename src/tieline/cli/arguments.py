"""What several commands are given: a campaign's folder, who says so, a sheet, a moment, words in a row."""

from pathlib import Path
from typing import Annotated

import typer

CampaignFolder = Annotated[Path, typer.Argument(help="The campaign's folder.", metavar="FOLDER")]
By = Annotated[str, typer.Option(help="Who says so.")]
AsOf = Annotated[str, typer.Option(help="As it was: 2026-11-24, or the number of an event.")]
Sheet = Annotated[str, typer.Option(help="Which sheet of a spreadsheet file, when several hold data.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def words_in(text: str) -> list[str]:
    """Words with commas between."""
    return [word.strip() for word in text.split(",") if word.strip()]


def moment_of(as_of: str) -> int | str | None:
    """The number of an event, or a time; None for now."""
    return (int(as_of) if as_of.isdigit() else as_of) or None
