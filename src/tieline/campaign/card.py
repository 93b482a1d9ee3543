"""A campaign as a notebook shows it: what it is after, what it knows, and what is under way."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tieline.campaign.fits import latest_fit
from tieline.campaign.proposals import find_proposals
from tieline.campaign.settings import Settings
from tieline.campaign.store.store import Store
from tieline.campaign.store.tables import LIVE
from tieline.planning.goals import parse_goal
from tieline.planning.listing import element_heading
from tieline.schema.card import card

SHOWN = 10  # proposals


def card_of(settings: Settings, store: Store, n_specimens: int, files: list[str]) -> str:
    """HTML that needs nothing else.

    Args:
        settings: of the campaign.
        store: its store.
        n_specimens: that it knows.
        files: that were imported.
    """
    fit, live = latest_fit(store), find_proposals(store, states=LIVE)
    origin = f", from {', '.join(files)}" if files else ""
    facts = [
        ("goal", str(parse_goal(settings.goal)) if settings.goal else "taken from the data"),
        ("specimens", f"{n_specimens}{origin}"),
        ("learned", fit.ended[:16].replace("T", " ") + " UTC" if fit else "not yet"),
        ("under way", str(len(live))),
    ]
    judged = fit.outcome if fit is not None and "verdict" in fit.outcome else None
    return card(f"Campaign {settings.name}", facts, judged=judged, table=_table(live[:SHOWN]))


def _table(live: list[sa.Row[Any]]) -> list[list[str]]:
    """Proposals: name, state, settings and the reason."""
    if not live:
        return []
    designs = [_settings(json.loads(row.design)) for row in live]
    names = list(dict.fromkeys(name for design in designs for name in design))
    rows = [
        [
            row.name,
            row.state,
            *(design.get(name, "") for name in names),
            json.loads(row.about).get("reason", ""),
        ]
        for row, design in zip(live, designs, strict=True)
    ]
    return [["proposal", "state", *(name.replace("_", " ") for name in names), "reason"], *rows]


def _settings(design: Mapping[str, Any]) -> dict[str, str]:
    """Settings by header, as text; elements in at.%."""
    said: dict[str, str] = {}
    for name, value in design.items():
        if isinstance(value, Mapping):
            said |= {element_heading(e): f"{100 * share:.4g}" for e, share in value.items()}
        else:
            said[name] = f"{value:.6g}" if isinstance(value, float | int) else str(value)
    return said
