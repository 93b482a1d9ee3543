"""Runs kept as lines of JSON in a folder: a comparison that was stopped goes on where it was."""

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from tieline.errors import Conflict, TielineError
from tieline.evaluation.fold_run import FoldRun

FILE = "runs.jsonl"
WORDS = {
    "rows": "data, inputs or groups",
    "folds": "folds",
    "scheme": "scheme",
    "seed": "seed",
    "models": "models",
}
Key = tuple[str, str, int, int, bool]  # target, candidate, repeat, fold, is_tuned


class RunLog:
    """Runs of one comparison, on disk if it has a folder. The only thing here that keeps something.

    Args:
        folder: where the file lies; None keeps nothing.
        asked: what is compared and how; runs of another question are refused.

    Raises:
        Conflict: the folder holds runs of another question.
        TielineError: there can be no such folder.
    """

    def __init__(self, folder: str | Path | None, asked: dict[str, Any]) -> None:
        self._path = None if folder is None else Path(folder) / FILE
        self._runs: dict[Key, FoldRun] = {}
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TielineError(
                f"Runs cannot be kept in '{folder}'.", found=str(error.strerror), hint="name a folder"
            ) from error
        if not self._path.exists():
            self._path.write_text(json.dumps(asked) + "\n", encoding="utf-8")
            return
        text = self._path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # the last line was cut short: the next one must not go on from it
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")
        head, *lines = text.splitlines()
        if json.loads(head) != json.loads(json.dumps(asked)):
            raise Conflict(
                f"'{self._path}' holds runs of another comparison.",
                found="other " + " and ".join(_differing(json.loads(head), asked)),
                hint="name another folder (--out at the command line), or empty this one",
            )
        for line in lines:
            if line.endswith("}"):  # a line that was cut short is run again
                key, run = _read(line)
                self._runs[key] = run

    def get(self, key: Key) -> FoldRun | None:
        """The run of a key, if it was made."""
        return self._runs.get(key)

    def put(self, key: Key, run: FoldRun) -> None:
        """Keep a run."""
        self._runs[key] = run
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **asdict(run)}) + "\n")


def _differing(before: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """What of a question is not as it was."""
    now = json.loads(json.dumps(asked))
    return [WORDS[name] for name in WORDS if before.get(name) != now.get(name)]


def fingerprint(*arrays: np.ndarray) -> str:
    """SHA-256 of arrays: what was compared, in one word."""
    digest = sha256()
    for array in arrays:
        fixed = np.ascontiguousarray(array.astype("U") if array.dtype.kind in "OU" else array)
        digest.update(str((fixed.dtype, fixed.shape)).encode())
        digest.update(fixed.tobytes())
    return digest.hexdigest()


def _read(line: str) -> tuple[Key, FoldRun]:
    found = json.loads(line)
    target, name, repeat, fold, is_tuned = found.pop("key")
    settings = tuple((str(k), v) for k, v in found.pop("settings"))
    return (target, name, repeat, fold, is_tuned), FoldRun(settings=settings, **found)
