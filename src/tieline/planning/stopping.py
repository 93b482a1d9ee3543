"""Whether it is time to stop: what the pool may still hold, and how probable that is."""

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.beliefs import form_beliefs
from tieline.planning.goals import Goal, Pareto, property_terms
from tieline.planning.pool import check_pool
from tieline.planning.request import check_goal
from tieline.planning.wording import percent, short


def stopping(
    posterior: Posterior,
    pool: xr.Dataset,
    goal: Goal,
    *,
    tolerance: float = 0.0,
    risk: float = 0.05,
    seed: int = 0,
) -> xr.Dataset:
    """Say whether a campaign may stop, at a stated risk of missing something better.

    In every joint draw the best place of the pool is compared with the measured place that is expected to be
    the best. The campaign may stop once the first is better by more than the tolerance in at most that share
    of the draws.

    Args:
        posterior: what a model learned.
        pool (specimen): the places one could still go to.
        goal: what is looked for, by its properties.
        tolerance: a gain that would not be worth another measurement; in the unit of the property, or of a
            sum of goals in spreads of its properties over the pool.
        risk: accepted probability that a larger gain is missed.
        seed: of the joint draws.

    Returns:
        `may_stop`, `probability` that the pool holds a gain beyond the tolerance, `expected_gain` of the
        best place over the best measured one; attrs `sentence` and `notes`.

    Raises:
        TielineError: the goal has no property, or nothing was measured for it; a risk beyond 0 and 1.
    """
    if not (0 < risk < 1 and tolerance >= 0):
        raise TielineError(
            "A risk lies between 0 and 1, and a tolerance is not negative.",
            found=f"risk={risk:g}, tolerance={tolerance:g}",
            hint="risk=0.05",
        )
    check_goal(posterior, goal)
    if isinstance(goal, Pareto):
        raise TielineError(
            "Stopping knows one measure of what is best.", found=str(goal), hint="a sum of the single goals"
        )
    design = check_pool(posterior, pool)
    beliefs = form_beliefs(posterior, design, design.isel(specimen=slice(0)), goal, seed=seed)
    if beliefs.utility is None or beliefs.utility.shape[1] == len(beliefs.candidates):
        wanted = "nothing measured" if property_terms(goal) else str(goal)
        raise TielineError(
            "Stopping compares the pool with the best measured place of a property.",
            found=wanted,
            hint='tl.Maximize("hardness"), once it was measured',
        )
    n_candidates = len(beliefs.candidates)
    measured = beliefs.utility[:, n_candidates:]
    gain = beliefs.utility[:, :n_candidates].max(1) - measured[:, measured.mean(0).argmax()]
    # Half a draw more, so that none of a few hundred is not called impossible.
    probability = float(((gain > tolerance).sum() + 0.5) / (len(gain) + 1))
    may_stop = probability <= risk
    beyond = f"a gain of more than {short(tolerance)}" if tolerance else "anything better"
    sentence = (
        f"The pool holds {beyond} with {percent(probability)}:"
        f" {'stop' if may_stop else 'go on'} at an accepted risk of {percent(risk)}."
    )
    return xr.Dataset(
        {
            "may_stop": may_stop,
            "probability": ((), probability, {"units": "1"}),
            "expected_gain": float(np.maximum(gain, 0).mean()),
        },
        attrs={"sentence": sentence, "notes": list(beliefs.notes)},
    )
