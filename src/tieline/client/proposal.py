"""A proposal, as a robot sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Proposal:
    """A place to make or measure.

    Attributes:
        name: of the proposal, and of the specimen that comes of it.
        state: proposed, claimed, running, done, failed or abandoned.
        settings: by name: a number, a text, or a composition as a mapping of elements.
        units: of each setting and prediction that has one.
        instrument: who or what will do the work; "" for any.
        value: how good it is for the goal; None before the first fit.
        reason: why it was chosen.
        predicted: what is expected there.
        claimed_by: who has it.
        lease_until: UTC.
        is_overdue: whether the lease has run out, which has no other consequence.
        why: it failed or was given up.
    """

    name: str
    state: str
    settings: Mapping[str, Any]
    units: Mapping[str, str]
    instrument: str = ""
    value: float | None = None
    reason: str = ""
    predicted: Mapping[str, Any] | None = None
    claimed_by: str = ""
    lease_until: str = ""
    is_overdue: bool = False
    why: str = ""

    def __getitem__(self, setting: str) -> Any:
        return self.settings[setting]


def proposal_from(row: Mapping[str, Any]) -> Proposal:
    """A proposal from an answer; what a later service says beside is left out."""
    known = Proposal.__dataclass_fields__
    about = {name: value for name, value in row.items() if name in known}
    return Proposal(name=row["proposal"], **about)
