"""The command `tieline model`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tieline.cli.arguments import By, CampaignFolder
from tieline.cli.printing import console
from tieline.errors import TielineError

if TYPE_CHECKING:
    from tieline.campaign.campaign import Campaign


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
    from tieline.campaign.kept_models import keep_model, leave_out_model

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
            for line in _listed(campaign):
                console.print(line, markup=False, highlight=False)


def _listed(campaign: "Campaign") -> Iterator[str]:
    """A line for each model that is kept."""
    from tieline.campaign.kept_models import kept_model, names_of_models
    from tieline.models.posterior import model_name

    names = names_of_models(campaign)
    if not names:
        yield f"No model is kept: tieline model {campaign.path} FILE keeps a saved posterior."
    for name in names:
        try:
            one = kept_model(campaign, name)
        except TielineError as error:
            yield f"  {name:<20} cannot be asked: {error.what}"
            continue
        yield f"  {name:<20} {model_name(one.posterior.model):<22} {', '.join(one.predicts)}"
