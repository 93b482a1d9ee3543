"""A campaign elsewhere: the verbs of `tl.Campaign` over HTTP.

Every verb is sent again while the service is away, and counts once: a robot need not know of crashes.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from tieline.client.answer import Answer
from tieline.client.proposal import Proposal, proposal_from
from tieline.client.sending import FIRST, LONGEST, Sender, checked
from tieline.errors import Conflict, NotFound, TielineError, Unavailable

ADDRESS = "http://127.0.0.1:8731"
PATIENCE = 300.0  # seconds: a service that is started anew, or a machine
LEASE = 24 * 3600.0  # seconds that a claim holds, unless somebody says otherwise
ANSWER = httpx.Timeout(10.0, read=120.0)  # seconds; a large fit may keep a question waiting
SILENCE = 60.0  # seconds without any sign after which a stream of events is begun anew
LOCAL = ("localhost", "127.0.0.1", "::1")


def connect(
    address: str = ADDRESS,
    *,
    token: str = "",
    by: str = "",
    patience: float = PATIENCE,
    verify: bool | str = True,
) -> "Client":
    """Find a campaign that `tieline serve` serves.

    Args:
        address: as `tieline serve` prints it.
        token: as `tieline token` printed it; by default that of the variable TIELINE_TOKEN. None is needed on
            the machine itself.
        by: who does everything that follows, for the log.
        patience: seconds for which a request is sent again while the service is away.
        verify: of TLS, as httpx takes it: a file of certificates, or False for one that nobody signed.

    Raises:
        Unavailable: nothing answers there.
        NotAllowed: the token is missing or not known.
    """
    secret = token or os.environ.get("TIELINE_TOKEN", "")
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    http = httpx.Client(
        base_url=address,
        headers=headers,
        timeout=ANSWER,
        verify=verify,
        trust_env=httpx.URL(address).host not in LOCAL,  # a proxy of the lab does not lead to this machine
    )
    client = Client(Sender(http, patience), by)
    try:
        client.health()
    except TielineError:
        client.close()
        raise
    return client


@dataclass(frozen=True)
class Client:
    """A campaign elsewhere; made by `connect`.

    Attributes:
        sender: the way there.
        by: who does everything, for the log.
    """

    sender: Sender
    by: str = ""

    def close(self) -> None:
        """Let go of the connection."""
        self.sender.http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def health(self) -> dict[str, Any]:
        """Version of the service and number of the latest event."""
        return self._get("/health")

    def overview(self, *, as_of: int | str = "") -> dict[str, Any]:
        """How it stands: proposals by state, the latest fit, and `words`, which may be told."""
        return self._get("/campaign", as_of=as_of)

    def ask(
        self,
        n: int = 1,
        *,
        instrument: str = "",
        goal: str = "",
        acquisition: str = "",
        batch: str = "believer",
        audit: int = 0,
        key: str = "",
    ) -> Answer[Proposal]:
        """Ask what to do next; the arguments are those of `Campaign.ask`.

        Returns:
            The proposals, as in a list, with `notes` on the choice.

        Raises:
            TielineError: there are not so many places that are not under way.
        """
        about = {"n": n, "instrument": instrument, "goal": goal, "acquisition": acquisition}
        answer = self._post("/ask", {**about, "batch": batch, "audit": audit}, key)
        return Answer([proposal_from(row) for row in answer["proposals"]], answer["notes"])

    def proposals(self, *states: str, instrument: str = "", mine: bool = False) -> list[Proposal]:
        """List proposals, all or those in some states; `mine` are those that one has claimed.

        Raises:
            SchemaError: `mine`, of a client that `connect` was not told `by` nor a token.
        """
        query = {"state": states, "instrument": instrument, "mine": mine, "by": self.by}
        return [proposal_from(row) for row in self._get("/proposals", **query)["proposals"]]

    def proposal(self, name: str) -> Proposal:
        """One proposal, as it is now.

        Raises:
            NotFound: there is none of that name.
        """
        return proposal_from(self._get(f"/proposals/{_part(name)}"))

    def claim(
        self, proposal: Proposal | str = "", *, instrument: str = "", lease: float = LEASE, key: str = ""
    ) -> Proposal:
        """Take a proposal for oneself, by default the first that is open.

        Raises:
            NotFound: nothing is open, or there is no such proposal.
            Conflict: somebody else has it.
        """
        about = {"proposal": _name(proposal), "instrument": instrument, "lease": lease}
        return proposal_from(self._post("/claim", about, key))

    def take(self, *, instrument: str = "", lease: float = LEASE) -> Proposal:
        """Take the first open proposal for oneself, or else ask for a new one and take that."""
        while True:
            try:
                return self.claim(instrument=instrument, lease=lease)
            except NotFound:
                (new,) = self.ask(1, instrument=instrument)
            try:
                return self.claim(new, lease=lease)
            except Conflict:
                continue  # somebody was quicker

    def renew(
        self, proposal: Proposal | str, *, lease: float = LEASE, is_running: bool = True, key: str = ""
    ) -> dict[str, Any]:
        """Say that one is at work on a proposal, and will be for some time.

        Raises:
            Conflict: somebody else claimed it, or nobody.
        """
        return self._about(proposal, "renew", {"lease": lease, "is_running": is_running}, key)

    def release(self, proposal: Proposal | str, *, why: str = "", key: str = "") -> dict[str, Any]:
        """Give a proposal back that one has claimed, for somebody else to take."""
        return self._about(proposal, "release", {"why": why}, key)

    def fail(self, proposal: Proposal | str, *, why: str = "", key: str = "") -> dict[str, Any]:
        """Record that what was proposed could not be made, which a model may learn from."""
        return self._about(proposal, "fail", {"why": why}, key)

    def abandon(self, proposal: Proposal | str, *, why: str = "", key: str = "") -> dict[str, Any]:
        """Give a proposal up; nothing is learned from that."""
        return self._about(proposal, "abandon", {"why": why}, key)

    def tell(
        self,
        results: Mapping[str, Any],
        *,
        proposal: Proposal | str = "",
        specimen: str = "",
        made: Mapping[str, Any] | None = None,
        is_partial: bool = False,
        key: str = "",
    ) -> dict[str, Any]:
        """Record what came out of an experiment; the arguments are those of `Campaign.tell`.

        Returns:
            Number of the event and name of the specimen; all is on disk.

        Raises:
            SchemaError: a name is not known to the campaign, or a value is none.
            UnitError: a unit is unknown, or is not one of the property.
        """
        about = {"proposal": _name(proposal), "specimen": specimen, "made": made or {}}
        return self._post("/tell", {"results": results, **about, "is_partial": is_partial}, key)

    def start_fit(self, *, key: str = "") -> str:
        """Begin a fit, which goes on by itself; returns its name.

        Raises:
            Conflict: one is running.
        """
        return self._post("/fits", {}, key)["fit"]

    def fits(self) -> list[dict[str, Any]]:
        """All fits, the latest last."""
        return self._get("/fits")["fits"]

    def cancel_fit(self, name: str) -> None:
        """Stop a fit; what was learned before stays."""
        self.sender.send("POST", f"/fits/{_part(name)}/cancel", content={})

    def learn(self, *, timeout: float = 24 * 3600.0) -> dict[str, Any]:
        """Fit, and wait for it; a fit that is running is waited for instead.

        Args:
            timeout: seconds to wait, after which the fit goes on without being waited for.

        Raises:
            TielineError: the fit failed, was cancelled or interrupted, or takes longer.
        """
        try:
            name = self.start_fit()
        except Conflict:
            name = next((fit["fit"] for fit in self.fits() if fit["state"] == "running"), "")
            if not name:  # it ended a moment ago
                return self.learn(timeout=timeout)
        until, wait = time.monotonic() + timeout, FIRST
        while (fit := self._get(f"/fits/{_part(name)}"))["state"] == "running":
            if time.monotonic() > until:
                raise TielineError(f"'{name}' is not done yet.", found=f"it is {fit['stage']}", hint="wait")
            time.sleep(wait)
            wait = min(1.5 * wait, LONGEST)
        if fit["state"] != "done":
            said = fit["outcome"]
            found = " ".join(filter(None, (said.get("what"), said.get("found"))))
            raise TielineError(f"'{name}' was {fit['state']}.", found=found, hint=said.get("hint", ""))
        return fit

    def models(self) -> list[dict[str, Any]]:
        """The models that are kept with the campaign, beside what it learned itself, each with its card."""
        return self._get("/models")["models"]

    def predict(
        self, places: Sequence[Mapping[str, Any]] | None = None, *, model: str = ""
    ) -> Answer[dict[str, Any]]:
        """Predict at places, given by their settings; by default all over the explored region.

        Args:
            places: settings by name.
            model: one of `models`, by its name; by default what the campaign learned last.

        Returns:
            One row a place, as in a list, with `units` and with `notes`, such as what was not learned from.

        Raises:
            Conflict: nothing was learned yet.
            NotFound: there is no such model.
        """
        content = {"places": None if places is None else list(places), "model": model}
        answer = self.sender.send("POST", "/predict", content=content).json()
        return Answer(answer["rows"], answer["notes"], answer["units"])

    def specimens(self) -> list[dict[str, Any]]:
        """Everything that is known, one row a specimen or repeat."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self._get("/specimens", offset=len(rows))
            rows += page["rows"]
            if len(rows) >= page["total"] or not page["rows"]:
                return rows

    def events(self, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Read the log, from the event after a number."""
        return self._get("/events", after=after, limit=limit)["events"]

    def follow(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Follow the log as it grows; when the service was away, none is missed or given twice."""
        timeout = httpx.Timeout(ANSWER.connect, read=SILENCE)
        until, wait, trouble = time.monotonic() + self.sender.patience, FIRST, ""
        while time.monotonic() < until:
            about: dict[str, Any] = {"params": {"after": after}, "timeout": timeout}
            try:
                with self.sender.http.stream("GET", "/v1/events/stream", **about) as response:
                    if response.status_code != 200:
                        response.read()
                        checked(response)
                    for line in response.iter_lines():
                        if line.startswith("data: ") and "number" in (event := json.loads(line[6:])):
                            after, wait = event["number"], FIRST
                            yield event
                        until = time.monotonic() + self.sender.patience
            except (httpx.TransportError, Unavailable) as error:
                trouble = str(error)
            time.sleep(wait)
            wait = min(2 * wait, LONGEST)
        raise self.sender.away(trouble)

    def undo(self, event: int, *, why: str = "", key: str = "") -> dict[str, Any]:
        """Let an event count no longer; it stays in the log, with the reason."""
        return self._post(f"/events/{event}/undo", {"why": why}, key)

    def preview(
        self, file: str | Path, *, columns: Mapping[str, Any] | None = None, sheet: str = ""
    ) -> list[dict[str, Any]]:
        """Look at how a file would be read, one row a column; nothing is kept."""
        return self._send_file("/files/preview", file, {"sheet": sheet}, columns, "")["columns"]

    def import_file(
        self,
        file: str | Path,
        *,
        columns: Mapping[str, Any] | None = None,
        sheet: str = "",
        key: str = "",
    ) -> list[str]:
        """Add a file of measurements to the campaign; returns notes on what was guessed.

        Args:
            file: a table or a diffraction pattern.
            columns: corrections by header, as `tieline.load` takes them.
            sheet: which sheet of a spreadsheet file, when several hold data.
            key: names the request.
        """
        form = {"sheet": sheet, "by": self.by}
        return self._send_file("/files", file, form, columns, key or uuid4().hex)["notes"]

    def attach(
        self, file: str | Path, *, specimen: str = "", proposal: Proposal | str = "", key: str = ""
    ) -> dict[str, Any]:
        """Keep a file of an instrument with the specimen that it is of."""
        form = {"specimen": specimen, "proposal": _name(proposal), "by": self.by}
        return self._send_file("/artifacts", file, form, None, key or uuid4().hex)

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        asked = {name: value for name, value in query.items() if value not in ("", False, ())}
        return self.sender.send("GET", path, query=asked).json()

    def _post(self, path: str, content: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Send something that writes, under a key that stays the same however often it is sent."""
        whole = {**content, "by": self.by}
        return self.sender.send("POST", path, content=whole, key=key or uuid4().hex).json()

    def _about(
        self, proposal: Proposal | str, deed: str, content: Mapping[str, Any], key: str
    ) -> dict[str, Any]:
        return self._post(f"/proposals/{_part(_name(proposal))}/{deed}", content, key)

    def _send_file(
        self,
        path: str,
        file: str | Path,
        form: dict[str, str],
        columns: Mapping[str, Any] | None,
        key: str,
    ) -> dict[str, Any]:
        place = Path(file)
        if not place.is_file():
            raise TielineError(
                f"There is no file '{place}'.", hint="check the name; a folder is imported there"
            )
        if columns is not None:
            form = {**form, "columns": json.dumps(columns)}
        sent = (place.name, place.read_bytes())
        return self.sender.send("POST", path, content=form, file=sent, key=key).json()


def _name(proposal: Proposal | str) -> str:
    return proposal if isinstance(proposal, str) else proposal.name


def _part(name: str) -> str:
    return quote(name, safe="")
