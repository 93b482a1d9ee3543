"""The runs of a back-test on file, so that none is done twice: one line of JSON a run, only ever appended."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tieline.errors import TielineError

Run = tuple[str, int, int]  # strategy, n_start, repeat
FORM = 1  # of the file


@dataclass(frozen=True)
class RunLog:
    """What was run so far, in memory and, where there is a path, on file.

    Attributes:
        path: of the file; None keeps nothing.
        picks: rows that were measured in each run, the start first.
    """

    path: Path | None
    picks: dict[Run, np.ndarray]

    @classmethod
    def open(
        cls, path: str | Path | None, settings: Mapping[str, Any], strategies: Mapping[str, str]
    ) -> "RunLog":
        """Begin a log, or go on with the one that a file holds.

        Args:
            path: of the file; None to keep nothing.
            settings: of the back-test, as JSON has them.
            strategies: settings of each strategy, as text.

        Raises:
            TielineError: the file is none of ours, or of another back-test; or there is no folder for it.
        """
        if path is None:
            return cls(None, {})
        path = Path(path)
        _refuse_nameless(strategies)
        if not path.parent.is_dir():
            raise TielineError(f"There is no folder '{path.parent}'.", hint="create it first")
        log = cls(path, {})
        known = log._read(path, settings, strategies) if path.exists() and path.stat().st_size else None
        head = [] if known is not None else [{"tieline_backtest": FORM, "settings": settings}]
        new = {name: text for name, text in strategies.items() if name not in (known or ())}
        log._append([*head, *({"strategy": name, "is": text} for name, text in new.items())])
        return log

    def add(self, runs: Iterable[tuple[Run, np.ndarray]]) -> None:
        """Keep runs, on file at once."""
        new = dict(runs)
        self.picks.update(new)
        self._append([{"run": list(run), "picks": picks.tolist()} for run, picks in new.items()])

    def _append(self, lines: list[dict[str, Any]]) -> None:
        if self.path is None or not lines:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def _read(self, path: Path, settings: Mapping[str, Any], strategies: Mapping[str, str]) -> set[str]:
        """Take over the runs of a file; returns the strategies that it knows."""
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # a crash left half a line: what is appended begins a new one
            path.write_text(f"{text}\n", encoding="utf-8")
        first, *others = text.splitlines()
        head = _parsed(first)
        if head.get("tieline_backtest") != FORM:
            raise TielineError(
                f"'{path.name}' does not hold runs of a back-test.",
                found=first[:60],
                hint="name a new file to keep runs in",
            )
        _refuse_others(path, head["settings"], settings)
        known = {}
        for line in map(_parsed, others):
            if "strategy" in line:
                known[line["strategy"]] = line["is"]
            elif "run" in line:
                strategy, n_start, repeat = line["run"]
                self.picks[strategy, n_start, repeat] = np.array(line["picks"], dtype=int)
        changed = [name for name, text in strategies.items() if known.get(name, text) != text]
        if changed:
            raise TielineError(
                f"'{path.name}' holds runs of another strategy '{changed[0]}'.",
                found=f"{known[changed[0]]}, now {strategies[changed[0]]}",
                hint="give the strategy another name, or name another file",
            )
        return set(known)


def _parsed(line: str) -> dict[str, Any]:
    """Read a line; nothing where a crash left half of one, whose run is then done again."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_others(path: Path, kept: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    differing = [key for key in settings if kept.get(key) != settings[key]]
    if differing:
        raise TielineError(
            f"'{path.name}' holds runs of another back-test.",
            found="; ".join(f"{key} was {kept.get(key)!r}, now {settings[key]!r}" for key in differing),
            hint="name another file, or delete this one to begin anew",
        )


def _refuse_nameless(strategies: Mapping[str, str]) -> None:
    for name, text in strategies.items():
        if " at 0x" in text:
            raise TielineError(
                f"Runs of the strategy '{name}' cannot be told from those of another.",
                found=text,
                hint="make it a dataclass, whose repr says its settings; or leave out keep",
            )
