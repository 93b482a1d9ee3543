"""The command `tieline export`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tieline.cli.arguments import AsOf, CampaignFolder, moment_of
from tieline.cli.printing import console, print_notes
from tieline.errors import TielineError


def export(
    folder: CampaignFolder,
    path: Annotated[Path, typer.Argument(help="A new folder, or a file ending in .zip.", metavar="PATH")],
    form: Annotated[
        str, typer.Option("--format", help="crate, all with its provenance; csv, tables alone; or kadi.")
    ] = "crate",
    replace: Annotated[bool, typer.Option("--replace", help="What is there already.")] = False,
    upload: Annotated[
        str, typer.Option(help="Send it to this Kadi4Mat server; $KADI_TOKEN lets you in.")
    ] = "",
    as_of: AsOf = "",
) -> None:
    """Write a campaign out for others to read, while it is in use if need be."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.export.kadi_upload import Server
    from tieline.campaign.export.kadi_upload import upload as send

    if upload and form != "kadi":
        raise TielineError(
            "Only records for Kadi4Mat are sent.", found=f"--format {form}", hint="--format kadi"
        )
    with Campaign.open(folder, as_of=moment_of(as_of)) as campaign:
        written = campaign.export(path, form=form, replace=replace)  # type: ignore[arg-type] - export checks it
    console.print(f"Wrote [bold]{written}[/].")
    if upload:
        server = Server(upload, os.environ.get("KADI_TOKEN", ""))
        numbers = send(written, server, progress=lambda line: print_notes([line]))
        console.print(f"{len(numbers)} records are on {upload}.", highlight=False)
