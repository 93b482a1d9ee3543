"""The commands `tieline serve` and `tieline token`."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from tieline.cli.arguments import By, CampaignFolder
from tieline.cli.printing import console
from tieline.errors import TielineError


def serve(
    folder: CampaignFolder,
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free one.")] = 8731,
    host: Annotated[str, typer.Option(help="Where; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that other machines call this one by.")
    ] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Ask for tokens on this machine too.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="Of TLS, a PEM file.")] = None,
    private_key: Annotated[Path | None, typer.Option(help="Of TLS, a PEM file.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no page.")] = False,
) -> None:
    """Serve a campaign over HTTP, for robots and for people, until Ctrl-C; a new one begins on the page."""
    with console.status("Loading tieline ..."):
        from tieline.campaign.opening import can_begin
        from tieline.service.access import Access
        from tieline.service.serving import serve as serve_campaign

    access = Access.at(host, names=allow_host or (), needs_token=tokens)
    is_new = can_begin(folder)

    def tell(address: str) -> None:
        console.print(
            f"Serving [bold]{folder}[/] at {address}. Ctrl-C stops it; nothing is lost.", soft_wrap=True
        )
        if is_new:
            console.print("  · There is no campaign in it yet: the page begins one.")
        if access.needs_token and certificate is None:
            console.print("  · Tokens travel unencrypted: --certificate, or a proxy with TLS.")
        if not no_browser:
            webbrowser.open(address)

    serve_campaign(
        folder,
        host=host,
        port=port,
        access=access,
        certificate=certificate,
        private_key=private_key,
        tell=tell,
    )


def token(
    folder: CampaignFolder,
    name: Annotated[str, typer.Argument(help="Of a person or a robot; without it, list.")] = "",
    role: Annotated[str, typer.Option(help="read, propose or admin.")] = "propose",
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it back.")] = False,
    by: By = "",
) -> None:
    """List the tokens of a campaign's service, make one, or take one back."""
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.tokens import add_token, list_tokens, revoke_token

    if revoke and not name:
        raise TielineError("Which token is to be taken back?", hint=f"tieline token {folder} NAME --revoke")
    with Campaign.open(folder) as campaign:
        if revoke:
            revoke_token(campaign.store, name, by=by)
            console.print(f"'{name}' is let in no longer.", markup=False)
        elif name:
            secret = add_token(campaign.store, name, role, by=by)
            console.print(f"A token for '{name}', who may {role}. It is shown this one time:", markup=False)
            print(secret)
        else:
            for one in list_tokens(campaign.store):
                console.print(f"  {one.name:<20} {one.role:<8} since {one.at}", markup=False, highlight=False)
