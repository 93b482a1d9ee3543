"""What can go wrong, in the user's terms.

TielineError
├── SchemaError      the data do not have the form that was asked for
├── UnitError        a unit is unknown, or two units do not agree
├── NotIdentified    the data cannot answer the question, whatever the method
├── NotConverged     the method did not finish its work on these data
├── MissingExtra     an optional part of tieline is not installed
├── NotFound         a campaign has nothing of that name
├── Conflict         what was asked for contradicts what a campaign has recorded
├── NotAllowed       a service does not let one do this
└── Unavailable      a store or a service cannot be reached or written now
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


class TielineError(Exception):
    """Something a user can mend. Says what is wrong, what was found, and what to try.

    Args:
        what: what is wrong, in the user's terms.
        found: what was found instead.
        hint: what to try next.
    """

    def __init__(self, what: str, *, found: str = "", hint: str = "") -> None:
        self.what, self.found, self.hint = what, found, hint
        lines = [what]
        if found:
            lines.append(f"  Found: {found}")
        if hint:
            lines.append(f"  Try: {hint}")
        super().__init__("\n".join(lines))


def three_clauses(error: TielineError) -> dict[str, str]:
    """An error in its parts: for a template, an answer, or what is written down of it."""
    return {"what": error.what, "found": error.found, "hint": error.hint}


def error_told(kind: str, clauses: Mapping[str, str]) -> TielineError:
    """The error of a kind that `three_clauses` told, perhaps in another process."""
    return globals()[kind](clauses["what"], found=clauses["found"], hint=clauses["hint"])


class SchemaError(TielineError):
    """The data do not have the form that was asked for."""


class UnitError(TielineError):
    """A unit is unknown, or two units do not agree."""


class NotIdentified(TielineError):
    """The data cannot answer the question, whatever the method."""


class NotConverged(TielineError):
    """The method did not finish its work on these data."""


class MissingExtra(TielineError):
    """An optional part of tieline is not installed."""


def not_installed(what: str, extra: str, error: ImportError) -> MissingExtra:
    """What is raised where an optional part cannot be imported.

    Args:
        what: needs it, with the verb: "SHAP values need".
        extra: that has it.
        error: of the import.
    """
    return MissingExtra(
        f"{what} a part of tieline that is not installed.",
        found=str(error),
        hint=f'pip install "tieline[{extra}]"',
    )


class NotFound(TielineError):
    """A campaign has nothing of that name."""


class Conflict(TielineError):
    """What was asked for contradicts what has been recorded: by a campaign, or of a training."""


class NotAllowed(TielineError):
    """A service does not let one do this: it knows no such token, or the token may not."""


class Unavailable(TielineError):
    """A store or a service cannot be reached or written now; the same may well work later."""


def did_you_mean(name: str, candidates: Iterable[object]) -> str:
    """Suggest the closest candidate as a half sentence, or nothing."""
    close = get_close_matches(str(name), [str(c) for c in candidates], n=1)
    return f"Did you mean '{close[0]}'?" if close else ""
