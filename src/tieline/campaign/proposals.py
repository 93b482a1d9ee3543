"""The life of a proposal: proposed, claimed, running; then done, failed or abandoned.

A lease that has run out makes a proposal overdue, which is a remark and no state: a slow furnace is not a
failure, and only people give up a run.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
import xarray as xr

from tieline.campaign.rows import from_rows
from tieline.campaign.store import tables
from tieline.campaign.store.event import Event, now
from tieline.campaign.store.store import Store
from tieline.campaign.store.tables import LIVE, OVER
from tieline.errors import Conflict, NotFound, TielineError, did_you_mean
from tieline.schema.wording import name_some

LEASE = 24 * 3600.0  # seconds that a claim holds, unless somebody says otherwise
STATES = (*LIVE, *OVER)


def list_proposals(store: Store, *, states: Sequence[str] = ()) -> xr.Dataset:
    """List proposals in the order in which they were made.

    Args:
        store: of the campaign.
        states: only these.

    Returns:
        (specimen): their settings and what was predicted; `proposal`, `state`, `is_overdue`, `claimed_by`,
        `lease_until`, `instrument` and `why`.
    """
    found = find_proposals(store, states=states)
    attrs: dict[str, Any] = {}
    for row in found:
        attrs |= json.loads(row.attrs)
    rows = [json.loads(row.design) | json.loads(row.about) for row in found]
    time = now()
    told = {
        "proposal": [row.name for row in found],
        "state": [row.state for row in found],
        "claimed_by": [row.claimed_by for row in found],
        "lease_until": [row.lease_until for row in found],
        "instrument": [row.instrument for row in found],
        "why": [row.why for row in found],
    }
    listed = from_rows(rows, attrs).assign(
        {name: ("specimen", np.array(column, dtype=str)) for name, column in told.items()}
    )
    return listed.assign(is_overdue=("specimen", np.array([is_overdue(row, time) for row in found], bool)))


def find_proposals(
    store: Store,
    *,
    states: Sequence[str] = (),
    names: Sequence[str] = (),
    instrument: str = "",
    claimed_by: str = "",
) -> list[sa.Row[Any]]:
    """Rows of the table `proposal`, in the order in which they were made.

    Args:
        store: of the campaign.
        states: only these.
        names: only these.
        instrument: only what was asked for this one.
        claimed_by: only what somebody has claimed, or had when it ended.

    Raises:
        TielineError: there is no such state.
        NotFound: there is no proposal of a name.
    """
    for state in states:
        if state not in STATES:
            raise TielineError(
                f"There is no state '{state}'. {did_you_mean(state, STATES)}".strip(),
                hint=" or ".join(STATES),
            )
    proposal = tables.proposal
    query = sa.select(proposal).order_by(proposal.c.event, proposal.c.line)
    if states:
        query = query.where(proposal.c.state.in_(states))
    if names:
        query = query.where(proposal.c.name.in_(names))
    if instrument:
        query = query.where(proposal.c.instrument == instrument)
    if claimed_by:
        query = query.where(proposal.c.claimed_by == claimed_by)
    found = store.rows(query)
    if missing := set(names) - {row.name for row in found}:
        raise NotFound(f"There is no proposal '{min(missing)}'.", hint="ask for the list of proposals")
    return found


def is_overdue(row: sa.Row[Any], time: str) -> bool:
    """Whether a lease has run out by a time, which is a remark and no state."""
    return row.state in ("claimed", "running") and row.lease_until < time


def claim(store: Store, name: str, *, by: str, lease: float, instrument: str, key: str) -> str:
    """Take a proposal for oneself, so that nobody else does the same work.

    Returns:
        Its name.

    Raises:
        NotFound: nothing is open, or there is no such proposal.
        Conflict: somebody else has it.
    """
    _check_lease(lease)
    _check_name(by)
    request = {"proposal": name, "by": by, "instrument": instrument}

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        chosen = name or _first_open(connection, instrument)
        return {"proposal": chosen, "claimed_by": by, "lease_until": now(plus=lease)}

    return store.write("claimed", settle, by=by, key=key, request=request).told["proposal"]


def _first_open(connection: sa.Connection, instrument: str) -> str:
    """The first proposal that is open for an instrument, or for whoever comes."""
    proposal = tables.proposal
    is_open = proposal.c.state == "proposed"
    query = sa.select(proposal.c.name).where(is_open, proposal.c.instrument.in_({"", instrument}))
    name = connection.execute(query.order_by(proposal.c.event, proposal.c.line).limit(1)).scalar()
    if name is None:
        others = (
            connection.execute(sa.select(proposal.c.instrument).where(is_open).distinct()).scalars().all()
        )
        raise NotFound(
            f"No proposal is open for {instrument!r}." if instrument else "No proposal is open for anybody.",
            found=f"what is open was asked for {name_some(sorted(others))}" if others else "",
            hint="say instrument=, or name the proposal" if others else "campaign.ask(n) makes proposals",
        )
    return name


def renew(store: Store, name: str, *, by: str, lease: float, is_running: bool, key: str) -> Event:
    """Say that one is still, or now, at work on a proposal.

    Raises:
        Conflict: it is claimed by somebody else, or by nobody.
    """
    _check_lease(lease)
    request = {"proposal": name, "by": by, "running": is_running}

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        state = _own(connection, name, by)
        return {
            "proposal": name,
            "state": "running" if is_running else state,
            "lease_until": now(plus=lease),
        }

    return store.write("renewed", settle, by=by, key=key, request=request)


def move(store: Store, names: Sequence[str], state: str, *, by: str, why: str, key: str) -> Event:
    """Give proposals back, fail them or give them up.

    Raises:
        Conflict: one has a result already, or who gives one back does not have it.
    """
    content = {"proposals": list(names), "state": state, "why": why}

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        for name in names if state == "proposed" else ():
            _own(connection, name, by)
        return content

    return store.write("moved", settle, by=by, key=key, request=content)


def _own(connection: sa.Connection, name: str, by: str) -> str:
    """State of a proposal that somebody claimed.

    Raises:
        Conflict: somebody else did.
    """
    proposal = tables.proposal
    row = connection.execute(sa.select(proposal).where(proposal.c.name == name)).first()
    if row is None:
        raise NotFound(f"There is no proposal '{name}'.", hint="campaign.proposals() lists them")
    if row.state not in ("claimed", "running") or row.claimed_by != by:
        raise Conflict(
            f"'{by}' did not claim the proposal '{name}'.",
            found=f"it is {row.state}" + (f" by {row.claimed_by}" if row.claimed_by else ""),
            hint="claim it first, under the same name",
        )
    return row.state


def _check_lease(lease: float) -> None:
    if not 0 < lease < 366 * 24 * 3600:
        raise TielineError(
            "A lease is some seconds, at most a year.", found=f"{lease!r}", hint=f"lease={LEASE:g}, a day"
        )


def _check_name(by: str) -> None:
    if not by.strip():
        raise TielineError("A claim needs a name.", found=repr(by), hint='by="furnace-2"')


def day_name(connection: sa.Connection, n: int) -> list[str]:
    """Name n proposals by the day, `P2026-11-24-1`, counting on; no name is given twice, undone or not."""
    day = f"P{datetime.now().astimezone():%Y-%m-%d}"
    event = tables.event
    latest = sa.select(event.c.content).where(event.c.kind == "proposed").order_by(event.c.number.desc())
    content = connection.execute(latest.limit(1)).scalar()
    told = json.loads(content) if content else {"proposals": [], "about": {}}
    names = [*told["about"].get("names", ()), *(one["name"] for one in told["proposals"])]
    numbers = [name.rpartition("-")[2] for name in names if name.startswith(f"{day}-")]
    last = max((int(number) for number in numbers if number.isdigit()), default=0)
    return [f"{day}-{last + i}" for i in range(1, n + 1)]
