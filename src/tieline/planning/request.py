"""What may be asked for, and the refusal of what may not."""

from collections.abc import Mapping
from typing import get_args

import numpy as np

from tieline.errors import NotIdentified, SchemaError, TielineError, did_you_mean
from tieline.models.posterior import Posterior
from tieline.planning.choice import WITHOUT_ZERO, Acquisition
from tieline.planning.field_choice import BATCHES
from tieline.planning.field_proposals import GaussianAnswer
from tieline.planning.goals import Goal, LearnLevelSet, Pareto, map_terms, names_in, wants_phase_map


def check_goal(posterior: Posterior, goal: Goal) -> None:
    """Refuse what is no goal, or asks for what the model did not learn."""
    if not hasattr(posterior, "predict"):
        raise TielineError(
            "Proposals are made from a posterior.",
            found=type(posterior).__name__,
            hint="posterior = model.fit(table); tl.propose(posterior, ...)",
        )
    if not isinstance(goal, Goal):
        raise TielineError("This is not a goal.", found=repr(goal), hint='tl.Maximize("strength")')
    if isinstance(posterior, GaussianAnswer) and wants_phase_map(goal):
        raise NotIdentified(
            "This model knows no phases.", found=str(goal), hint="tl.PhaseProperty, or a goal without the map"
        )
    known = list(posterior.model.properties)
    for name in names_in(goal):
        if name not in known:
            raise SchemaError(
                f"The goal asks for '{name}', which this model did not learn.",
                found=f"{', '.join(known) or 'no property'}. {did_you_mean(name, known)}".strip(),
                hint="name one of these, or fit the model with the property",
            )


def check_acquisition(acquisition: str | None) -> None:
    """Refuse a score that does not exist."""
    if acquisition is not None and acquisition not in get_args(Acquisition):
        guess = did_you_mean(acquisition, get_args(Acquisition))
        raise TielineError(
            f"There is no acquisition '{acquisition}'. {guess}".strip(),
            hint=" or ".join(get_args(Acquisition)),
        )


def check_batch(batch: str, acquisition: str | None) -> None:
    """Refuse a belief that does not exist, or does not go with the score."""
    if batch not in BATCHES:
        raise TielineError(
            f"There is no batch '{batch}'. {did_you_mean(batch, BATCHES)}".strip(), hint=" or ".join(BATCHES)
        )
    if batch == "local_penalty" and acquisition not in (None, "pi", "log_ei"):
        raise TielineError(
            "A local penalty multiplies a score that counts from zero.",
            found=f"acquisition='{acquisition}'",
            hint='acquisition="log_ei" or "pi", or another batch',
        )


def check_number(n: int) -> None:
    """Refuse half a proposal."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TielineError("n is how many places to propose.", found=f"n={n!r}", hint="n=5")


def check_audit(audit: int, n: int) -> None:
    """Refuse more random proposals than proposals."""
    if audit and not 0 <= audit <= n:
        raise TielineError(
            "audit is how many of the n proposals are drawn at random.",
            found=f"audit={audit}, n={n}",
            hint=f"from 0 to {n}",
        )


def check_costs(
    costs: Mapping[str, float] | str | None, acquisition: Acquisition, goal: Goal, audit: int
) -> None:
    """Refuse costs that the score, the goal or random proposals cannot be weighed against."""
    if isinstance(costs, str):
        if acquisition in WITHOUT_ZERO and not map_terms(goal):
            raise _no_zero(acquisition)
    elif costs is not None:
        _refuse_no_gain(acquisition, goal, audit)


def _refuse_no_gain(acquisition: str, goal: Goal, audit: int) -> None:
    if audit:
        raise TielineError(
            "A random proposal is a place, not a choice between instruments.",
            found=f"audit={audit} beside costs of instruments",
            hint="audit=0, or leave the costs out",
        )
    if isinstance(goal, Pareto) or any(isinstance(part, LearnLevelSet) for _, part in map_terms(goal)):
        raise TielineError(
            "Costs of instruments are weighed for the phase map and for single properties.",
            found=str(goal),
            hint="leave the costs out, or another goal",
        )
    if acquisition != "log_ei":
        raise _no_zero(acquisition)


def _no_zero(acquisition: str) -> TielineError:
    return TielineError(
        "Costs are weighed against the expected improvement.",
        found=f"acquisition='{acquisition}', whose score has no zero to be divided by a cost",
        hint='acquisition="log_ei", or leave the costs out',
    )
