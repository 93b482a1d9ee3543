"""The commands `tieline record`, `undo` and `verify`."""

from typing import Annotated, Any

import typer

from tieline.cli.arguments import By, CampaignFolder
from tieline.cli.printing import console
from tieline.errors import TielineError


def record(
    folder: CampaignFolder,
    results: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=VALUE, NAME=VALUE+-ERROR, NAME=below:VALUE, NAME=above:VALUE, NAME=failed"),
    ] = None,
    proposal: Annotated[str, typer.Option(help="That was followed.")] = "",
    specimen: Annotated[str, typer.Option(help="By default named after the proposal.")] = "",
    made: Annotated[list[str] | None, typer.Option(help="A setting as really made, NAME=VALUE.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="More results will follow.")] = False,
    failed: Annotated[str, typer.Option(help="It could not be made; why.")] = "",
    abandon: Annotated[str, typer.Option(help="It will not be made; why.")] = "",
    by: By = "",
    key: Annotated[str, typer.Option(help="Names the request: sent again it counts once.")] = "",
) -> None:
    """Record what came out of an experiment."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.outside import notes_outside

    told: dict[str, list[Any]] = {}
    for name, value in (_read_result(text) for text in results or []):
        told.setdefault(name, []).append(value)
    settings = dict(_read_setting(text) for text in made or [])
    with Campaign.open(folder) as campaign:
        if failed or abandon:
            _refuse_results(proposal, told, settings)
            give_up = campaign.fail if failed else campaign.abandon
            event = give_up(proposal, why=failed or abandon, by=by, key=key)
        else:
            about: dict[str, Any] = {"proposal": proposal, "specimen": specimen, "is_partial": partial}
            event = campaign.tell(told, made=settings, by=by, key=key, **about)
        what = event.told.get("specimen", proposal)
        console.print(f"Recorded as event {event.number}: {what}.", markup=False, highlight=False)
        for note in notes_outside(campaign.settings, event):
            console.print(note, markup=False, highlight=False)
        if campaign.is_stale:
            console.print(f"Next: tieline fit {folder}")


def undo(
    folder: CampaignFolder,
    event: Annotated[int, typer.Argument(help="Number of the event; tieline show --events lists them.")],
    why: Annotated[str, typer.Option(help="For the log.")] = "",
    by: By = "",
) -> None:
    """Let an event count no longer; it stays in the log, with the reason."""
    from tieline.campaign.campaign import Campaign

    with Campaign.open(folder) as campaign:
        counter = campaign.undo(event, why=why, by=by)
    console.print(f"Event {event} counts no longer. To bring it back: tieline undo {folder} {counter.number}")


def verify(folder: CampaignFolder) -> None:
    """Look whether everything is as it was written, down to the last byte."""
    from tieline.campaign.campaign import Campaign

    with Campaign.open(folder) as campaign:
        found, n_events = campaign.verify(), campaign.store.last()
    for line in found:
        console.print(f"  · {line}", markup=False, highlight=False, soft_wrap=True)
    if found:
        raise TielineError(
            f"The campaign in '{folder}' is not as it was written.",
            found=f"{len(found)} finding{'s' if len(found) > 1 else ''}, above",
            hint="put back the copy of a backup; an imported file can be put into raw/ again",
        )
    console.print(f"All is as it was written: {n_events} events and the files that they name.")


def _read_result(text: str) -> tuple[str, Any]:
    """A result as it is typed."""
    name, value = _split(text)
    flag, colon, limit = value.partition(":")
    if value == "failed":
        return name, {"flag": "failed"}
    if colon and flag in ("below", "above"):
        return name, {"flag": flag, "value": _number(text, limit)}
    number, sign, error = value.replace("±", "+-").partition("+-")
    if sign:
        return name, {"value": _number(text, number), "sd": _number(text, error)}
    return name, _value(value)


def _read_setting(text: str) -> tuple[str, Any]:
    """A setting as it is typed; a composition as Fe:0.7,Ga:0.3."""
    name, value = _split(text)
    if ":" not in value:
        return name, _value(value)
    pairs = (part.partition(":") for part in value.split(","))
    return name, {element.strip(): _number(text, share) for element, _, share in pairs}


def _split(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise TielineError(
            "A result or a setting is typed as NAME=VALUE.", found=f"'{text}'", hint="hardness=5.2"
        )
    return name.strip(), value.strip()


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _number(whole: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TielineError("This is no number.", found=f"'{text}' in '{whole}'", hint="5.2+-0.1") from None


def _refuse_results(proposal: str, told: dict[str, Any], settings: dict[str, Any]) -> None:
    if told or settings or not proposal:
        raise TielineError(
            "What failed or was given up is a proposal, and has no results.",
            found=", ".join([*told, *settings]) or "no proposal",
            hint='--proposal P2026-11-24-1 --failed "why"',
        )
