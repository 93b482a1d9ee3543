"""What was found wrong with data, one finding each, in the order of how much it matters."""

from collections.abc import Iterable
from dataclasses import dataclass

SEVERITIES = ("red", "amber", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing before anything is learned.

    Attributes:
        kind: one word for it, such as "leak" or "outliers".
        severity: "red" spoils what would be learned, "amber" may, "note" is worth knowing.
        sentence: what was found, with its numbers.
        action: what to do about it.
        columns: the variables that it concerns.
        specimens: the specimens that it concerns, the worst first.
    """

    kind: str
    severity: str
    sentence: str
    action: str
    columns: tuple[str, ...] = ()
    specimens: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.severity:<6}{self.sentence} {self.action}"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once, the gravest first; those of one severity in the order in which they were found."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: SEVERITIES.index(finding.severity)))
