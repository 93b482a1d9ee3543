"""Plans for Bluesky: its run engine does the experiments, the campaign says which.

A plan is a generator of messages. These are Bluesky's own in form, so that its RunEngine takes them, and
bluesky is not needed to write, test or read them. Source: blueskyproject.io/bluesky, "Message protocol".
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple

from tieline.client.client import LEASE, Client
from tieline.client.proposal import Proposal
from tieline.errors import TielineError


class Message(NamedTuple):
    """What a plan tells the run engine to do; the form of `bluesky.Msg`."""

    command: str
    obj: Any = None
    args: tuple = ()
    kwargs: Mapping[str, Any] = {}
    run: Any = None


Plan = Generator[Any, Any, Any]
Experiment = Callable[[Proposal], Plan]  # returns results, as `tell` takes them


class ExperimentFailed(Exception):
    """Raised by a plan where what was proposed could not be made; its text says why."""


def campaign_plan(
    client: Client, experiment: Experiment, n: int, *, instrument: str = "", lease: float = LEASE
) -> Plan:
    """Do n experiments that a campaign proposes, and tell what came out.

    What was begun before a crash is done first. Nothing is told twice: a request bears a key made of the name
    of its proposal.

    Args:
        client: of the campaign; `by` must be set, or a token.
        experiment: a plan for one proposal, of any messages, which returns its results;
            `measuring` makes one.
        n: how many.
        instrument: what was asked for this one, or for any.
        lease: seconds until a proposal counts as overdue.

    Returns:
        Names of the proposals that were followed.
    """
    followed = []
    for _ in range(n):
        mine = client.proposals("claimed", "running", mine=True)
        begun = [proposal for proposal in mine if proposal.instrument in ("", instrument)]
        proposal = begun[0] if begun else client.take(instrument=instrument, lease=lease)
        try:
            results = yield from experiment(proposal)
        except ExperimentFailed as failure:
            client.fail(proposal, why=str(failure), key=f"{proposal.name} failed")
        else:
            client.tell(results, proposal=proposal, key=f"{proposal.name} results")
        followed.append(proposal.name)
    return followed


def measuring(
    movables: Mapping[str, Any], detectors: Sequence[Any], results: Mapping[str, str]
) -> Experiment:
    """Make a plan for one proposal: set everything, wait, read every detector.

    Args:
        movables: by setting, what sets it: an object with `set`, as Bluesky knows them.
        detectors: objects with `trigger` and `read`.
        results: by property, the field of a reading that holds it.
    """

    def experiment(proposal: Proposal) -> Plan:
        strangers = [name for name in proposal.settings if name not in movables]
        if strangers:
            raise TielineError(
                "Nothing sets a setting of the proposal.",
                found=", ".join(strangers),
                hint="movables={'temperature': furnace, ...}",
            )
        about = {"proposal": proposal.name, "settings": dict(proposal.settings)}
        yield Message("open_run", kwargs=about)
        for name, value in proposal.settings.items():
            yield Message("set", movables[name], (value,), {"group": "settings"})
        yield Message("wait", kwargs={"group": "settings"})
        for detector in detectors:
            yield Message("trigger", detector, kwargs={"group": "detectors"})
        yield Message("wait", kwargs={"group": "detectors"})
        yield Message("create", kwargs={"name": "primary"})
        readings: dict[str, Any] = {}
        for device in (*movables.values(), *detectors):
            readings |= (yield Message("read", device)) or {}
        yield Message("save")
        yield Message("close_run")
        return {name: readings[field]["value"] for name, field in results.items()}

    return experiment
