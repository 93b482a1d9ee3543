"""Work beside a campaign, as a process of its own that outlives whoever began it.

All lies in one folder of the campaign: what was asked for, how far it is, what went wrong, and the answer; in
`earlier/` the answer before it. Whoever looks only reads.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

from tieline.campaign.fits import is_process_alive, this_process
from tieline.campaign.places import write_whole
from tieline.campaign.store.event import now
from tieline.errors import TielineError, three_clauses

ABOUT, PROGRESS, EARLIER = "about.json", "progress.json", "earlier"


@dataclass(frozen=True)
class Errand:
    """A piece of work.

    Attributes:
        module: that does it, called with the campaign's folder.
        folder: of the campaign.
        name: of its folder in there.
        answer: name of the file of its answer.
    """

    module: str
    folder: Path
    name: str
    answer: str

    @property
    def place(self) -> Path:
        """Its folder."""
        return self.folder / self.name

    @property
    def earlier(self) -> "Errand":
        """The work that was done before it was begun anew."""
        return replace(self, name=f"{self.name}/{EARLIER}")

    def latest(self) -> "Errand":
        """This work, or the earlier one while this one has no answer."""
        return self if self.state() == "done" else self.earlier

    def begin(self, about: Mapping[str, Any], *also: str) -> None:
        """Begin it anew; an answer that there is stays until the next one is done.

        Args:
            about: what is asked for.
            also: files that earlier work left, and that this one must not find.
        """
        self.place.mkdir(parents=True, exist_ok=True)
        if self.state() == "done":
            self._put_by()
        for file in (PROGRESS, *also):
            (self.place / file).unlink(missing_ok=True)
        command = [sys.executable, "-m", self.module, str(self.folder.resolve())]
        said = {**about, "at": now(), "process": this_process()}
        write_whole(self.place / ABOUT, json.dumps(said))  # the process reads it as soon as it lives
        with (self.place / f"{self.place.name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=os.name != "nt"
            )
        write_whole(self.place / ABOUT, json.dumps(said | {"process": this_process(process.pid)}))
        # Whoever starts a process is asked to take notice of its end.
        Thread(target=process.wait, daemon=True, name=f"end of the {self.place.name}").start()

    def _put_by(self) -> None:
        there = self.earlier.place
        there.mkdir(exist_ok=True)
        (there / self.answer).unlink(missing_ok=True)  # an answer never stands beside the question of another
        write_whole(there / ABOUT, json.dumps(self.about()))
        (self.place / self.answer).replace(there / self.answer)

    def about(self) -> dict[str, Any]:
        """What was asked for last, when; empty if nothing ever was."""
        return _read(self.place / ABOUT)

    def progress(self) -> dict[str, Any]:
        """What it said of itself."""
        return _read(self.place / PROGRESS)

    def state(self) -> str:
        """Running, done, failed, or interrupted if its process died; "" if it was never begun."""
        if not self.about():
            return ""
        if self.progress().get("problem"):
            return "failed"
        if (self.place / self.answer).is_file():
            return "done"
        return "running" if is_process_alive(self.about()["process"]) else "interrupted"

    def say(self, **progress: Any) -> None:
        """Say how far it is."""
        write_whole(self.place / PROGRESS, json.dumps(progress))

    def complain(self, error: TielineError) -> None:
        """Say what went wrong."""
        self.say(problem=three_clauses(error))


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
