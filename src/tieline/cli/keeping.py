"""The command `tieline model`."""

from pathlib import Path
from typing import Annotated

import typer

from tieline.cli.arguments import By, CampaignFolder
from tieline.cli.printing import console
from tieline.errors import TielineError


def model(
    folder: CampaignFolder,
    file: Annotated[
        Path | None, typer.Argument(help="A saved posterior (.nc) to keep; without it, list.")
    ] = None,
    name: Annotated[str, typer.Option(help="That it is asked by; by default that of the file.")] = "",
    remove: Annotated[str, typer.Option(help="The name of one that is to be asked no more.")] = "",
    by: By = "",
) -> None:
    """List the models that are kept with a campaign, keep one, or let one be asked no more."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.kept_models import keep_model, kept_model, leave_out_model, names_of_models

    if remove and file is not None:
        raise TielineError("One model at a time.", found=f"{file} and --remove {remove}", hint="two commands")
    with Campaign.open(folder) as campaign:
        if remove:
            leave_out_model(campaign, remove, by=by)
            console.print(f"'{remove}' is asked no more; its file stays with the campaign.", markup=False)
        elif file is not None:
            kept = keep_model(campaign, file, name=name, by=by)
            told = ", ".join(kept.predicts)
            console.print(
                f"Kept '{kept.name}', which predicts {told} from {', '.join(kept.inputs)}.", markup=False
            )
            console.print(f"Next: tieline predict {folder} --model {kept.name}", markup=False)
        else:
            for each in names_of_models(campaign):
                one = kept_model(campaign, each)
                kind = type(one.posterior.model).__name__
                console.print(
                    f"  {each:<20} {kind:<22} {', '.join(one.predicts)}", markup=False, highlight=False
                )
