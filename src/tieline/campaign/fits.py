"""Fits as the store knows them: begun, alive, ended; whoever dies is shown as interrupted."""

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tieline.campaign.store import tables
from tieline.campaign.store.event import now
from tieline.campaign.store.store import Store, last_event
from tieline.errors import NotFound, TielineError

BEAT = 2.0  # seconds between signs of life
SILENCE = 8.0  # seconds without one, after which a fit counts as interrupted
START = 60.0  # the same while a process starts, which loads large libraries first
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Fit:
    """A fit as it stands.

    Attributes:
        name: of the fit.
        state: running, done, failed, cancelled, or interrupted if its process died.
        started: when, UTC.
        ended: when, UTC; "" if it has not.
        data: the last event that it learned from.
        about: settings, seed, versions and host.
        posterior: checksum of its file; "" if there is none.
        outcome: verdict, sentence, model, how it was challenged, checksum of the table, or what went wrong.
        stage: what it is doing.
    """

    name: str
    state: str
    started: str
    ended: str
    data: int
    about: Mapping[str, Any]
    posterior: str
    outcome: Mapping[str, Any]
    stage: str = ""

    @property
    def judged(self) -> list[str]:
        """How the fit before it did on what had arrived, and which model stays and why; or nothing."""
        said = [self.outcome.get("arrived", ""), self.outcome.get("challenge", {}).get("decision", "")]
        return [sentence for sentence in said if sentence]


def list_fits(store: Store) -> list[Fit]:
    """All fits, the latest last."""
    with store.reading() as connection:
        rows = list(connection.execute(sa.select(tables.fit).order_by(tables.fit.c.event)))
        has_beats = not store.is_past
        beats = {b.fit: b for b in connection.execute(sa.select(tables.beat))} if has_beats else {}
    return [_as_fit(row, beats.get(row.name)) for row in rows]


def latest_fit(store: Store) -> Fit | None:
    """The finished fit that knows most."""
    fit = tables.fit
    done = sa.select(fit).where(fit.c.state == "done").order_by(fit.c.data.desc(), fit.c.event.desc())
    rows = store.rows(done.limit(1))
    return _as_fit(rows[0], None) if rows else None


def _as_fit(row: sa.Row[Any], beat: sa.Row[Any] | None) -> Fit:
    state, stage = row.state, ""
    if state == "running":
        stage = beat.stage if beat is not None else "starting"
        state = "running" if _is_alive(row, beat) else INTERRUPTED
    about, outcome = json.loads(row.about), json.loads(row.outcome)
    return Fit(row.name, state, row.started, row.ended, row.data, about, row.posterior, outcome, stage)


def begin(store: Store, content: Mapping[str, Any], *, by: str, key: str = "") -> str:
    """Write down that a fit begins, and name it."""

    def settle(connection: sa.Connection) -> Mapping[str, Any]:
        last = last_event(connection)
        return {"fit": f"fit-{1 if last is None else last.number + 1}", **content}

    # The same request is one to begin, whatever was told meanwhile.
    name = store.write("fit_started", settle, by=by, key=key, request={}).told["fit"]
    beat(store, name, "starting")
    return name


def end(
    store: Store, name: str, state: str, *, posterior: str = "", outcome: Mapping[str, Any] | None = None
) -> None:
    """Write down how a fit ended.

    Raises:
        Conflict: it has ended already, or was cancelled meanwhile.
    """
    content = {"fit": name, "state": state, "posterior": posterior, "outcome": dict(outcome or {})}
    store.write("fit_ended", content)


def find_fit(store: Store, name: str) -> Fit:
    """The fit of a name.

    Raises:
        NotFound: there is none.
    """
    found = [fit for fit in list_fits(store) if fit.name == name]
    if not found:
        raise NotFound(f"There is no fit '{name}'.", hint="campaign.fits() lists them")
    return found[0]


def bury_interrupted(store: Store) -> None:
    """Write down of fits whose process died that they were interrupted."""
    for fit in list_fits(store):
        if fit.state == INTERRUPTED:
            end(store, fit.name, INTERRUPTED)


def beat(store: Store, name: str, stage: str, process: Mapping[str, Any] | None = None) -> bool:
    """Give a sign of life; tells whether the fit is still wanted."""
    row = {"at": now(), "stage": stage, "process": json.dumps(dict(process or this_process()))}
    table = tables.beat
    with store.database.writing() as connection:
        changed = connection.execute(table.update().where(table.c.fit == name).values(**row))
        if not changed.rowcount:
            connection.execute(table.insert().values(fit=name, **row))
        wanted = sa.select(tables.fit.c.state).where(tables.fit.c.name == name)
        return connection.execute(wanted).scalar() == "running"


@contextmanager
def beating(store: Store, name: str, stage: str) -> Iterator[None]:
    """Give signs of life while the work goes on; interrupt it once the fit is cancelled."""
    import _thread

    over = threading.Event()

    def keep_beating() -> None:
        while not over.wait(BEAT):
            try:
                wanted = beat(store, name, stage)
            except TielineError:
                continue  # a full disk or a lost server is met by the fit itself, when it is done
            if not wanted and not over.is_set():
                _thread.interrupt_main()
                return

    beat(store, name, stage)
    thread = threading.Thread(target=keep_beating, daemon=True, name=f"signs of life of {name}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def this_process(pid: int | None = None) -> dict[str, Any]:
    """What tells this process from all others."""
    return {"host": socket.gethostname(), "boot": _boot(), "pid": os.getpid() if pid is None else pid}


def _is_alive(row: sa.Row[Any], beat: sa.Row[Any] | None) -> bool:
    last, stage, process = (
        (row.started, "starting", {}) if beat is None else (beat.at, beat.stage, json.loads(beat.process))
    )
    if not is_process_alive(process):
        return False
    silence = (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds()
    return silence < (START if stage == "starting" else SILENCE)


def is_process_alive(process: Mapping[str, Any]) -> bool:
    """Whether a process may be at work still: one of this machine runs, of others one cannot tell.

    Args:
        process: as `this_process` says it.
    """
    if process.get("host") != socket.gethostname():
        return True
    return process["boot"] == _boot() and _is_running(process["pid"])


def _is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.parent.parent.joinpath("self").exists():
        # Behind the name in brackets; Z is a process that died and whom nobody asked how.
        return status.exists() and status.read_text().rpartition(") ")[2][:1] not in ("Z", "X", "")
    if os.name == "nt":
        return True  # only the silence tells there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot() -> str:
    """Tells one start of the machine from the next, where the system says so."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text().strip() if file.is_file() else ""
