"""From the log to the tables: what each kind of event does. The tables are nothing but this, repeated."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from tieline.campaign.store import tables
from tieline.campaign.store.event import Event
from tieline.campaign.store.tables import LIVE, OVER
from tieline.errors import Conflict, NotFound

UNDONE = "undone"


def read_events(connection: sa.Connection, *, after: int = 0, limit: int | None = None) -> Iterator[Event]:
    """Read the log in order, from the event after a number."""
    query = sa.select(tables.event).where(tables.event.c.number > after).order_by(tables.event.c.number)
    for row in connection.execute(query if limit is None else query.limit(limit)):
        yield Event(*row)


def rebuild(connection: sa.Connection) -> None:
    """Empty the derived tables and make them anew from the log."""
    for table in reversed(tables.derived.sorted_tables):
        connection.execute(table.delete())
    events = list(read_events(connection))
    void = undone_numbers(events)
    for event in events:
        if event.number not in void:
            DEEDS[event.kind](connection, event, event.told)


def undone_numbers(events: Iterable[Event]) -> set[int]:
    """Numbers of the events that do not count; to undo an undoing lets the first event count again."""
    void: set[int] = set()
    for event in reversed(list(events)):
        if event.kind == UNDONE and event.number not in void:
            void.add(event.told["event"])
    return void


def apply(connection: sa.Connection, event: Event) -> None:
    """Let the tables follow one more event.

    Raises:
        Conflict: the event cannot follow those before.
        NotFound: it is about something that is not there.
    """
    if event.kind == UNDONE:
        rebuild(connection)
    else:
        DEEDS[event.kind](connection, event, event.told)


def _set_fact(connection: sa.Connection, name: str, value: str) -> None:
    fact = tables.fact
    changed = connection.execute(fact.update().where(fact.c.name == name).values(value=value))
    if not changed.rowcount:
        connection.execute(fact.insert().values(name=name, value=value))


def _proposed(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    rows = [
        {
            "name": one["name"],
            "event": event.number,
            "line": line,
            "state": "proposed",
            "place": one["place"],
            "measures": one["measures"],
            "instrument": one["instrument"],
            "design": json.dumps(one["design"]),
            "attrs": json.dumps(told["attrs"]),
            "about": json.dumps(one["about"]),
            "claimed_by": "",
            "lease_until": "",
            "changed": event.number,
            "why": "",
        }
        for line, one in enumerate(told["proposals"])
    ]
    if rows:
        connection.execute(tables.proposal.insert(), rows)


def _set_state(
    connection: sa.Connection, event: Event, name: str, state: str, allowed: tuple[str, ...], **values: str
) -> None:
    """Change the state of a proposal by one statement, which only one of several contenders passes."""
    proposal = tables.proposal
    change = (
        proposal.update()
        .where(proposal.c.name == name, proposal.c.state.in_(allowed))
        .values(state=state, changed=event.number, **values)
        .returning(proposal.c.name)
    )
    if connection.execute(change).scalar() is None:
        was = connection.execute(
            sa.select(proposal.c.state, proposal.c.claimed_by).where(proposal.c.name == name)
        ).first()
        if was is None:
            raise NotFound(f"There is no proposal '{name}'.", hint="tieline show FOLDER lists them")
        raise Conflict(
            f"The proposal '{name}' cannot become {state}.",
            found=f"it is {was.state}" + (f" by {was.claimed_by}" if was.claimed_by else ""),
            hint=f"only what is {' or '.join(allowed)} can",
        )


def _claimed(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    lease = {"claimed_by": told["claimed_by"], "lease_until": told["lease_until"]}
    _set_state(connection, event, told["proposal"], "claimed", ("proposed",), **lease)


def _renewed(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    """A longer lease, or the start of the work; the state stays or becomes running."""
    allowed = ("claimed", "running")
    values = {"lease_until": told["lease_until"]}
    _set_state(connection, event, told["proposal"], told["state"], allowed, **values)


def _moved(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    """A proposal goes back to the others, fails or is given up."""
    state = told["state"]
    allowed = ("claimed", "running") if state == "proposed" else LIVE
    values = {"why": told["why"], "lease_until": ""}
    if state == "proposed":
        values["claimed_by"] = ""
    for name in told["proposals"]:
        _set_state(connection, event, name, state, allowed, **values)


def _told(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    name, proposal = told["specimen"], told["proposal"]
    specimen = tables.specimen
    known = connection.execute(sa.select(specimen.c.name).where(specimen.c.name == name)).scalar()
    if known is None:
        row = {key: json.dumps(told[key]) for key in ("asked", "made", "attrs")}
        connection.execute(specimen.insert().values(name=name, event=event.number, proposal=proposal, **row))
    elif told["made"]:
        changed = {"made": json.dumps(told["made"]), "attrs": json.dumps(told["attrs"])}
        connection.execute(specimen.update().where(specimen.c.name == name).values(**changed))
    rows = [
        {**one, "event": event.number, "line": line, "specimen": name, "proposal": proposal, "at": event.at}
        for line, one in enumerate(told["results"])
    ]
    if rows:
        connection.execute(tables.measurement.insert(), rows)
    _follow(connection, event, proposal, told)
    _set_fact(connection, "data", str(event.number))


def _follow(connection: sa.Connection, event: Event, name: str, told: dict[str, Any]) -> None:
    """The proposal of a result goes on; one that comes late counts, whatever was thought meanwhile."""
    state = told["state"]
    if state == "done":
        _set_state(connection, event, name, state, (*LIVE, *OVER), lease_until="")
    elif state == "failed":
        _set_state(connection, event, name, state, LIVE, lease_until="", why=told["why"])
    elif state == "running":
        proposal = tables.proposal
        is_live = (proposal.c.name == name) & proposal.c.state.in_(LIVE)
        connection.execute(proposal.update().where(is_live).values(state=state, changed=event.number))


def _imported(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    table = tables.imported
    replaced = told["replaces"]
    if replaced:
        position = connection.execute(sa.select(table.c.position).where(table.c.name == replaced)).scalar()
        connection.execute(table.delete().where(table.c.name == replaced))
    else:
        position = event.number
    row = {"name": told["name"], "file": told["file"], "sheet": told["sheet"], "event": event.number}
    connection.execute(table.insert().values(position=position, **row))
    for name in told["done"]:
        _set_state(connection, event, name, "done", (*LIVE, *OVER), lease_until="")
    _set_fact(connection, "record", told["record"])
    _set_fact(connection, "data", str(event.number))


def _fit_started(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    connection.execute(
        tables.fit.insert().values(
            name=told["fit"],
            event=event.number,
            state="running",
            started=event.at,
            ended="",
            data=told["data"],
            about=json.dumps(told["about"]),
            posterior="",
            outcome="{}",
        )
    )


def _fit_ended(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    fit = tables.fit
    change = (
        fit.update()
        .where(fit.c.name == told["fit"], fit.c.state == "running")
        .values(
            state=told["state"],
            ended=event.at,
            posterior=told["posterior"],
            outcome=json.dumps(told["outcome"]),
        )
        .returning(fit.c.name)
    )
    if connection.execute(change).scalar() is None:
        state = connection.execute(sa.select(fit.c.state).where(fit.c.name == told["fit"])).scalar()
        raise Conflict(
            f"The fit '{told['fit']}' cannot become {told['state']}.", found=f"it is {state or 'not there'}"
        )


def _attached(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    row = {key: told[key] for key in ("name", "sha256", "specimen", "proposal")}
    connection.execute(tables.artifact.insert().values(event=event.number, **row))


def _token_added(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    token = tables.token
    if connection.execute(sa.select(token.c.name).where(token.c.name == told["name"])).scalar() is not None:
        raise Conflict(
            f"There is a token '{told['name']}' already.", hint="another name, or take that one back first"
        )
    row = {key: told[key] for key in ("name", "role", "sha256")}
    connection.execute(token.insert().values(at=event.at, by=event.by, **row))


def _token_revoked(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    if not connection.execute(tables.token.delete().where(tables.token.c.name == told["name"])).rowcount:
        raise NotFound(f"There is no token '{told['name']}'.", hint="tieline token FOLDER lists them")


def _undone(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    """What the undone event did is left out by `rebuild`; here follows what a fit would learn from now."""
    if told["record"] is not None:
        _set_fact(connection, "record", told["record"])
    if told["changes_data"]:
        _set_fact(connection, "data", str(event.number))


def _nothing(connection: sa.Connection, event: Event, told: dict[str, Any]) -> None:
    """A remark, which no table follows."""


DEEDS: dict[str, Callable[[sa.Connection, Event, dict[str, Any]], None]] = {
    "created": _nothing,
    "aimed": _nothing,
    "proposed": _proposed,
    "claimed": _claimed,
    "renewed": _renewed,
    "moved": _moved,
    "told": _told,
    "imported": _imported,
    "fit_started": _fit_started,
    "fit_ended": _fit_ended,
    "attached": _attached,
    "studied": _nothing,
    "token_added": _token_added,
    "token_revoked": _token_revoked,
    UNDONE: _undone,
}
